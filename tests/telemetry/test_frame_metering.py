"""By the column as one by one: the same rollups from the same events, whatever stands in them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valueplatform.telemetry import archive_format
from valueplatform.telemetry.archive_format import SCHEMA, events_frame, parquet, scan_events
from valueplatform.telemetry.frame_metering import COLUMNS, add_frame, paths_of
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.local_days import local_day_of, with_days
from valueplatform.telemetry.meter_book import readings_by_type
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.payload import decode, normal_form

ZONES = {1: "America/St_Johns", 2: "Asia/Kathmandu", 3: "UTC"}
EDITIONS = {1: "#2", 3: "#17"}
METERS = [
    Meter(
        slug=f"{kind.lower()}{number}",
        event_types=types,
        aggregation=kind,
        property=None if kind is Aggregation.COUNT else path,
        dimensions=dimensions,
        filter=condition,
    )
    for kind in Aggregation
    for number, (types, path, dimensions, condition) in enumerate(
        [
            (("job", "login"), "n", (), None),
            (("job",), "a.b", ("t",), "t <> 'x' or n > 3"),
            (("login", "job"), "a", ("a.b", "t"), "\"a.b\" is null and not t = 'y'"),
        ]
    )
]
numbers = st.one_of(
    st.integers(-(10**19), 10**19),
    st.sampled_from(["12.50", "007", "-0", "1e3", "x", "", " 1", "9" * 18, "9" * 19, "0." + "1" * 10]),
    st.sampled_from(["+4", '"', "\\"]),
    st.decimals(-1000, 1000, places=3).map(lambda number: Decimal(format(number, "f"))),
    st.sampled_from(
        [Decimal("0.000000001"), Decimal("0.0000000001"), Decimal("123456789012345678.123456789"), 10**380]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=4), st.just("é" * 300), st.just("{}"))
nested = st.dictionaries(
    st.sampled_from(["b", "c", "b.c", ""]), scalars | st.dictionaries(st.just("d"), scalars), max_size=3
)
payloads = st.one_of(
    st.none(),
    st.just([1]),
    st.dictionaries(st.sampled_from(["n", "t", "a", "a.b", "", "b"]), scalars | nested | st.just([2]), max_size=4),
    st.fixed_dictionaries({"t": st.sampled_from("xyz"), "n": st.integers(0, 9), "a": st.just({"b": 1})}),
)
# Clocks in Newfoundland went back at one minute past midnight, into the day before.
FIRST, LAST = datetime(2006, 10, 1, tzinfo=UTC), datetime(2006, 11, 10, tzinfo=UTC)
BACK = datetime(2006, 10, 29, 2, 31, tzinfo=UTC)
times = st.one_of(
    st.integers(0, 39 * 86_400_000).map(lambda number: FIRST + timedelta(milliseconds=number)),
    st.integers(-7200, 7200).map(lambda number: BACK + timedelta(seconds=number)),
)
events = st.tuples(
    st.sampled_from([1, 2, 3]), st.sampled_from(["job", "login", "other"]), times, st.sampled_from("pq"), payloads
)


def records(found: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [
        {
            "account_id": account,
            "event_key": UUID(int=number * 7919 % 65537).bytes,
            "source": "s",
            "id": str(number),
            "type": kind,
            "time": time,
            "subject": None,
            "provider": provider,
            "data": None if data is None else normal_form(plain(data)).decode(),
            "received_at": time,
        }
        for number, (account, kind, time, provider, data) in enumerate(found)
    ]


def plain(data: Any) -> Any:
    """As the wire would give it."""
    return decode(normal_form(data))


def one_by_one(rows: Sequence[Mapping[str, Any]]) -> Increments:
    readings = readings_by_type(METERS)
    increments = Increments(EDITIONS)
    increments.add_all(
        (
            row["account_id"],
            local_day_of(row["time"], ZONES[row["account_id"]]),
            row["provider"],
            None if row["data"] is None else decode(row["data"]),
            readings.get(row["type"], ()),
            row["time"],
            UUID(bytes=row["event_key"]),
        )
        for row in rows
    )
    return increments


def by_the_column(rows: Sequence[Mapping[str, Any]], folder: Path) -> Increments:
    place = folder / "events.parquet"
    place.write_bytes(parquet(events_frame([[row[name] for name in SCHEMA] for row in rows])))
    events = scan_events(str(place), COLUMNS, paths_of(METERS), pl.col("type").is_in(["job", "login"]))
    increments = Increments(EDITIONS)
    assert add_frame(increments, with_days(events, ZONES, FIRST, LAST), METERS)
    increments.gather()
    return increments


def said(increments: Increments) -> tuple[Any, ...]:
    return (
        {key: tuple(cell) for key, cell in increments.rollups.items()},
        {key: (cell.events, cell.unmetered, cell.pick) for key, cell in increments.picks.items()},
        increments.members,
        increments.unmetered,
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, max_size=12))
def test_a_frame_adds_what_its_events_add_one_by_one(tmp_path: Path, found: list[tuple[Any, ...]]) -> None:
    rows = records(found)
    assert said(by_the_column(rows, tmp_path)) == said(one_by_one(rows))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, max_size=12))
def test_paths_without_a_column_of_their_own_are_read_from_the_data(
    tmp_path: Path, found: list[tuple[Any, ...]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive_format, "MOST_COLUMNS", 1)
        patch.setattr(archive_format, "DEEPEST_COLUMN", 1)
        rows = records(found)
        assert said(by_the_column(rows, tmp_path)) == said(one_by_one(rows))


def test_a_sum_is_exact_to_the_last_of_nine_places(tmp_path: Path) -> None:
    amounts = [Decimal("123456789012345678.123456789"), Decimal("-0.000000001"), Decimal(1)]
    rows = records([(3, "job", datetime(2006, 10, 9, 12, tzinfo=UTC), "p", {"n": amount}) for amount in amounts])
    assert by_the_column(rows, tmp_path).rollups[3, "sum0#17", date(2006, 10, 9), "p", ()] == [3, sum(amounts), 0]
