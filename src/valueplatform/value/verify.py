"""`verify`, the part of value: rollups, accruals and postings of one account against raw events."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.proof import ProvedAmount, prove_days
from valueplatform.value.proof_archive import check_files, kept_events, widened
from valueplatform.value.proof_benchmark import check_benchmarks
from valueplatform.value.proof_record import Source
from valueplatform.value.proof_tallies import tally_cuts
from valueplatform.value.proof_ways import check_ways
from valueplatform.value.split_check import split_differences

_BOUNDS = ("low", "expected", "high")
_ROLLUPS = text("""
    SELECT split_part(meter, '#', 1) AS meter, provider, day, dimensions, events - unmetered AS events, total, picked
    FROM rollup JOIN account USING (account_id)
    WHERE account_id = :account AND day >= :start AND day < :end AND meter = split_part(meter, '#', 1) || edition
""")
_MEMBERS = text("""
    SELECT split_part(meter, '#', 1) AS meter, provider, day, dimensions,
           coalesce(max(r.events - r.unmetered), 0) AS events, count(DISTINCT member) AS total
    FROM rollup_member JOIN account USING (account_id)
    LEFT JOIN rollup r USING (account_id, meter, provider, day, dimensions)
    WHERE account_id = :account AND day >= :start AND day < :end AND meter = split_part(meter, '#', 1) || edition
    GROUP BY 1, provider, day, dimensions
""")
_ACCRUALS = text("""
    SELECT a.driver, a.provider, a.day, a.low, a.expected, a.high, a.reason, b.unit, b.counted
    FROM accrual a LEFT JOIN basis b ON b.account_id = a.account_id AND b.basis_id = a.basis_id
    WHERE a.account_id = :account AND a.day >= :start AND a.day < :end
""")
_POSTED = text("""
    SELECT coalesce(p.driver, a.driver) AS driver, coalesce(p.provider, a.provider) AS provider,
           coalesce(p.day, a.day) AS day, p.low AS posted_low, p.expected AS posted_expected, p.high AS posted_high,
           a.low, a.expected, a.high
    FROM (SELECT driver, provider, day, sum(low) AS low, sum(expected) AS expected, sum(high) AS high
          FROM posting WHERE account_id = :account AND day >= :start AND day < :end GROUP BY driver, provider, day) p
    FULL JOIN (SELECT driver, provider, day, low, expected, high
               FROM accrual x JOIN closed_month c ON c.account_id = x.account_id
                                                 AND c.month = date_trunc('month', x.day)::date
               WHERE x.account_id = :account AND x.expected IS NOT NULL AND x.day >= :start AND x.day < :end) a
      ON (a.driver, a.provider, a.day) = (p.driver, p.provider, p.day)
""")
_EVENTS = text("SELECT time FROM event WHERE account_id = :account AND utc_day >= :start AND utc_day < :end")
_WAITING = text("SELECT count(*) FROM changed_day WHERE account_id = :account")


class Discrepancy(msgspec.Struct, frozen=True):
    """One row that the independent path does not confirm; `where` names the row as a person would look it up."""

    what: str
    where: str
    stated: str
    recomputed: str


class Checked(msgspec.Struct, frozen=True):
    """How much was checked, and what differs. `waiting`: marks not worked off yet, so amounts may be behind."""

    rollups: int
    accruals: int
    postings: int
    events: int
    waiting: int
    discrepancies: tuple[Discrepancy, ...]


async def verify_account(tx: Transaction, source: Source, start: date, end: date) -> Checked:
    """Recompute the account's days in [start, end) and compare every row."""
    where = {"account": source.account_id, "start": start, "end": end}
    found: list[Discrepancy] = []
    rollups = await _check_rollups(tx, source, start, end, found)
    proved = await prove_days(tx, source, start, end)
    accruals = _check_accruals(await tx.rows(_ACCRUALS, where), proved, found)
    postings = 0
    for row in await tx.rows(_POSTED, where):
        postings += 1
        for bound in _BOUNDS:
            posted, standing = getattr(row, f"posted_{bound}"), getattr(row, bound)
            if (posted or 0) != (standing or 0):
                place = f"{row.driver}, {row.provider}, {row.day}, {bound}"
                found.append(Discrepancy("posting", place, _shown(posted), _shown(standing)))
    differing = await split_differences(tx, source.account_id, start, end)
    found += [Discrepancy("split", *difference) for difference in differing]
    events = await _events(tx, source, start, end)
    waiting = int(await tx.scalar(_WAITING, {"account": source.account_id}) or 0)
    return Checked(rollups, accruals, postings, events, waiting, tuple(found))


async def _events(tx: Transaction, source: Source, start: date, end: date) -> int:
    """How many events of any type the days have, stored and archived."""
    zone = ZoneInfo(source.timezone)
    first, last = widened(start, end)
    stored = await tx.connection.stream(_EVENTS, {"account": source.account_id, "start": first, "end": last})
    count = sum([1 async for row in stored if start <= row.time.astimezone(zone).date() < end])
    kept = kept_events(tx, source.account_id, None, first, last)
    return count + sum([1 async for event in kept if start <= event.time.astimezone(zone).date() < end])


_Cut = tuple[str, str, date, tuple[str | None, ...]]


def _place(cut: _Cut) -> str:
    meter, provider, day, dimensions = cut
    return ", ".join([meter, provider, str(day), *("none" if each is None else repr(each) for each in dimensions)])


