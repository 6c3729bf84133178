"""Event files: CSV, NDJSON or Parquet, mapped by one SQL query, stored on the same path as events over HTTP.

File order is arrival order, so of two rows with one id the first is stored. What cannot be taken is kept as
rejected, with its reason, and the rest goes in. The same files again change nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from valueplatform.core.clock import Clock
from valueplatform.core.database import Database
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import decimal_text
from valueplatform.core.tabular import BadLine, Mapped, Value, read_mapped
from valueplatform.telemetry.admission import SUPPLIER
from valueplatform.telemetry.dialect import LARGEST_EVENT
from valueplatform.telemetry.event import Attributes, Event, Rejection, make_event, missing
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.payload import RefusedEventError
from valueplatform.telemetry.requests import IngestRequest, Report, Sender, merged
from valueplatform.telemetry.storing import Ledger

ORIGIN: Final = "import"
DEFAULT_SOURCE: Final = "import"
REQUIRED: Final = ("id", "type", "account", "time")
WELL_KNOWN: Final = (*REQUIRED, "source", "subject", "provider")
ROWS_AT_ONCE: Final = 5_000
"""Rows of one transaction, and of one step of the progress."""

Progress = Callable[[int, int], None]
"""Called with how many rows are done, and of how many."""

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


async def import_events(
    database: Database, tables: Mapping[str, Path], sql: str, clock: Clock, progress: Progress | None = None
) -> Report:
    """Import files as tables, mapped by a query that gives the columns of `WELL_KNOWN`; all others become data.

    Raises InvalidInputError where a file cannot be read at all, or the query does not give what is required.
    """
    mapped = read_mapped(tables, sql)
    lacking = [name for name in REQUIRED if name not in mapped.typed.columns]
    if lacking:
        raise InvalidInputError(
            f"The query gives no column {', '.join(lacking)}; it must give {', '.join(REQUIRED)}, and may give "
            "source, subject, provider and columns of your own, which become data."
        )
    total = mapped.typed.height + len(mapped.bad_lines)
    ledger = Ledger()
    reports: list[Report] = []
    for request in _requests(mapped, clock):
        reports += await commit_requests(database, [request], ledger)
        if progress is not None:
            progress(sum(report.received for report in reports), total)
    return merged(reports)


def _requests(mapped: Mapped, clock: Clock) -> Iterator[IngestRequest]:
    """Groups of rows, then the lines that could not be read."""
    sender = Sender(ORIGIN, SUPPLIER, numbered=True)
    rows = enumerate(mapped.rows())
    while part := list(islice(rows, ROWS_AT_ONCE)):
        received_at = clock()
        events: list[Event] = []
        rejections: list[Rejection] = []
        for index, row in part:
            try:
                events.append(_event(index, row, received_at))
            except RefusedEventError as refusal:
                rejections.append(_rejected_row(index, row, refusal))
        yield IngestRequest(sender, received_at, events, rejections)
    height = mapped.typed.height
    for start in range(0, len(mapped.bad_lines), ROWS_AT_ONCE):
        lines = mapped.bad_lines[start : start + ROWS_AT_ONCE]
        yield IngestRequest(sender, clock(), (), [_bad_line(height + start + n, line) for n, line in enumerate(lines)])


def _event(index: int, row: Mapping[str, Value], received_at: datetime) -> Event:
    attributes = Attributes(
        id=_text(row["id"]),
        source=_text(row.get("source")) or DEFAULT_SOURCE,
        type=_text(row["type"]).strip(),
        account=_text(row["account"]).strip(),
        time=_time(row["time"]),
        subject=_text(row.get("subject")) or None,
        provider=_text(row.get("provider")).strip() or None,
    )
    event = make_event(index, attributes, _data(row) or None, received_at)
    if event.data_text is not None and len(event.data_text) > LARGEST_EVENT:
        raise RefusedEventError("too_large", f"The row has more than {LARGEST_EVENT} bytes of data; map fewer columns.")
    return event


def _data(row: Mapping[str, Value]) -> dict[str, Value]:
    """The other columns that are not empty; an object in a column called `data` is data itself."""
    data: dict[str, Value] = {}
    for name, value in row.items():
        if value is None or name in WELL_KNOWN:
            continue
        if name == "data" and isinstance(value, dict):
            data |= value
        else:
            data[name] = _whole(value)
    return data


def _whole(value: Value) -> Value:
    """Decimals without a fraction are integers, as in `payload`: 199.0 and 199 are the same data."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return value


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value if isinstance(value, str) else _ENCODER.encode(value).decode()


def _time(value: Value) -> datetime:
    """RFC 3339, or a local time or date without a zone, which is then the account's."""
    if value is None or value == "":
        raise missing("time")
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise RefusedEventError(
            "invalid_time", f"time is {str(value)[:40]!r}; write a date, or a time such as 2026-01-05T10:00:00Z."
        ) from error


def _rejected_row(index: int, row: Mapping[str, Value], refusal: RefusedEventError) -> Rejection:
    envelope = {name: _text(row[name]) for name in WELL_KNOWN if row.get(name) is not None}
    body = _ENCODER.encode({**envelope, "data": _data(row)}).decode()
    return Rejection(index, envelope.get("id"), refusal.reason, refusal.message, body, envelope.get("account"))


def _bad_line(index: int, line: BadLine) -> Rejection:
    message = f"Line {line.line_number} of {line.table} {line.reason}."
    return Rejection(index, None, "bad_line", message, line.text)
