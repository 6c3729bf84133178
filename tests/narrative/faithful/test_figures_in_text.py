from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from valueplatform.narrative.document import Language
from valueplatform.narrative.faithful.figures_in_text import figure_problem
from valueplatform.narrative.faithful.german import GERMAN
from valueplatform.narrative.faithful.languages import lexicon_of
from valueplatform.narrative.insight import Number
from valueplatform.narrative.wording import wording_in
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


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,84 Mio. $", "1839786.52", "USD"),
        ("14.300 $", "14340", "USD"),
        ("\N{MINUS SIGN}14.300 €", "-14340", "EUR"),
        ("1,20 Mrd. €", "1200000000", "EUR"),
        ("8,9 %", "0.0891", "share"),
        ("8,5 % pro Jahr", "0.085", "share/year"),
        ("2,85\N{NON-BREAKING HYPHEN}Fache", "2.8455", "ratio"),
        ("41,50 $ pro Stunde", "41.5", "USD/hour"),
        ("1 Vorfall", "1", "incident"),
        ("146.512", "146512", "count"),
        ("3 Kräne", "3", "Kräne"),
    ],
)
def test_a_faithful_german_figure_is_let_through(text: str, value: str, unit: str) -> None:
    assert figure_problem(text.replace(" ", "\u00a0", 2), _number(value, unit), GERMAN) is None


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$1.84M", "1839786.52", "USD"),  # English
        ("1.84 Mio. $", "1839786.52", "USD"),  # a point for a comma
        ("1,83 Mio. $", "1839786.52", "USD"),
        ("1,8 Mio. $", "1839786.52", "USD"),
        ("1,84 Mrd. $", "1839786.52", "USD"),
        ("1,84 $", "1839786.52", "USD"),
        ("1,84 Mio. €", "1839786.52", "USD"),
        ("1,84 Mio.", "1839786.52", "USD"),
        ("14.400 $", "14340", "USD"),
        ("14.000 $", "14340", "USD"),
        ("143.00 $", "14300", "USD"),
        ("89 %", "0.089", "share"),
        ("8.9 %", "0.089", "share"),
        ("8,9", "0.089", "share"),
        ("6,2 Stunden", "6.2", "day"),
        ("6,2 days", "6.2", "day"),
        ("41,50 $ pro Besuch", "41.5", "USD/hour"),
        ("146.500", "146512", "count"),
    ],
)
def test_an_unfaithful_german_figure_is_caught(text: str, value: str, unit: str) -> None:
    assert figure_problem(text.replace(" ", "\u00a0", 2), _number(value, unit), GERMAN) is not None


@given(st.decimals(-(10**13), 10**13, places=4, allow_nan=False), st.sampled_from(UNITS), st.sampled_from(Language))
def test_whatever_wording_writes_is_read_back(value: Decimal, unit: str, language: Language) -> None:
    locale = wording_in(language).locale
    for signed in (True, False):
        text = number_text(value, unit, locale, signed=signed)
        assert figure_problem(text, _number(value, unit), lexicon_of(str(locale)) or GERMAN) is None


@given(
    st.decimals("0.001", 10**13, places=4, allow_nan=False),
    st.sampled_from(UNITS),
    st.sampled_from(["0.9", "1.1"]),
    st.sampled_from(Language),
)
def test_ten_percent_off_is_always_seen(value: Decimal, unit: str, factor: str, language: Language) -> None:
    wrong = (value * Decimal(factor)).quantize(Decimal("0.0001"))
    assume(wrong != value)
    locale = wording_in(language).locale
    text = number_text(wrong, unit, locale)
    assume(text != number_text(value, unit, locale))
    assert figure_problem(text, _number(value, unit), lexicon_of(str(locale)) or GERMAN) is not None
