"""Archived events as a file: Parquet that any engine reads, by month (UTC) and account bucket.

`month=2026-03/bucket=05/….parquet` holds whole events, ordered by account, type, time and key. Beside `data`, the JSON
text in normal form, what stands at each of its paths is a column of its own, `data.<path>`, as JSON text (`"app"`,
`12.5`, `true`; `{}` and `[]` for objects and lists, whatever is in them; null where nothing is there). So a meter reads
the columns that it needs, and numbers stay exact. Where events have paths without a column, `more` says which do.
The day of an event is not kept: it hangs on its account's zone, which may change.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

import msgspec
import polars as pl

from valueplatform.telemetry.meters import path_reader
from valueplatform.telemetry.payload import decode, normal_form

BUCKETS: Final = 16
MOST_COLUMNS: Final = 100
"""Paths of a file that have a column of their own, the most frequent first."""
DEEPEST_COLUMN: Final = 4
ROW_GROUP: Final = 50_000
MORE: Final = "more"

MOMENT: Final = pl.Datetime("us", "UTC")
SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "account_id": pl.Int64(),
    "event_key": pl.Binary(),
    "source": pl.String(),
    "id": pl.String(),
    "type": pl.String(),
    "time": MOMENT,
    "subject": pl.String(),
    "provider": pl.String(),
    "data": pl.String(),
    "received_at": MOMENT,
}
ORDER: Final = ("account_id", "type", "time", "event_key")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_Leaves = dict[str, str]


def bucket_of(account_id: int) -> int:
    return account_id % BUCKETS


def path_of(month: date, bucket: int, name: str) -> str:
    """Where a file stands below the root; `month` is its first day."""
    return f"month={month.isoformat()[:7]}/bucket={bucket:02d}/{name}.parquet"


def column_of(path: str) -> str:
    return f"data.{path}"


def events_frame(rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """Events, in the order of `SCHEMA`, as a frame with a column for each path of their data, this in normal form."""
    frame = pl.DataFrame(rows, schema=dict(SCHEMA), orient="row")
    values = [None if text is None else decode(text) for text in frame["data"]]
    texts = [
        None if text is None else normal_form(value).decode() for text, value in zip(frame["data"], values, strict=True)
    ]
    frame = frame.with_columns(pl.Series("data", texts, dtype=pl.String))
    found = [_leaves(value) for value in values]
    often = Counter(path for leaves, _ in found for path in leaves)
    kept = [path for path, _ in often.most_common(MOST_COLUMNS)]
    columns: defaultdict[str, list[str | None]] = defaultdict(lambda: [None] * frame.height)
    for place, (leaves, _) in enumerate(found):
        for path, cell in leaves.items():
            columns[path][place] = cell
    chosen = set(kept)
    more = [deep or not leaves.keys() <= chosen for leaves, deep in found]
    cells = [pl.Series(column_of(path), columns[path], dtype=pl.String) for path in sorted(kept)]
    flags = [pl.Series(MORE, more, dtype=pl.Boolean)] if any(more) else []
    return frame.with_columns(*flags, *cells).sort(ORDER)


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=6, row_group_size=ROW_GROUP, statistics=True)
    return buffer.getvalue()


def scan_many(addresses: Sequence[str], columns: Sequence[str], paths: Sequence[str], where: pl.Expr) -> pl.LazyFrame:
    """`scan_events` of many files at once, and `more`: where that is true, cells that are null may be wrong."""
    cells = {column_of(path): pl.String() for path in paths}
    schema = {name: SCHEMA[name] for name in columns} | {"type": SCHEMA["type"], MORE: pl.Boolean()} | cells
    scan = pl.scan_parquet(
        list(addresses), schema=schema, missing_columns="insert", extra_columns="ignore", hive_partitioning=False
    )
    return scan.filter(where).select(*columns, MORE, *cells)


def scan_events(address: str, columns: Sequence[str], paths: Sequence[str], where: pl.Expr) -> pl.LazyFrame:
    """Events of a file that `where` admits: these columns, and `data.<path>` for each path, from the data itself where
    an event has no column for it."""
    scan = pl.scan_parquet(address, hive_partitioning=False).filter(where)
    names = scan.collect_schema()
    cells = [column_of(path) for path in paths]
    wanted = [pl.col(name) if name in names else pl.lit(None, pl.String).alias(name) for name in cells]
    if not paths or MORE not in names:
        return scan.select(*columns, *wanted)
    frame = scan.select(*{*columns, "data"}, MORE, *wanted).collect()
    texts = frame.filter(MORE)["data"].to_list()
    places = frame[MORE].arg_true()
    for path in paths:
        own = pl.Series(column_of(path), [_cell(path_reader(path)(_fields(text))) for text in texts], dtype=pl.String)
        frame = frame.with_columns(frame[column_of(path)].scatter(places, own))
    return frame.lazy().select(*columns, *cells)


def cell_value(cell: str | None) -> object:
    """What stood at the path; an empty object or list for any."""
    return None if cell is None else decode(cell)


def _fields(text: str | None) -> Mapping[str, Any]:
    value = None if text is None else decode(text)
    return value if isinstance(value, dict) else {}


def _leaves(decoded: object) -> tuple[_Leaves, bool]:
    """Cells by path, and whether there are paths deeper than columns go."""
    data: Mapping[str, Any] = decoded if isinstance(decoded, dict) else {}
    found: _Leaves = {}
    level: list[tuple[str, Mapping[str, Any]]] = [("", data)]
    for depth in range(DEEPEST_COLUMN):
        nested: list[tuple[str, Mapping[str, Any]]] = []
        for prefix, fields in level:
            for key, value in fields.items():
                path = prefix + key
                # No path leads to a key with dots that is not at the top, and none past one that is.
                if depth and ("." in key or path in data):
                    continue
                cell = _cell(value)
                if cell is not None:
                    found[path] = cell
                if isinstance(value, dict) and "." not in key:
                    nested.append((f"{path}.", value))
        level = nested
    return found, bool(level)


def _cell(value: object) -> str | None:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    if value is None:
        return None
    if isinstance(value, bool | str | int | Decimal):
        return _ENCODER.encode(value).decode()
    raise TypeError(f"no JSON value: {type(value)}")
