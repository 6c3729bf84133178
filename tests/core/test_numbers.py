from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.numbers import (
    NotANumberError,
    NumberOutOfRangeError,
    decimal_text,
    exact_decimal,
    in_wire_range,
    round_half_even,
    scaled_decimal,
    without_trailing_zeros,
)

WIRE_NUMBERS = st.decimals(
    min_value=Decimal("-999999999999999999.999999999"),
    max_value=Decimal("999999999999999999.999999999"),
    places=9,
)


@pytest.mark.parametrize(
    "text", ["1e999999999", "1e99999999999999999999", "1e-999999999999999999999999", "1e18", "-1000000000000000000"]
)
def test_a_number_too_large_or_too_small_for_any_column_is_refused_at_once(text: str) -> None:
    with pytest.raises(NumberOutOfRangeError, match="18 integer or 9 fraction digits"):
        exact_decimal(text)


def test_a_number_of_a_million_digits_is_refused_without_being_read() -> None:
    with pytest.raises(NumberOutOfRangeError) as refused:
        exact_decimal("1" * 1_000_000)
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(
    "text", ["NaN", "nan", "sNaN", "Infinity", "-inf", "", " 1", "1_000", "0x10", "٣", "1,5", "--1"]
)
def test_what_is_not_written_as_a_decimal_is_not_a_number(text: str) -> None:
    with pytest.raises(NotANumberError, match="is not a decimal number"):
        exact_decimal(text)


@pytest.mark.parametrize("text", ["0.0000000001", "1e-10", "123.4567890123"])
def test_a_tenth_fraction_digit_is_refused(text: str) -> None:
    with pytest.raises(NumberOutOfRangeError):
        exact_decimal(text)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("12.50", "12.50"),
        ("1e17", "100000000000000000"),
        ("1.50E+2", "150"),
        ("0.10000000000000000000", "0.10000000000000000000"),
        ("999999999999999999.999999999", "999999999999999999.999999999"),
        ("-0.0", "0.0"),
        ("0e999999999", "0"),
        ("0e-999999999", "0"),
        ("+.5", "0.5"),
    ],
)
def test_trailing_zeros_do_not_count_and_are_kept(text: str, digits: str) -> None:
    assert decimal_text(exact_decimal(text)) == digits


def test_it_reads_the_floats_of_json_without_a_float() -> None:
    read = msgspec.json.Decoder(float_hook=exact_decimal).decode(b'{"a": 0.100000001, "b": 1.10}')
    assert read == {"a": Decimal("0.100000001"), "b": Decimal("1.10")}


@given(WIRE_NUMBERS)
def test_every_wire_number_comes_back_from_its_text(number: Decimal) -> None:
    assert exact_decimal(str(number)) == number
    assert exact_decimal(decimal_text(number)) == number
    assert in_wire_range(number)


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_the_range_is_that_of_eighteen_and_nine_digits(number: Decimal) -> None:
    if not number.is_finite():
        assert not in_wire_range(number)
        return
    exact = Fraction(number)
    assert in_wire_range(number) == (abs(exact) < 10**18 and (exact * 10**9).denominator == 1)


@given(st.integers(), st.integers().filter(bool), st.integers(0, 9))
def test_a_quotient_is_rounded_once_half_to_even(numerator: int, denominator: int, places: int) -> None:
    exact = Fraction(numerator, denominator)
    rounded = round_half_even(numerator, denominator, places)
    assert Fraction(rounded) == Fraction(round(exact * 10**places), 10**places)
    assert rounded.as_tuple().exponent == -places


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(1, 20000, "0.0000"), (3, 20000, "0.0002"), (-1, 20000, "-0.0000"), (5, -20000, "-0.0002"), (10**60, 7, None)],
)
def test_a_half_goes_to_the_even_neighbour(numerator: int, denominator: int, rounded: str | None) -> None:
    result = round_half_even(numerator, denominator)
    assert result == (Decimal(rounded) if rounded else scaled_decimal(10**64 // 7 + 1, 4))


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        round_half_even(1, 0)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_the_shortest_form_is_the_same_number_without_exponent(number: Decimal) -> None:
    shortest = without_trailing_zeros(number)
    assert shortest == number
    assert "E+" not in str(shortest)
    assert not decimal_text(shortest).endswith("0") or shortest == shortest.to_integral_value()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_text_has_digits_and_a_point_only(number: Decimal) -> None:
    text = decimal_text(number)
    assert set(text) <= set("-0123456789.")
    assert Decimal(text) == number
    assert number or not text.startswith("-")
