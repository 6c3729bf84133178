"""Assumptions, baselines and drivers as both sides may speak about them. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal
from urllib.parse import quote, urlencode

from valueplatform.core.authorization import Side
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import exact_decimal
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.narrative.wording.numbers import MINUS
from valueplatform.portal.calling import Place
from valueplatform.portal.effect import Effect
from valueplatform.portal.effect_words import effect_lines
from valueplatform.portal.exact import bare_text, exact_text, short_day, short_text, unit_words
from valueplatform.portal.proof_formula import anchor
from valueplatform.portal.reader import Reader
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view import assumptions as view
from valueplatform.portal.view import words
from valueplatform.value.assumptions import EVER, Entry, Holding
from valueplatform.value.basis import driver_statement
from valueplatform.value.comparable_values import Comparable, reason_of
from valueplatform.value.model import Baseline, Driver, Rate
from valueplatform.value.states import State

_CHIPS: Final[Mapping[State, words.Chip]] = {
    State.ESTIMATED: words.Chip("estimated", "Estimated"),
    State.PROPOSED: words.Chip("proposed", "Proposed"),
    State.VALIDATED: words.Chip("validated", "Validated"),
    State.MEASURED: words.Chip("validated", "Measured"),
    State.UNDER_REVIEW: words.Chip("under-review", "Under review"),
}
_STATES: Final[Mapping[State, words.NumberState]] = {
    State.ESTIMATED: "estimated",
    State.PROPOSED: "proposed",
    State.VALIDATED: "validated",
    State.MEASURED: "validated",
    State.UNDER_REVIEW: "under-review",
}
_METHODS: Final = {
    "measured-before": "Baseline, measured before",
    "control-group": "Baseline, from a control group",
    "benchmark": "Baseline, a benchmark",
    "customer-statement": "Baseline, as the customer states it",
}
_TYPED: Final = re.compile(
    rf"(?P<sign>[+{MINUS}-]?)(?:[$€£¥]|[A-Z]{{3}}\s*)?(?P<digits>(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?|\.\d+)"
    r"\s*(?:[A-Z]{3}|(?P<percent>%))?"
)


@dataclass(frozen=True, slots=True)
class Given:
    """An input with what holds of it today. `told` is the insight that carries its numbers, with its id."""

    rate: Rate
    held: Holding | None
    told: tuple[str, Insight] | None = None

    @property
    def unit(self) -> str:
        return said_unit(self.held.unit if self.held else self.rate.unit)

    @property
    def is_questioned(self) -> bool:
        return self.held is not None and (self.held.state is State.UNDER_REVIEW or self.held.disputed_by is not None)


def row_id(slug: str) -> str:
    return anchor("row", slug)


def order(given: Given) -> tuple[int, Decimal, str]:
    """What is open between the sides first, then what most value hangs on."""
    held = given.held
    if given.is_questioned:
        group = 0
    elif held is not None and held.pending:
        group = 1
    elif held is None or held.state is not State.VALIDATED:
        group = 2
    else:
        group = 3
    carried = given.told[1].number("carried").value if given.told else Decimal(0)
    return group, -carried, given.rate.label


def row_view(
    reader: Reader, given: Given, *, opens: bool, effect: Effect | None, form: "Form | None"
) -> view.Assumption:
    """`opens`: the row shows both sides and what this reader may do. `effect` is of the newest pending proposal."""
    held, slug = given.held, given.rate.slug
    state = State.UNDER_REVIEW if given.is_questioned else held.state if held else State.ESTIMATED
    about = _METHODS[given.rate.method] if isinstance(given.rate, Baseline) else given.rate.description or ""
    pending = held.pending[-1] if held and held.pending else None
    return view.Assumption(
        id=row_id(slug),
        name=given.rate.label,
        about=about,
        value=_value(reader.place, given, state),
        chip=_CHIPS[state],
        who=said_by(reader, given),
        carries=_carries(given),
        toggle=_toggle(reader, slug, opens=opens, waits=pending is not None),
        positions=tuple(_positions(reader, given)) if opens else (),
        effect_title=f"If {_exact(pending.value.expected, given.unit)} is validated"
        if opens and pending and pending.value
        else "",
        effect=tuple(effect_lines(reader, effect)) if opens and effect else (),
        propose=propose_view(reader, given, form) if opens and reader.proposes else None,
        dispute=_question(reader, given, form) if opens and reader.disputes else None,
        acts=tuple(_acts(reader, given)) if opens else (),
    )


def with_comparable(
    reader: Reader, row: view.Assumption, slug: str, offer: Comparable, *, opens: bool
) -> view.Assumption:
    """The row with what similar companies validated; the supplier's people may take it as their estimate."""
    unit = said_unit(offer.unit)
    expected, low, high = (_exact(value, unit) for value in (offer.expected, offer.low, offer.high))
    acts: tuple[words.Act, ...] = ()
    if opens and reader.proposes and reader.side is Side.SUPPLIER:
        label = f"Estimate {expected} from {offer.accounts:,} similar companies"
        acts = (words.Act(label, reader.path(slug, "estimate")),)
    return replace(
        row,
        comparable=f"{offer.says}: {expected} ({low} to {high})",
        comparable_made=f"{reason_of(offer)} Taken as an estimate, it counts nowhere before a validator agrees to it."
        if opens
        else "",
        acts=(*row.acts, *acts),
    )


