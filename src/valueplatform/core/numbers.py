"""Exact numbers: what the wire may carry, one rounding, and text without exponents. Never a float.

Invariants: a wire number has at most 18 integer and 9 fraction digits (trailing zeros do not count, exponents
are unfolded); a quotient is rounded once, half to even, by integer arithmetic.
"""

import re
from collections.abc import Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from fractions import Fraction

from valueplatform.core.errors import InvalidInputError

INTEGER_DIGITS = 18
FRACTION_DIGITS = 9
AMOUNT_PLACES = 4

_LONGEST_TEXT = 400
_SHAPE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Rounds nothing: the default context would cut at 28 digits.
_UNROUNDED = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


class NotANumberError(InvalidInputError):
    """The text is not a decimal number (NaN and Infinity are not numbers either)."""

    code = "not_a_number"


class NumberOutOfRangeError(InvalidInputError):
    """The number has more than 18 integer or 9 fraction digits."""

    code = "number_out_of_range"


def in_wire_range(number: Decimal | int) -> bool:
    """Whether a number may be metered; false for NaN and the infinities. Cheap for any exponent."""
    exact = Decimal(number)
    if not exact.is_finite():
        return False
    if not exact:
        return True
    if exact.adjusted() >= INTEGER_DIGITS or exact.adjusted() < -FRACTION_DIGITS:
        return False
    return _lowest_digit(exact) >= -FRACTION_DIGITS


def exact_decimal(text: str) -> Decimal:
    """The decimal that a JSON number, or a decimal string such as "12.50", stands for; its zeros are kept.

    Fit for `msgspec` as `float_hook`. Raises `NotANumberError` or `NumberOutOfRangeError`.
    """
    if len(text) > _LONGEST_TEXT:
        raise _out_of_range(text)
    if not _SHAPE.fullmatch(text):
        message = f"{_shown(text)} is not a decimal number; write digits with an optional point, such as 12.50"
        raise NotANumberError(message)
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # an exponent beyond what Decimal itself can hold
        raise _out_of_range(text) from error
    if not in_wire_range(number):
        raise _out_of_range(text)
    unwritable = not number and abs(number.adjusted()) > _LONGEST_TEXT  # 0e-999999999 has a gigabyte of zeros
    return Decimal(0) if unwritable else number


def round_half_even(numerator: int, denominator: int, places: int = AMOUNT_PLACES) -> Decimal:
    """The quotient numerator / denominator rounded once, half to even, with exactly `places` digits after the point.

    Raises `ZeroDivisionError` for a zero denominator.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    units, remainder = divmod(numerator * 10**places, denominator)
    if remainder * 2 > denominator or (remainder * 2 == denominator and units % 2):
        units += 1
    return scaled_decimal(units, places)


def scaled_decimal(units: int, places: int) -> Decimal:
    """The decimal units / 10**places, unrounded, with exactly `places` digits after the point."""
    return Decimal(units).scaleb(-places, _UNROUNDED)


def amount_units(amount: Decimal) -> int:
    """An amount of at most 4 places in units of the last; `scaled_decimal` turns it back."""
    numerator, denominator = amount.as_integer_ratio()
    units: int = numerator * 10**AMOUNT_PLACES // denominator
    return units


def apportioned(shares: Sequence[Fraction], total: int) -> list[int]:
    """Whole units next to each share, for shares that add up to `total`: so do the units. Each is cut off downwards,
    and what is left goes to the largest remainders (Hamilton's method), of equal ones to the first.

    Bridges, features, cuts of value and finance divide by it. Two ways of dividing differ on purpose: the cap of a pool
    (`value.pools`) cuts running totals off, so that an earlier draw never moves for a later one; parties of a joint
    driver (`value.splits`) are each cut off from the whole alone, since a last unit that depends on others' would tell
    of them.
    """
    units = [share.numerator // share.denominator for share in shares]
    missing = total - sum(units)
    for at in sorted(range(len(shares)), key=lambda at: (units[at] - shares[at], at))[:missing]:
        units[at] += 1
    return units


def without_trailing_zeros(number: Decimal) -> Decimal:
    """The same value in its shortest form, never with a positive exponent or a negative zero."""
    if not number:
        return Decimal(0)
    shortest = _UNROUNDED.normalize(number)
    return shortest if _lowest_digit(shortest) <= 0 else shortest.quantize(Decimal(1), context=_UNROUNDED)


def decimal_text(number: Decimal | int) -> str:
    """The number in plain digits, with the zeros that it carries, without exponent or negative zero."""
    exact = Decimal(number)
    return format(exact or exact.copy_abs(), "f")


def _lowest_digit(number: Decimal) -> int:
    """The power of ten of the last digit that is not zero, for a finite number other than zero."""
    shortest = _UNROUNDED.normalize(number)
    return shortest.adjusted() - len(shortest.as_tuple().digits) + 1


def _out_of_range(text: str) -> NumberOutOfRangeError:
    return NumberOutOfRangeError(
        f"{_shown(text)} has more than {INTEGER_DIGITS} integer or {FRACTION_DIGITS} fraction digits; "
        "send it in a larger or smaller unit"
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
