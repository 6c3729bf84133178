"""An opened number as the page shows it, always in one order: sentence, verdict, formula, inputs, meters, events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from valueplatform.core.periods import local_day
from valueplatform.narrative.document import Span
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.narrative.proof_events import EventLine, EventPage
from valueplatform.narrative.proofs import InputLine, MeterLine
from valueplatform.portal.chart import CLASS_WORDS, EVIDENCE_WORDS
from valueplatform.portal.exact import (
    cents_text,
    exact_text,
    moment_text,
    range_text,
    short_day,
    short_moment,
    short_text,
)
from valueplatform.portal.proof_formula import (
    Leaf,
    anchor,
    derived_formula,
    driver_formula,
    period_words,
    summed_formula,
)
from valueplatform.portal.proof_leaves import leaves_read, method_words, today_of
from valueplatform.portal.proof_reading import Opened, by_class
from valueplatform.portal.sentences import proof_path, spans_view
from valueplatform.portal.story_view import ask_about
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words
from valueplatform.portal.view.drawings import Column
from valueplatform.value import derivation as d

STATE_CHIPS: Final[Mapping[str, words.Chip]] = {
    "estimated": words.Chip("estimated", "Estimated"),
    "proposed": words.Chip("proposed", "Proposed"),
    "validated": words.Chip("validated", "Validated"),
    "measured": words.Chip("validated", "Measured"),
    "under-review": words.Chip("under-review", "Under review"),
}
_WEAKEST_FIRST: Final = ("under-review", "estimated", "proposed")
_METHOD_WORDS: Final = {
    "measured-before": "measured before",
    "control-group": "measured in a control group",
    "benchmark": "a benchmark",
    "customer-statement": "as the customer states it",
}
LONGEST_DATA: Final = 120


def proof_view(opened: Opened, ref: str) -> view.Proof:
    proof, number = opened.proof, opened.number
    exact = exact_text(Decimal(proof.stated), proof.unit)
    formula = _formula(opened, exact)
    beneath = opened.beneath
    assumptions = [line for line in proof.assumptions if line.slug in beneath]
    baselines = [line for line in proof.baselines if line.slug in beneath]
    return view.Proof(
        ref=ref,
        number=short_text(number.value, number.unit),
        sentence=_sentence(opened),
        verdict=_verdict(opened),
        back=words.Link("Back to the story", opened.place.path("/story")),
        classes=tuple(_classes(opened)),
        rests=_rests((*assumptions, *baselines)),
        formula=formula,
        method="" if formula else method_words(opened),
        facts=tuple(_facts(opened)),
        assumptions=tuple(_input_row(opened, line) for line in assumptions),
        baselines=tuple(_input_row(opened, line) for line in baselines),
        meters=tuple(_meter_row(opened, line) for line in proof.meters if line.slug in beneath),
        period=_period(opened),
        events=events_view(opened, proof.events) if proof.events.count else None,
        ask=_ask(opened),
    )


def _period(opened: Opened) -> str:
    proof = opened.proof
    return "" if proof.period_from == date.min else period_words(proof.period_from, proof.period_to, today_of(opened))


def _sentence(opened: Opened) -> words.Sentence:
    insight_id, kind = opened.stored.insight_id, opened.stored.insight.kind
    if opened.sentence is not None:
        spans = spans_view(opened.sentence.spans, insight_id, opened.number.name)
        return words.Sentence(insight_id, kind, spans)
    number = opened.number
    shown = Span(short_text(number.value, number.unit), number.name, format(number.value, "f"), number.unit)
    label = Span(f"{_called(opened)}: ")
    return words.Sentence(insight_id, kind, spans_view((label, shown, Span(".")), insight_id, number.name))


def _called(opened: Opened) -> str:
    """What a number is called that no sentence tells."""
    name = opened.number.name
    if opened.title:
        return opened.title
    return CLASS_WORDS.get(name) or name.replace("_", " ").capitalize()


def _verdict(opened: Opened) -> view.Verdict:
    proof = opened.proof
    when = moment_text(opened.now, opened.place.account.timezone)
    count = proof.events.count
    about = "" if proof.events.is_exact else "about "
    source = f"{about}{count:,} event{'s' if count != 1 else ''}" if count else "the record"
    stated, recomputed = (_exactly(text, proof.unit) for text in (proof.stated, proof.recomputed))
    how, notice = f"Recomputed from {source} by separate code, {when}.", ""
    if not proof.agrees:
        how = f"Recomputed {when}."
        if not opened.stored.holds:
            notice = "This is no longer told."
        elif opened.waits:
            notice = "New events have come in."
            how = "The story is being told anew; open the number again in a moment."
        else:
            how = "The people who run this product have been told. The rest of the story stands on its own proofs."
    return view.Verdict(proof.agrees, stated, recomputed, how, notice)


def _exactly(text: str, unit: str) -> str:
    """The number with its unit; as it is where there was none ("none: …")."""
    return exact_text(Decimal(text), unit) if text[:1].isdigit() or text[:1] == "-" else "no number"


def _classes(opened: Opened) -> Iterator[view.ClassRow]:
    """The first lines of a total: never one undivided sum of several classes (value rule 4)."""
    unit = opened.number.unit
    for one in by_class(opened.parts):
        low, expected, high = (_decimal(value) for value in (one.low, one.expected, one.high))
        yield view.ClassRow(
            benefit_class=CLASS_WORDS.get(one.benefit_class, one.benefit_class.capitalize()),
            evidence=EVIDENCE_WORDS[one.evidence],
            amount=cents_text(expected, unit),
            range=range_text(low, high, unit),
        )


def _decimal(value: Fraction) -> Decimal:
    return Decimal(round(value * 10**9)).scaleb(-9).normalize()


def _rests(lines: Sequence[InputLine]) -> words.Chip | None:
    for state in _WEAKEST_FIRST:
        count = sum(line.state == state for line in lines)
        if count:
            chip = STATE_CHIPS[state]
            values = "value" if count == 1 else "values"
            said = {"under-review": "under review", "estimated": "only estimated", "proposed": "only proposed"}[state]
            return words.Chip(chip.state, f"Rests on {count} {values} {said}")
    return None


def _formula(opened: Opened, exact: str) -> view.Formula | None:
    proof, node = opened.proof, opened.number.derivation
    if isinstance(node, d.Realized):
        if len(proof.drivers) == 1:
            return driver_formula(proof, proof.drivers[0], exact)
        parts = [
            Leaf(part.expected, proof.unit, part.title.lower(), _driver_href(opened, part.slug))
            for part in opened.parts
            if node.bound is d.Bound.EXPECTED and part.expected
        ]
        return summed_formula(parts, exact, "in all")
    return derived_formula(node, leaves_read(opened), exact)


def _driver_href(opened: Opened, driver: str) -> str:
    """A driver's own amount has a proof of its own, where it is the same amount: counted value, to date."""
    insight_id = opened.driver_insights.get(driver)
    node = opened.number.derivation
    if insight_id is None or not isinstance(node, d.Realized) or not node.counted:
        return ""
    return proof_path(insight_id, "realized")


