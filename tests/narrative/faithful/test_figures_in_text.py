from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from valueplatform.narrative.faithful.figures_in_text import figure_problem
from valueplatform.narrative.insight import Number
from valueplatform.narrative.wording import english
from valueplatform.narrative.wording.numbers import number_text
from valueplatform.value.derivation import Constant

UNITS = ["USD", "EUR", "JPY", "CHF", "DKK", "USD/hour", "USD/week", "share", "share/year", "ratio", "count", "incident"]


def _number(value: str | Decimal, unit: str = "USD") -> Number:
    return Number("x", Decimal(value), unit, Constant(str(value)))


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$1.84M", "1839786.52", "USD"),
        ("$1.80M", "1796000", "USD"),
        ("€486K", "486080", "EUR"),
        ("8.9%", "0.0891", "share"),
        ("117%", "1.1749", "share"),
        ("6.2 days", "6.2", "day"),
        ("1 incident", "1", "incident"),
        ("$41.50 per hour", "41.5", "USD/hour"),
        ("\N{MINUS SIGN}$14.3K", "-14300", "USD"),
        ("$38.0K", "-38020", "USD"),
        ("146,512", "146512", "count"),
    ],
)
def test_a_faithful_figure_is_let_through(text: str, value: str, unit: str) -> None:
    assert figure_problem(text, _number(value, unit)) is None


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$1.83M", "1839786.52", "USD"),  # cut, not rounded
        ("$1.8M", "1839786.52", "USD"),  # too coarse
        ("$1.84K", "1839786.52", "USD"),  # a thousand too small
        ("€1.84M", "1839786.52", "USD"),  # another currency
        ("1.84M", "1839786.52", "USD"),  # no unit
        ("$1.84M", "1839786.52", "EUR"),
        ("\N{MINUS SIGN}$1.84M", "1839786.52", "USD"),  # a sign too many
        ("8.9%", "0.0851", "share"),
        ("89%", "0.089", "share"),
        ("8.9", "0.089", "share"),
        ("8.9 times", "0.089", "share"),
        ("6.2 hours", "6.2", "day"),
        ("$41.50 per visit", "41.5", "USD/hour"),
        ("$41.50", "41.5", "USD/hour"),
        ("about $5", "5", "USD"),
        ("five dollars", "5", "USD"),
        ("$1.84M and more", "1839786.52", "USD"),
        ("$0", "0.4", "USD"),
    ],
)
def test_an_unfaithful_figure_is_caught(text: str, value: str, unit: str) -> None:
    assert figure_problem(text, _number(value, unit)) is not None


@given(st.decimals(-(10**13), 10**13, places=4, allow_nan=False), st.sampled_from(UNITS))
def test_whatever_wording_writes_is_read_back(value: Decimal, unit: str) -> None:
    for signed in (True, False):
        assert figure_problem(number_text(value, unit, english().locale, signed=signed), _number(value, unit)) is None


@given(st.decimals("0.001", 10**13, places=4, allow_nan=False), st.sampled_from(UNITS), st.sampled_from(["0.9", "1.1"]))
def test_ten_percent_off_is_always_seen(value: Decimal, unit: str, factor: str) -> None:
    wrong = (value * Decimal(factor)).quantize(Decimal("0.0001"))
    assume(wrong != value)
    text = number_text(wrong, unit, english().locale)
    assume(text != number_text(value, unit, english().locale))
    assert figure_problem(text, _number(value, unit)) is not None
