"""Rollup rows by the column: what archived events add to meters that count or sum. Pure.

A frame has `account_id`, `meter`, `day`, `provider`, a column for each dimension value, `events`, `total` and
`unmetered`; rows of one key add up. `meter` is the name that the meter's rollups have in the account, edition and all.
Totals are decimals of 38 digits with 9 after the point, so that 10^11 events cannot overflow them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import polars as pl

from valueplatform.core.numbers import FRACTION_DIGITS

TOTAL: Final = pl.Decimal(38, FRACTION_DIGITS)
PLACE: Final = ("account_id", "meter", "day", "provider")
SUMS: Final = {"events": pl.Int64(), "total": TOTAL, "unmetered": pl.Int64()}
COPIED: Final = (*PLACE, "dimensions", *SUMS)
"""The columns of `as_csv`."""


def dimension_columns(number: int) -> list[str]:
    return [f"dimension {place}" for place in range(number)]


def rollup_rows(rows: pl.DataFrame, rollup_name: str, editions: Mapping[int, str]) -> pl.DataFrame:
    """Rows of a meter, from all columns but its name; `editions` as `Increments` has them."""
    dimensions = [name for name in rows.columns if name not in (*PLACE, *SUMS)]
    sums = (pl.col(name).cast(kind) for name, kind in SUMS.items())
    return rows.with_columns(_names(rollup_name, editions).alias("meter")).select(*PLACE, *dimensions, *sums)


def _names(rollup_name: str, editions: Mapping[int, str]) -> pl.Expr:
    if not editions:
        return pl.lit(rollup_name)
    names = {account_id: rollup_name + edition for account_id, edition in editions.items()}
    return pl.col("account_id").replace_strict(names, default=rollup_name, return_dtype=pl.String)


def merged(frames: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
    """The same rows, each key once, in order of their key; a frame for each number of dimensions."""
    alike: defaultdict[int, list[pl.DataFrame]] = defaultdict(list)
    for frame in frames:
        alike[frame.width].append(frame)
    return [_merged(each) for each in alike.values()]


def _merged(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    key = [name for name in frames[0].columns if name not in SUMS]
    return pl.concat(frames).group_by(key).agg(pl.col(*SUMS).sum()).sort(key, nulls_last=True)


def cells(rows: pl.DataFrame) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Rows as `Increments.rollups` holds them."""
    for account_id, meter, day, provider, *dimensions, events, total, unmetered in rows.iter_rows():
        yield (account_id, meter, day, provider, tuple(dimensions)), [events, plain(total), unmetered]


def plain(number: Decimal | int) -> Decimal | int:
    """Without the zeros that the column's scale adds; the caller's context has digits enough."""
    if isinstance(number, int):
        return number
    return int(number) if number == number.to_integral_value() else number.normalize()


def as_csv(rows: pl.DataFrame) -> bytes:
    """As COPY reads them: the dimension values are the text of an array, null is nothing at all."""
    dimensions = [_array_item(pl.col(name)) for name in dimension_columns(rows.width - len(PLACE) - len(SUMS))]
    items = [pl.concat_str(dimensions, separator=",")] if dimensions else []
    array = pl.concat_str(pl.lit("{"), *items, pl.lit("}"))
    total = pl.col("total").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    return (
        rows.select(*PLACE, array.alias("dimensions"), "events", total, "unmetered")
        .write_csv(None, include_header=False)
        .encode()
    )


def _array_item(value: pl.Expr) -> pl.Expr:
    escaped = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return pl.concat_str(pl.lit('"'), escaped, pl.lit('"')).fill_null("NULL")
