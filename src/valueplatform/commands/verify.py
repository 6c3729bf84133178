"""`valueplatform verify` and `close`: prove the record, and close a month of it."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
import rich_click as click
from click.exceptions import Exit
from rich.progress import track
from sqlalchemy import text

from valueplatform.accounts.accounts import account_by_id
from valueplatform.commands.context import (
    Databases,
    asynchronous,
    data_dir_option,
    examples,
    json_option,
    opened,
    say,
    stderr,
)
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import local_day, month_of
from valueplatform.narrative.grade_check import verify_grades
from valueplatform.narrative.verification import verify_insights
from valueplatform.stewardship.finance_opened import EVERYWHERE, verify_finance
from valueplatform.value.attainment import Asked, read_attainment
from valueplatform.value.attainment_check import check_attainment
from valueplatform.value.bridge_verify import verify_bridge
from valueplatform.value.feature_verify import verify_features
from valueplatform.value.models import stored_model
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.scenario_verify import verify_scenarios
from valueplatform.value.slice_verify import verify_slices
from valueplatform.value.statement_check import check_statements
from valueplatform.value.verify import Discrepancy, verify_account, verify_benchmarks, verify_intake

MOST_SHOWN = 50
FIRST_DAY = date(1, 1, 2)
LAST_DAY = date(9999, 12, 30)
_ACCOUNTS = text("""
    SELECT account_id, key, timezone FROM account
    WHERE account_id > 0 AND (CAST(:key AS text) IS NULL OR key = CAST(:key AS text)) ORDER BY key
