"""What the worth of event types is made from, read from the record in bounded pieces, by the worker."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.value.cohorts import COHORT
from valueplatform.value.feeds import Paths, read_paths
from valueplatform.value.likeness import Volumes
from valueplatform.value.model import Evidence, weakest
from valueplatform.value.states import State, weakest_state
from valueplatform.value.uncaptured import Clients, Unmetered
from valueplatform.value.worth import Standing, Sum, period_of

LOOKED_AT: Final = 50
"""Types that no meter reads: those that most accounts send."""
SAMPLED: Final = 20
"""Accounts of a type whose newest event tells its source."""
RECENT: Final = timedelta(days=92)
COMPARED: Final = 40
"""Accounts that send a type that no meter reads, whose daily volumes are looked at."""

_FIRST: Final = text("""
    SELECT min(first.day) FROM account a, LATERAL (
        SELECT day FROM accrual v WHERE v.account_id = a.account_id ORDER BY day LIMIT 1) first
""")
_ACCOUNTS: Final = text("SELECT account_id FROM account WHERE account_id > 0 ORDER BY account_id")
_WIDEST: Final = text("""
    SELECT type FROM catalog_type WHERE NOT type = ANY(CAST(:mapped AS text[])) AND last_seen >= :since
    GROUP BY type HAVING count(*) >= :least ORDER BY count(*) DESC, sum(events) DESC, type LIMIT :most
""")
_SOURCES: Final = text("""
    SELECT sent.account_id, sent.type, newest.source FROM (
        SELECT type, account_id, row_number() OVER (PARTITION BY type ORDER BY account_id) AS place
        FROM catalog_type WHERE type = ANY(CAST(:types AS text[]))
    ) sent, LATERAL (
        SELECT source FROM event e WHERE e.account_id = sent.account_id AND e.type = sent.type
        ORDER BY e.utc_day DESC LIMIT 1
    ) newest WHERE sent.place <= :most
""")
_WHO: Final = text("""
    SELECT a.account_id, a.segment,
           (SELECT c.currency FROM account_currency c WHERE c.account_id = a.account_id AND c.effective_from <= :today
            ORDER BY c.effective_from DESC LIMIT 1) AS currency,
           EXISTS (SELECT FROM catalog_type t WHERE t.account_id = a.account_id AND t.last_seen >= :since) AS sends
    FROM account a WHERE a.account_id = ANY(CAST(:accounts AS bigint[])) ORDER BY a.account_id
""")
_TYPES: Final = text("""
    SELECT account_id, array_agg(type) AS types FROM catalog_type
    WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND type = ANY(CAST(:types AS text[])) AND last_seen >= :since
    GROUP BY account_id
""")
_STEADY: Final = text("""
    SELECT account_id, type FROM catalog_day
    WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND type = ANY(CAST(:types AS text[])) AND NOT fresh
      AND day >= :start AND day < :end
    GROUP BY account_id, type HAVING count(DISTINCT date_trunc('month', day)) = :months
""")
# Of a type that no meter reads, only numbers are of use.
_PATHS: Final = text("""
    SELECT account_id, type, path FROM catalog_property
    WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND last_day >= :since_day
      AND path = ANY(CAST(:paths AS text[]))
      AND (type = ANY(CAST(:mapped AS text[]))
           OR (type = ANY(CAST(:types AS text[])) AND kinds && ARRAY['number', 'number as text']))
""")
_REALIZED: Final = text("""
    SELECT v.account_id, v.driver, b.unit, b.benefit_class, date_trunc('month', v.day)::date AS month,
           sum(v.low) AS low, sum(v.expected) AS expected, sum(v.high) AS high,
           coalesce(sum(v.expected) FILTER (WHERE b.counted), 0) AS counted,
           array_agg(DISTINCT b.evidence) AS evidence, array_agg(DISTINCT b.state) AS states
    FROM accrual v JOIN basis b ON b.account_id = v.account_id AND b.basis_id = v.basis_id
    WHERE v.account_id = ANY(CAST(:accounts AS bigint[])) AND v.expected IS NOT NULL
      AND v.day >= :start AND v.day < :end
    GROUP BY v.account_id, v.driver, b.unit, b.benefit_class, date_trunc('month', v.day)::date
""")
_UNMETERED: Final = text("""
    SELECT account_id, split_part(meter, '#', 1) AS meter, code, sum(events)::bigint AS events
    FROM rollup_unmetered JOIN account USING (account_id)
    WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND day >= :start
      AND meter = split_part(meter, '#', 1) || edition
    GROUP BY account_id, split_part(meter, '#', 1), code HAVING sum(events) > 0
""")
_OWN_SOURCES: Final = text("""
    SELECT sent.account_id, array_agg(DISTINCT newest.source) AS sources
    FROM catalog_type sent, LATERAL (
        SELECT source FROM event e WHERE e.account_id = sent.account_id AND e.type = sent.type
        ORDER BY e.utc_day DESC LIMIT 1
    ) newest
    WHERE sent.account_id = ANY(CAST(:accounts AS bigint[])) AND sent.type = ANY(CAST(:types AS text[]))
      AND sent.last_seen >= :since
    GROUP BY sent.account_id
""")
_VOLUMES: Final = text("""
    SELECT account_id, type, day, CAST(tally ->> 'events' AS bigint) AS events FROM catalog_day
    WHERE account_id = ANY(CAST(:accounts AS bigint[])) AND type = ANY(CAST(:types AS text[])) AND NOT fresh
      AND day >= :start AND day < :end
