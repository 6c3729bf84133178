"""Driver formulas: read once, evaluated exactly, rounded once (half to even, to 4 places).

`evaluate` works on one set of values by Python integers, `evaluate_frame` on many rows by 128-bit integers in
Polars; both give the same amounts and the same reasons. `evaluate_range` and `evaluate_range_frame` add low and
high: the least and the greatest over the expected point and all corners of the ranged inputs.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import Final

import polars as pl

from valueplatform.core.errors import InvalidInputError, UnprocessableError
from valueplatform.core.numbers import AMOUNT_PLACES, round_half_even
from valueplatform.telemetry.expressions import ExpressionError
from valueplatform.value.formula_exact import (
    Ratio,
    RatioOf,
    Ratios,
    UndefinedError,
    Values,
    exact,
    exact_ratio,
    ratio_of,
)
from valueplatform.value.formula_frame import AMOUNT_DIGITS, amount_columns, evaluate_columns, evaluate_rows, rows_of
from valueplatform.value.formula_grammar import parse_term
from valueplatform.value.formula_tree import Name, Term, canonical_text, degree_in, walk
from valueplatform.value.ranges import OUT_OF_RANGE, NoValue, Range, RangedValue

MOST_RANGED: Final = 8
FEWEST_IN_BULK: Final = 256  # with fewer rows, one by one is faster
_PLACES: Final[int] = 10**AMOUNT_PLACES
_TOO_LONG: Final[int] = 2 * 10**AMOUNT_DIGITS - 1  # half units: from here on, amounts round to a digit more


class FormulaError(InvalidInputError):
    """A formula that cannot be read or says what formulas do not have."""

    code = "invalid_formula"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as read. `canonical` is its one spelling: equal exactly if two formulas say the same."""

    text: str
    canonical: str
    names: frozenset[str]
    term: Term
    ratio: RatioOf

    @classmethod
    def parse(cls, text: str) -> "Formula":
        """Raises `FormulaError`, naming what is refused or missing."""
        return _parse(text)

    def is_additive_in(self, meters: Collection[str]) -> bool:
        """Whether the meters of a period give the same value as the sum over its days."""
        return degree_in(self.term, frozenset(meters)) == 1

    def evaluate(self, values: Values) -> Decimal | NoValue:
        """The amount in 4 places. A name that is None has no value; a name that is not given is a `KeyError`."""
        return _rounded(self._at(exact(values)))

    def _at(self, values: Ratios) -> Ratio | NoValue:
        """The amount before it is rounded; a reason where it would be too long."""
        try:
            ratio = self.ratio(values)
        except UndefinedError as error:
            return error.reason
        return NoValue(OUT_OF_RANGE) if _is_too_long(ratio) else ratio

    def evaluate_range(self, values: Values, ranged: Mapping[str, Range | None]) -> RangedValue:
        """The amount at the expected point, and its bounds.

        Where the expected point or a corner has no value, both bounds are the first such reason: the expected point
        first, then the corners in the order of the names, low before high. Ranges of names that the formula does not
        use are ignored; more than 8 others raise `UnprocessableError`.
        """
        return self.within(ranged)(values)

    def within(self, ranged: Mapping[str, Range | None]) -> Callable[[Values], RangedValue]:
        """`evaluate_range` for many values that share their ranged inputs."""
        used = _corner_names(self.names & ranged.keys())
        centre = exact({name: None if given is None else given.expected for name, given in ranged.items()})
        corners = [{**centre, **dict(corner)} for corner in product(*(_sides(name, ranged[name]) for name in used))]

        def evaluate(values: Values) -> RangedValue:
            own = exact(values)
            expected = self._at({**own, **centre})
            points = [expected, *(self._at({**own, **corner}) for corner in corners)]
            undefined = next((each for each in points if isinstance(each, NoValue)), None)
            if undefined is not None:
                return RangedValue(undefined, _rounded(expected), undefined)
            low, high = _extremes([each for each in points if not isinstance(each, NoValue)])
            # Rounding keeps the order of numbers: only those that are stated need it.
            return RangedValue(_rounded(low), _rounded(expected), _rounded(high))

        return evaluate

    def evaluate_frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`amount`, Decimal(38, 4), and `reason`, text as in `NoValue.text`: one of them null in each row.

        Rows keep their places. The columns of the formula's names hold integers, decimals or nulls; a column of
        floats is a `TypeError`. A column `name.over` holds positive integers that the values of `name` are divided by.
        """
        if frame.height < FEWEST_IN_BULK:
            return evaluate_rows(frame, self.names, self.evaluate)
        return evaluate_columns(self.term, frame, self.names, self.evaluate)

    def evaluate_range_frame(self, frame: pl.DataFrame, ranged: Collection[str]) -> pl.DataFrame:
        """`low`, `expected`, `high`, `reason` (why not expected) and `range_reason` (why neither low nor high).

        A ranged name has its expected value in the column of that name, its bounds in `name.low` and `name.high`.
        """
        names = _corner_names(self.names & set(ranged))
        if frame.height < FEWEST_IN_BULK:
            return self._range_rows(frame, names)
        used = [name for name in names if _is_wide(frame, name)]
        expected = self.evaluate_frame(frame)
        low = high = expected["amount"]
        reason = expected["reason"]
        for corner in product(("low", "high"), repeat=len(used)) if used else ():
            sides = [pl.col(f"{name}.{side}").alias(name) for name, side in zip(used, corner, strict=True)]
            point = self.evaluate_frame(frame.with_columns(sides))
            low, high = _lesser(low, point["amount"]), _greater(high, point["amount"])
            reason = reason.zip_with(reason.is_not_null(), point["reason"])
        bounded = pl.when(pl.col("range_reason").is_null())
        columns = [low.alias("low"), expected["amount"].alias("expected"), high.alias("high")]
        reasons = [expected["reason"], reason.alias("range_reason")]
        return pl.DataFrame([*columns, *reasons]).with_columns(low=bounded.then("low"), high=bounded.then("high"))

    def _range_rows(self, frame: pl.DataFrame, ranged: Sequence[str]) -> pl.DataFrame:
        sides = [f"{name}.{side}" for name in ranged for side in ("low", "high")]
        values = [
            self.evaluate_range(
                row, {name: Range(row[f"{name}.low"], row[name], row[f"{name}.high"]) for name in ranged}
            )
            for row in rows_of(frame, self.names | set(sides))
        ]
        low = amount_columns([value.low for value in values])
        expected = amount_columns([value.expected for value in values])
        high = amount_columns([value.high for value in values])
        columns = [low["amount"].alias("low"), expected["amount"].alias("expected"), high["amount"].alias("high")]
        return pl.DataFrame([*columns, expected["reason"], low["reason"].alias("range_reason")])


@lru_cache(maxsize=1024)
def _parse(text: str) -> Formula:
    try:
        term = parse_term(text)
    except ExpressionError as error:
        raise FormulaError(f"formula {text[:80]!r}: {error.message}") from error
    names = frozenset(node.name for node in walk(term) if isinstance(node, Name))
    return Formula(text, canonical_text(term), names, term, ratio_of(term))


def _rounded(found: Ratio | NoValue) -> Decimal | NoValue:
    return found if isinstance(found, NoValue) else round_half_even(*found)


def _is_too_long(ratio: Ratio) -> bool:
    """Whether it has more digits than an amount when it is rounded to its places, half to even."""
    numerator, denominator = ratio
    return 2 * abs(numerator) * _PLACES >= denominator * _TOO_LONG


def _extremes(ratios: Sequence[Ratio]) -> tuple[Ratio, Ratio]:
    """The least and the greatest."""
    low = high = ratios[0]
    for each in ratios:
        if each[0] * low[1] < low[0] * each[1]:
            low = each
        elif each[0] * high[1] > high[0] * each[1]:
            high = each
    return low, high


def _corner_names(names: Collection[str]) -> list[str]:
    if len(names) > MOST_RANGED:
        message = f"{len(names)} inputs of one formula have a range, at most {MOST_RANGED} may; fix some to one number"
        raise UnprocessableError(message)
    return sorted(names)


def _sides(name: str, given: Range | None) -> list[tuple[str, Ratio | None]]:
    if given is None:
        return [(name, None)]
    return [(name, exact_ratio(side)) for side in dict.fromkeys((given.low, given.high))]


def _is_wide(frame: pl.DataFrame, name: str) -> bool:
    expected, low, high = frame[name], frame[f"{name}.low"], frame[f"{name}.high"]
    if not expected.dtype == low.dtype == high.dtype:
        return True
    return not (low.eq_missing(expected) & high.eq_missing(expected)).all()


def _lesser(one: pl.Series, other: pl.Series) -> pl.Series:
    return one.zip_with((one.to_physical() <= other.to_physical()).fill_null(value=True), other)


def _greater(one: pl.Series, other: pl.Series) -> pl.Series:
    return one.zip_with((one.to_physical() >= other.to_physical()).fill_null(value=True), other)
