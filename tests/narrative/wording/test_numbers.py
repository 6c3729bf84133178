from datetime import date
from decimal import Decimal

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative.wording.numbers import day_text, month_text, number_text, plural, significant

ENGLISH = Locale.parse("en_US")
GERMAN = Locale.parse("de")
MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("1839786.52", "USD", "$1.84M"),
        ("1796000", "USD", "$1.80M"),
        ("486080", "USD", "$486K"),
        ("11040", "USD", "$11.0K"),
        ("999950", "USD", "$1.00M"),
        ("999.6", "USD", "$1.00K"),
        ("310", "USD", "$310"),
        ("41.5", "USD", "$41.50"),
        ("0.421", "USD", "$0.421"),
        ("0.0042", "USD", "$0.0042"),
        ("0", "USD", "$0"),
        ("-14300", "USD", f"{MINUS}$14.3K"),
        ("1840000", "EUR", "€1.84M"),
        ("120400000", "JPY", "¥120M"),
        ("345", "JPY", "¥345"),
        ("1840000", "CHF", "CHF\N{NO-BREAK SPACE}1.84M"),
        ("2.5", "BHD", "BHD\N{NO-BREAK SPACE}2.500"),
    ],
)
def test_money_has_three_figures_and_its_sign_in_place(value: str, unit: str, text: str) -> None:
    assert number_text(Decimal(value), unit, ENGLISH) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("0.089", "share", "8.9%"),
        ("0.12", "share", "12%"),
        ("0.00041", "share", "0.041%"),
        ("1.1749", "share", "117%"),
        ("0.9999", "share", "100%"),
        ("2.8455", "ratio", "2.85 times"),
        ("6.2", "day", "6.2 days"),
        ("1", "day", "1 day"),
        ("21976.8", "hours", "21,977 hours"),
        ("146512", "job", "146,512 jobs"),
        ("1234567", "job", "1.23M jobs"),
        ("12400", "count", "12,400"),
        ("41.5", "USD/hour", "$41.50 per hour"),
        ("1200", "USD/week", "$1.20K a week"),
        ("0.085", "share/year", "8.5% a year"),
        ("0.00031", "incident/hour", "0.00031 incidents per hour"),
    ],
)
def test_every_number_carries_its_unit(value: str, unit: str, text: str) -> None:
    assert number_text(Decimal(value), unit, ENGLISH).replace("\N{NO-BREAK SPACE}", " ") == text


def test_words_may_carry_the_sign_instead() -> None:
    assert number_text(Decimal(-14300), "USD", ENGLISH, signed=False) == "$14.3K"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("1839786.52", "EUR", "1,84 Mio. €"),
        ("1660502", "USD", "1,66 Mio. $"),
        ("2400000000", "USD", "2,40 Mrd. $"),
        ("14312", "USD", "14.300 $"),
        ("-14312", "USD", f"{MINUS}14.300 $"),
        ("310", "USD", "310 $"),
        ("41.5", "USD/hour", "41,50 $ pro Stunde"),
        ("1840000", "CHF", "1,84 Mio. CHF"),
        ("345", "JPY", "345 ¥"),
        ("0.089", "share", "8,9 %"),
        ("2.8455", "ratio", "2,85\N{NON-BREAKING HYPHEN}Fache"),
        ("1", "day", "1 Tag"),
        ("6.2", "day", "6,2 Tage"),
        ("21976.8", "hours", "21.977 Stunden"),
        ("1234567", "job", "1,23 Mio. Aufträge"),
        ("3", "Einsätze", "3 Einsätze"),
        ("0.00031", "incident/hour", "0,00031 Vorfälle pro Stunde"),
    ],
)
def test_german_has_its_own_signs_places_and_words(value: str, unit: str, text: str) -> None:
    assert number_text(Decimal(value), unit, GERMAN).replace("\N{NO-BREAK SPACE}", " ") == text


def test_days_are_told_as_readers_expect() -> None:
    assert day_text(date(2026, 8, 1), ENGLISH) == "1 Aug 2026"
    assert month_text(date(2026, 8, 1), ENGLISH) == "August 2026"
    assert day_text(date(2026, 5, 12), GERMAN) == "12. Mai 2026"
    assert month_text(date(2026, 3, 1), GERMAN) == "März 2026"
    assert day_text(date(2, 1, 1), ENGLISH) == "1 Jan 0002"  # or it would read as a number that nobody told


@pytest.mark.parametrize(
    ("one", "many"), [("job", "jobs"), ("jobs", "jobs"), ("inquiry", "inquiries"), ("day", "days")]
)
def test_units_have_plurals(one: str, many: str) -> None:
    assert plural(one) == many


@given(st.decimals("0.0001", 10**15, places=4, allow_nan=False))
def test_rounding_moves_a_number_by_less_than_half_a_percent(value: Decimal) -> None:
    assert abs(significant(value) - value) <= value / 200


@given(st.decimals(-(10**15), 10**15, places=4, allow_nan=False), st.sampled_from(["USD", "share", "job", "ratio"]))
def test_a_number_never_wraps_inside_itself(value: Decimal, unit: str) -> None:
    text = number_text(value, unit, ENGLISH)
    assert " " not in text
    assert "-" not in text
