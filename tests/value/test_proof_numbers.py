from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative.faithful.evaluation import evaluate
from valueplatform.narrative.faithful.record import Record
from valueplatform.narrative.significance import same_direction
from valueplatform.value.derivation import Benchmark, Constant, Days, Statistic
from valueplatform.value.proof_numbers import Prover, UnprovableError, statistic
from valueplatform.value.proof_record import Source

PAIRS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=30)
PROVER = Prover(Source(1, "UTC", None, {}, {}))
RECORD = Record("harbor", "Harbor", "USD", "Fieldnote")
PLACE = Benchmark(3, date(2026, 5, 1), date(2026, 8, 1), "routing", "USD", "", "account", "percentile")


@given(PAIRS)
def test_three_ways_of_counting_steps_the_same_way_agree(pairs: list[tuple[int, int]]) -> None:
    first, second = ([Fraction(pair[place]) for pair in pairs] for place in (0, 1))
    counted = same_direction(first, second)
    node = Statistic("same-direction", tuple(Constant(str(value)) for value in (*first, *second)))
    assert statistic("same-direction", [*first, *second], 4) == counted
    assert evaluate(node, RECORD) == counted
    assert PROVER.value(node) == counted


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        (date(2024, 2, 28), date(2024, 3, 1), 2),
        (date(2025, 2, 28), date(2025, 3, 1), 1),
        (date(2026, 3, 8), date(2026, 3, 9), 1),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
    ids=str,
)
def test_days_are_those_of_the_calendar(start: date, end: date, count: int) -> None:
    assert evaluate(Days(start, end), RECORD) == count
    assert PROVER.value(Days(start, end)) == count


def test_a_figure_of_a_run_that_is_not_in_force_proves_nothing() -> None:
    with pytest.raises(UnprovableError):
        PROVER.value(PLACE)
    assert Prover(PROVER.source, compared={PLACE: Fraction(75)}).value(PLACE) == 75