def _exact(value: Decimal, unit: str) -> str:
    return exact_text(value, unit)


def _own_proof(place: Place, slug: str) -> str:
    """Of a value that no insight tells."""
    query = {"slug": slug} if place.is_own else {"slug": slug, "account": place.account.key}
    return f"/proof/input?{urlencode(query)}"


def _value(place: Place, given: Given, state: State) -> words.NumberView:
    held, slug = given.held, given.rate.slug
    shown = _exact(held.value.expected, given.unit) if held else "no value"
    exact = format(held.value.expected, "f") if held else ""
    href = proof_path(given.told[0], "input") if given.told else _own_proof(place, slug)
    return words.NumberView("input", shown, exact, given.unit, _STATES[state], href)


def _carries(given: Given) -> words.NumberView | None:
    if given.told is None:
        return None
    insight_id, insight = given.told
    number = insight.number("carried")
    return words.NumberView(
        name="carried",
        text=short_text(number.value, number.unit),
        value=format(number.value, "f"),
        unit=number.unit,
        state=number.standing.value,
        href=proof_path(insight_id, "carried"),
    )


def said_by(reader: Reader, given: Given) -> str:
    held = given.held
    if held is None:
        return "Nobody has stated it"
    if held.pending:
        last = held.pending[-1]
        if last.value is not None:
            return f"{reader.name(last.author)} proposes {_exact(last.value.expected, given.unit)}, {reader.day(last)}"
    if held.settled_by is not None:
        return f"{reader.name(held.settled_by.author)}, {reader.day(held.settled_by)}"
    if held.entry is not None:
        return f"{reader.name(held.entry.author)}, {reader.day(held.entry)}"
    return f"{reader.supplier}, from the value model"


def _toggle(reader: Reader, slug: str, *, opens: bool, waits: bool) -> words.Link:
    if opens:
        return words.Link("Hide", reader.place.path(f"/assumptions#{row_id(slug)}"))
    text = "Decide" if waits and reader.validates else "Correct" if reader.proposes else "Open"
    return words.Link(text, reader.place.path(f"/assumptions?open={quote(slug)}#{row_id(slug)}"))


def _positions(reader: Reader, given: Given) -> Iterator[view.Position]:
    held = given.held
    if held is None:
        return
    for entry in reversed(held.pending):
        if entry.value is not None:
            value = _exact(entry.value.expected, given.unit)
            yield _position(reader, entry, f"{reader.name(entry.author)} proposes {value}, {_since(reader, entry)}")
    if held.disputed_by is not None:
        yield _position(reader, held.disputed_by, f"{reader.name(held.disputed_by.author)} questions it")
    if held.entry not in held.pending:
        yield _in_force(reader, given, held)


def _in_force(reader: Reader, given: Given, held: Holding) -> view.Position:
    value = _exact(held.value.expected, given.unit)
    if held.entry is None:
        return view.Position(
            "position", f"{reader.supplier} holds {value}", "", "From the value model, for every account"
        )
    if held.settled_by is not None:
        title = f"{value} is validated"
        who = f"{reader.name(held.settled_by.author)}, {reader.day(held.settled_by)}"
        return view.Position(
            _side(held.entry.side), title, held.entry.reason, f"{who}; {_since(reader, held.settled_by)}"
        )
    return _position(reader, held.entry, f"{reader.name(held.entry.author)} holds {value}")


def _position(reader: Reader, entry: Entry, title: str) -> view.Position:
    return view.Position(_side(entry.side), title, entry.reason, f"{reader.name(entry.author)}, {reader.day(entry)}")


def _side(side: Side) -> Literal["question", "position"]:
    return "question" if side is Side.CUSTOMER else "position"


def _since(reader: Reader, entry: Entry) -> str:
    if entry.effective_from <= EVER:
        return "for all days"
    return f"from {short_day(entry.effective_from, reader.today)} on"


def _acts(reader: Reader, given: Given) -> Iterator[words.Act]:
    slug, held = given.rate.slug, given.held
    if reader.validates:
        yield from _validations(reader, given)
    own = [entry for entry in (held.pending if held else ()) if entry.side is reader.side]
    for entry in own:
        if entry.value is not None:
            label = f"Withdraw {_exact(entry.value.expected, given.unit)}"
            yield words.Act(label, reader.path(slug, "withdraw"), (("entry", str(entry.entry_id)),))
    if held is not None and held.disputed_by is not None and held.disputed_by.side is reader.side:
        entry_id = str(held.disputed_by.entry_id)
        yield words.Act("Withdraw the question", reader.path(slug, "withdraw"), (("entry", entry_id),))


