"""Reading what the engine needs of one account: the only SQL between the record and the insights."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl
from sqlalchemy import text

from valueplatform.accounts.accounts import Account, account_by_id
from valueplatform.accounts.contracts import contracts_of
from valueplatform.accounts.costs import known_effort
from valueplatform.accounts.holidays import country_of, days_at_rest
from valueplatform.accounts.milestones import milestones_of
from valueplatform.accounts.people import people_of
from valueplatform.accounts.providers import provider_names
from valueplatform.accounts.stewards import steward_of
from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period, local_day
from valueplatform.narrative import facts as f
from valueplatform.narrative.comparison import read_comparison
from valueplatform.narrative.daily import metered_days, shown_days
from valueplatform.narrative.following import read_followed
from valueplatform.narrative.input_history import expiries, input_changes
from valueplatform.telemetry.intake_sums import days_of
from valueplatform.telemetry.meters import ADDITIVE, Meter
from valueplatform.telemetry.quality import FRESHNESS
from valueplatform.telemetry.quality_looks import TOLD
from valueplatform.value.accruals import Record, basis_on
from valueplatform.value.assumptions import Entry, holding
from valueplatform.value.basis import Basis
from valueplatform.value.model import JOINT, Driver
from valueplatform.value.plans import targets_in_force
from valueplatform.value.postings import closed_months
from valueplatform.value.refreshing import read_record
from valueplatform.value.shown import ShownValue, adjustments
from valueplatform.value.split_record import cut_values, ever_split, read_splits

LOOKED_BACK: Final = timedelta(days=1100)
"""As far as any day is compared with another."""
_NAMES_IN = re.compile(r"[A-Za-z_]\w*")
_CLOSINGS = text("""
    SELECT driver, date_trunc('month', day)::date AS month, sum(expected) AS expected FROM posting
    WHERE account_id = :account AND kind = 'close' GROUP BY 1, 2 ORDER BY 2, 1
""")
_GAPS = text("""
    SELECT driver, day, reason FROM accrual WHERE account_id = :account AND expected IS NULL ORDER BY driver, day
""")


_DOUBTS = text("""
    SELECT what, source, since_day, through_day, types FROM quality_finding
    WHERE account_id = :account AND ended_at IS NULL AND severity = 'warning' AND source IS NOT NULL
      AND what = ANY(CAST(:told AS text[])) AND since_day IS NOT NULL AND through_day IS NOT NULL
    ORDER BY since_day, source