def _facts(opened: Opened) -> Iterator[words.Fact]:
    node = opened.number.derivation
    period = _period(opened)
    if period:
        yield words.Fact("Period", period)
    if isinstance(node, d.Realized) and node.bound is d.Bound.EXPECTED and opened.parts:
        low, high = (sum(values, Fraction(0)) for values in _ends(opened))
        unit = opened.number.unit
        if low != high:
            yield words.Fact("Low to high", range_text(_decimal(low), _decimal(high), unit))
    for driver in opened.proof.drivers:
        if driver.cap is not None:
            yield words.Fact(f"{driver.title}, at most a month", driver.cap, f"with all of {driver.pool}")
    if not opened.stored.holds:
        yield words.Fact("State", "No longer told")


def _ends(opened: Opened) -> tuple[Iterable[Fraction], Iterable[Fraction]]:
    return [part.low for part in opened.parts], [part.high for part in opened.parts]


def _input_row(opened: Opened, line: InputLine) -> view.InputRow:
    state = line.state
    dispute = None
    if line.disputed_by is not None:
        dispute = view.Dispute(
            title=f"{_name(opened, line.disputed_by)} questions this.",
            quote=line.dispute or "",
            who="",
            links=(words.Link("See both sides", _assumption_href(opened, line.slug)),),
        )
    return view.InputRow(
        anchor=anchor("a", line.slug),
        name=line.title,
        value=exact_text(Decimal(line.expected), said_unit(line.unit)),
        who=_who(opened, line),
        chip=STATE_CHIPS.get(state, STATE_CHIPS["estimated"]),
        href=_assumption_href(opened, line.slug),
        dispute=dispute,
    )


