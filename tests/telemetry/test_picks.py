"""Averages, extremes and the latest in the rollups: whatever comes, in whatever order, they equal a recount."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.factories import HTTP, apply_meters, cloud_event, execute, rows, scalar, send, to_zones
from tests.telemetry.seven_meters import SEVEN, recounted_values, stored_values
from tests.telemetry.test_retraction import take_back
from tests.telemetry.test_storing import HOT_TABLES
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import lock_model_exclusive
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.meters import Aggregation
from valueplatform.telemetry.picks import Pick, rank_by
from valueplatform.telemetry.rebuilding import rebuild_rollups
from valueplatform.telemetry.requests import Sender

NOON = "2026-05-04T12:00:00Z"
HUGE = "999999999999999999.999999999"


def job(event_id: str, minutes: object, time: str = NOON, **more: Any) -> dict[str, Any]:
    data = {"team": "n"} | ({} if minutes is None else {"minutes": minutes})
    return cloud_event(id=event_id, time=time, data=data, **more)


async def value(databases: Databases, kind: Aggregation) -> Fraction | None:
    """What the only rollup of a meter says."""
    said = [each for place, each in (await stored_values(databases)).items() if place[1] == kind.lower()]
    assert len(said) <= 1
    return said[0] if said else None


@pytest.fixture
async def seven(databases: Databases) -> Databases:
    await apply_meters(databases, tuple(SEVEN.values()))
    return databases


async def test_negative_numbers_zero_and_texts_are_numbers_like_any_other(seven: Databases) -> None:
    await send(seven, job("a", 0), job("b", "-2.50"), job("c", -1))
    assert await value(seven, Aggregation.MIN) == Fraction("-2.5")
    assert await value(seven, Aggregation.MAX) == 0
    assert await value(seven, Aggregation.AVG) == Fraction("-3.5") / 3
    assert await stored_values(seven) == await recounted_values(seven)


async def test_huge_and_tiny_numbers_lose_no_digit(seven: Databases) -> None:
    await send(seven, *(job(str(n), HUGE) for n in range(12)), job("x", f"-{HUGE}"), job("y", "0.000000001"))
    assert await value(seven, Aggregation.MAX) == Fraction(HUGE)
    assert await value(seven, Aggregation.MIN) == -Fraction(HUGE)
    assert await value(seven, Aggregation.AVG) == (11 * Fraction(HUGE) + Fraction("0.000000001")) / 14
    assert await stored_values(seven) == await recounted_values(seven)


async def test_the_latest_is_by_time_not_by_arrival(seven: Databases) -> None:
    await send(seven, job("late", 7, "2026-05-04T15:00:00Z"))
    await send(seven, job("early", 9, "2026-05-04T11:00:00Z"))
    assert await value(seven, Aggregation.LATEST) == 7
    await send(seven, job("last", 3, "2026-05-04T15:00:00.000001Z"))
    assert await value(seven, Aggregation.LATEST) == 3


@pytest.mark.parametrize("order", ["ab", "ba"])
async def test_of_events_at_one_time_the_one_with_the_greater_key_is_the_latest(seven: Databases, order: str) -> None:
    events = {"a": job("a", 1), "b": job("b", 2)}
    for name in order:
        await send(seven, events[name])
    assert await stored_values(seven) == await recounted_values(seven)
    (greatest,) = await rows(seven, "SELECT id FROM event ORDER BY event_key DESC LIMIT 1")
    assert await value(seven, Aggregation.LATEST) == {"a": 1, "b": 2}[greatest["id"]]


async def test_a_duplicate_and_a_conflict_change_nothing(seven: Databases) -> None:
    await send(seven, job("a", 4), job("b", 6))
    before = await rows(seven, "SELECT * FROM rollup ORDER BY meter")
    await send(seven, job("a", 4), job("b", 900), job("a", -900, "2026-05-04T23:00:00Z"))
    assert await rows(seven, "SELECT * FROM rollup ORDER BY meter") == before


async def test_without_a_number_there_is_no_value_and_the_reason_is_counted(seven: Databases) -> None:
    await send(seven, job("a", None), job("b", "many"), job("c", 10**18))
    for kind in (Aggregation.AVG, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST):
        assert await value(seven, kind) is None
    reasons = await rows(seven, "SELECT code, events FROM rollup_unmetered WHERE meter = 'latest' ORDER BY code")
    assert {row["code"]: row["events"] for row in reasons} == {
        "missing_property": 1,
        "not_a_number": 1,
        "number_out_of_range": 1,
    }
    await send(seven, job("d", 5))
    assert await value(seven, Aggregation.MIN) == await value(seven, Aggregation.AVG) == 5


async def test_when_the_picked_event_is_retracted_the_next_takes_its_place(seven: Databases) -> None:
    await send(seven, job("low", -5), job("mid", 2), job("high", 8), job("low too", -5), job("none", None))
    for gone, low, high in (("high", -5, 2), ("low", -5, 2), ("low too", 2, 2)):
        await take_back(seven, gone)
        assert await stored_values(seven) == await recounted_values(seven)
        assert await value(seven, Aggregation.MIN) == low
        assert await value(seven, Aggregation.MAX) == high
    await take_back(seven, "mid")
    assert await value(seven, Aggregation.MAX) is None
    await take_back(seven, "none")
    for table in ("rollup", "rollup_member", "rollup_unmetered"):
        assert await scalar(seven, f"SELECT count(*) FROM {table}") == 0


async def test_a_retraction_leaves_other_days_teams_and_providers_alone(seven: Databases) -> None:
    partner = Sender("http", "tessera")
    await send(seven, job("a", 9), job("b", 8, "2026-05-05T12:00:00Z"), job("c", 1))
    await send(seven, cloud_event(id="d", time=NOON, data={"minutes": 7, "team": "s"}))
    await send(seven, job("e", 6), sender=partner)
    before = {place: told for place, told in (await stored_values(seven)).items() if place[2:] != _PLACE}
    await take_back(seven, "a")
    after = await stored_values(seven)
    assert {place: told for place, told in after.items() if place[2:] != _PLACE} == before
    assert after == await recounted_values(seven)


_PLACE = (date(2026, 5, 4), "supplier", "n")


async def test_rollups_made_anew_pick_the_same(seven: Databases) -> None:
    await send(seven, *(job(str(n), n % 5 - 2, f"2026-05-0{n % 3 + 1}T1{n % 4}:00:00Z") for n in range(40)))
    raised = await rows(seven, "SELECT * FROM rollup ORDER BY meter, day, dimensions")
    await execute(seven, "UPDATE rollup SET picked = 99, rank = 99")
    async with seven.worker.transaction(operator_scope()) as tx:
        await lock_model_exclusive(tx)
        await rebuild_rollups(tx, SEVEN.values())
    assert await rows(seven, "SELECT * FROM rollup ORDER BY meter, day, dimensions") == raised


async def test_in_another_zone_other_days_pick_other_events(seven: Databases) -> None:
    await send(seven, *(job(str(n), n, f"2026-03-{n + 1:02}T{n}:30:00Z") for n in range(24)))
    for zone in ("Australia/Lord_Howe", "Asia/Kathmandu"):
        await to_zones(seven, {"acme": zone})
        assert await stored_values(seven) == await recounted_values(seven)


async def test_writers_and_retractions_at_once_leave_what_a_recount_gives(seven: Databases) -> None:
    """Many connections meet on few rollups, in different orders, while picked events are taken back."""
    draw = random.Random(3)
    events = [
        cloud_event(
            id=str(number),
            account=f"account {number % 2}",
            time=f"2026-05-0{number % 2 + 1}T{number % 5 + 10}:00:00Z",
            data={"minutes": draw.choice([number, -number, number // 7, "x"]), "team": "ns"[number % 2]},
        )
        for number in range(240)
    ]
    await send(seven, *events[:120])

    async def pour(seed: int) -> None:
        mixed = events[:]
        random.Random(seed).shuffle(mixed)
        for start in range(0, len(mixed), 24):
            await send(seven, *mixed[start : start + 24])

    async def take(numbers: Sequence[int]) -> None:
        for number in numbers:
            try:
                await take_back(seven, str(number))
            except NotFoundError:
                assert number >= 120  # not sent yet

    extremes = range(119, 59, -1)
    await asyncio.gather(*(pour(seed) for seed in range(4)), take(extremes[::2]), take(extremes[1::2]), take(range(60)))
    assert await stored_values(seven) == await recounted_values(seven)
    assert await scalar(seven, "SELECT count(*) FROM event") == 120


history = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcdefghij"),
            "account": st.sampled_from(["acme", "umbrella"]),
            "type": st.sampled_from(["job.done", "login", "other"]),
            "time": st.sampled_from(
                ["2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", "2026-03-08T05:00:00.000001Z", "2025-11-02T05:30:00Z"]
            ),
            "data": st.fixed_dictionaries(
                {},
                optional={
                    "minutes": st.sampled_from([0, -1, 2.5, "3", "-0.000000001", HUGE, f"-{HUGE}", "x", None, 10**18]),
                    "team": st.sampled_from(["n", "s", None]),
                },
            ),
        }
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=history,
    cuts=st.lists(st.integers(0, 30), max_size=3),
    gone=st.lists(st.sampled_from("abcdefghij"), max_size=6),
)
async def test_any_history_equals_a_plain_recount_in_all_seven(
    seven: Databases, events: list[dict[str, Any]], cuts: list[int], gone: list[str]
) -> None:
    await execute(seven, f"TRUNCATE {', '.join(HOT_TABLES)}")
    edges = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    for number, (start, end) in enumerate(pairwise(edges)):
        if end > start:
            sender = HTTP if number % 2 == 0 else Sender("http", "tessera")
            await send(seven, *(cloud_event(**event) for event in events[start:end]), sender=sender)
        for event_id in gone[number::4]:
            try:
                await take_back(seven, event_id)
            except NotFoundError:
                continue
    assert await stored_values(seven) == await recounted_values(seven)


picks = st.builds(
    lambda number, second, key: (Decimal(number), datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC), bytes([key] * 16)),
    st.integers(-3, 3),
    st.integers(0, 3),
    st.integers(0, 255),
)


@given(
    st.sampled_from([Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST]),
    st.lists(picks, min_size=1, max_size=8, unique_by=lambda each: each[2]),
    st.integers(0, 7),
)
def test_the_pick_of_the_parts_is_the_pick_of_the_whole(
    kind: Aggregation, events: list[tuple[Decimal, datetime, bytes]], cut: int
) -> None:
    rank = rank_by(kind)
    assert rank is not None
    ranked = [Pick(rank(number, time), key, number) for number, time, key in events]
    parts = [max(part) for part in (ranked[:cut], ranked[cut:]) if part]
    assert max(parts) == max(reversed(ranked))
    expected = {
        Aggregation.MIN: min(number for number, _, _ in events),
        Aggregation.MAX: max(number for number, _, _ in events),
        Aggregation.LATEST: max((time, key, number) for number, time, key in events)[2],
    }
    assert max(ranked).value == expected[kind]


@pytest.mark.parametrize("kind", [Aggregation.COUNT, Aggregation.SUM, Aggregation.AVG, Aggregation.UNIQUE_COUNT])
def test_what_takes_all_events_picks_none(kind: Aggregation) -> None:
    assert rank_by(kind) is None
