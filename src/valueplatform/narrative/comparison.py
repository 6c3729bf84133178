"""Where an account stands among others, as the newest run of `value.benchmark` has it: read in scope, for insights."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.periods import next_month
from valueplatform.narrative.facts import Place, PracticeGap
from valueplatform.value.benchmark import Per
from valueplatform.value.benchmark_read import unit_of
from valueplatform.value.benchmark_store import Own, Stored, newest_benchmarks, own_rows
from valueplatform.value.model import ValueModel

TOP_PERCENT: Final = 75
COMPARED: Final = ("benchmark-standing", "best-practice-gap")
"""Kinds of insight that rest on a run."""
# A run that is gone cannot bear anything out; `run` is among the terms of what rests on it.
_SUPERSEDED: Final = text("""
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT DISTINCT i.account_id, (CAST(:now AS timestamptz) AT TIME ZONE a.timezone)::date,
           (CAST(:now AS timestamptz) AT TIME ZONE a.timezone)::date, 'compared'
    FROM insight i JOIN account a USING (account_id)
    WHERE i.until IS NULL AND i.kind = ANY(CAST(:kinds AS text[]))
      AND CAST(i.body -> 'terms' ->> 'run' AS bigint) < (SELECT max(run) FROM benchmark_run WHERE document IS NOT NULL)
      AND NOT EXISTS (SELECT FROM changed_day c WHERE c.account_id = i.account_id AND c.cause = 'compared')
""")
_USED: Final = text("SELECT feature FROM benchmark_use WHERE account_id = :account AND run = :run AND is_used")


async def read_comparison(
    tx: Transaction, account: Account, model: ValueModel
) -> tuple[tuple[Place, ...], tuple[PracticeGap, ...]]:
    """The account's places, and the features that the top use and it does not, by driver in the model's order."""
    stored = await newest_benchmarks(tx)
    if stored is None or not stored.benchmarks.months:
        return (), ()
    own = {(row.driver, row.unit): row for row in await own_rows(tx, stored.run, account.account_id)}
    used = {row.feature for row in await tx.rows(_USED, {"account": account.account_id, "run": stored.run})}
    rows = [row for driver in model.drivers if (row := own.get((driver.slug, unit_of(driver, account)))) is not None]
    places = tuple(place for row in rows if (place := _place(stored, row)) is not None)
    gaps = tuple(gap for row in rows for gap in _gaps(stored, row, model, used))
    return places, gaps


async def mark_superseded(tx: Transaction, now: datetime) -> int:
    """Mark every account that is told of a run which is no longer the newest, so that it is told anew; how many."""
    return await tx.execute(_SUPERSEDED, {"now": now, "kinds": list(COMPARED)})


def _span(stored: Stored) -> tuple[date, date]:
    months = stored.benchmarks.months
    return min(months), next_month(max(months))


def _place(stored: Stored, own: Own) -> Place | None:
    """By unit of scale where that is told of a cohort, else by account."""
    for per in (Per.SCALE, Per.ACCOUNT):
        figure = stored.benchmarks.figure(own.segment, own.driver, own.unit, per)
        segment = figure.segment if figure is not None else None
        for standing in own.standings:
            if (standing.segment, standing.per) == (segment, per):
                return Place(
                    run=stored.run,
                    start=_span(stored)[0],
                    end=_span(stored)[1],
                    driver=own.driver,
                    unit=own.unit,
                    segment=standing.segment,
                    per=per.value,
                    accounts=standing.accounts,
                    percentile=standing.percentile,
                )
    return None


def _gaps(stored: Stored, own: Own, model: ValueModel, used: set[str]) -> list[PracticeGap]:
    """None where the account is of the top itself, or not of the cohort."""
    practice = stored.benchmarks.practice(own.segment, own.driver)
    if practice is None:
        return []
    places = [one for one in own.standings if (one.segment, one.per) == (practice.segment, practice.per)]
    if not places or places[0].percentile >= TOP_PERCENT:
        return []
    found = []
    for habit in practice.habits:
        feature = model.feature(habit.feature)
        if feature is None or feature.slug in used:
            continue
        if not feature.eligible_segments or own.segment in feature.eligible_segments:
            shares = (habit.top_using, habit.top, habit.rest_using, habit.rest)
            place = (own.driver, own.unit, practice.segment, practice.per.value)
            found.append(PracticeGap(stored.run, *_span(stored), *place, feature.slug, feature.label, *shares))
    return found
