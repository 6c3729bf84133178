from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.factories import (
    JOBS,
    MINUTES,
    USERS,
    apply_meters,
    cloud_event,
    execute,
    make_account,
    scalar,
    send,
)
from tests.telemetry.seven_meters import SEVEN, Raw, grouped, raw_events, window_of
from tests.telemetry.test_storing import HOT_TABLES
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.telemetry import meter_reads
from valueplatform.telemetry.meter_reads import MeterQuestion, MeterValue, WindowSize, query_meter
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.requests import Sender

MAY: dict[str, Any] = {"start": date(2026, 5, 1), "end": date(2026, 6, 1)}
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
async def acme(databases: Databases) -> int:
    await apply_meters(databases)
    return await make_account(databases, "acme", "America/New_York")


async def took(databases: Databases, *events: tuple[str, dict[str, Any]], account: str = "acme", **more: Any) -> None:
    sent = [cloud_event(account=account, time=time, data=data, **more) for time, data in events]
    report = await send(databases, *sent)
    assert report.stored == len(sent), report


async def ask(
    databases: Databases, meter: Meter, account_ids: list[int] | None = None, **given: Any
) -> list[MeterValue]:
    scope = operator_scope() if account_ids is None else accounts_or_all(account_ids)
    async with databases.web.transaction(scope) as tx:
        return await query_meter(tx, meter, MeterQuestion(**given))


def values(found: Sequence[MeterValue]) -> list[Decimal]:
    return [one.value for one in found]


async def test_a_day_is_the_account_s_own(databases: Databases, acme: int) -> None:
    await took(databases, ("2026-05-01T03:59:00Z", {"minutes": 1}), ("2026-05-01T04:00:00Z", {"minutes": "2.50"}))
    (found,) = await ask(databases, MINUTES, size=WindowSize.DAY, **MAY)
    assert found.value == Decimal("2.50")
    assert found.window_start == datetime(2026, 5, 1, 4, tzinfo=UTC)
    assert found.window_end == datetime(2026, 5, 2, 4, tzinfo=UTC)
    (before,) = await ask(databases, MINUTES, start=date(2026, 4, 30), end=date(2026, 5, 1))
    assert before.value == 1


async def test_another_zone_has_other_days(databases: Databases, acme: int) -> None:
    await took(databases, ("2026-05-01T03:59:00Z", {"minutes": 1}), ("2026-05-01T04:00:00Z", {"minutes": 2}))
    (found,) = await ask(databases, MINUTES, size=WindowSize.DAY, zone_name="UTC", **MAY)
    assert (found.value, found.window_start) == (Decimal(3), datetime(2026, 5, 1, tzinfo=UTC))


