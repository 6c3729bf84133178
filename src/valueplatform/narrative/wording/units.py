"""What units are called in a sentence. Models name them in English or in the supplier's own words; what is not known
here is said as the model has it."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from babel import Locale

SPACE: Final = "\N{NO-BREAK SPACE}"
_PERIODS: Final = {"day", "week", "month", "year"}
_GERMAN: Final[Mapping[str, tuple[str, str]]] = {
    "second": ("Sekunde", "Sekunden"),
    "minute": ("Minute", "Minuten"),
    "hour": ("Stunde", "Stunden"),
    "day": ("Tag", "Tage"),
    "week": ("Woche", "Wochen"),
    "month": ("Monat", "Monate"),
    "quarter": ("Quartal", "Quartale"),
    "year": ("Jahr", "Jahre"),
    "event": ("Ereignis", "Ereignisse"),
    "company": ("Unternehmen", "Unternehmen"),
    "driver": ("Treiber", "Treiber"),
    "person": ("Person", "Personen"),
    "user": ("Nutzer", "Nutzer"),
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
"""One and many, in cases in which they are alike: sentences keep numbers out of the dative."""


def unit_text(noun: str, amount: Decimal, locale: Locale) -> str:
    """The unit as it follows an amount."""
    if locale.language == "de":
        one, many = _german(noun)
        return one if amount == 1 else many
    return noun if amount == 1 else plural(noun)


def per_text(noun: str, locale: Locale) -> str:
    """'a week', 'per visit', 'pro Woche'."""
    if locale.language == "de":
        return f"pro{SPACE}{_german(noun)[0]}"
    return f"{'a' if noun in _PERIODS else 'per'}{SPACE}{noun}"


def ratio_unit(locale: Locale) -> str:
    """What follows the number of '2.31 times', and of 'das 2,31-Fache'."""
    return "\N{NON-BREAKING HYPHEN}Fache" if locale.language == "de" else f"{SPACE}times"


def plural(noun: str) -> str:
    """The English plural of a unit's noun; what ends in s is taken as plural already."""
    if noun.endswith("s") or not noun.isascii():
        return noun
    return re.sub(r"(?<=[^aeiou])y$", "ie", noun) + "s"


def _german(noun: str) -> tuple[str, str]:
    return _GERMAN.get(noun) or _GERMAN.get(noun.removesuffix("s")) or (noun, noun)
