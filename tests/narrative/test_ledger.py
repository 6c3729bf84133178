from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.factories import rows, steady
from valueplatform.narrative.facts import DAILY_SCHEMA
from valueplatform.narrative.ledger import Ledger
from valueplatform.value.derivation import Bound
from valueplatform.value.states import State

START = date(2026, 1, 1)
amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False)


def _ledger(*parts: list[dict[str, object]]) -> Ledger:
    return Ledger(pl.DataFrame([row for part in parts for row in part], schema=DAILY_SCHEMA))


def test_an_empty_ledger_knows_nothing_and_sums_to_zero() -> None:
    ledger = _ledger()
    assert ledger.total(START, date(2027, 1, 1), unit="USD", drivers=("a",)) == 0
    assert ledger.first_day("USD", ("a",)) is None


def test_what_does_not_count_is_left_out_unless_asked_for() -> None:
    day = {START: 10}
    ledger = _ledger(rows("a", day), rows("a", day, state=State.ESTIMATED, provider="other"))
    assert ledger.total(START, date(2026, 1, 2), unit="USD", drivers=("a",)) == 10
    assert ledger.total(START, date(2026, 1, 2), unit="USD", drivers=("a",), counted=False) == 20


def test_another_unit_is_never_added() -> None:
    ledger = _ledger(rows("a", {START: 10}), rows("a", {START: 5}, unit="EUR"))
    assert ledger.total(START, date(2026, 1, 2), unit="EUR", drivers=("a",)) == 5


def test_the_end_of_a_period_is_not_in_it() -> None:
    ledger = _ledger(rows("a", steady(START, date(2026, 1, 11), 1)))
    assert ledger.total(date(2026, 1, 3), date(2026, 1, 5), unit="USD", drivers=("a",)) == 2


def test_amounts_that_a_default_decimal_context_would_round_stay_exact() -> None:
    large = Decimal("99999999999999999999999999.0001")
    frame = pl.DataFrame(
        [rows("a", {START: 1})[0] | {"expected": large}, rows("a", {date(2026, 1, 2): 1})[0] | {"expected": large}],
        schema=DAILY_SCHEMA,
    )
    total = Ledger(frame).total(START, date(2026, 1, 3), unit="USD", drivers=("a",))
    assert total == 2 * Fraction(large)


def test_the_weakest_state_of_the_period_is_told() -> None:
    ledger = _ledger(rows("a", {START: 1}), rows("a", {date(2026, 1, 9): 1}, state=State.PROPOSED))
    weak = ledger.weakest(START, date(2026, 2, 1), unit="USD", drivers=("a",), counted=False)
    assert weak is State.PROPOSED
    assert ledger.weakest(START, date(2026, 1, 5), unit="USD", drivers=("a",), counted=False) is State.VALIDATED


@given(st.lists(st.tuples(st.integers(0, 40), amounts), max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_every_stretch_sums_as_adding_its_days_does(values: list[tuple[int, Decimal]], a: int, b: int) -> None:
    first, last = sorted((a, b))
    parts = [rows("a", {START + timedelta(days=offset): value}, spread="0") for offset, value in values]
    start, end = START + timedelta(days=first), START + timedelta(days=last)
    expected = sum((Fraction(value) for offset, value in values if first <= offset < last), Fraction(0))
    for bound in Bound:
        assert _ledger(*parts).total(start, end, unit="USD", drivers=("a",), bound=bound) == expected
