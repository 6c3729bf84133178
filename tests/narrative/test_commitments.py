from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.numbers import scaled_decimal
from valueplatform.core.periods import Period, month_of
from valueplatform.narrative.commitments import SCALE, Commitments, part_of
from valueplatform.narrative.facts import Target
from valueplatform.value.derivation import Bound
from valueplatform.value.plans import Target as PlanTarget
from valueplatform.value.plans import committed

JANUARY = month_of(date(2026, 1, 1))
MONTHS = [date(2025 + number // 12, number % 12 + 1, 1) for number in range(26)]
amounts = st.integers(-(10**9), 10**9).map(lambda units: scaled_decimal(units, 4))
targets = st.builds(
    Target, st.just("o"), st.sampled_from("abc"), st.sampled_from(MONTHS), amounts, amounts, amounts
)  # fmt: skip
days = st.dates(date(2024, 12, 1), date(2027, 4, 1))


@given(st.integers(1, 10**9), st.lists(st.integers(0, 31), max_size=4))
def test_parts_of_a_month_add_up_to_the_month(amount: int, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 31]
    parts = [
        part_of(
            Fraction(amount, SCALE),
            JANUARY,
            Period(JANUARY.start + timedelta(days=first), JANUARY.start + timedelta(days=last)),
        )
        for first, last in pairwise(edges)
    ]
    assert sum(parts) == amount


@given(st.lists(targets, max_size=40), days, days, st.sampled_from(Bound), st.sets(st.sampled_from("abcd")))
def test_any_stretch_is_the_sum_over_its_targets(
    given: list[Target], one: date, other: date, bound: Bound, drivers: set[str]
) -> None:
    period = Period(min(one, other), max(one, other))
    chosen = [target for target in given if target.driver in drivers]
    assert Commitments(given).total(period, drivers, bound) == Fraction(committed(_of_a_plan(chosen), period, bound))


def _of_a_plan(given: Iterable[Target]) -> list[PlanTarget]:
    return [
        PlanTarget(
            plan_id="p", objective_id=1, objective="o", driver=target.driver, month=target.month, low=target.low,
            expected=target.expected, high=target.high, source="", version=1, known_at=None,  # type: ignore[arg-type]  # not read
        )
        for target in given
    ]  # fmt: skip


def test_nothing_is_committed_where_there_is_no_plan() -> None:
    assert Commitments(()).total(JANUARY, ("a",), Bound.LOW) == 0
    assert Decimal(0) == committed((), JANUARY, Bound.LOW)