""")


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at: in which months, and of which types that no meter reads. An account sends what it has sent
    since `since`, when the months begin; before there is a whole one, three months ago."""

    months: tuple[date, ...]
    today: date
    unmapped: tuple[str, ...]
    paths: Paths
    currency: str

    @property
    def period(self) -> Period:
        return period_of(self.months) if self.months else Period(self.today, self.today)

    @property
    def since_day(self) -> date:
        return self.months[0] if self.months else self.today - RECENT

    @property
    def since(self) -> datetime:
        return datetime.combine(self.since_day, time(), UTC)

    @property
    def types(self) -> list[str]:
        return sorted({*self.paths.known, *self.unmapped})


async def first_day(tx: Transaction) -> date | None:
    """The first day that has a realized value, in any account."""
    day: date | None = await tx.scalar(_FIRST)
    return day


async def accounts_of_all(tx: Transaction) -> list[int]:
    return [row.account_id for row in await tx.rows(_ACCOUNTS)]


async def widest_unmapped(tx: Transaction, mapped: Collection[str], since: datetime) -> tuple[str, ...]:
    """The types that no meter reads and that enough accounts send to be told of; by name."""
    asked = {"mapped": sorted(mapped), "since": since, "least": COHORT, "most": LOOKED_AT}
    return tuple(sorted(row.type for row in await tx.rows(_WIDEST, asked)))


async def clients_of(tx: Transaction, types: Sequence[str]) -> Clients:
    rows = await tx.rows(_SOURCES, {"types": list(types), "most": SAMPLED})
    return Clients.of((row.account_id, row.type, row.source) for row in rows)


async def standings(tx: Transaction, looked: Looked, accounts: Sequence[int]) -> list[Standing]:
    """How these accounts stand in the months."""
    period = looked.period
    asked: dict[str, Any] = {"accounts": list(accounts), "start": period.start, "end": period.end}
    asked |= {
        "since": looked.since,
        "since_day": looked.since_day,
        "types": looked.types,
        "mapped": sorted(looked.paths.mapped),
    }
    types = {row.account_id: frozenset(row.types) for row in await tx.rows(_TYPES, asked)}
    steady: defaultdict[int, set[str]] = defaultdict(set)
    for row in await tx.rows(_STEADY, {**asked, "months": len(looked.months)}):
        steady[row.account_id].add(row.type)
    paths: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in await tx.rows(_PATHS, {**asked, "paths": _paths(looked.paths)}):
        paths[row.account_id].add((row.type, row.path))
    sources = {row.account_id: frozenset(row.sources) for row in await tx.rows(_OWN_SOURCES, asked)}
    realized = _sums(looked.months, await tx.rows(_REALIZED, asked))
    return [
        Standing(
            account_id=row.account_id,
            segment=row.segment,
            currency=row.currency or looked.currency,
            sends=row.sends,
            types=types.get(row.account_id, frozenset()),
            steady=frozenset(steady[row.account_id]),
            paths=frozenset(paths[row.account_id]),
            sources=sources.get(row.account_id, frozenset()),
            realized=realized.get(row.account_id, {}),
        )
        for row in await tx.rows(_WHO, {**asked, "today": looked.today})
    ]


def _paths(paths: Paths) -> list[str]:
    return sorted({path for meter in paths.meters for path in (*read_paths(meter), *meter.dimensions)})


def _sums(months: Sequence[date], rows: Sequence[Row[Any]]) -> Mapping[int, Mapping[tuple[str, str], Sum]]:
    """By account, and by driver and unit. A driver whose class changed in the months has that of the newest."""
    parts: defaultdict[tuple[int, str, str], list[Row[Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: one.month):
        parts[row.account_id, row.driver, row.unit].append(row)
    found: defaultdict[int, dict[tuple[str, str], Sum]] = defaultdict(dict)
    for (account_id, driver, unit), own in parts.items():
        each: dict[date, Decimal] = {}
        for row in own:
            each[row.month] = each.get(row.month, Decimal(0)) + row.expected
        found[account_id][driver, unit] = Sum(
            benefit_class=own[-1].benefit_class,
            low=sum((row.low for row in own), Decimal(0)),
            expected=sum((row.expected for row in own), Decimal(0)),
            high=sum((row.high for row in own), Decimal(0)),
            counted=sum((row.counted for row in own), Decimal(0)),
            evidence=weakest(Evidence(one) for row in own for one in row.evidence),
            state=weakest_state(State(one) for row in own for one in row.states),
            by_month=tuple(each.get(month) for month in months),
        )
    return found


async def unmetered(tx: Transaction, looked: Looked, accounts: Sequence[int]) -> list[Unmetered]:
    asked = {"accounts": list(accounts), "start": looked.since_day}
    return [Unmetered(row.account_id, row.meter, row.code, row.events) for row in await tx.rows(_UNMETERED, asked)]


async def volumes(tx: Transaction, looked: Looked, accounts: Sequence[Standing]) -> Volumes:
    """Daily volumes of the types that no meter reads and that no feature shows, and of those that feed drivers, in the
    first accounts that send them steadily."""
    untied = [kind for kind in looked.unmapped if not looked.paths.tied(kind)]
    if not untied or not looked.months:
        return {}
    chosen: set[int] = set()
    for kind in untied:
        chosen.update([one.account_id for one in accounts if kind in one.steady][:COMPARED])
    fed = {kind for kind, path in looked.paths.fed if not path}
    period = looked.period
    asked = {"accounts": sorted(chosen), "types": sorted({*untied, *fed}), "start": period.start, "end": period.end}
    found: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * period.days)
    for row in await tx.rows(_VOLUMES, asked):
        found[row.account_id, row.type][(row.day - period.start).days] = row.events
    return dict(found)
