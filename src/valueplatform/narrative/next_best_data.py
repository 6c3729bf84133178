"""Who used which feature when, and what they realized, read from the record by SQL that aggregates per account."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from json import loads
from typing import Any, Final, NamedTuple

import polars as pl
from sqlalchemy import Row, TextClause, text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import ONE_DAY, month_start, next_month
from valueplatform.narrative.next_best import IN_USE_DAYS, Situation
from valueplatform.narrative.next_best_panel import (
    ACCOUNT_SCHEMA,
    ADOPTION_MONTHS,
    HISTORY,
    USAGE_SCHEMA,
    VALUE_SCHEMA,
    Panel,
)
from valueplatform.narrative.offers import features_in, offers_of
from valueplatform.telemetry.archive_format import cell_value, column_of
from valueplatform.telemetry.archive_reads import Wanted, archived_parts, hold_archive
from valueplatform.telemetry.filters import compile_filter, filter_paths
from valueplatform.telemetry.local_days import offsets_of
from valueplatform.value.basis import is_currency
from valueplatform.value.benchmark_store import newest_benchmarks
from valueplatform.value.model import Feature, OfferKind, ValueModel
from valueplatform.value.practice import Habit

_LOOKED_AT: Final = timedelta(days=31 * (HISTORY + ADOPTION_MONTHS + 1))

_ACCOUNTS = text("""
    SELECT a.account_id, a.key, a.segment, a.stage, (CAST(:now AS timestamptz) AT TIME ZONE a.timezone)::date AS today,
           (SELECT c.currency FROM account_currency c
            WHERE c.account_id = a.account_id
              AND c.effective_from <= (CAST(:now AS timestamptz) AT TIME ZONE a.timezone)::date
            ORDER BY c.effective_from DESC LIMIT 1) AS currency
    FROM account a
    WHERE a.account_id > 0 AND (CAST(:account AS bigint) IS NULL OR a.account_id = :account)
    ORDER BY a.account_id
""")
# Strategic value never enters a sum of money (value rule 4).
_VALUES = text("""
    SELECT v.account_id, date_trunc('month', v.day)::date AS month, b.unit, sum(v.expected) AS value
    FROM accrual v JOIN basis b ON b.account_id = v.account_id AND b.basis_id = v.basis_id
    WHERE v.expected IS NOT NULL AND b.benefit_class <> 'strategic' AND v.day >= :since
      AND (CAST(:account AS bigint) IS NULL OR v.account_id = :account)
    GROUP BY v.account_id, date_trunc('month', v.day)::date, b.unit
""")
_USAGE = """
    SELECT account_id, type, date_trunc('{stretch}', day)::date AS month, count(*) AS events,
           max(day) AS last_day{columns}
    FROM (
        SELECT e.account_id, e.type, e.data, (e.time AT TIME ZONE 'UTC' + ahead)::date AS day
        FROM event e JOIN account USING (account_id)
        JOIN unnest(CAST(:zones AS text[]), CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[]),
                    CAST(:aheads AS interval[])) AS setting (timezone, since, until, ahead)
            ON setting.timezone = account.timezone AND e.time >= setting.since AND e.time < setting.until
        WHERE e.type = ANY(:types) AND e.utc_day >= CAST(:since AS date) - 1
          AND (CAST(:account AS bigint) IS NULL OR e.account_id = :account)
    ) AS sent
    WHERE day >= :since
    GROUP BY account_id, type, date_trunc('{stretch}', day)::date{columns}
"""
_ZONES = text("""
    SELECT DISTINCT timezone FROM account WHERE CAST(:account AS bigint) IS NULL OR account_id = :account
""")
_CONTRACTS = text("""
    SELECT count(*) AS all, count(*) FILTER (WHERE kind <> 'churn' AND (end_day IS NULL OR end_day > :today)) AS running
    FROM contract WHERE account_id = :account
""")
_WITHHELD = text("""
    SELECT feature FROM suggestion
    WHERE account_id = :account
      AND (state IN ('accepted', 'done') OR (state = 'dismissed' AND decided_at > :dismissed_since))
