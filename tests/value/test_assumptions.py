from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.authorization import Side
from valueplatform.value.assumptions import (
    EVER,
    Action,
    Default,
    Entry,
    holding,
    known,
    validation_takes_effect,
)
from valueplatform.value.proof_record import stated_on
from valueplatform.value.ranges import Range
from valueplatform.value.states import State

MARCH = date(2026, 3, 1)
APRIL = date(2026, 4, 1)
START = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT = Default(Range.point(Decimal(310)), "USD/visit")


def said(
    number: int,
    action: Action,
    *,
    answers: int | None = None,
    value: int | None = None,
    day: date = EVER,
    side: Side = Side.CUSTOMER,
) -> Entry:
    return Entry(
        entry_id=number,
        slug="cost_per_visit",
        action=action,
        answers=answers,
        value=None if value is None else Range.point(Decimal(value)),
        unit="USD/visit",
        effective_from=day,
        author=f"{side}-{number}",
        side=side,
        reason="",
        known_at=START + timedelta(days=number),
    )


def expected_on(day: date, *entries: Entry) -> tuple[Decimal, State]:
    held = holding(entries, DEFAULT, day)
    assert held is not None
    return held.value.expected, held.state


def test_nothing_said_and_no_default_is_no_value_at_all() -> None:
    assert holding((), None, MARCH) is None


def test_the_default_holds_as_an_estimate_where_nothing_was_said() -> None:
    assert expected_on(MARCH) == (Decimal(310), State.ESTIMATED)


def test_a_proposal_holds_as_proposed_from_its_day_only() -> None:
    proposal = said(1, Action.PROPOSE, value=265, day=APRIL)
    assert expected_on(MARCH, proposal) == (Decimal(310), State.ESTIMATED)
    assert expected_on(APRIL, proposal) == (Decimal(265), State.PROPOSED)


def test_a_validated_value_outlives_a_later_proposal_which_waits() -> None:
    entries = (
        said(1, Action.PROPOSE, value=300),
        said(2, Action.VALIDATE, answers=1, day=EVER),
        said(3, Action.PROPOSE, value=265, day=MARCH),
    )
    held = holding(entries, DEFAULT, APRIL)
    assert held is not None
    assert (held.value.expected, held.state) == (Decimal(300), State.VALIDATED)
    assert [entry.entry_id for entry in held.pending] == [3]


def test_a_disputed_value_falls_back_to_the_last_validated_one() -> None:
    entries = (
        said(1, Action.PROPOSE, value=300),
        said(2, Action.VALIDATE, answers=1),
        said(3, Action.PROPOSE, value=265, day=MARCH),
        said(4, Action.VALIDATE, answers=3, day=MARCH),
        said(5, Action.DISPUTE, answers=3, day=MARCH),
    )
    assert expected_on(APRIL, *entries) == (Decimal(300), State.VALIDATED)


def test_a_disputed_value_without_a_validated_one_is_under_review() -> None:
    entries = (said(1, Action.ESTIMATE, value=310, side=Side.SUPPLIER), said(2, Action.DISPUTE, answers=1))
    assert expected_on(MARCH, *entries) == (Decimal(310), State.UNDER_REVIEW)


def test_validating_a_disputed_value_settles_the_dispute() -> None:
    entries = (
        said(1, Action.PROPOSE, value=265),
        said(2, Action.DISPUTE, answers=1, side=Side.SUPPLIER),
        said(3, Action.VALIDATE, answers=1),
    )
    assert expected_on(MARCH, *entries) == (Decimal(265), State.VALIDATED)


def test_a_withdrawn_dispute_and_a_withdrawn_proposal_leave_no_trace_in_what_holds() -> None:
    entries = (
        said(1, Action.PROPOSE, value=265),
        said(2, Action.DISPUTE, answers=1),
        said(3, Action.WITHDRAW, answers=2),
        said(4, Action.PROPOSE, value=999),
        said(5, Action.WITHDRAW, answers=4),
    )
    assert expected_on(MARCH, *entries) == (Decimal(265), State.PROPOSED)


def test_what_was_known_then_is_what_holds_then() -> None:
    entries = [said(1, Action.PROPOSE, value=300), said(2, Action.VALIDATE, answers=1)]
    before = known(entries, START + timedelta(days=1))
    held = holding(before, DEFAULT, MARCH)
    assert held is not None
    assert held.state is State.PROPOSED


def test_a_value_that_both_sides_agree_on_restates_from_the_day_it_names() -> None:
    proposal = said(1, Action.PROPOSE, value=300, day=MARCH, side=Side.SUPPLIER)
    assert validation_takes_effect(proposal, APRIL) == MARCH


def test_a_value_that_one_side_proposed_and_validated_changes_nothing_before_today() -> None:
    proposal = said(1, Action.PROPOSE, value=300, day=MARCH, side=Side.CUSTOMER)
    assert validation_takes_effect(proposal, APRIL) == APRIL


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Any order of statements and answers, answers to answered entries among them."""
    entries: list[Entry] = []
    for number in range(1, draw(st.integers(0, 9)) + 1):
        day = draw(st.sampled_from([EVER, MARCH, APRIL]))
        answers = draw(st.booleans())
        statements = [e.entry_id for e in entries if e.value is not None]
        if statements and answers:
            action = draw(st.sampled_from([Action.VALIDATE, Action.DISPUTE, Action.WITHDRAW]))
            targets = [e.entry_id for e in entries] if action is Action.WITHDRAW else statements
            entries.append(said(number, action, answers=draw(st.sampled_from(targets)), day=day))
        else:
            action = draw(st.sampled_from([Action.ESTIMATE, Action.PROPOSE]))
            entries.append(said(number, action, value=number, day=day))
    return entries


@given(histories(), st.sampled_from([MARCH, APRIL]))
def test_the_independent_reading_of_any_record_finds_the_same_value_and_state(entries: list[Entry], day: date) -> None:
    held = holding(entries, None, day)
    raw = [
        {
            "entry_id": e.entry_id,
            "action": e.action.value,
            "answers": e.answers,
            "effective_from": e.effective_from,
            "expected": e.value and e.value.expected,
        }
        for e in entries
    ]
    proved = stated_on(raw, day)
    found = None if proved is None else (proved[0]["expected"], proved[1])
    assert found == (None if held is None else (held.value.expected, held.state.value))
