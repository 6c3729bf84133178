"""One meter of each aggregation over the same number, and what they must say, counted from raw events in plain Python.

Nothing of ours is used to count: numbers are fractions, local hours are found minute by minute.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.conftest import Databases
from tests.telemetry.factories import in_force, plain_data, rows, wire_number
from valueplatform.telemetry.meters import Aggregation, Meter

SEVEN = {
    kind: Meter(
        slug=kind.lower(),
        event_types=("job.done", "login"),
        aggregation=kind,
        property=None if kind is Aggregation.COUNT else "minutes",
        dimensions=("team",),
    )
    for kind in Aggregation
}
"""By aggregation."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Raw:
    """One stored event; `number` is None where it has none that can be metered."""

    account: str
    zone: ZoneInfo
    time: datetime
    key: bytes
    provider: str
    subject: str | None
    team: str | None
    number: Fraction | None
    member: str | None


async def raw_events(databases: Databases) -> list[Raw]:
    found = await rows(
        databases,
        "SELECT key, timezone, time, event_key, provider, subject, data::text AS data"
        " FROM event JOIN account USING (account_id) WHERE type IN ('job.done', 'login')",
    )
    return [
        Raw(
            account=row["key"],
            zone=ZoneInfo(row["timezone"]),
            time=row["time"],
            key=row["event_key"].bytes,
            provider=row["provider"],
            subject=row["subject"],
            team=(data := plain_data(row["data"])).get("team"),
            number=wire_number(data.get("minutes")),
            member=_text(data.get("minutes")),
        )
        for row in found
    ]


def _text(value: object) -> str | None:
    """A member's text, for the plain values that these tests send."""
    return None if value is None else str(value)


def recount(kind: Aggregation, events: Sequence[Raw]) -> Fraction | None:
    """What a meter says of these events; None where it says nothing."""
    numbers = [event.number for event in events if event.number is not None]
    members = {event.member for event in events if event.member is not None}
    if kind is Aggregation.COUNT:
        return Fraction(len(events)) if events else None
    if kind is Aggregation.UNIQUE_COUNT:
        return Fraction(len(members)) if members else None
    if not numbers:
        return None
    if kind is Aggregation.LATEST:
        told = sorted(
            (event for event in events if event.number is not None), key=lambda event: (event.time, event.key)
        )
        return told[-1].number
    if kind is Aggregation.AVG:
        return sum(numbers, Fraction(0)) / len(numbers)
    return {Aggregation.SUM: sum(numbers, Fraction(0)), Aggregation.MIN: min(numbers), Aggregation.MAX: max(numbers)}[
        kind
    ]


async def stored_values(databases: Databases) -> dict[tuple[Any, ...], Fraction]:
    """(account key, meter, day, provider, team) → what the rollups say, of all seven."""
    said: dict[tuple[Any, ...], Fraction] = {}
    for row in await rows(databases, in_force("rollup")):
        metered = row["events"] - row["unmetered"]
        place = (row["key"], row["meter"], row["day"], row["provider"], row["dimensions"][0])
        assert row["events"] > 0
        assert (row["rank"] is None) is (row["picked"] is None) is (row["picked_key"] is None)
        if row["meter"] in {"min", "max", "latest"}:
            assert (metered == 0) is (row["picked"] is None)
            if metered:
                said[place] = Fraction(row["picked"])
        elif row["meter"] == "avg" and metered:
            said[place] = Fraction(row["total"]) / metered
        elif row["meter"] == "sum" and metered:
            said[place] = Fraction(row["total"])
        elif row["meter"] == "count":
            said[place] = Fraction(row["events"])
    members = f"""
        SELECT key, meter, day, provider, dimensions[1] AS team, count(*) AS n
        FROM ({in_force("rollup_member")}) AS seen GROUP BY 1, 2, 3, 4, 5
    """
    for row in await rows(databases, members):
        said[row["key"], row["meter"], row["day"], row["provider"], row["team"]] = Fraction(row["n"])
    return said


async def recounted_values(databases: Databases) -> dict[tuple[Any, ...], Fraction]:
    """What `stored_values` must be."""
    return {
        (account, kind.lower(), day, provider, team): value
        for kind in Aggregation
        for (account, day, provider, team), value in grouped(
            kind,
            await raw_events(databases),
            lambda e: (e.account, e.time.astimezone(e.zone).date(), e.provider, e.team),
        ).items()
    }


def grouped(
    kind: Aggregation, events: Iterable[Raw], key: Callable[[Raw], tuple[Any, ...]]
) -> Mapping[tuple[Any, ...], Fraction]:
    """Values by key. Members count once in each account, and are added over accounts."""
    groups: defaultdict[tuple[Any, ...], list[Raw]] = defaultdict(list)
    for event in events:
        groups[key(event)].append(event)
    found = {}
    for each, inside in groups.items():
        value = recount(kind, inside)
        if kind is Aggregation.UNIQUE_COUNT:
            accounts = {event.account for event in inside}
            parts = [recount(kind, [event for event in inside if event.account == one]) for one in accounts]
            value = sum((part for part in parts if part), Fraction(0)) or None
        if value is not None:
            found[each] = value
    return found


def window_of(moment: datetime, tz: ZoneInfo, size: str) -> tuple[datetime, datetime]:
    """The window that holds a moment. An hour is all neighboring minutes of one date, hour and offset."""
    local = moment.astimezone(tz)
    if size == "HOUR":
        begin = end = moment.replace(second=0, microsecond=0).astimezone(UTC)
        while _hour(begin - _MINUTE, tz) == _hour(moment, tz):
            begin -= _MINUTE
        while _hour(end, tz) == _hour(moment, tz):
            end += _MINUTE
        return begin, end
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    if size == "WEEK":
        first = midnight - timedelta(days=midnight.weekday())
        after = first + timedelta(days=7)
    elif size == "MONTH":
        first = midnight.replace(day=1)
        after = (first + timedelta(days=40)).replace(day=1)
    else:
        first, after = midnight, midnight + timedelta(days=1)
    return first.replace(tzinfo=tz).astimezone(UTC), after.replace(tzinfo=tz).astimezone(UTC)


def _hour(moment: datetime, tz: ZoneInfo) -> tuple[Any, ...]:
    local = moment.astimezone(tz)
    return local.date(), local.hour, local.utcoffset()