""")


class _Usage(NamedTuple):
    """How often an account's event type came in a month (its first day), and when last."""

    account_id: int
    type: str
    month: date
    events: int
    last_day: date


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is read: everything (`account` None) or one account, since a day, as of a moment, by month or by day."""

    account: int | None
    since: date
    now: datetime
    by_day: bool = False


async def read_panel(tx: Transaction, features: Sequence[Feature], now: datetime) -> Panel:
    """All accounts in the scope of the transaction; `features` as `offers_of` has them."""
    return (await _read(tx, features, _Asked(None, _since(now), now)))[0]


async def read_situation(tx: Transaction, account_id: int, model: ValueModel, now: datetime) -> Situation:
    """One account. Raises NotFoundError."""
    panel, accounts = await _read(tx, offers_of(model), _Asked(account_id, _since(now), now))
    if not accounts:
        raise NotFoundError(f"There is no account {account_id}.")
    account = accounts[0]
    contracts = await tx.row(_CONTRACTS, {"account": account_id, "today": account.today})
    cutoff = now - timedelta(days=IN_USE_DAYS)
    withheld = await tx.rows(_WITHHELD, {"account": account_id, "dismissed_since": cutoff})
    return Situation(
        account_key=account.key,
        account_id=account_id,
        segment=account.segment,
        stage=account.stage,
        habits=await _habits(tx, model, account.segment),
        currency=account.currency or model.supplier.currency,
        today=account.today,
        values=panel.values,
        usage=panel.usage,
        withheld=frozenset(row.feature for row in withheld),
        may_buy=contracts is None or not contracts.all or contracts.running > 0,
    )


async def read_first_use(
    tx: Transaction, account_id: int, features: Sequence[Feature], since: date, now: datetime
) -> date | None:
    """The first local day from `since` on with an event of any of the features; None where there is none yet."""
    usage = await _read_usage(tx, features, _Asked(account_id, since, now, by_day=True))
    first = usage["month"].min()
    return first if isinstance(first, date) else None


async def _habits(tx: Transaction, model: ValueModel, segment: str | None) -> dict[str, tuple[str, Habit]]:
    """By feature: the driver of which the top uses it most beyond the rest, as accounts were compared last."""
    stored = await newest_benchmarks(tx)
    found: dict[str, tuple[str, Habit]] = {}
    for driver in model.drivers if stored else ():
        practice = stored.benchmarks.practice(segment, driver.slug) if stored else None
        for habit in practice.habits if practice else ():
            known = found.get(habit.feature)
            if known is None or known[1].difference < habit.difference:
                found[habit.feature] = (driver.label, habit)
    return found


def _since(now: datetime) -> date:
    return (now - _LOOKED_AT).date()


async def _read(tx: Transaction, features: Sequence[Feature], asked: _Asked) -> tuple[Panel, Sequence[Row[Any]]]:
    accounts = await tx.rows(_ACCOUNTS, {"account": asked.account, "now": asked.now})
    currencies = {row.account_id: row.currency for row in accounts}
    values = await tx.rows(_VALUES, {"account": asked.account, "since": asked.since})
    own = [(row.account_id, row.month, row.value) for row in values if row.unit == currencies[row.account_id]]
    foreign = {r.account_id for r in values if r.unit != currencies[r.account_id] and is_currency(r.unit)}
    frame = [(row.account_id, row.segment, row.today) for row in accounts]
    panel = Panel(
        accounts=pl.DataFrame(frame, schema=ACCOUNT_SCHEMA, orient="row"),
        values=pl.DataFrame(own, schema=VALUE_SCHEMA, orient="row"),
        usage=await _read_usage(tx, features, asked),
        excluded=len(foreign),
    )
    return panel, accounts


async def _read_usage(tx: Transaction, features: Sequence[Feature], asked: _Asked) -> pl.DataFrame:
    """One query for all features without a filter, and one for each filter; a product is used with its features."""
    await hold_archive(tx)
    offsets = await _offsets(tx, asked)
    by_filter: dict[str | None, list[Feature]] = {}
    shown = [feature for feature in features if feature.offer is not OfferKind.PRODUCT]
    for feature in shown:
        by_filter.setdefault(feature.filter, []).append(feature)
    found: list[tuple[int, str, date, int, date]] = []
    for expression, filtered in by_filter.items():
        features_of: dict[str, list[str]] = {}
        for feature in filtered:
            for kind in feature.event_types:
                features_of.setdefault(kind, []).append(feature.slug)
        rows: list[_Usage] = [*await _usage_rows(tx, expression, list(features_of), asked, offsets)]
        rows += await _archived_usage(tx, expression, list(features_of), asked)
        found += [(r.account_id, slug, r.month, r.events, r.last_day) for r in rows for slug in features_of[r.type]]
    products = {one.slug: {part.slug for part in features_in(one, shown)} for one in features if one not in shown}
    found += [(one[0], slug, *one[2:]) for slug, parts in products.items() for one in found if one[1] in parts]
    frame = pl.DataFrame(found, schema=USAGE_SCHEMA, orient="row")
    keys = ["account_id", "feature", "month"]
    return frame.group_by(keys).agg(pl.col("events").sum(), pl.col("last_day").max()).sort(keys)


async def _offsets(tx: Transaction, asked: _Asked) -> Mapping[str, object]:
    """How far the accounts' zones are ahead of UTC, by which the days of events are told; by whole months, so that what
    is asked for again is remembered."""
    zones = {row.timezone for row in await tx.rows(_ZONES, {"account": asked.account})}
    begin, end = (datetime.combine(day, time(), UTC) for day in (month_start(asked.since - ONE_DAY), _reach(asked.now)))
    found = offsets_of(zones, begin, end)
    return {"zones": found.zones, "begins": found.since, "ends": found.until, "aheads": found.ahead}


def _reach(now: datetime) -> date:
    """No event is of a month that is wholly after the next day."""
    return next_month(next_month(now.date()))


async def _usage_rows(
    tx: Transaction, expression: str | None, types: list[str], asked: _Asked, offsets: Mapping[str, object]
) -> Iterable[_Usage]:
    """Counts of the events that the filter admits.

    Events are grouped by what the filter looks at, and the filter decides on each group: the same code decides here
    and at ingest, and no event leaves the database one by one.
    """
    given: dict[str, object] = {"types": types, "account": asked.account, "since": asked.since, **offsets}
    if expression is None:
        return map(_Usage._make, await tx.rows(_usage_query({}, by_day=asked.by_day), given))
    paths = filter_paths(expression)
    admits = compile_filter(expression)
    columns = {f"path_{number}": path for number, path in enumerate(paths)}
    keys = {f"{name}_{at}": part for name, path in columns.items() for at, part in enumerate([path, *path.split(".")])}
    rows = await tx.rows(_usage_query(columns, by_day=asked.by_day), given | keys)
    return [_Usage._make(row[: len(_Usage._fields)]) for row in rows if admits(_data_of(row, columns))]


async def _archived_usage(tx: Transaction, expression: str | None, types: list[str], asked: _Asked) -> Sequence[_Usage]:
    """The same counts of events that are archived already."""
    paths = () if expression is None else filter_paths(expression)
    admits = compile_filter(expression)
    wanted = Wanted(None if asked.account is None else [asked.account], types, first=asked.since)
    found = []
    for part in await archived_parts(tx, wanted):
        frame = await asyncio.to_thread(part.read, ("account_id", "type"), paths)
        stretch = pl.col("day") if asked.by_day else pl.col("day").dt.month_start()
        keys = ["account_id", "type", stretch.alias("month"), *map(column_of, paths)]
        counts = frame.group_by(keys).agg(pl.len(), pl.col("day").max().alias("last_day"))
        for account, kind, month, *cells, events, last_day in counts.iter_rows():
            if admits({path: cell_value(cell) for path, cell in zip(paths, cells, strict=True)}):
                found.append(_Usage(account, kind, month, events, last_day))
    return found


def _usage_query(columns: Mapping[str, str], *, by_day: bool) -> TextClause:
    """`columns` are named here and hold nothing but our own names; the paths travel as parameters.

    As in filters, a path names the key as written, else the nested value under its dotted parts.
    """
    found = []
    for name, path in columns.items():
        nested = "".join(f" -> CAST(:{name}_{at} AS text)" for at in range(1, len(path.split(".")) + 1))
        key = f"CAST(:{name}_0 AS text)"
        value = f"CASE WHEN jsonb_exists(data, {key}) THEN data -> {key} ELSE data{nested} END"
        found.append((name, f"({value})::text"))
    selected = "".join(f", {value} AS {name}" for name, value in found)
    grouped = "".join(f", {name}" for name, _ in found)
    stretched = _USAGE.replace("{stretch}", "day" if by_day else "month")
    query = stretched.replace("{columns}", selected, 1).replace("{columns}", grouped, 1)
    return text(query)


def _data_of(row: Row[Any], columns: Mapping[str, str]) -> dict[str, object]:
    """The part of the event's data that a filter looks at, under the paths as written, numbers exact."""
    found = {path: getattr(row, name) for name, path in columns.items()}
    return {path: None if value is None else _exact(value) for path, value in found.items()}


def _exact(value: str) -> object:
    decoded: object = loads(value, parse_float=Decimal, parse_int=Decimal)
    return decoded
