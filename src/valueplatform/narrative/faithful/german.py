"""German, as the check of sentences knows it."""

import re
from collections.abc import Mapping
from typing import Final

from valueplatform.narrative.faithful.lexicon import Lexicon

MONTHS: Final = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
)  # fmt: skip
UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    "second": ("Sekunde", "Sekunden"),
    "minute": ("Minute", "Minuten"),
    "hour": ("Stunde", "Stunden"),
    "day": ("Tag", "Tage"),
    "week": ("Woche", "Wochen"),
    "month": ("Monat", "Monate"),
    "quarter": ("Quartal", "Quartale"),
    "year": ("Jahr", "Jahre"),
    "event": ("Ereignis", "Ereignisse"),
    "company": ("Unternehmen",),
    "driver": ("Treiber",),
    "person": ("Person", "Personen"),
    "user": ("Nutzer",),
    "team": ("Team", "Teams"),
    "customer": ("Kunde", "Kunden"),
    "job": ("Auftrag", "Aufträge"),
    "order": ("Bestellung", "Bestellungen"),
    "invoice": ("Rechnung", "Rechnungen"),
    "visit": ("Besuch", "Besuche"),
    "arrival": ("Ankunft", "Ankünfte"),
    "call": ("Anruf", "Anrufe"),
    "open": ("Aufruf", "Aufrufe"),
    "incident": ("Vorfall", "Vorfälle"),
    "document": ("Dokument", "Dokumente"),
    "inquiry": ("Anfrage", "Anfragen"),
    "ticket": ("Ticket", "Tickets"),
    "shipment": ("Sendung", "Sendungen"),
}
"""How a unit of a model may be called; others stay as the model has them."""
_NOUNS: Final = {word: unit for unit, words in UNITS.items() for word in words}
_CARDINAL: Final = (
    r"zwei|zwo|drei|vier|fünf|sechs|sech|sieben|sieb|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|hundert|tausend"
)
_NUMBER_WORD: Final = re.compile(
    rf"(?:ver)?(?:ein(?:und)?|und)?(?:{_CARDINAL})(?:und|zig|ßig|zehn|{_CARDINAL})*"
    r"(?:mal|fach\w*|t|te[nrsm]?|tel\w*|s?te[nrsm]?|e|en|er)?"
    r"|dritt\w*|viertel\w*|halb\w*|hälfte\w*|halbier\w*|(?:ver)?doppel\w*|(?:ver)?dreifach\w*|dutzend\w*"
    r"|million\w*|milliarde\w*|billion\w*|prozent\w*|zigfach\w*"
)


def _unit(unit: str) -> str:
    one = unit.removesuffix("s")
    return one if one in UNITS else unit


def _named(noun: str) -> str:
    """The unit that a German word names; an English word for a unit that has a German one names none."""
    named = _NOUNS.get(noun)
    return named or ("" if _unit(noun) in UNITS else noun)


GERMAN: Final = Lexicon(
    locale="de_DE",
    up=frozenset(
        {
            "stieg", "stiegen", "gestiegen", "wuchs", "wuchsen", "gewachsen", "gewann", "gewonnen", "zugenommen",
            "zulegte", "erhöht", "erhöhte", "mehr", "über", "oberhalb", "darüber", "voraus", "vor", "vorsprung",
            "höher", "übertraf", "übertroffen", "verbessert", "verbesserte",
        }
    ),
    down=frozenset(
        {
            "sank", "sanken", "gesunken", "fiel", "fielen", "gefallen", "abgenommen", "verlor", "verloren", "weniger",
            "unter", "unterhalb", "darunter", "hinter", "zurück", "rückstand", "niedriger", "geringer", "verringert",
            "verringerte", "schrumpfte", "verfehlt", "verfehlte",
        }
    ),
    number_word=_NUMBER_WORD,
    class_words={
        "capacity": "Kapazität",
        "cashable": "zahlungswirksam",
        "avoidance": "vermiedene Kosten",
        "risk": "Risikominderung",
        "revenue": "Umsatz",
    },
    months=MONTHS,
    day=re.compile(rf"\b(\d{{1,2}})\. ({'|'.join(MONTHS)}) (\d{{4}})\b"),
    month=re.compile(rf"\b({'|'.join(MONTHS)}) (\d{{4}})\b"),
    figure=re.compile(
        r"(?P<minus>\u2212)?(?P<before>)(?P<digits>(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?)"
        r"(?:\u00a0(?P<scale>Mio\.|Mrd\.|Bio\.|Brd\.))?(?P<after>(?![\d.,]).*)",
        re.DOTALL,
    ),
    scales={None: 0, "Mio.": 6, "Mrd.": 9, "Bio.": 12, "Brd.": 15},
    group=".",
    point=",",
    percent=" %",
    ratio="\u2011Fache",
    per=(" pro ",),
    noun=_named,
    unit=_unit,
    money_leads=False,
    rounded_from=1000,
)  # fmt: skip
