"""Meter values by window, as OpenMeter answers: rollups where days are enough, events where hours or another zone
are asked for."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import Window, day_start, window_start, zone
from valueplatform.telemetry.filters import compile_filter
from valueplatform.telemetry.meters import (
    Aggregation,
    Meter,
    Unmetered,
    metered_value,
    path_reader,
    scalar_text,
)

MOST_EVENTS = 200_000
"""Hours and subjects are read from events, at most this many a query."""

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class WindowSize(StrEnum):
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class MeterQuestion(msgspec.Struct, frozen=True):
    """`start` and `end` (exclusive) are aware moments; `size` None = one window for all. `zone_name` None = each
    account's own zone. `group_by` are dimensions of the meter, `subject` or `account`."""

    start: datetime
    end: datetime
    size: WindowSize | None = None
    zone_name: str | None = None
    group_by: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


class MeterValue(msgspec.Struct, frozen=True):
    """One window and group. The names are OpenMeter's; `value` is an exact decimal string."""

    value: str
    windowStart: datetime  # noqa: N815 - OpenMeter's name
    windowEnd: datetime  # noqa: N815 - OpenMeter's name
    subject: str | None
    groupBy: Mapping[str, str | None]  # noqa: N815 - OpenMeter's name


_EVENTS = text("""
    SELECT a.key AS account, a.timezone, e.time, e.subject, e.data::text AS data
    FROM event e JOIN account a USING (account_id)
    WHERE e.type = ANY(:types) AND e.time >= :start AND e.time < :end
      AND e.day >= :first AND e.day <= :last
      AND (cardinality(CAST(:accounts AS text[])) = 0 OR a.key = ANY(CAST(:accounts AS text[])))
      AND (cardinality(CAST(:subjects AS text[])) = 0 OR e.subject = ANY(CAST(:subjects AS text[])))
    LIMIT :limit
""")

_Key = tuple[datetime, datetime, str | None, tuple[str | None, ...]]


async def query_meter(tx: Transaction, meter: Meter, question: MeterQuestion) -> list[MeterValue]:
    """Values of the meter over the accounts in scope, by window and group, oldest first.

    Raises InvalidInputError for a group that the meter does not have, or more events than one query reads.
    """
    known = {*meter.dimensions, "subject", "account"}
    for group in question.group_by:
        if group not in known:
            raise InvalidInputError(
                f"Meter {meter.slug!r} has no dimension {group!r}; it has {', '.join(sorted(known))}."
            )
    where = {
        "types": list(meter.event_types),
        "start": question.start,
        "end": question.end,
        "first": question.start.astimezone(UTC).date() - timedelta(days=1),
        "last": question.end.astimezone(UTC).date() + timedelta(days=1),
        "accounts": list(question.accounts),
        "subjects": list(question.subjects),
        "limit": MOST_EVENTS + 1,
    }
    rows = await tx.rows(_EVENTS, where)
    if len(rows) > MOST_EVENTS:
        raise InvalidInputError(
            f"The query reads more than {MOST_EVENTS} events; ask for a shorter time or one account."
        )
    return _aggregate(meter, question, rows)


def _aggregate(meter: Meter, question: MeterQuestion, rows: Sequence[Any]) -> list[MeterValue]:
    admits = compile_filter(meter.filter)
    sums: defaultdict[_Key, Decimal] = defaultdict(Decimal)
    members: defaultdict[_Key, set[str]] = defaultdict(set)
    for row in rows:
        decoded = _DECODER.decode(row.data) if row.data is not None else {}
        data = decoded if isinstance(decoded, dict) else {}
        value = metered_value(meter, data) if admits(data) else Unmetered("filtered")
        if isinstance(value, Unmetered):
            continue
        key = (*_window(question, row.time, row.timezone), *_group(question, row, data))
        if isinstance(value, Decimal):
            sums[key] += value
        else:
            members[key].add(value)
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        sums.update({key: Decimal(len(found)) for key, found in members.items()})
    return [
        MeterValue(
            value=format(total, "f"),
            windowStart=key[0],
            windowEnd=key[1],
            subject=key[2],
            groupBy=dict(zip(_named(question), key[3], strict=True)),
        )
        for key, total in sorted(sums.items(), key=lambda item: (item[0][0], item[0][2] or "", str(item[0][3])))
    ]


def _named(question: MeterQuestion) -> tuple[str, ...]:
    return tuple(group for group in question.group_by if group != "subject")


def _group(question: MeterQuestion, row: Any, data: Mapping[str, object]) -> tuple[str | None, tuple[str | None, ...]]:
    subject = row.subject if "subject" in question.group_by else None
    values = [
        row.account if group == "account" else scalar_text(path_reader(group)(data)) for group in _named(question)
    ]
    return subject, tuple(values)


def _window(question: MeterQuestion, moment: datetime, own_zone: str) -> tuple[datetime, datetime]:
    """The window's ends in UTC. An hour is a local hour: where clocks go back there are two of one name."""
    if question.size is None:
        return question.start.astimezone(UTC), question.end.astimezone(UTC)
    name = question.zone_name or own_zone
    local = moment.astimezone(zone(name))
    if question.size is WindowSize.HOUR:
        begin = moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return begin.astimezone(UTC), (begin + timedelta(hours=1)).astimezone(UTC)
    window = Window(question.size.value)
    first = window_start(local.date(), window)
    after = _next(first, window)
    return day_start(first, name).astimezone(UTC), day_start(after, name).astimezone(UTC)


def _next(first: date, window: Window) -> date:
    if window is Window.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if window is Window.WEEK else 1)
