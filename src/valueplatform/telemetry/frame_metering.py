"""Metering archived events by the column: what `Increments.add_all` adds one by one, for many at once.

What a value means is said in one place, `meters` and `filters`: each distinct cell is read by them once. Only plain
numbers and plain members, which nearly all are, are read by Polars itself. What is counted and summed stays a frame
(`rollup_frames`), from the file to the database. Property tests hold both ways together.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

import polars as pl

from valueplatform.core.numbers import FRACTION_DIGITS, INTEGER_DIGITS
from valueplatform.telemetry.archive_format import MORE, cell_value, column_of
from valueplatform.telemetry.filters import compile_filter, filter_paths
from valueplatform.telemetry.increments import CellKey, Increments, PickCell
from valueplatform.telemetry.meters import (
    LONGEST_VALUE,
    PICKED,
    Aggregation,
    Meter,
    Unmetered,
    scalar_text,
    value_reader,
)
from valueplatform.telemetry.picks import Pick, rank_by
from valueplatform.telemetry.rollup_frames import SUMS, TOTAL, dimension_columns, plain, rollup_rows

COLUMNS: Final = ("account_id", "type", "time", "event_key", "provider")
_PLAIN: Final = rf"-?[0-9]{{1,{INTEGER_DIGITS}}}(\.[0-9]{{1,{FRACTION_DIGITS}}})?"
_PLAIN_NUMBER: Final = f"^{_PLAIN}$"
_QUOTED_NUMBER: Final = f'^"{_PLAIN}"$'
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


def add_frame(increments: Increments, events: pl.LazyFrame, meters: Sequence[Meter]) -> bool:
    """Add what events say of the meters: `COLUMNS`, their local `day`, and `data.<path>` for all of `paths_of`.

    No other event types are among them. Events are grouped by the cells as they stand; what these mean is told for the
    groups. Nothing is added, and False told, where any of the events is `MORE`, if they have that column.
    """
    if MORE not in events.collect_schema():
        events = events.with_columns(pl.lit(value=False).alias(MORE))
    types = {kind for meter in meters for kind in meter.event_types}
    mine = [
        events if types == set(meter.event_types) else events.filter(pl.col("type").is_in(list(meter.event_types)))
        for meter in meters
    ]
    found = pl.collect_all([_grouped(meter, own) for meter, own in zip(meters, mine, strict=True)])
    if any(groups[MORE].any() for groups in found):
        return False
    with localcontext(prec=60):
        for meter, own, groups in zip(meters, mine, found, strict=True):
            _add_groups(increments, meter, groups.filter(pl.col("events") > 0))
            if not _counts(meter) and groups["odd"].sum():
                _add_odd(increments, meter, own)
    return True


def _grouped(meter: Meter, events: pl.LazyFrame) -> pl.LazyFrame:
    """The events that are plainly metered, by place and by the cells that dimensions and filter look at; how many
    others there are."""
    if _counts(meter):
        return events.group_by(_keys(meter)).agg(pl.len().alias("events"), pl.col(MORE).any())
    cell = pl.col(column_of(str(meter.property)))
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        value = pl.when(cell.str.contains(_PLAIN_TEXT)).then(cell)
    else:
        value = pl.when(cell.str.contains(_PLAIN_NUMBER)).then(cell.cast(TOTAL, strict=False))
    return _tallied(meter, events.with_columns(value.alias("value")))


def _tallied(meter: Meter, events: pl.LazyFrame) -> pl.LazyFrame:
    """Events by their keys, from their `value`; null is odd."""
    value = pl.col("value")
    counts = [value.count().alias("events"), value.null_count().alias("odd"), pl.col(MORE).any()]
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        return events.group_by(_keys(meter)).agg(*counts, value.drop_nulls().unique().alias("members"))
    if meter.aggregation not in PICKED:
        return events.group_by(_keys(meter)).agg(*counts, value.sum().alias("total"))
    rank = pl.when(value.is_not_null()).then(_rank(meter, value)).alias("rank")
    best = [
        pl.col(name).sort_by("rank", "event_key", nulls_last=False).last().alias(f"best {name}")
        for name in ("rank", "event_key", "value")
    ]
    return events.with_columns(rank).group_by(_keys(meter)).agg(*counts, *best)


def _add_odd(increments: Increments, meter: Meter, events: pl.LazyFrame) -> None:
    """The others: numbers in quotes together, the rest one by one, as ingest reads them."""
    cell = pl.col(column_of(str(meter.property)))
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        rest = events.filter(~cell.str.contains(_PLAIN_TEXT).fill_null(value=False))
    else:
        others = events.filter(~cell.str.contains(_PLAIN_NUMBER).fill_null(value=False))
        quoted = cell.str.contains(_QUOTED_NUMBER).fill_null(value=False)
        value = cell.str.strip_chars('"').cast(TOTAL).alias("value")
        _add_groups(increments, meter, _tallied(meter, others.filter(quoted).with_columns(value)).collect())
        rest = others.filter(~quoted)
    odd = rest.select(*_keys(meter), "time", "event_key", cell.alias("cell")).collect()
    _add_one_by_one(increments, meter, _told(_admitted(odd, meter), meter))


def _add_groups(increments: Increments, meter: Meter, groups: pl.DataFrame) -> None:
    admitted = _told(_admitted(groups, meter), meter)
    keys = [*_PLACE, *_dimensions(meter)]
    if meter.aggregation in PICKED:
        _add_picks(increments, meter, admitted, keys)
    elif meter.aggregation is Aggregation.UNIQUE_COUNT:
        _add_members(increments, meter, admitted, keys)
    else:
        _add_sums(increments, meter, admitted, keys)


def _counts(meter: Meter) -> bool:
    return meter.aggregation is Aggregation.COUNT or meter.property is None


def _keys(meter: Meter) -> list[pl.Expr]:
    dimensions = zip(meter.dimensions, _dimensions(meter), strict=True)
    looked_at = enumerate(() if meter.filter is None else filter_paths(meter.filter))
    return [
        *map(pl.col, _PLACE),
        *(pl.col(column_of(path)).alias(name) for path, name in dimensions),
        *(pl.col(column_of(path)).alias(f"looked at {number}") for number, path in looked_at),
    ]


def _dimensions(meter: Meter) -> list[str]:
    return dimension_columns(len(meter.dimensions))


def _rank(meter: Meter, value: pl.Expr) -> pl.Expr:
    if meter.aggregation is Aggregation.LATEST:
        return pl.col("time").dt.epoch("us")
    return -value if meter.aggregation is Aggregation.MIN else value


def _admitted(groups: pl.DataFrame, meter: Meter) -> pl.DataFrame:
    """The groups of which the filter is true: each distinct set of cells that it looks at is tried once."""
    if meter.filter is None:
        return groups
    paths = filter_paths(meter.filter)
    names = [f"looked at {number}" for number in range(len(paths))]
    admits = compile_filter(meter.filter)
    distinct = groups.select(names).unique()
    answers = [
        admits({path: cell_value(cell) for path, cell in zip(paths, cells, strict=True)})
        for cells in distinct.iter_rows()
    ]
    if all(answers):
        return groups
    taken = distinct.filter(pl.Series(answers, dtype=pl.Boolean))
    return groups.join(taken, on=names, how="semi", nulls_equal=True)


def _told(groups: pl.DataFrame, meter: Meter) -> pl.DataFrame:
    """The same groups with the texts that dimension values are known by."""
    return groups.with_columns(_texts(groups[name]) for name in _dimensions(meter))


def _texts(cells: pl.Series) -> pl.Series:
    distinct = cells.drop_nulls().unique()
    texts = [scalar_text(cell_value(cell)) for cell in distinct]
    return cells.replace_strict(distinct, pl.Series(texts, dtype=pl.String), default=None, return_dtype=pl.String)


def _add_sums(increments: Increments, meter: Meter, groups: pl.DataFrame, keys: Sequence[str]) -> None:
    total = pl.col("events") if _counts(meter) else pl.col("total")
    added = pl.col("events"), total.alias("total"), pl.lit(0).alias("unmetered")
    _add_rows(increments, meter, groups.select(*keys, *added))


def _add_members(increments: Increments, meter: Meter, groups: pl.DataFrame, keys: Sequence[str]) -> None:
    together = groups.group_by(keys).agg(pl.col("events").sum(), pl.col("members").explode().unique())
    for *place, events, cells in together.iter_rows():
        key = _key(increments, meter, place)
        _raise(increments, key, events, 0)
        increments.members.setdefault(key, set()).update(cell[1:-1] for cell in cells)  # plain text, in its quotes


def _add_picks(increments: Increments, meter: Meter, groups: pl.DataFrame, keys: Sequence[str]) -> None:
    chosen = groups.select(*keys, "events", "best rank", "best event_key", "best value")
    for *place, events, rank, event_key, value in chosen.iter_rows():
        pick = Pick(plain(rank), event_key, plain(value))
        _take(increments, _key(increments, meter, place), events, 0, pick)


def _add_one_by_one(increments: Increments, meter: Meter, odd: pl.DataFrame) -> None:
    read, rank_of = value_reader(meter), rank_by(meter.aggregation)
    names = [*_PLACE, *_dimensions(meter)]
    sums = []
    for *place, time, event_key, cell in odd.select(*names, "time", "event_key", "cell").iter_rows():
        key = _key(increments, meter, place)
        value = read({str(meter.property): cell_value(cell)})
        unmetered = int(isinstance(value, Unmetered))
        if isinstance(value, Unmetered):
            reason = (*key[:4], value.code)
            increments.unmetered[reason] = increments.unmetered.get(reason, 0) + 1
        if rank_of is not None:
            pick = Pick(rank_of(value, time), event_key, value) if isinstance(value, Decimal) else None
            _take(increments, key, 1, unmetered, pick)
            continue
        if meter.aggregation is not Aggregation.UNIQUE_COUNT:
            sums.append((*place, 1, value if isinstance(value, Decimal) else Decimal(), unmetered))
            continue
        _raise(increments, key, 1, unmetered)
        if isinstance(value, str):
            increments.members.setdefault(key, set()).add(value)
    if sums:
        schema = {name: odd.schema[name] for name in names} | SUMS
        _add_rows(increments, meter, pl.DataFrame(sums, schema=schema, orient="row"))


def _add_rows(increments: Increments, meter: Meter, rows: pl.DataFrame) -> None:
    increments.sums.append(rollup_rows(rows, meter.rollup_name(), increments.editions))


def _take(increments: Increments, key: CellKey, events: int, unmetered: int, pick: Pick | None) -> None:
    cell = increments.picks.setdefault(key, PickCell())
    cell.events += events
    cell.unmetered += unmetered
    if pick is not None:
        cell.pick = pick if cell.pick is None else max(cell.pick, pick)


def _raise(increments: Increments, key: CellKey, events: int, unmetered: int) -> None:
    cell = increments.rollups.setdefault(key, [0, 0, 0])
    cell[0] += events
    cell[2] += unmetered


def _key(increments: Increments, meter: Meter, place: Sequence[Any]) -> CellKey:
    account_id, day, provider, *dimensions = place
    return (account_id, increments.name_of(account_id, meter.rollup_name()), day, provider, tuple(dimensions))