""")


async def gather(tx: Transaction, account_id: int, now: datetime) -> f.AccountFacts:
    """Everything that is to be known of the account at `now`, in its own days."""
    account = await account_by_id(tx, account_id)
    record, timezone = await read_record(tx, account_id)
    today = local_day(now, timezone)
    people = await people_of(tx, account_id)
    names = {person.email: person.name for person in people}
    steward = await steward_of(tx, account_id)
    places, practice_gaps = await read_comparison(tx, account, record.model)
    tomorrow = today + timedelta(days=1)
    return f.AccountFacts(
        key=account.key,
        name=account.name,
        currency=account.currency,
        timezone=timezone,
        supplier=record.model.supplier.name,
        now=now,
        today=today,
        daily=await _daily(tx, account_id, tomorrow),
        segment=account.segment,
        stage=account.stage,
        meters=await metered_days(tx, account_id, _adding(record), tomorrow),
        meter_titles={m.slug: m.title or m.slug.replace("_", " ") for m in record.model.meters},
        provider_names=await provider_names(tx),
        drivers=tuple(_driver(record, driver, today) for driver in record.model.drivers),
        inputs=_inputs(record, today, timezone, names),
        targets=await _targets(tx, account_id),
        contracts=await _contracts(tx, account_id),
        efforts=tuple(await known_effort(tx, account_id)),
        milestones=await _milestones(tx, account),
        adjustments=await _adjustments(tx, account_id),
        closings=await _closings(tx, account_id),
        closed=frozenset(await closed_months(tx, account_id)),
        gaps=await _gaps(tx, account_id),
        input_changes=input_changes(record, today),
        expiries=expiries(record),
        places=places,
        practice_gaps=practice_gaps,
        followed=await read_followed(tx, account, record.model, timezone),
        doubts=(doubted := await _doubts(tx, account_id, record)),
        sent=await _sent(tx, account_id, doubted, today),
        at_rest=days_at_rest(country_of(account.attributes, timezone), Period(today - LOOKED_BACK, tomorrow)),
        people=tuple(f.Person(person.name, person.role) for person in people),
        steward=steward.name if steward else None,
    )


def _adding(record: Record) -> list[Meter]:
    # Distinct members of days do not add up to those of a longer stretch, so such meters say nothing of volume.
    return [meter for meter in record.model.meters if meter.aggregation in ADDITIVE]


async def _daily(tx: Transaction, account_id: int, tomorrow: date) -> pl.DataFrame:
    """Value as it is shown; what joint drivers brought, as it was shared."""
    shown = await shown_days(tx, account_id, tomorrow)
    splits = await read_splits(tx, account_id)
    drivers = ever_split(splits)
    if not drivers:
        return shown
    cut = await cut_values(tx, account_id, Period(date.min, tomorrow), (), splits)
    is_cut = (pl.col("provider") == JOINT) & pl.col("driver").is_in(drivers)
    return pl.concat([shown.filter(~is_cut), _frame(cut.all)]).sort("day", "driver", "provider", maintain_order=True)


def _frame(values: Sequence[ShownValue]) -> pl.DataFrame:
    columns = {name: [getattr(value, name) for value in values] for name in f.DAILY_SCHEMA}
    for name in ("state", "evidence"):
        columns[name] = [str(value) for value in columns[name]]
    return pl.DataFrame(columns, schema=f.DAILY_SCHEMA)


def _driver(record: Record, driver: Driver, today: date) -> f.DriverFacts:
    basis = basis_on(record, driver, today)
    meters = {meter.slug for meter in record.model.meters if meter.aggregation in ADDITIVE}
    names = list(dict.fromkeys(_NAMES_IN.findall(driver.formula)))
    return f.DriverFacts(
        slug=driver.slug,
        title=driver.title or driver.slug.replace("_", " ").capitalize(),
        benefit_class=driver.benefit_class,
        unit=basis.unit if isinstance(basis, Basis) else driver.unit,
        evidence=basis.evidence if isinstance(basis, Basis) else driver.evidence,
        formula=driver.formula,
        version=driver.version,
        meters=tuple(name for name in names if name in meters),
        inputs=tuple(name for name in names if record.model.rate(name) is not None),
    )


def _inputs(record: Record, today: date, timezone: str, names: Mapping[str, str]) -> tuple[f.InputFacts, ...]:
    defaults = record.defaults()
    inputs = []
    for rate in (*record.model.baselines, *record.model.assumptions):
        held = holding(record.entries.get(rate.slug, ()), defaults.get(rate.slug), today)
        if held is None:
            continue
        settled, dispute = held.settled_by, held.disputed_by
        inputs.append(
            f.InputFacts(
                slug=rate.slug,
                title=rate.title or rate.slug.replace("_", " ").capitalize(),
                unit=held.unit,
                state=held.state,
                low=held.value.low,
                expected=held.value.expected,
                high=held.value.high,
                author=_name(held.entry, names),
                validated_by=_name(settled, names),
                validated_on=local_day(settled.known_at, timezone) if settled else None,
                disputed_by=_name(dispute, names),
                disputed_on=local_day(dispute.known_at, timezone) if dispute else None,
                proposals=tuple(_proposals(held.pending, timezone, names)),
            )
        )
    return tuple(inputs)


def _proposals(pending: Iterable[Entry], timezone: str, names: Mapping[str, str]) -> Iterable[f.Proposal]:
    for entry in pending:
        if entry.value is not None:
            yield f.Proposal(
                entry_id=entry.entry_id,
                author=_name(entry, names) or entry.author,
                side=entry.side,
                expected=entry.value.expected,
                effective_from=entry.effective_from,
                on=local_day(entry.known_at, timezone),
                reason=entry.reason,
            )


def _name(entry: Entry | None, names: Mapping[str, str]) -> str | None:
    return None if entry is None else names.get(entry.author, entry.author)


async def _targets(tx: Transaction, account_id: int) -> tuple[f.Target, ...]:
    return tuple(
        f.Target(t.objective, t.driver, t.month, t.low, t.expected, t.high)
        for t in await targets_in_force(tx, account_id)
    )


async def _contracts(tx: Transaction, account_id: int) -> tuple[f.Contract, ...]:
    return tuple(
        f.Contract(c.contract_id, c.start, c.end, c.amount, c.currency, c.period, c.kind, c.provider)
        for c in await contracts_of(tx, account_id)
    )


async def _milestones(tx: Transaction, account: Account) -> tuple[f.Milestone, ...]:
    return tuple(
        f.Milestone(m.milestone_id, m.kind, local_day(m.at, account.timezone), m.title)
        for m in await milestones_of(tx, account.account_id)
    )


async def _adjustments(tx: Transaction, account_id: int) -> tuple[f.Adjustment, ...]:
    return tuple(
        f.Adjustment(a.driver, a.month, a.shown_day, a.expected, a.cause) for a in await adjustments(tx, account_id)
    )


async def _closings(tx: Transaction, account_id: int) -> tuple[f.ClosedAmount, ...]:
    rows = await tx.rows(_CLOSINGS, {"account": account_id})
    return tuple(f.ClosedAmount(row.driver, row.month, row.expected) for row in rows)


async def _doubts(tx: Transaction, account_id: int, record: Record) -> tuple[f.Doubt, ...]:
    """Findings on sources, with the drivers that their events feed; those that feed none touch no figure."""
    found = []
    for row in await tx.rows(_DOUBTS, {"account": account_id, "told": list(TOLD)}):
        meters = {meter.slug for meter in record.model.meters if set(meter.event_types) & set(row.types)}
        fed = tuple(x.slug for x in record.model.drivers if meters & set(_NAMES_IN.findall(x.formula)))
        found.append(f.Doubt(row.source, row.what == FRESHNESS, row.since_day, row.through_day, fed))
    return tuple(doubt for doubt in found if doubt.drivers)


async def _sent(
    tx: Transaction, account_id: int, doubted: Sequence[f.Doubt], today: date
) -> dict[tuple[str, date], int]:
    if not doubted:
        return {}
    first = min(doubt.since - (doubt.through - doubt.since) for doubt in doubted) - timedelta(days=7)
    days = await days_of(tx, account_id, first)
    sources = {doubt.source for doubt in doubted}
    return {(source, day.day): day.happened for source in sources for day in days.get(source, ()) if day.day <= today}


async def _gaps(tx: Transaction, account_id: int) -> tuple[f.Gap, ...]:
    rows = await tx.rows(_GAPS, {"account": account_id})
    return tuple(f.Gap(row.driver, row.day, row.reason) for row in rows)