""")


class Verdict(msgspec.Struct, frozen=True):
    """What `verify` checked, and every row that differs. `waiting` marks mean amounts that the worker has yet to do."""

    accounts: int
    events: int
    rollups: int
    accruals: int
    postings: int
    insight_numbers: int
    attainments: int
    finance_numbers: int
    bridge_parts: int
    cut_amounts: int
    scenario_amounts: int
    feature_numbers: int
    benchmarks: int
    statement_amounts: int
    grade_numbers: int
    waiting: int
    differences: list[dict[str, Any]]


@click.command()
@click.option("--account", help="Only this account, by its key.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only days from this one on.")
@data_dir_option
@json_option
@examples("valueplatform verify", "valueplatform verify --account harbor-logistics --since 2026-01-01")
@click.pass_context
@asynchronous
async def verify(ctx: click.Context, account: str | None, since: datetime | None) -> None:
    """Recompute rollups, accruals, postings, every insight's numbers, attainment, the parts of the last value bridge,
    value cut by dimensions, kept scenarios, what features are worth, signed statements, the figures of cohorts, grades
    of suggestions and the numbers of finance from raw events and records, by separate code.

    Exits 1 and lists what differs.
    """
    start = since.date() if since else FIRST_DAY
    async with opened(ctx) as databases:
        verdict = await verified(databases, account, start)
    lines = [f"{d['account']}: {d['what']} {d['where']}: stated {d['stated']}, recomputed {d['recomputed']}"
             for d in verdict.differences]  # fmt: skip
    summary = (
        f"{verdict.accounts} accounts, {verdict.events:,} events: {verdict.rollups:,} rollups, "
        f"{verdict.accruals:,} accruals, {verdict.postings:,} postings, {verdict.insight_numbers:,} numbers of "
        f"insights, {verdict.attainments:,} of attainment, {verdict.bridge_parts:,} parts of value bridges, "
        f"{verdict.cut_amounts:,} amounts by dimension, {verdict.scenario_amounts:,} of scenarios, "
        f"{verdict.feature_numbers:,} numbers of features, {verdict.statement_amounts:,} of statements, "
        f"{verdict.benchmarks:,} figures of cohorts, {verdict.grade_numbers:,} of grades and "
        f"{verdict.finance_numbers:,} numbers of finance recomputed; {len(lines):,} differ."
    )
    shown = [*lines[:MOST_SHOWN], *([f"… and {len(lines) - MOST_SHOWN:,} more"] if len(lines) > MOST_SHOWN else [])]
    if verdict.waiting:
        shown.append(f"{verdict.waiting:,} changes wait for the worker: run `valueplatform worker`.")
    say(ctx, verdict, "\n".join([*shown, summary]))
    if verdict.differences:
        raise Exit(1)


async def verified(databases: Databases, account: str | None, start: date) -> Verdict:
    differences: list[dict[str, Any]] = []
    now = system_clock()
    rows = await _accounts(databases, account)
    counts: Counter[str] = Counter(accounts=len(rows))
    for row in track(rows, "Verifying", console=stderr, disable=not sys.stderr.isatty(), transient=True):
        async with databases.worker.transaction(accounts_or_all([row.account_id]), steady=True) as tx:
            differences += _named(row.key, await _of_account(tx, row, now, start, counts))
    if account is None:
        differences += _named(EVERYWHERE, await _everywhere(databases, now, start, counts))
    names = [name for name in Verdict.__struct_fields__ if name != "differences"]
    return Verdict(differences=differences, **{name: counts[name] for name in names})


async def _of_account(tx: Transaction, row: Any, now: datetime, start: date, counts: Counter[str]) -> list[Discrepancy]:
    """What differs in one account; how much was checked goes into `counts`."""
    source = await read_source(tx, row.account_id)
    if source is None:
        return []
    checked = await verify_account(tx, source, start, LAST_DAY)
    for name in ("events", "rollups", "accruals", "postings", "waiting"):
        counts[name] += getattr(checked, name)
    standing = await account_by_id(tx, row.account_id)
    stated = await read_attainment(tx, standing, Asked(), now)
    parts = {
        "insight_numbers": await verify_insights(tx, source),
        "bridge_parts": await verify_bridge(tx, source, standing, now, start),
        "cut_amounts": await verify_slices(tx, source, standing, now, start),
        "scenario_amounts": await verify_scenarios(tx, source, standing, now),
        "attainments": await check_attainment(tx, source, standing.currency, stated),
        "statement_amounts": await check_statements(tx, row.account_id, row.timezone),
        "grade_numbers": await verify_grades(tx, row.account_id),
    }
    return [*checked.discrepancies, *_counted(parts, counts)]


async def _everywhere(databases: Databases, now: datetime, start: date, counts: Counter[str]) -> list[Discrepancy]:
    """What differs over all accounts together."""
    async with databases.ingest.transaction(operator_scope(), steady=True) as tx:
        found = await verify_intake(tx)
    async with databases.worker.transaction(operator_scope(), steady=True) as tx:
        parts = {"benchmarks": await verify_benchmarks(tx)}
        model = await stored_model(tx)
        if counts["accounts"] and model is not None:
            parts["finance_numbers"] = await verify_finance(tx, now)
            parts["feature_numbers"] = await verify_features(tx, local_day(now, model.supplier.timezone), start)
    return [*found, *_counted(parts, counts)]


def _counted(parts: Mapping[str, tuple[int, list[Discrepancy]]], counts: Counter[str]) -> list[Discrepancy]:
    for name, (count, _) in parts.items():
        counts[name] += count
    return [one for _, found in parts.values() for one in found]


def _named(account: str, found: Iterable[Discrepancy]) -> list[dict[str, Any]]:
    return [{"account": account, **msgspec.structs.asdict(one)} for one in found]


async def _accounts(databases: Databases, key: str | None) -> list[Any]:
    async with databases.worker.transaction(operator_scope()) as tx:
        rows = list(await tx.rows(_ACCOUNTS, {"key": key}))
    if key is not None and not rows:
        raise InvalidInputError(f"There is no account {key!r}.")
    return rows


@click.command()
@click.argument("month")
@click.option("--account", help="Only this account, by its key.")
@data_dir_option
@json_option
@examples("valueplatform close 2026-05", "valueplatform close 2026-05 --account harbor-logistics --json")
@click.pass_context
@asynchronous
async def close(ctx: click.Context, month: str, account: str | None) -> None:
    """Post MONTH (as 2026-05) of every account, or of one; what is closed already stays as it is."""
    try:
        period = month_of(date.fromisoformat(f"{month}-01"))
    except ValueError as error:
        raise InvalidInputError(f"MONTH is {month!r}; write it as 2026-05.") from error
    closed = {}
    async with opened(ctx) as databases:
        async for row, postings in _close_each(databases, account, period):
            closed[row.key] = postings
    new = {key: count for key, count in closed.items() if count is not None}
    text_ = (
        f"{period.start:%B %Y} closed for {len(new)} accounts with {sum(new.values()):,} postings; "
        f"{len(closed) - len(new)} had it closed before."
    )
    say(ctx, closed, text_)


async def _close_each(databases: Databases, account: str | None, month: Any) -> AsyncIterator[tuple[Any, int | None]]:
    now = system_clock()
    for row in await _accounts(databases, account):
        async with databases.worker.transaction(accounts_or_all([row.account_id])) as tx:
            await refresh_value(tx, row.account_id, now)
            yield row, await close_month(tx, row.account_id, row.timezone, month, now)
