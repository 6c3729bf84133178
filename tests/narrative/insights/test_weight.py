from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.factories import account, driver, rows
from valueplatform.narrative.insights.weight import importance

FACTS = account(rows("a", {date(2026, 8, 1): 1000}), drivers=(driver("a"),))


@given(st.integers(-(10**9), 10**9), st.floats(0, 1))
def test_importance_stays_between_zero_and_one(amount: int, surprise: float) -> None:
    assert 0 <= importance(FACTS, Fraction(amount), surprise) <= 1


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_money_never_matters_less(a: int, b: int) -> None:
    small, large = sorted((a, b))
    assert importance(FACTS, Fraction(small), 0.5) <= importance(FACTS, Fraction(large), 0.5)


def test_a_loss_matters_as_much_as_a_gain() -> None:
    assert importance(FACTS, Fraction(-250), 1) == importance(FACTS, Fraction(250), 1)