def _validations(reader: Reader, given: Given) -> Iterator[words.Act]:
    """Whatever is stated and not settled; never what the reader stated."""
    slug, held = given.rate.slug, given.held
    if held is None:
        return
    if held.entry is None:
        yield words.Act(f"Validate {_exact(held.value.expected, given.unit)}", reader.path(slug, "validate"))
        return
    settled = held.state is State.VALIDATED
    stated = [*held.pending, *([] if settled or held.entry in held.pending else [held.entry])]
    for entry in stated:
        if entry.author != reader.author and entry.value is not None:
            label = f"Validate {_exact(entry.value.expected, given.unit)}"
            yield words.Act(label, reader.path(slug, "validate"), (("entry", str(entry.entry_id)),))


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody typed, and what is wrong with it."""

    value: str = ""
    reason: str = ""
    error: str = ""
    question: str = ""
    question_error: str = ""


def propose_view(reader: Reader, given: Given, form: Form | None, hint: str = "") -> view.ProposeForm:
    slug = given.rate.slug
    value = form.value if form and form.value else bare_text(given.held.value.expected) if given.held else ""
    typed = _typed_or_none(value)
    return view.ProposeForm(
        action=reader.path(slug, "propose"),
        value=value,
        unit=unit_words(given.unit),
        button=f"Propose {_exact(typed, given.unit)}" if typed is not None else "Propose",
        hint=hint or "Change the value to see what it would do. Nothing changes before a validator accepts it.",
        reason=form.reason if form else "",
        error=form.error if form else "",
        preview_href=reader.path(slug, "preview"),
    )


def _question(reader: Reader, given: Given, form: Form | None) -> view.QuestionForm | None:
    """Only what is stated can be questioned; the model's default is corrected by a proposal."""
    held = given.held
    if held is None or held.entry is None or given.is_questioned or held.entry.author == reader.author:
        return None
    return view.QuestionForm(
        action=reader.path(given.rate.slug, "dispute"),
        entry=str(held.entry.entry_id),
        reason=form.question if form else "",
        error=form.question_error if form else "",
    )


def typed_value(text: str, unit: str) -> Decimal:
    """A value as people type it: $285.00, 1,250.5, 8.5%. Raises InvalidInputError, saying how to write it."""
    found = _typed_or_none(text)
    if found is None:
        raise InvalidInputError("Write a number, such as 285.00.")
    if found < 0:
        raise InvalidInputError("Write a number that is not below zero.")
    if text.strip().endswith("%") and not unit.startswith("share"):
        raise InvalidInputError("This is not a percentage; write a number, such as 285.00.")
    return found


def _typed_or_none(text: str) -> Decimal | None:
    """None for anything but one number, with its currency or a percent sign at most: nothing is guessed."""
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        return None
    sign = "-" if found["sign"] in {"-", MINUS} else ""
    try:
        number = exact_decimal(sign + found["digits"].replace(",", ""))
    except InvalidInputError:
        return None
    return number / 100 if found["percent"] else number


def driver_row(
    reader: Reader, driver: Driver, held: Holding | None, amount: words.NumberView, *, opens: bool
) -> view.Assumption:
    """A driver that only the supplier vouches for: its value counts once a validator has accepted it (rule 10)."""
    slug = f"driver:{driver.slug}"
    is_present = held is not None and held.value == driver_statement(driver).value
    state = held.state if held and is_present else State.ESTIMATED
    acts: Sequence[words.Act] = ()
    if opens and reader.validates and state is not State.VALIDATED:
        entry = (("entry", str(held.entry.entry_id)),) if held and held.entry and is_present else ()
        acts = (words.Act(f"Validate {driver.label.lower()}", reader.path(slug, "validate"), entry),)
    settled = held.settled_by if held and is_present else None
    who = f"{reader.supplier}, from the value model"
    if settled is not None:
        who = f"{reader.name(settled.author)}, {reader.day(settled)}"
    positions = (
        view.Position(
            "position",
            f"{reader.supplier} says how this is worked out",
            driver.counterfactual or driver.description or "",
            f"Formula: {driver.formula}",
        ),
    )
    return view.Assumption(
        id=row_id(slug),
        name=driver.label,
        about="The way it is worked out; until it is validated, its value stands beside the total",
        value=amount,
        chip=_CHIPS[state],
        who=who,
        toggle=_toggle(reader, slug, opens=opens, waits=state is not State.VALIDATED),
        positions=positions if opens else (),
        acts=tuple(acts),
    )
