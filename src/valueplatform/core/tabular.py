"""Files as named tables, mapped by one SQL query (Polars SQL), in arrival order.

The result keeps the order of the files (`core.arrival`), unless the query has an ORDER BY of its own. Values keep
what the query made of them: text stays text, exact numbers stay exact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from valueplatform.core.arrival import ROW, sorts_itself, with_arrival_order
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import decimal_text, without_trailing_zeros
from valueplatform.core.table_files import BadLine, read_table

__all__ = ["BadLine", "Mapped", "read_mapped"]

Value = str | int | bool | Decimal | list["Value"] | dict[str, "Value"] | None
_JSON: Final = msgspec.json.Encoder(decimal_format="number")
_SLICE: Final = 10_000


@dataclass(frozen=True)
class Mapped:
    """What the query made of the files. `typed` has its rows in arrival order, without `_row`."""

    typed: pl.DataFrame
    bad_lines: list[BadLine]

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows with every cell as text: numbers without exponent, times as RFC 3339, null where absent."""
        schema = dict.fromkeys(self.typed.columns, pl.String)
        rows = [{name: _text(value) for name, value in row.items()} for row in self.rows()]
        return pl.DataFrame(rows, schema=schema)

    def rows(self) -> Iterator[dict[str, Value]]:
        """Each row by column name, with exact values; dates and times as RFC 3339 text, empty cells as None."""
        for part in self.typed.iter_slices(_SLICE):
            for row in part.iter_rows(named=True):
                yield {name: _exact(value) for name, value in row.items()}


def read_mapped(tables: Mapping[str, Path], sql: str) -> Mapped:
    """Read each file as the table of its name, and run the query over them.

    Raises InvalidInputError where a file cannot be read at all, or the query fails.
    """
    files = {name: read_table(name, path) for name, path in tables.items()}
    frames = {name: file.frame for name, file in files.items()}
    bad_lines = [line for file in files.values() for line in file.bad_lines]
    return Mapped(_in_order(frames, sql), bad_lines)


def _in_order(frames: Mapping[str, pl.DataFrame], sql: str) -> pl.DataFrame:
    try:
        result = _run(frames, with_arrival_order(sql))
    except pl.exceptions.PolarsError:
        try:
            result = _run(frames, sql)
        except pl.exceptions.PolarsError as error:
            known = ", ".join(f"{name} ({', '.join(frame.columns)})" for name, frame in frames.items())
            reason = str(error).split("\n", 1)[0]
            raise InvalidInputError(f"The query fails: {reason}. The tables are: {known}.") from error
    if not sorts_itself(sql):
        order = [name for name in result.columns if name == ROW or name.startswith(f"{ROW}:")]
        if not order:
            # Without a row to go by (an aggregate), any order will do, as long as it is the same the next time.
            texts = pl.Series(ROW, [repr(row) for row in result.iter_rows()], dtype=pl.String)
            result, order = result.with_columns(texts), [ROW]
        result = result.sort(order, nulls_last=True, maintain_order=True)
    return result.select(name for name in result.columns if name != ROW and not name.startswith(f"{ROW}:"))


def _run(frames: Mapping[str, pl.DataFrame], sql: str) -> pl.DataFrame:
    return pl.SQLContext(frames=frames, eager=True).execute(sql)


def _exact(value: object) -> Value:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return without_trailing_zeros(value)
    if isinstance(value, float):
        return _of_float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _exact(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return str(value)


def _of_float(value: float) -> Decimal | str:
    """The shortest decimal that means this float, as it would be printed; NaN and the infinities as text."""
    number = Decimal(repr(value))
    return without_trailing_zeros(number) if number.is_finite() else str(value)


def _text(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return decimal_text(value) if isinstance(value, Decimal) else _JSON.encode(value).decode()
