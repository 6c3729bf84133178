"""What proposals are made from, read from the catalog and the record in bounded pieces, by the worker."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.telemetry.meters import exact_number, path_reader
from valueplatform.telemetry.payload import stored_value
from valueplatform.value.discovery import Outcome
from valueplatform.value.discovery_evidence import WEEKS, Deal, Turn, Uses
from valueplatform.value.discovery_meters import Field, Kind
from valueplatform.value.discovery_proposals import Sent
from valueplatform.value.discovery_values import Measured, Ratio
from valueplatform.value.model import ValueModel

MOST_KINDS: Final = 60
"""Types that are looked at: those that most accounts send."""
MOST_FIELDS: Final = 30
"""Properties of a type, the first by name."""
SAMPLED: Final = 20
"""Accounts whose newest events tell how numbers behave, and events of each."""
STABLE: Final = 26
"""Weeks of volume."""
WINDOW: Final = timedelta(weeks=WEEKS)
YEAR: Final = timedelta(days=365)

_KINDS: Final = text("""
    SELECT type, count(*) AS accounts, sum(events)::bigint AS events FROM catalog_type
    WHERE last_seen >= CAST(:since AS date) GROUP BY type ORDER BY count(*) DESC, sum(events) DESC, type LIMIT :most
""")
_FIELDS: Final = text("""
    WITH alike AS (
        SELECT type, path, kinds, samples, sum(events) AS events, count(*) AS accounts FROM catalog_property
        WHERE type = ANY(CAST(:types AS text[])) AND last_day >= CAST(:since AS date)
        GROUP BY type, path, kinds, samples
    )
    SELECT type, path, sum(events)::bigint AS events, sum(accounts)::bigint AS accounts,
           (SELECT array_agg(DISTINCT kind) FROM alike k, unnest(k.kinds) AS kind
             WHERE k.type = alike.type AND k.path = alike.path) AS kinds,
           CASE WHEN NOT bool_or(samples IS NULL) THEN
               (SELECT array_agg(DISTINCT value) FROM alike k, unnest(k.samples) AS value
                 WHERE k.type = alike.type AND k.path = alike.path) END AS samples
    FROM alike GROUP BY type, path ORDER BY type, path COLLATE "C"
""")
_NEWEST: Final = text("""
    SELECT sent.account_id, newest.data::text AS data FROM (
        SELECT account_id FROM catalog_type WHERE type = :type ORDER BY events DESC, account_id LIMIT :most
    ) sent, LATERAL (
        SELECT data, time, utc_day FROM event e WHERE e.account_id = sent.account_id AND e.type = :type
        ORDER BY e.utc_day DESC LIMIT :most
    ) newest ORDER BY sent.account_id, newest.time
""")
_VOLUMES: Final = text("""
    SELECT type, (day - CAST(:start AS date)) / 7 AS week, sum(CAST(tally ->> 'events' AS bigint))::bigint AS events
    FROM catalog_day WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND type = ANY(CAST(:types AS text[]))
      AND NOT fresh AND day >= :start AND day < :end GROUP BY type, week
""")
_DAYS: Final = text("""
    SELECT account_id, type, count(DISTINCT day) AS days, sum(CAST(tally ->> 'events' AS bigint))::bigint AS events
    FROM catalog_day WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND NOT fresh AND day >= :start AND day < :end
    GROUP BY account_id, type
""")
_USES: Final = text("""
    SELECT turn.account_id, turn.outcome, d.type, sum(CAST(d.tally ->> 'events' AS bigint))::bigint AS events
    FROM jsonb_to_recordset(CAST(:turns AS jsonb)) AS turn (account_id bigint, outcome text, day date)
    JOIN catalog_day d ON d.account_id = turn.account_id AND NOT d.fresh
        AND d.day >= turn.day - CAST(:days AS integer) AND d.day < turn.day
    GROUP BY turn.account_id, turn.outcome, d.type
""")
_DEALS: Final = text("""
    SELECT account_id, kind, start_day, end_day FROM contract WHERE account_id = ANY(CAST(:accounts AS bigint[]))
    ORDER BY account_id, start_day, contract_id
""")
_FIRST_USE: Final = text("""
    SELECT account_id, min(first_seen)::date AS first FROM catalog_type
    WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND type = ANY(CAST(:types AS text[])) GROUP BY account_id
""")
_WEEKLY: Final = text("""
    SELECT r.account_id, date_trunc('week', r.day)::date AS week,
           sum(CASE WHEN r.meter = :actual || a.edition THEN CASE WHEN :count_actual THEN r.events ELSE r.total END END)
               AS actual,
           sum(CASE WHEN r.meter = :volume || a.edition THEN CASE WHEN :count_volume THEN r.events ELSE r.total END END)
               AS volume
    FROM rollup r JOIN account a ON a.account_id = r.account_id
    WHERE r.account_id = ANY(CAST(:accounts AS bigint[]))
      AND r.meter IN (:actual || a.edition, :volume || a.edition) AND r.day >= :start AND r.day < :end
    GROUP BY r.account_id, date_trunc('week', r.day)::date ORDER BY r.account_id, week