async def _check_rollups(tx: Transaction, source: Source, start: date, end: date, found: list[Discrepancy]) -> int:
    """How many rows were compared; what differs goes into `found`."""
    meters = source.model.get("meters", ())
    tallies = await tally_cuts(tx, source, meters, start, end)
    aggregation = {meter["slug"]: meter["aggregation"] for meter in meters}
    slugs = {meter.get("stored_as") or meter["slug"]: meter["slug"] for meter in meters}
    where = {"account": source.account_id, "start": start, "end": end}
    stated: dict[_Cut, tuple[int, Fraction | None]] = {}
    for query in (_ROLLUPS, _MEMBERS):
        for row in await tx.rows(query, where):
            if row.meter not in slugs and "@" in row.meter:
                continue  # being counted over history, or replaced since: nobody reads it
            slug = slugs.get(row.meter, row.meter)
            distinct = aggregation.get(slug) == "UNIQUE_COUNT"
            if distinct is (query is _MEMBERS) and (row.events or distinct):
                cut = slug, row.provider, row.day, tuple(row.dimensions)
                stated[cut] = (row.events, _stated(aggregation.get(slug), row))
    recomputed = {
        key: (tally.events, tally.value(aggregation[key[0]])) for key, tally in tallies.items() if tally.events
    }
    found += [
        Discrepancy("rollup", _place(key), _pair(stated.get(key)), _pair(recomputed.get(key)))
        for key in sorted({*stated, *recomputed}, key=_place)
        if stated.get(key) != recomputed.get(key)
    ]
    return len(stated)


def _stated(aggregation: str | None, row: Any) -> Fraction | None:
    """What rollups say of a meter's day; None where a number should be and is not."""
    if aggregation == "COUNT":
        return Fraction(row.events)
    if aggregation in {"MIN", "MAX", "LATEST"}:
        return None if row.picked is None else Fraction(row.picked)
    return Fraction(row.total) / (row.events if aggregation == "AVG" else 1)


def _check_accruals(rows: Iterable[Any], proved: Iterable[ProvedAmount], found: list[Discrepancy]) -> int:
    stated = {(row.driver, row.provider, row.day): row for row in rows}
    recomputed = {(amount.driver, amount.provider, amount.day): amount for amount in proved}
    for key in sorted({*stated, *recomputed}):
        row, amount = stated.get(key), recomputed.get(key)
        place = ", ".join(map(str, key))
        if row is None or amount is None:
            found.append(Discrepancy("accrual", place, _row(row), _row(amount)))
            continue
        for bound in _BOUNDS:
            if getattr(row, bound) != getattr(amount, bound):
                shown = _shown(getattr(row, bound)), _shown(getattr(amount, bound))
                found.append(Discrepancy("accrual", f"{place}, {bound}", *shown))
        if row.expected is not None and (row.unit, row.counted) != (amount.unit, amount.counted):
            shown = f"{row.unit}, counted={row.counted}", f"{amount.unit}, counted={amount.counted}"
            found.append(Discrepancy("accrual", f"{place}, basis", *shown))
    return len(stated)


def _pair(value: tuple[int, Fraction | None] | None) -> str:
    return "none" if value is None else f"{'no number' if value[1] is None else value[1]} from {value[0]} events"


def _row(row: Any) -> str:
    return "none" if row is None else _shown(row.expected)


def _shown(value: Decimal | None) -> str:
    return "none" if value is None else format(value, "f")


async def verify_benchmarks(tx: Transaction) -> tuple[int, list[Discrepancy]]:
    """How many figures of cohorts, places in them, and days to value were checked over all accounts, and those that
    differ."""
    count, found = await check_benchmarks(tx)
    days, late = await check_ways(tx)
    told = [Discrepancy("benchmark", one.where, one.stated, one.recomputed) for one in found]
    told += [Discrepancy("time to value", one.where, one.stated, one.recomputed) for one in late]
    return count + days, told


_TALLY = text("""
    SELECT coalesce(sum(received), 0)::bigint AS received,
           coalesce(sum(stored + duplicates + conflicts + rejected), 0)::bigint AS accounted,
           coalesce(sum(stored), 0)::bigint AS stored
    FROM ingest_tally
""")
_KEYS = text("SELECT count(*) FROM event_key")
_UNKEYED = text("""
    SELECT e.source, e.id FROM event e
    LEFT JOIN event_key k ON k.event_key = e.event_key AND k.account_id = e.account_id
    WHERE k.event_key IS NULL LIMIT 20
""")


async def verify_intake(tx: Transaction) -> list[Discrepancy]:
    """Whether every received event is accounted for, once (ingest role, which alone sees the keys)."""
    found = []
    tally = await tx.row(_TALLY)
    keys = int(await tx.scalar(_KEYS) or 0)
    if tally is not None and tally.received != tally.accounted:
        found.append(Discrepancy("intake", "received", str(tally.received), str(tally.accounted)))
    if tally is not None and tally.stored != keys:
        found.append(Discrepancy("intake", "stored", str(tally.stored), f"{keys} keys"))
    found += [
        Discrepancy("intake", f"event {row.source} {row.id}", "stored", "no key") for row in await tx.rows(_UNKEYED)
    ]
    found += [Discrepancy("intake", *difference) for difference in await check_files(tx)]
    return found
