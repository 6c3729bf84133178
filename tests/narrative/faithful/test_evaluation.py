from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.factories import account, contract, driver, harbor, record_of, rows, steady, targets
from valueplatform.accounts.costs import KNOWN_EFFORT, Cost, CostKind
from valueplatform.core.periods import Period
from valueplatform.narrative import figures
from valueplatform.narrative.faithful.evaluation import NotDerivableError, evaluate
from valueplatform.narrative.faithful.record import Record, Stretch
from valueplatform.narrative.insights import discover
from valueplatform.value.derivation import (
    Bound,
    Constant,
    Difference,
    Input,
    Ratio,
    Realized,
    Statistic,
    Tally,
    Total,
)
from valueplatform.value.proof_numbers import Prover
from valueplatform.value.proof_record import Source
from valueplatform.value.states import State

START = date(2026, 1, 1)
EMPTY = Record(key="a", name="A", currency="USD", supplier="Fieldnote")


def _stretch(start: date, end: date, amount: int, *, counted: bool = True, strategic: bool = False) -> Stretch:
    value = Decimal(amount)
    return Stretch(start, end, "a", "supplier", "USD", strategic, counted, value, value, value)


def _realized(start: date, end: date, drivers: tuple[str, ...] = (), providers: tuple[str, ...] = ()) -> Realized:
    return Realized(start, end, "USD", drivers, providers)


def test_a_stretch_that_crosses_the_edge_of_a_period_is_never_guessed_at() -> None:
    record = replace(EMPTY, values=(_stretch(START, date(2026, 2, 1), 31),))
    with pytest.raises(NotDerivableError):
        evaluate(_realized(START, date(2026, 1, 15)), record)


def test_a_total_without_named_drivers_leaves_strategic_value_out() -> None:
    day = START + timedelta(days=1)
    record = replace(EMPTY, values=(_stretch(START, day, 5), _stretch(START, day, 7, strategic=True)))
    assert evaluate(_realized(START, day), record) == 5
    assert evaluate(_realized(START, day, drivers=("a",)), record) == 12


def test_an_input_that_was_not_in_force_cannot_be_derived() -> None:
    with pytest.raises(NotDerivableError):
        evaluate(Input("hourly_cost", START), EMPTY)


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(NotDerivableError):
        evaluate(Ratio(Constant("1"), Constant("0")), EMPTY)


def test_an_unknown_statistic_or_comparison_is_refused() -> None:
    with pytest.raises(NotDerivableError):
        evaluate(Statistic("wishful-thinking", (Constant("1"),)), EMPTY)
    with pytest.raises(NotDerivableError):
        evaluate(Tally((Constant("1"),), "near"), EMPTY)


def test_trees_are_evaluated_exactly_and_ratios_rounded_once() -> None:
    third = Ratio(Constant("1"), Constant("3"))
    assert evaluate(Total((third, third, third)), EMPTY) == Fraction(9999, 10000)
    assert evaluate(Difference(Constant("0.1"), Constant("0.3")), EMPTY) == Fraction(-1, 5)


def test_tallies_count_strictly() -> None:
    items = tuple(Constant(text) for text in ("1", "2", "3", "0"))
    assert evaluate(Tally(items, "above", Constant("2")), EMPTY) == 1
    assert evaluate(Tally(items, "below", Constant("2")), EMPTY) == 2
    assert evaluate(Tally(items, "nonzero"), EMPTY) == 3


def test_medians_and_slopes_are_those_of_the_literature() -> None:
    values = tuple(Constant(text) for text in ("1", "2", "4", "8"))
    assert evaluate(Statistic("median", values), EMPTY) == 3
    assert evaluate(Statistic("theil-sen-slope", values), EMPTY) == Fraction(13, 6).limit_denominator(10**9).__round__(
        4
    )


@given(
    st.dates(date(2025, 1, 1), date(2026, 6, 1)),
    st.integers(0, 500),
    st.sampled_from(["month", "year"]),
    st.integers(1, 10**8),
    st.dates(date(2024, 1, 1), date(2026, 6, 1)),
)
def test_what_was_paid_and_committed_agrees_with_the_engine(
    start: date, days: int, period: str, amount: int, signed: date
) -> None:
    facts = account(
        drivers=(driver("a"),),
        contracts=(contract(signed, None, amount, period=period),),
        targets=tuple(targets("o", "a", date(2025, 1, 1), date(2026, 6, 1), amount)),
    )
    record = record_of(facts)
    window = Period(start, start + timedelta(days=days))
    for figure in (figures.paid(facts, window), figures.committed(facts, window, ("a",), Bound.HIGH)):
        assert evaluate(figure.derivation, record) == figure.value


@given(
    st.lists(
        st.tuples(
            st.dates(date(2024, 12, 1), date(2026, 6, 1)), st.decimals(0, 10**8, places=9), st.sampled_from(CostKind)
        ),
        max_size=8,
    ),
    st.dates(date(2025, 1, 1), date(2026, 6, 1)),
    st.integers(0, 500),
)
def test_known_effort_agrees_with_the_engine_and_with_the_proof(
    given: list[tuple[date, Decimal, CostKind]], start: date, days: int
) -> None:
    window = Period(start, start + timedelta(days=days))
    costs = tuple(
        Cost(cost_id=str(at), account_id=1, kind=kind, month=day.replace(day=1), amount=amount, currency="USD")
        for at, (day, amount, kind) in enumerate(given)
    )
    facts = account(drivers=(driver("a"),), efforts=costs)
    figure = figures.effort(facts, window)
    record = record_of(facts)
    assert evaluate(figure.derivation, record) == figure.value
    own = [one for one in costs if one.kind in KNOWN_EFFORT]
    assert Prover(Source(1, "UTC", None, {}, {}), efforts=own).value(figure.derivation) == figure.value


@given(
    st.lists(st.tuples(st.integers(0, 60), st.decimals(-(10**6), 10**6, places=4), st.booleans()), max_size=30),
    st.integers(0, 60),
    st.integers(0, 60),
    st.booleans(),
)
def test_realized_value_agrees_with_the_engine(
    values: list[tuple[int, Decimal, bool]],
    a: int,
    b: int,
    counted: bool,  # noqa: FBT001 - Hypothesis gives it
) -> None:
    daily = [
        row
        for offset, value, counts in values
        for row in rows(
            "a",
            {START + timedelta(days=offset): value},
            state=State.VALIDATED if counts else State.ESTIMATED,
        )
    ]
    facts = account(daily, drivers=(driver("a"),))
    first, last = sorted((a, b))
    window = Period(START + timedelta(days=first), START + timedelta(days=last))
    figure = figures.realized(facts, window, ("a",), counted=counted)
    assert evaluate(figure.derivation, record_of(facts)) == figure.value


def test_every_derivation_of_a_rich_account_gives_the_number_that_was_stated() -> None:
    facts = harbor()
    record = record_of(facts)
    for insight in discover(facts):
        for number in insight.numbers:
            assert evaluate(number.derivation, record) == Fraction(number.value), (insight.kind, number.name)


def test_a_provider_keeps_a_sum_to_its_rows() -> None:
    facts = account(
        [*rows("a", {START: 5}, provider="tessera"), *rows("a", steady(START, date(2026, 1, 3), 1))],
        drivers=(driver("a"),),
    )
    node = _realized(START, date(2026, 1, 3), drivers=("a",), providers=("tessera",))
    assert evaluate(node, record_of(facts)) == 5