""")


class Days(msgspec.Struct, frozen=True):
    """The days that are looked at; `week` is the Monday that begins the running week."""

    today: date

    @property
    def week(self) -> date:
        return self.today - timedelta(days=self.today.weekday())

    @property
    def stable(self) -> date:
        return self.week - timedelta(weeks=STABLE)

    @property
    def recent(self) -> date:
        return self.today - WINDOW


async def kinds_of(tx: Transaction, today: date) -> list[Kind]:
    """The types that most accounts have sent in the last 13 weeks, with their properties; numbers are still empty."""
    since = today - WINDOW
    rows = await tx.rows(_KINDS, {"since": since, "most": MOST_KINDS})
    fields: defaultdict[str, list[Field]] = defaultdict(list)
    for row in await tx.rows(_FIELDS, {"types": [row.type for row in rows], "since": since}):
        if len(fields[row.type]) < MOST_FIELDS:
            values = None if row.samples is None else frozenset(row.samples)
            fields[row.type].append(Field(row.path, frozenset(row.kinds), row.accounts, row.events, values))
    return [Kind(row.type, row.accounts, row.events, tuple(fields[row.type])) for row in rows]


async def with_numbers(tx: Transaction, kind: Kind) -> Kind:
    """The same, with the numbers of some accounts' newest events."""
    if not any({"number", "number as text"} & field.kinds for field in kind.fields):
        return kind
    bodies: defaultdict[int, list[Any]] = defaultdict(list)
    for row in await tx.rows(_NEWEST, {"type": kind.type, "most": SAMPLED}):
        bodies[row.account_id].append(stored_value(row.data))
    fields = tuple(
        msgspec.structs.replace(field, numbers=tuple(_numbers(field.path, own) for own in bodies.values()))
        for field in kind.fields
    )
    return msgspec.structs.replace(kind, fields=fields)


def _numbers(path: str, bodies: Sequence[Any]) -> tuple[Decimal, ...]:
    read = path_reader(path)
    found = (exact_number(read(body)) for body in bodies if isinstance(body, dict))
    return tuple(one for one in found if isinstance(one, Decimal))


def nothing_sent() -> Sent:
    return Sent({}, {}, {}, set())


async def gather(tx: Transaction, sent: Sent, days: Days, kinds: Sequence[str], accounts: Sequence[int]) -> None:
    """Add what these accounts sent."""
    asked = {"accounts": list(accounts), "types": list(kinds), "start": days.stable, "end": days.week}
    for row in await tx.rows(_VOLUMES, asked):
        sent.weekly.setdefault(row.type, [0] * STABLE)[row.week] += row.events
    recent = {"accounts": list(accounts), "start": days.recent, "end": days.today}
    for row in await tx.rows(_DAYS, recent):
        sent.senders.add(row.account_id)
        sent.days.setdefault(row.type, []).append(row.days)
        sent.events[row.type] = sent.events.get(row.type, 0) + row.events


async def deals_of(tx: Transaction, accounts: Sequence[int]) -> list[Deal]:
    rows = await tx.rows(_DEALS, {"accounts": list(accounts)})
    return [Deal(row.account_id, row.kind, row.start_day, row.end_day) for row in rows]


async def uses_before(tx: Transaction, made: Sequence[Turn]) -> Uses:
    """Events by account, outcome and type in the 13 weeks before its turn; '' are all types together."""
    given = [{"account_id": one.account_id, "outcome": one.outcome, "day": one.day} for one in made]
    found: defaultdict[tuple[int, Outcome, str], int] = defaultdict(int)
    if not given:
        return found
    for row in await tx.rows(_USES, {"turns": msgspec.json.encode(given).decode(), "days": WEEKS * 7}):
        outcome = Outcome(row.outcome)
        found[row.account_id, outcome, row.type] += row.events
        found[row.account_id, outcome, ""] += row.events
    return dict(found)


async def measured_of(
    tx: Transaction, model: ValueModel, ratio: Ratio, accounts: Sequence[int], days: Days
) -> list[Measured]:
    """The whole weeks of these accounts before they first used the features, up to 52; the last 13 where they never
    did."""
    first = {
        row.account_id: row.first
        for row in await tx.rows(_FIRST_USE, {"accounts": list(accounts), "types": list(ratio.kinds)})
    }
    actual, volume = model.meter(ratio.actual), model.meter(ratio.volume)
    if actual is None or volume is None:
        return []
    asked = {
        "accounts": list(accounts),
        "actual": actual.rollup_name(),
        "volume": volume.rollup_name(),
        "count_actual": actual.property is None,
        "count_volume": volume.property is None,
        "start": days.week - YEAR * 2,
        "end": days.week,
    }
    weeks: defaultdict[int, list[tuple[Fraction, Fraction]]] = defaultdict(list)
    for row in await tx.rows(_WEEKLY, asked):
        used = first.get(row.account_id)
        chosen = row.week + timedelta(days=7) <= used if used else row.week >= days.week - WINDOW
        if chosen and row.volume:
            weeks[row.account_id].append((Fraction(row.actual or 0), Fraction(row.volume)))
    return [Measured(one, one in first, tuple(held[-52:])) for one, held in sorted(weeks.items())]