@pytest.mark.parametrize("size", [None, WindowSize.DAY, WindowSize.WEEK, WindowSize.MONTH])
@pytest.mark.parametrize("meter", [JOBS, MINUTES, USERS], ids=lambda meter: meter.slug)
async def test_rollups_and_events_say_the_same(
    databases: Databases, acme: int, meter: Meter, size: WindowSize | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_account(databases, "berlin", "Europe/Berlin")
    for account in ("acme", "berlin"):
        days = [datetime(2026, 2, 20, 2, tzinfo=UTC) + timedelta(hours=11 * step) for step in range(120)]
        await took(
            databases,
            *(
                (
                    day.isoformat(),
                    {"minutes": f"{step % 7}.25", "team": ("north", None)[step % 2], "user": f"u{step % 5}"}
                    | ({"channel": "test"} if step % 3 else {"channel": "app"})
                    | ({"minutes": "none"} if step % 11 == 0 else {}),
                )
                for step, day in enumerate(days)
            ),
            account=account,
        )
    groups = ("team", "account") if meter is not MINUTES else ("account",)
    question: dict[str, Any] = {"start": date(2026, 2, 23), "end": date(2026, 4, 20), "size": size, "group_by": groups}
    by_rollups = await ask(databases, meter, **question)
    monkeypatch.setattr(meter_reads, "_days_are_enough", lambda *_: False)
    by_events = await ask(databases, meter, **question)
    assert by_rollups == by_events
    assert len(by_rollups) > 1


async def test_what_rollups_can_answer_is_never_read_from_events(databases: Databases, acme: int) -> None:
    await took(databases, ("2026-05-01T12:00:00Z", {"minutes": 2}))
    await execute(databases, "DELETE FROM event")
    assert values(await ask(databases, MINUTES, size=WindowSize.MONTH, **MAY)) == [2]
    midnights: dict[str, Any] = {
        "start": datetime(2026, 5, 1, tzinfo=NEW_YORK),
        "end": datetime(2026, 5, 2, tzinfo=NEW_YORK),
    }
    assert values(await ask(databases, MINUTES, **midnights)) == [2]
    assert values(await ask(databases, MINUTES, zone_name="America/New_York", size=WindowSize.DAY, **MAY)) == [2]
    assert await ask(databases, MINUTES, size=WindowSize.HOUR, **MAY) == []


async def test_times_within_a_day_are_exact_and_the_end_is_exclusive(databases: Databases, acme: int) -> None:
    await took(databases, *((f"2026-05-01T{hour}:00:00Z", {"minutes": 1}) for hour in (12, 13, 14)))
    found = await ask(
        databases, MINUTES, start=datetime(2026, 5, 1, 12, tzinfo=UTC), end=datetime(2026, 5, 1, 14, tzinfo=UTC)
    )
    assert values(found) == [2]
    assert (found[0].window_start, found[0].window_end) == (
        datetime(2026, 5, 1, 12, tzinfo=UTC),
        datetime(2026, 5, 1, 14, tzinfo=UTC),
    )


async def test_the_hour_that_clocks_repeat_is_two_hours(databases: Databases, acme: int) -> None:
    await took(databases, ("2025-11-02T05:30:00Z", {"minutes": 1}), ("2025-11-02T06:30:00Z", {"minutes": 2}))
    found = await ask(databases, MINUTES, start=date(2025, 11, 2), end=date(2025, 11, 3), size=WindowSize.HOUR)
    assert [one.window_start.hour for one in found] == [5, 6]
    assert values(found) == [1, 2]


async def test_members_count_once_a_window_and_once_an_account(databases: Databases, acme: int) -> None:
    await make_account(databases, "globex", "America/New_York")
    for account in ("acme", "globex"):
        await took(
            databases,
            ("2026-05-01T12:00:00Z", {"user": "kim"}),
            ("2026-05-01T13:00:00Z", {"user": "kim"}),
            ("2026-05-02T12:00:00Z", {"user": "kim"}),
            account=account,
        )
    assert values(await ask(databases, USERS, size=WindowSize.DAY, **MAY)) == [2, 2]
    assert values(await ask(databases, USERS, size=WindowSize.MONTH, **MAY)) == [2]


async def test_groups_are_told_by_name_and_absent_ones_come_first(databases: Databases, acme: int) -> None:
    await took(
        databases,
        ("2026-05-01T12:00:00Z", {"team": "north", "channel": "app"}),
        ("2026-05-01T13:00:00Z", {"channel": "app"}),
    )
    found = await ask(databases, JOBS, group_by=("account", "team"), **MAY)
    assert [dict(one.group_by) for one in found] == [
        {"account": "acme", "team": None},
        {"account": "acme", "team": "north"},
    ]


async def test_subjects_are_filtered_and_grouped_from_events(databases: Databases, acme: int) -> None:
    await took(databases, ("2026-05-01T12:00:00Z", {"minutes": 1}), subject="truck-1")
    await took(databases, ("2026-05-01T12:00:00Z", {"minutes": 2}), subject="truck-2")
    found = await ask(databases, MINUTES, group_by=("subject",), **MAY)
    assert [(one.subject, one.value) for one in found] == [("truck-1", Decimal(1)), ("truck-2", Decimal(2))]
    assert values(await ask(databases, MINUTES, subjects=("truck-2",), **MAY)) == [2]


@pytest.mark.parametrize("meter", [MINUTES, USERS], ids=lambda meter: meter.slug)
async def test_a_partner_is_kept_to_its_own_events(databases: Databases, acme: int, meter: Meter) -> None:
    event = cloud_event(time="2026-05-01T12:00:00Z", data={"minutes": 1, "user": "kim"})
    await send(databases, event)
    await send(databases, event | {"id": "2"}, sender=Sender("http", "tessera"))
    assert values(await ask(databases, meter, provider="tessera", **MAY)) == [1]
    assert values(await ask(databases, meter, provider="tessera", size=WindowSize.HOUR, **MAY)) == [1]
    assert await ask(databases, meter, provider="waypoint", **MAY) == []


async def test_an_account_out_of_scope_is_as_unknown_as_one_that_is_not(databases: Databases, acme: int) -> None:
    other = await make_account(databases, "globex")
    await took(databases, ("2026-05-01T12:00:00Z", {"minutes": 1}))
    assert await ask(databases, MINUTES, [other], **MAY) == []
    for key in ("acme", "nobody", "with\N{SNOWMAN}"):
        with pytest.raises(NotFoundError, match=f"no account '{key}'"):
            await ask(databases, MINUTES, [other], accounts=("globex", key), **MAY)


async def test_what_cannot_be_metered_is_no_zero(databases: Databases, acme: int) -> None:
    await took(databases, ("2026-05-01T12:00:00Z", {"minutes": "many"}))
    assert await ask(databases, MINUTES, **MAY) == []
    assert await ask(databases, MINUTES, size=WindowSize.HOUR, **MAY) == []


async def test_more_events_than_one_query_reads_are_refused_with_a_cure(
    databases: Databases, acme: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter_reads, "MOST_EVENTS", 2)
    await took(databases, *((f"2026-05-01T{hour}:00:00Z", {"minutes": 1}) for hour in (12, 13, 14)))
    with pytest.raises(InvalidInputError, match="more than 2 events; ask for a shorter time"):
        await ask(databases, MINUTES, size=WindowSize.HOUR, **MAY)
    assert values(await ask(databases, MINUTES, size=WindowSize.DAY, **MAY)) == [3]


async def test_a_dimension_that_the_meter_lacks_is_refused_with_those_it_has(databases: Databases, acme: int) -> None:
    with pytest.raises(InvalidInputError, match=r"'jobs' cannot be grouped by 'crew'; it has account, subject, team"):
        await ask(databases, JOBS, group_by=("crew",), **MAY)


async def test_averages_and_picks_are_put_together_from_sums_and_events_not_from_values(
    databases: Databases, acme: int
) -> None:
    """Over days, dimension values, accounts of two zones, and providers."""
    await apply_meters(databases, tuple(SEVEN.values()))
    await make_account(databases, "berlin", "Europe/Berlin")
    await took(
        databases,
        ("2026-05-01T12:00:00Z", {"minutes": 1, "team": "n"}),
        ("2026-05-01T13:00:00Z", {"minutes": 1, "team": "n"}),
        ("2026-05-02T12:00:00Z", {"minutes": -4, "team": "s"}),
    )
    await took(databases, ("2026-05-02T11:59:00Z", {"minutes": 10, "team": "s"}), account="berlin")
    (whole,) = await ask(databases, SEVEN[Aggregation.AVG], **MAY)
    assert whole.value == 2
    assert values(await ask(databases, SEVEN[Aggregation.LATEST], **MAY)) == [-4]
    assert values(await ask(databases, SEVEN[Aggregation.MIN], group_by=("team",), **MAY)) == [1, -4]
    assert values(await ask(databases, SEVEN[Aggregation.MAX], size=WindowSize.DAY, **MAY)) == [1, 10, -4]


async def test_an_average_is_rounded_once_half_to_even(databases: Databases, acme: int) -> None:
    await apply_meters(databases, tuple(SEVEN.values()))
    average = SEVEN[Aggregation.AVG]
    await took(databases, ("2026-05-01T12:00:00Z", {"minutes": 1}), ("2026-05-01T13:00:00Z", {"minutes": 1}))
    await took(databases, ("2026-05-01T14:00:00Z", {"minutes": 0}))
    await took(
        databases, ("2026-05-02T12:00:00Z", {"minutes": "0.000000001"}), ("2026-05-02T13:00:00Z", {"minutes": 0})
    )
    for size in (WindowSize.DAY, WindowSize.HOUR):
        found = values(await ask(databases, average, size=size, **MAY))
        assert found == ([Decimal("0.666666667"), 0] if size is WindowSize.DAY else [1, 1, 0, Decimal("1e-9"), 0])


async def test_sums_of_huge_numbers_keep_every_digit_by_day_and_by_hour(databases: Databases, acme: int) -> None:
    number = "999999999999999999.999999999"
    await took(databases, *((f"2026-05-01T12:{minute:02}:00Z", {"minutes": number}) for minute in range(60)))
    for size in (WindowSize.DAY, WindowSize.HOUR):
        assert values(await ask(databases, MINUTES, size=size, **MAY)) == [Decimal("59999999999999999999.99999994")]


@pytest.mark.parametrize("kind", [Aggregation.AVG, Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST])
async def test_windows_without_a_number_are_left_out(databases: Databases, acme: int, kind: Aggregation) -> None:
    await apply_meters(databases, tuple(SEVEN.values()))
    await took(
        databases,
        ("2026-05-01T12:00:00Z", {"minutes": "many"}),
        ("2026-05-02T12:00:00Z", {}),
        ("2026-05-03T12:00:00Z", {"minutes": 0}),
    )
    for size in (WindowSize.DAY, WindowSize.HOUR):
        assert values(await ask(databases, SEVEN[kind], size=size, **MAY)) == [0]


@pytest.mark.parametrize(
    ("zone_name", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2025, 11, 2), 25),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2025, 10, 26), 25),
        ("Australia/Lord_Howe", date(2025, 10, 5), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kathmandu", date(2026, 4, 5), 24),
    ],
)
async def test_days_and_hours_of_any_zone_hold_every_event_once(
    databases: Databases, acme: int, zone_name: str, day: date, hours: float
) -> None:
    """An event every ten minutes over the day of a clock change and its neighbors."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    await took(databases, *(((begin + timedelta(minutes=10 * n)).isoformat(), {"minutes": 1}) for n in range(330)))
    span: dict[str, Any] = {"start": day, "end": day + timedelta(days=1), "zone_name": zone_name}
    (whole,) = await ask(databases, MINUTES, size=WindowSize.DAY, **span)
    assert (whole.window_end - whole.window_start) == timedelta(hours=hours)
    assert whole.value == hours * 6
    found = await ask(databases, MINUTES, size=WindowSize.HOUR, **span)
    assert (found[0].window_start, found[-1].window_end) == (whole.window_start, whole.window_end)
    assert all(one.window_end == next_one.window_start for one, next_one in pairwise(found))
    assert all(one.value * 10 == (one.window_end - one.window_start).total_seconds() / 60 for one in found)


event_strategy = st.fixed_dictionaries(
    {
        "account": st.sampled_from(["acme", "berlin"]),
        "provider": st.sampled_from(["supplier", "tessera"]),
        "subject": st.sampled_from([None, "truck-1", "truck-2"]),
        "time": st.datetimes(datetime(2026, 2, 26), datetime(2026, 4, 7)).map(lambda t: t.isoformat() + "Z")  # noqa: DTZ001
        | st.sampled_from(
            ["2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2026-04-04T15:10:00Z", "2026-03-29T01:00:00Z"]
        ),
        "data": st.fixed_dictionaries(
            {},
            optional={
                "minutes": st.sampled_from([0, -1, 2.5, "3", "0.000000001", "999999999999999999.999999999", "x", None]),
                "team": st.sampled_from(["n", "s", None]),
            },
        ),
    }
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(event_strategy, max_size=25),
    zone_name=st.sampled_from([None, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    groups=st.sampled_from([(), ("team",), ("account", "team"), ("subject",), ("team", "subject")]),
    subjects=st.sampled_from([(), ("truck-1",)]),
    provider=st.sampled_from([None, "tessera"]),
)
async def test_any_question_of_all_seven_equals_a_plain_recount(
    databases: Databases, acme: int, events: list[dict[str, Any]], zone_name: str | None, **asked: Any
) -> None:
    if not await scalar(databases, "SELECT count(*) FROM account WHERE key = 'berlin'"):
        await make_account(databases, "berlin", "Europe/Berlin")
        await apply_meters(databases, tuple(SEVEN.values()))
    await execute(databases, f"TRUNCATE {', '.join(HOT_TABLES)}")
    for event in events:
        who = Sender("http", event["provider"])
        await send(databases, cloud_event(**{k: v for k, v in event.items() if k != "provider"}), sender=who)
    raw = await raw_events(databases)
    for kind, size in product(Aggregation, [*WindowSize, None]):
        question = MeterQuestion(
            start=date(2026, 3, 1),
            end=date(2026, 4, 6),
            size=size,
            zone_name=zone_name,
            group_by=asked["groups"],
            subjects=asked["subjects"],
            provider=asked["provider"],
        )
        async with databases.web.transaction(operator_scope()) as tx:
            said = await query_meter(tx, SEVEN[kind], question)
        assert told(said, question) == plain(kind, raw, question), (kind, size)


def told(said: Sequence[MeterValue], question: MeterQuestion) -> dict[tuple[Any, ...], Decimal]:
    found = {}
    for one in said:
        window = (one.window_start, one.window_end) if question.size else None
        found[window, one.subject, *(one.group_by[name] for name in question.dimensions)] = one.value
    assert len(found) == len(said)
    return found


def plain(kind: Aggregation, raw: Sequence[Raw], question: MeterQuestion) -> dict[tuple[Any, ...], Fraction]:
    def inside(event: Raw) -> bool:
        tz = ZoneInfo(question.zone_name) if question.zone_name else event.zone
        day = event.time.astimezone(tz).date()
        of_subject = not question.subjects or event.subject in question.subjects
        return (
            of_subject
            and event.provider == (question.provider or event.provider)
            and date(2026, 3, 1) <= day < date(2026, 4, 6)
        )

    def place(event: Raw) -> tuple[Any, ...]:
        tz = ZoneInfo(question.zone_name) if question.zone_name else event.zone
        window = window_of(event.time, tz, question.size) if question.size else None
        subject = event.subject if "subject" in question.group_by else None
        return (window, subject, *({"account": event.account, "team": event.team}[d] for d in question.dimensions))

    values = grouped(kind, filter(inside, raw), place)
    return {key: round(value, 9) if kind is Aggregation.AVG else value for key, value in values.items()}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 5, 1), date(2026, 5, 1)),
        (date(2026, 5, 2), date(2026, 5, 1)),
        (datetime(2026, 5, 1, tzinfo=UTC), date(2026, 5, 1)),
        (date.min, date(2026, 5, 1)),
        (date(2026, 5, 1), datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_times_that_cannot_be_are_refused(start: date, end: date) -> None:
    with pytest.raises(InvalidInputError):
        MeterQuestion(start=start, end=end)
