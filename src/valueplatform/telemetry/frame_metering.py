"""Metering archived events by the column: what `rollups.Increments` adds one by one, for a whole frame at once.

What a value means is said in one place, `meters` and `filters`: each distinct cell is read by them once. Only plain
numbers and plain text, which nearly all cells are, are read by Polars itself. Sums are decimals of 38 digits with 9
after the point, so a frame of up to 10^11 events cannot overflow them. The property tests hold both ways together.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

import polars as pl

from valueplatform.core.numbers import FRACTION_DIGITS, INTEGER_DIGITS
from valueplatform.telemetry.archive_format import cell_value, column_of
from valueplatform.telemetry.filters import compile_filter, filter_paths
from valueplatform.telemetry.increments import Increments, PickCell
from valueplatform.telemetry.meters import (
    LONGEST_VALUE,
    Aggregation,
    Meter,
    Unmetered,
    exact_number,
    member_text,
    scalar_text,
)
from valueplatform.telemetry.picks import Pick

COLUMNS: Final = ("account_id", "type", "time", "event_key", "provider")
_NUMBER: Final = pl.Decimal(38, FRACTION_DIGITS)
_PLAIN: Final = rf"-?[0-9]{{1,{INTEGER_DIGITS}}}(\.[0-9]{{1,{FRACTION_DIGITS}}})?"
_PLAIN_NUMBER: Final = rf'^({_PLAIN}|"{_PLAIN}")$'
_PLAIN_TEXT: Final = rf'^"[^"\\]{{0,{LONGEST_VALUE}}}"$'
_PLACE: Final = ("account_id", "day", "provider")


def paths_of(meters: Iterable[Meter]) -> list[str]:
    """The paths of data that these meters read, each once."""
    found: dict[str, None] = {}
    for meter in meters:
        found.update(dict.fromkeys(meter.dimensions))
        if meter.property is not None and meter.aggregation is not Aggregation.COUNT:
            found[meter.property] = None
        if meter.filter is not None:
            found.update(dict.fromkeys(filter_paths(meter.filter)))
    return list(found)


def add_frame(increments: Increments, frame: pl.DataFrame, meters: Iterable[Meter]) -> None:
    """Add what events say of the meters: `COLUMNS`, their local `day`, and `data.<path>` for all of `paths_of`."""
    with localcontext(prec=60):
        for meter in meters:
            events = frame.filter(pl.col("type").is_in(list(meter.event_types)))
            if meter.filter is not None:
                events = _admitted(events, meter.filter)
            names = [f"dimension {number}" for number in range(len(meter.dimensions))]
            events = events.with_columns(
                _texts(events[column_of(path)], scalar_text).alias(name)
                for path, name in zip(meter.dimensions, names, strict=True)
            )
            _add_meter(increments, meter, events, [*_PLACE, *names])


def _add_meter(increments: Increments, meter: Meter, events: pl.DataFrame, keys: Sequence[str]) -> None:
    if meter.aggregation is Aggregation.COUNT or meter.property is None:
        for *place, count in events.group_by(keys).agg(pl.len()).iter_rows():
            _raise(increments, _key(meter, place), count, count, 0)
        return
    cells = events[column_of(meter.property)]
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        events = events.with_columns(_texts(cells, _member).alias("value"))
        _add_members(increments, meter, events, keys)
    else:
        events = events.with_columns(_numbers(cells).alias("value"))
        if meter.aggregation in {Aggregation.SUM, Aggregation.AVG}:
            _add_sums(increments, meter, events, keys)
        else:
            _add_picks(increments, meter, events, keys)
    _add_reasons(increments, meter, events, cells)


def _add_sums(increments: Increments, meter: Meter, events: pl.DataFrame, keys: Sequence[str]) -> None:
    tally = events.group_by(keys).agg(
        pl.len(), pl.col("value").sum().alias("total"), pl.col("value").null_count().alias("unmetered")
    )
    for *place, count, total, unmetered in tally.iter_rows():
        _raise(increments, _key(meter, place), count, _plain(total), unmetered)


def _add_members(increments: Increments, meter: Meter, events: pl.DataFrame, keys: Sequence[str]) -> None:
    for *place, count, unmetered in (
        events.group_by(keys).agg(pl.len(), pl.col("value").null_count().alias("unmetered")).iter_rows()
    ):
        _raise(increments, _key(meter, place), count, 0, unmetered)
    members = events.filter(pl.col("value").is_not_null()).group_by(keys).agg(pl.col("value").unique())
    for *place, seen in members.iter_rows():
        increments.members.setdefault(_key(meter, place), set()).update(seen)


def _add_picks(increments: Increments, meter: Meter, events: pl.DataFrame, keys: Sequence[str]) -> None:
    ranks = {
        Aggregation.MAX: pl.col("value"),
        Aggregation.MIN: -pl.col("value"),
        Aggregation.LATEST: pl.col("time").dt.epoch("us"),
    }
    counted = events.group_by(keys).agg(pl.len(), pl.col("value").null_count().alias("unmetered"))
    for *place, count, unmetered in counted.iter_rows():
        cell = increments.picks.setdefault(_key(meter, place), PickCell())
        cell.events += count
        cell.unmetered += unmetered
    ranked = events.filter(pl.col("value").is_not_null()).with_columns(ranks[meter.aggregation].alias("rank"))
    chosen = (
        ranked.sort("rank", "event_key")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("rank", "event_key", "value").last())
    )
    for *place, rank, event_key, value in chosen.iter_rows():
        pick = Pick(_plain(rank), event_key, _plain(value))
        cell = increments.picks[_key(meter, place)]
        cell.pick = pick if cell.pick is None else max(cell.pick, pick)


def _add_reasons(increments: Increments, meter: Meter, events: pl.DataFrame, cells: pl.Series) -> None:
    """Why events have no value, for those that have none."""
    of_value = member_text if meter.aggregation is Aggregation.UNIQUE_COUNT else exact_number

    def code(cell: str | None) -> str | None:
        value = of_value(cell_value(cell))
        return value.code if isinstance(value, Unmetered) else None

    odd = events.with_columns(cells.alias("cell")).filter(pl.col("value").is_null())
    if odd.is_empty():
        return
    for *place, cell, count in odd.group_by([*_PLACE, "cell"]).agg(pl.len()).iter_rows():
        account_id, day, provider = place
        reason = (account_id, meter.slug, day, provider, str(code(cell)))
        increments.unmetered[reason] = increments.unmetered.get(reason, 0) + count


def _raise(increments: Increments, key: Any, count: int, total: Decimal | int, unmetered: int) -> None:
    cell = increments.rollups.setdefault(key, [0, 0, 0])
    cell[0] += count
    cell[1] += total
    cell[2] += unmetered


def _key(meter: Meter, place: Sequence[Any]) -> Any:
    account_id, day, provider, *dimensions = place
    return (account_id, meter.slug, day, provider, tuple(dimensions))


def _admitted(events: pl.DataFrame, expression: str) -> pl.DataFrame:
    """The events of which the filter is true: each distinct set of cells that it looks at is tried once."""
    paths = filter_paths(expression)
    names = [column_of(path) for path in paths]
    admits = compile_filter(expression)
    distinct = events.select(names).unique()
    answers = [
        admits({path: cell_value(cell) for path, cell in zip(paths, cells, strict=True)})
        for cells in distinct.iter_rows()
    ]
    taken = distinct.filter(pl.Series(answers, dtype=pl.Boolean))
    return events.join(taken, on=names, how="semi", nulls_equal=True, maintain_order="left")


def _texts(cells: pl.Series, of: Callable[[object], str | None]) -> pl.Series:
    plain = cells.str.contains(_PLAIN_TEXT).fill_null(value=False)
    texts = (
        cells.zip_with(plain, pl.Series([None], dtype=pl.String)).str.strip_chars_start('"').str.strip_chars_end('"')
    )
    return _filled(texts, cells, plain, of)


def _numbers(cells: pl.Series) -> pl.Series:
    plain = cells.str.contains(_PLAIN_NUMBER).fill_null(value=False)
    numbers = cells.zip_with(plain, pl.Series([None], dtype=pl.String)).str.strip_chars('"').cast(_NUMBER)
    return _filled(numbers, cells, plain, _number)


def _filled(read: pl.Series, cells: pl.Series, plain: pl.Series, of: Callable[[object], Any]) -> pl.Series:
    """What was read of plain cells; for the others, what `of` makes of each distinct one."""
    odd = (~plain & cells.is_not_null()).arg_true()
    if odd.is_empty():
        return read
    others = cells.gather(odd)
    distinct = others.unique()
    values = pl.Series([of(cell_value(cell)) for cell in distinct], dtype=read.dtype)
    return read.scatter(odd, others.replace_strict(distinct, values, return_dtype=read.dtype))


def _member(value: object) -> str | None:
    text = member_text(value)
    return None if isinstance(text, Unmetered) else text


def _number(value: object) -> Decimal | None:
    number = exact_number(value)
    return None if isinstance(number, Unmetered) else number


def _plain(number: Decimal | int) -> Decimal | int:
    """Without the zeros that the column's scale adds."""
    if isinstance(number, int):
        return number
    return int(number) if number == number.to_integral_value() else number.normalize()
