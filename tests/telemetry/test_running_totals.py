"""What a counter added, from the totals that it told, in whatever order they come."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from random import Random
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.factories import HTTP, NOW, apply_meters, cloud_event, execute, request_of, rows, scalar
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.event import Event
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.requests import IngestRequest, Report
from valueplatform.telemetry.retraction import retract
from valueplatform.telemetry.running_totals import Added, RunningTotal, Standing, added, metered_delta
from valueplatform.telemetry.storing import Ledger

STREAM, OTHER = UUID(int=1), UUID(int=2)
ADDED = Meter(slug="added", event_types=("calls",), aggregation=Aggregation.SUM, property="delta")


def total(
    time: int, value: str | int | None, start: int = 1, count: int | None = None, *, monotonic: bool = True
) -> RunningTotal:
    return RunningTotal(STREAM, start, time, None if value is None else Decimal(value), count, monotonic)


def all_added(totals: Sequence[RunningTotal]) -> list[Added]:
    """What each adds, as they come."""
    held: dict[int, Standing] = {}
    found = []
    for each in totals:
        more, held[each.start] = added(held.get(each.start), each)
        found.append(more)
    return found


def deltas(*totals: RunningTotal) -> list[Decimal | None]:
    return [more.delta for more in all_added(totals)]


def test_a_point_adds_what_its_total_rose_by() -> None:
    assert deltas(total(10, 5), total(20, 5), total(30, "7.5")) == [5, 0, Decimal("2.5")]


def test_a_point_that_comes_late_adds_nothing_and_says_so() -> None:
    assert all_added([total(30, 7), total(20, 5), total(40, 9)]) == [
        Added(Decimal(7), None),
        Added(Decimal(0), None, late=True),
        Added(Decimal(2), None),
    ]


def test_a_new_start_counts_from_zero_even_where_the_old_one_is_heard_of_again() -> None:
    assert deltas(total(10, 5), total(60, 3, start=50), total(20, 6), total(70, 4, start=50)) == [5, 3, 1, 1]


def test_a_total_that_fell_was_reset() -> None:
    assert deltas(total(10, 5), total(20, 2), total(30, 3)) == [5, 2, 1]


def test_a_total_that_may_fall_adds_less_than_nothing() -> None:
    assert deltas(total(10, 5, monotonic=False), total(20, 2, monotonic=False), total(30, -3, monotonic=False)) == [
        5,
        -3,
        -5,
    ]


def test_of_an_unknown_start_the_first_total_may_have_been_told_before() -> None:
    assert deltas(total(10, 5, start=0), total(20, 8, start=0), total(30, 2, start=0)) == [0, 3, 2]
    # a start that is the time of the point is an unknown one, by OpenTelemetry's data model
    assert deltas(total(10, 5, start=10), total(20, 8, start=10)) == [0, 3]


def test_what_a_total_began_with_is_taken_back_where_it_is_told_late() -> None:
    assert deltas(total(20, 8, start=10), total(10, 5, start=10), total(30, 9, start=10)) == [8, -5, 1]


def test_measurements_are_reset_where_their_count_falls() -> None:
    points = [total(10, 5, count=2), total(20, -1, count=3), total(30, 7, count=1), total(40, 9, count=2)]
    found = all_added(points)
    assert [more.delta for more in found] == [5, -6, 7, 2]
    assert [more.count for more in found] == [2, 1, 1, 1]
    assert all_added([total(10, None, count=2), total(20, None, count=5)]) == [Added(None, 2), Added(None, 3)]


def test_the_noise_of_binary_sums_leaves_no_rest() -> None:
    told = [repr(0.1), repr(0.1 + 0.2), repr(0.1 + 0.2 + 0.3)]
    found = deltas(*(total(time, value) for time, value in enumerate(told, 10)))
    assert found == [Decimal("0.1"), Decimal("0.2"), Decimal("0.3")]
    assert metered_delta(Decimal("0.30000000000000004")) == Decimal("0.3")


def test_numbers_are_exact_however_long() -> None:
    large = 10**40
    assert deltas(total(10, large), total(20, large + 1)) == [large, 1]
    assert deltas(total(10, "1e300"), total(20, "1.5e300")) == [Decimal("1e300"), Decimal("5e299")]


RISES = st.lists(st.decimals(0, 10**6, places=3, allow_nan=False), min_size=1, max_size=6)


@given(runs=st.lists(RISES, min_size=1, max_size=4), data=st.data())
def test_over_all_starts_additions_sum_up_to_the_latest_totals(runs: list[list[Decimal]], data: st.DataObject) -> None:
    points = []
    for number, rises in enumerate(runs, 1):
        start = number * 1000
        points += [total(start + n, str(sum(rises[:n], Decimal(0))), start) for n in range(1, len(rises) + 1)]
    order = data.draw(st.permutations(points))
    assert sum((more.delta or Decimal(0) for more in all_added(order)), Decimal(0)) == sum(map(sum, runs), Decimal(0))


@given(changes=st.lists(st.decimals(-(10**6), 10**6, places=3), min_size=2, max_size=8), data=st.data())
def test_what_may_fall_and_began_at_a_known_point_adds_up_in_any_order(
    changes: list[Decimal], data: st.DataObject
) -> None:
    values = [sum(changes[: n + 1], Decimal(0)) for n in range(len(changes))]
    points = [total(100 + n, str(value), 100, monotonic=False) for n, value in enumerate(values)]
    order = data.draw(st.permutations(points))
    assert sum((more.delta or Decimal(0) for more in all_added(order)), Decimal(0)) == values[-1] - values[0]


def request(*told: tuple[str, RunningTotal], account: str = "acme") -> IngestRequest:
    """Events of type `calls` by id, with their totals."""
    made = request_of([cloud_event(id=name, type="calls", account=account, data={"n": 1}) for name, _ in told])
    events: list[Event] = [
        msgspec.structs.replace(event, effect=effect) for event, (_, effect) in zip(made.events, told, strict=True)
    ]
    return IngestRequest(HTTP, NOW, events, ())


async def send_totals(databases: Databases, *requests: IngestRequest) -> list[Report]:
    return await commit_requests(databases.ingest, requests, Ledger())


async def stored(databases: Databases) -> dict[str, dict[str, object]]:
    found = await rows(databases, "SELECT id, data FROM event")
    return {row["id"]: row["data"] for row in found}


async def test_points_of_one_group_are_taken_in_order_of_time(databases: Databases) -> None:
    await apply_meters(databases, [ADDED])
    other = msgspec.structs.replace(total(15, 100), stream=OTHER)
    group = request(("c", total(30, 9)), ("a", total(10, 4)), ("b", total(20, 5)), ("o", other))
    (report,) = await send_totals(databases, group)
    assert (report.stored, report.rejections) == (4, [])
    data = await stored(databases)
    assert {name: row["delta"] for name, row in data.items()} == {"a": 4, "b": 1, "c": 4, "o": 100}
    assert not any("late" in row for row in data.values())
    assert await scalar(databases, "SELECT total FROM rollup WHERE meter = 'added'") == 109


async def test_a_point_that_is_sent_again_adds_nothing(databases: Databases) -> None:
    await apply_meters(databases, [ADDED])
    first, second = request(("a", total(10, 4))), request(("b", total(20, 5)))
    await send_totals(databases, first, second)
    again = await send_totals(databases, first, second, first)
    assert [(report.stored, report.duplicates) for report in again] == [(0, 1)] * 3
    assert await scalar(databases, "SELECT total FROM rollup WHERE meter = 'added'") == 5


async def test_a_late_point_is_marked_and_the_next_one_counts_from_the_latest(databases: Databases) -> None:
    for name, time, value in (("a", 30, 9), ("b", 20, 5), ("c", 40, "10.5")):
        await send_totals(databases, request((name, total(time, value))))
    data = await stored(databases)
    assert data["b"] == {"n": 1, "delta": 0, "late": True}
    assert data["c"] == {"n": 1, "delta": 1.5}


async def test_equal_streams_of_two_accounts_are_two(databases: Databases) -> None:
    await send_totals(databases, request(("a", total(10, 4))), request(("b", total(20, 5)), account="globex"))
    assert {name: row["delta"] for name, row in (await stored(databases)).items()} == {"a": 4, "b": 5}


async def test_what_is_compared_with_a_later_sender_is_what_was_sent(databases: Databases) -> None:
    plain = request_of([cloud_event(id="a", type="calls", data={"n": 1})])
    await send_totals(databases, request(("a", total(10, 4))))
    (report,) = await send_totals(databases, plain)
    assert report.duplicates == 1


async def test_a_retracted_point_takes_its_addition_with_it_and_later_ones_stay(databases: Databases) -> None:
    await apply_meters(databases, [ADDED])
    await send_totals(databases, request(("a", total(10, 4))), request(("b", total(20, 5))))
    async with databases.ingest.transaction(no_accounts()) as tx:
        await retract(tx, HTTP, "/app", "a")
    await send_totals(databases, request(("c", total(30, 7))))
    assert await scalar(databases, "SELECT total FROM rollup WHERE meter = 'added'") == 3


@pytest.mark.parametrize("seed", range(4))
async def test_however_points_come_what_is_metered_is_what_the_counters_stand_at(
    databases: Databases, seed: int
) -> None:
    """Three counters over three starts each, every point up to twice, in any order, in requests and groups of any
    size."""
    await apply_meters(databases, [ADDED])
    random = Random(seed)
    points: list[tuple[str, RunningTotal]] = []
    expected = Decimal(0)
    for stream, start in product((UUID(int=n) for n in range(1, 4)), (1000, 2000, 3000)):
        value = Decimal(0)
        for n in range(1, random.randint(2, 8)):
            value += Decimal(random.randint(0, 10**6)).scaleb(-random.randint(0, 9))
            points.append((f"{stream.int} {start} {n}", RunningTotal(stream, start, start + n, value)))
        expected += value
    sent = points + random.sample(points, len(points) // 2)
    random.shuffle(sent)
    requests = [request(*sent[n : n + 5]) for n in range(0, len(sent), 5)]
    size = random.choice([1, 2, 5])
    for n in range(0, len(requests), size):
        await send_totals(databases, *requests[n : n + size])
    assert await scalar(databases, "SELECT count(*) FROM event") == len(points)
    assert await scalar(databases, "SELECT total FROM rollup WHERE meter = 'added'") == expected


async def test_many_writers_of_the_same_counters_lose_nothing_and_wait_in_no_circle(databases: Databases) -> None:
    await apply_meters(databases, [ADDED])
    streams = [UUID(int=n) for n in range(1, 13)]

    def part(writer: int) -> IngestRequest:
        named = streams if writer % 2 else streams[::-1]
        points = [
            (f"{writer} {stream.int}", RunningTotal(stream, 1, 100 + writer, Decimal(10 * (writer + 1))))
            for stream in named
        ]
        return request(*points)

    reports = await asyncio.gather(*(send_totals(databases, part(writer)) for writer in range(8)))
    assert [report.stored for (report,) in reports] == [12] * 8
    assert await scalar(databases, "SELECT total FROM rollup WHERE meter = 'added'") == 12 * 80
    assert await scalar(databases, "SELECT count(*) FROM running_total WHERE last_value = 80") == 12


async def test_a_role_that_cannot_copy_counts_the_same(databases: Databases) -> None:
    await execute(databases, "ALTER ROLE valueplatform_ingest NOBYPASSRLS")
    try:
        await send_totals(databases, request(("a", total(10, 4))), request(("b", total(20, 5))))
    finally:
        await execute(databases, "ALTER ROLE valueplatform_ingest BYPASSRLS")
    assert {name: row["delta"] for name, row in (await stored(databases)).items()} == {"a": 4, "b": 1}