def _assumption_href(opened: Opened, slug: str) -> str:
    return opened.place.path(f"/assumptions?open={slug}#{anchor('row', slug)}")


def _who(opened: Opened, line: InputLine) -> str:
    """Who stands behind it, since when, and how far it may be off."""
    today = today_of(opened)
    when = f", {short_day(local_day(line.known, opened.place.account.timezone), today)}" if line.known else ""
    if line.validator is not None:
        said = f"Validated by {_name(opened, line.validator)}{when}"
    elif line.entry_id is None:
        said = f"{_name(opened, line.author)}, from the value model"
    else:
        said = f"{_name(opened, line.author)}{when}"
    spread = range_text(Decimal(line.low), Decimal(line.high), said_unit(line.unit).partition("/")[0])
    method = f"; {_METHOD_WORDS.get(line.method, line.method)}" if line.method else ""
    return f"{said}{method}{f'; {spread}' if spread else ''}"


def _name(opened: Opened, author: str) -> str:
    return opened.names.get(author, author)


def _meter_row(opened: Opened, line: MeterLine) -> view.MeterRow:
    counts = ", ".join(line.event_types)
    left_out = opened.unmetered.get(line.slug, 0)
    return view.MeterRow(
        anchor=anchor("m", line.slug),
        name=line.title,
        counts=f"{counts} where {line.filter}" if line.filter else counts,
        data=f"{left_out:,} left out, without a number" if left_out else "All usable",
        value=exact_text(Decimal(line.value), "") if line.value else "No value",
    )


def events_view(opened: Opened, page: EventPage) -> view.Events:
    columns = [Column("Time"), Column("Event", code=True), Column("Sent by"), Column("About", code=True)]
    if opened.shows_subjects:
        columns.append(Column("Data", code=True))
    more = None
    if page.next_cursor is not None:
        path, _, query = proof_path(opened.stored.insight_id, opened.number.name).partition("?")
        more = f"{path}/events?{query}&cursor={page.next_cursor}"
    return view.Events(
        count=f"{'' if page.is_exact else 'about '}{page.count:,}, newest first",
        columns=tuple(columns),
        rows=tuple(_event_row(opened, line) for line in page.sample),
        next_href=more,
    )


def _event_row(opened: Opened, line: EventLine) -> tuple[str, ...]:
    when = short_moment(line.time, today_of(opened), opened.place.account.timezone)
    cells = [when, line.type, line.provider, line.subject or ""]
    if opened.shows_subjects:
        cells.append(_data_text(line.data))
    return tuple(cells)


def _data_text(data: dict[str, Any] | None) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in (data or {}).items())
    return shown if len(shown) <= LONGEST_DATA else f"{shown[: LONGEST_DATA - 1]}…"


def _ask(opened: Opened) -> words.Act | None:
    if not opened.asks or not opened.stored.holds or opened.sentence is None:
        return None
    name = opened.steward.name if opened.steward else "your steward"
    return ask_about(opened.place, f"Ask {name} about this", insight=opened.stored.insight_id)
