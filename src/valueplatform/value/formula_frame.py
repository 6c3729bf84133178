"""Evaluates a formula over many rows at once, in 128-bit integers; the rows that might overflow one by one.

Same amounts and same reasons as the exact evaluation. Every term is a column of numerators over positive
denominators and of reasons, which are numbers into a list, 0 for none; where there is a reason the ratio means nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import Any, Final

import polars as pl

from valueplatform.core.numbers import AMOUNT_PLACES
from valueplatform.value.formula_exact import Values
from valueplatform.value.formula_tree import (
    Arithmetic,
    Choice,
    Comparison,
    Condition,
    Connected,
    Denied,
    Extreme,
    Name,
    Negative,
    Number,
    Term,
    canonical_text,
)
from valueplatform.value.ranges import NULL_INPUT, ZERO_DIVISOR, NoValue
from valueplatform.value.wide_integers import LARGEST, Comparing, Integers, WideIntegers, column, constant

AMOUNT_DIGITS: Final = 38
_AMOUNT: Final = pl.Decimal(AMOUNT_DIGITS, AMOUNT_PLACES)
_LARGEST_AMOUNT: Final = 10**AMOUNT_DIGITS - 1
_EQUAL_OR_LESS: Final[tuple[Comparing, Comparing]] = ("=", "<")
_SAMPLE: Final = 64
OVER: Final = ".over"
"""Ends the name of a column of positive denominators: `wait` over `wait.over` is the value of `wait`."""

Reasons = pl.Series | None
Exactly = Callable[[Values], Decimal | NoValue]


@dataclass(frozen=True, slots=True)
class _Ratios:
    numerator: Integers
    denominator: Integers
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class _Truths:
    rows: pl.Series
    reasons: Reasons


def evaluate_columns(term: Term, frame: pl.DataFrame, names: Collection[str], exactly: Exactly) -> pl.DataFrame:
    """The columns `amount`, Decimal(38, 4), and `reason`, text; `exactly` evaluates what might overflow."""
    evaluation = _FrameEvaluation(_checked(frame, names), frame.height)
    ratios = evaluation.ratios(term)
    units = evaluation.rounded(ratios)
    result = pl.DataFrame(
        {
            "row": pl.int_range(frame.height, dtype=pl.UInt32, eager=True),
            "amount": units.reinterpret(dtype=_AMOUNT),
            "reason": evaluation.reason_texts(ratios.reasons),
        }
    )
    result = result.with_columns(amount=pl.when(pl.col("reason").is_null()).then("amount"))
    overflowed = evaluation.integers.overflowed.arg_true().cast(pl.UInt32).alias("row")
    if len(overflowed):
        exact = evaluate_rows(frame[overflowed], names, exactly)
        result = result.update(exact.with_columns(overflowed), on="row", include_nulls=True)
    return result.drop("row")


def evaluate_rows(frame: pl.DataFrame, names: Collection[str], exactly: Exactly) -> pl.DataFrame:
    """The same columns, one row at a time."""
    return amount_columns([exactly(row) for row in rows_of(frame, names)])


def amount_columns(values: Sequence[Decimal | NoValue]) -> pl.DataFrame:
    amounts = [None if isinstance(value, NoValue) else value for value in values]
    reasons = [value.text if isinstance(value, NoValue) else None for value in values]
    return pl.DataFrame({"amount": pl.Series(amounts, dtype=_AMOUNT), "reason": pl.Series(reasons, dtype=pl.String)})


def rows_of(frame: pl.DataFrame, names: Collection[str]) -> Iterable[Mapping[str, Any]]:
    """Values by name, row by row; as many rows as the frame has, even without names."""
    if not names:
        return [{}] * frame.height
    averaged = [name for name in names if f"{name}{OVER}" in frame.columns]
    rows = _checked(frame, names).iter_rows(named=True)
    return (row | {name: _fraction(row[name], row[f"{name}{OVER}"]) for name in averaged} for row in rows)


def _fraction(value: Decimal | int | None, over: int) -> Fraction | None:
    return None if value is None else Fraction(value) / over


def _checked(frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    """The columns of these names, with the denominators of those that have some.

    Raises `TypeError` where one holds anything but integers, decimals or nulls.
    """
    over = {f"{name}{OVER}" for name in names} & set(frame.columns)
    columns = frame.select(sorted({*names, *over}))
    for name, dtype in columns.schema.items():
        if not dtype.is_integer() and not dtype.is_decimal() and dtype != pl.Null:
            message = f"column {name} holds {dtype}; amounts are made of integers and decimals only"
            raise TypeError(message)
    return columns


class _FrameEvaluation:
    def __init__(self, frame: pl.DataFrame, height: int) -> None:
        self.integers = WideIntegers(height)
        self._frame = frame
        self._height = height
        self._inputs: dict[str, _Ratios] = {}
        self._causes: list[NoValue] = []

    def ratios(self, term: Term) -> _Ratios:
        match term:
            case Number(numerator, places):
                return _Ratios(constant(numerator), constant(10**places), None)
            case Name(name):
                return self._input(name)
            case Negative(inner):
                return self._negative(self.ratios(inner))
            case Arithmetic():
                return self._arithmetic(term)
            case Extreme(which, terms):
                return self._extreme(">" if which == "max" else "<", [self.ratios(each) for each in terms])
            case Choice(branches, otherwise):
                result = self.ratios(otherwise)
                for test, each in reversed(branches):
                    result = self._chosen(self.truths(test), self.ratios(each), result)
                return result

    def truths(self, condition: Condition) -> _Truths:
        match condition:
            case Denied(inner):
                denied = self.truths(inner)
                return _Truths(~denied.rows, denied.reasons)
            case Connected(sign, left, right):
                first, second = self.truths(left), self.truths(right)
                reached = first.rows if sign == "and" else ~first.rows
                reasons = _first(first.reasons, _either(reached, second.reasons, None))
                rows = first.rows & second.rows if sign == "and" else first.rows | second.rows
                return _Truths(rows, reasons)
            case Comparison(sign, left, right):
                one, other = self.ratios(left), self.ratios(right)
                return _Truths(self._compared(sign, one, other), _first(one.reasons, other.reasons))

    def rounded(self, ratios: _Ratios) -> pl.Series:
        """The amounts in units of the last place, rounded half to even; what exceeds 38 digits is given up."""
        numerator, denominator = ratios.numerator, ratios.denominator
        scale = 10**AMOUNT_PLACES
        if isinstance(denominator.rows, int):
            shared = gcd(scale, denominator.rows)
            scale, denominator = scale // shared, constant(denominator.rows // shared)
        dividends = self.integers.rows(self.integers.product(numerator, constant(scale)))
        divisors = self.integers.rows(self.integers.held(denominator, LARGEST // 2, instead=1))
        divisors = divisors.set(divisors == _row(0), 1)  # only in rows given up
        units, remainders = dividends // divisors, dividends % divisors
        twice = remainders + remainders
        odd = units % _row(2) == _row(1)
        up = (twice > divisors) | ((twice == divisors) & odd)
        return self.integers.rows(self.integers.held(column(units + up.cast(pl.Int128)), _LARGEST_AMOUNT, instead=0))

    def reason_texts(self, reasons: Reasons) -> pl.Series:
        texts = pl.Series([None, *(cause.text for cause in self._causes)], dtype=pl.String)
        codes = pl.repeat(0, self._height, dtype=pl.Int16, eager=True) if reasons is None else reasons
        return texts.gather(codes)

    def _input(self, name: str) -> _Ratios:
        if name not in self._inputs:
            self._inputs[name] = self._read(name)
        return self._inputs[name]

    def _read(self, name: str) -> _Ratios:
        rows, places = self._frame[name], 0
        dtype = rows.dtype
        if isinstance(dtype, pl.Decimal):
            rows, places = rows.to_physical(), dtype.scale
        rows = rows.cast(pl.Int128)
        reasons = self._because(NoValue(NULL_INPUT, name), rows.is_null())
        rows, places = _shortest(rows.fill_null(0), places)
        denominator = constant(10**places)
        if f"{name}{OVER}" in self._frame.columns:
            over = self._frame[f"{name}{OVER}"].cast(pl.Int128).fill_null(1)
            denominator = self.integers.product(column(over), denominator)
        return _Ratios(column(rows), denominator, reasons)

    def _arithmetic(self, term: Arithmetic) -> _Ratios:
        left, right = self.ratios(term.left), self.ratios(term.right)
        match term.sign:
            case "+":
                return self._sum(left, right)
            case "-":
                return self._sum(left, self._negative(right))
            case "*":
                return self._product(left, right)
            case "/":
                return self._quotient(left, right, NoValue(ZERO_DIVISOR, canonical_text(term.right)))

    def _negative(self, ratios: _Ratios) -> _Ratios:
        return _Ratios(self.integers.product(ratios.numerator, constant(-1)), ratios.denominator, ratios.reasons)

    def _sum(self, left: _Ratios, right: _Ratios) -> _Ratios:
        one, other, denominator = self._aligned(left, right)
        return _Ratios(self.integers.total(one, other), denominator, _first(left.reasons, right.reasons))

    def _product(self, left: _Ratios, right: _Ratios) -> _Ratios:
        reasons = _first(left.reasons, right.reasons)
        if isinstance(left.numerator.rows, int):
            left, right = right, left
        denominator = self.integers.product(left.denominator, right.denominator)
        factor = right.numerator
        if isinstance(factor.rows, int) and isinstance(denominator.rows, int):
            shared = gcd(factor.rows, denominator.rows)
            factor, denominator = constant(factor.rows // shared), constant(denominator.rows // shared)
        return _Ratios(self.integers.product(left.numerator, factor), denominator, reasons)

    def _quotient(self, left: _Ratios, right: _Ratios, cause: NoValue) -> _Ratios:
        zero, negative = (self.integers.compared(sign, right.numerator, constant(0)) for sign in _EQUAL_OR_LESS)
        reasons = _first(left.reasons, right.reasons, self._because(cause, zero))
        divisor, numerator = right.numerator, right.denominator
        if zero.any():
            divisor = self.integers.picked(zero, constant(1), divisor)
        if isinstance(divisor.rows, int) and divisor.rows < 0:
            divisor, numerator = constant(-divisor.rows), self.integers.product(numerator, constant(-1))
        elif negative.any():
            divisor = self.integers.picked(negative, self.integers.product(divisor, constant(-1)), divisor)
            numerator = self.integers.picked(negative, self.integers.product(numerator, constant(-1)), numerator)
        inverse = _Ratios(numerator, divisor, None)
        product = self._product(left, inverse)
        return _Ratios(product.numerator, product.denominator, reasons)

    def _extreme(self, sign: Comparing, terms: list[_Ratios]) -> _Ratios:
        reasons = _first(*(term.reasons for term in terms))
        best, *others = terms
        for other in others:
            best = self._picked(self._compared(sign, other, best), other, best)
        return _Ratios(best.numerator, best.denominator, reasons)

    def _chosen(self, test: _Truths, then: _Ratios, otherwise: _Ratios) -> _Ratios:
        reasons = _first(test.reasons, _either(test.rows, then.reasons, otherwise.reasons))
        picked = self._picked(test.rows, then, otherwise)
        return _Ratios(picked.numerator, picked.denominator, reasons)

    def _picked(self, where: pl.Series, left: _Ratios, right: _Ratios) -> _Ratios:
        if isinstance(left.denominator.rows, int) and isinstance(right.denominator.rows, int):
            one, other, denominator = self._aligned(left, right)
        else:
            one, other = left.numerator, right.numerator
            denominator = self.integers.picked(where, left.denominator, right.denominator)
        return _Ratios(self.integers.picked(where, one, other), denominator, None)

    def _compared(self, sign: Comparing, left: _Ratios, right: _Ratios) -> pl.Series:
        return self.integers.compared(sign, *self._crossed(left, right))

    def _crossed(self, left: _Ratios, right: _Ratios) -> tuple[Integers, Integers]:
        """Numerators over one denominator: the least common one where it is the same for all rows."""
        one, other = left.denominator, right.denominator
        if one.rows is other.rows:
            return left.numerator, right.numerator
        if isinstance(one.rows, int) and isinstance(other.rows, int):
            common = lcm(one.rows, other.rows)
            by_one, by_other = common // one.rows, common // other.rows
            one, other = constant(by_other), constant(by_one)
        return self.integers.product(left.numerator, other), self.integers.product(right.numerator, one)

    def _aligned(self, left: _Ratios, right: _Ratios) -> tuple[Integers, Integers, Integers]:
        one, other = left.denominator, right.denominator
        if isinstance(one.rows, int) and isinstance(other.rows, int):
            common = constant(lcm(one.rows, other.rows))
        else:
            common = one if one.rows is other.rows else self.integers.product(one, other)
        return *self._crossed(left, right), common

    def _because(self, cause: NoValue, where: pl.Series) -> Reasons:
        if not where.any():
            return None
        self._causes.append(cause)
        return where.cast(pl.Int16) * pl.Series([len(self._causes)], dtype=pl.Int16)


def _first(*reasons: Reasons) -> Reasons:
    first: Reasons = None
    for later in reasons:
        if first is None or later is None:
            first = later if first is None else first
        else:
            first = first.zip_with(first != 0, later)
    return first


def _either(where: pl.Series, left: Reasons, right: Reasons) -> Reasons:
    if left is None and right is None:
        return None
    none = pl.Series([0], dtype=pl.Int16)
    return (none if left is None else left).zip_with(where, none if right is None else right)


def _row(number: int) -> pl.Series:
    return pl.Series([number], dtype=pl.Int128)


def _shortest(rows: pl.Series, places: int) -> tuple[pl.Series, int]:
    """The same decimals with no more places than the data need, so that products stay small."""
    sample = rows.head(_SAMPLE).to_list()
    for spare in range(places, 0, -1):
        unit = 10**spare
        if any(number % unit for number in sample):
            continue
        if (rows % _row(unit) == _row(0)).all():
            return rows // _row(unit), places - spare
    return rows, places
