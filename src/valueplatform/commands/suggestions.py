"""`valueplatform train` and `suggest`: the next-best-value model, and what it suggests to an account."""

import sys
from datetime import datetime
from decimal import Decimal

import msgspec
import rich_click as click
from babel import Locale
from rich.progress import track
from sqlalchemy import select

from valueplatform.accounts.accounts import account_by_key
from valueplatform.accounts.tables import account as account_table
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
from valueplatform.narrative.next_best_model import Fit, Verdict
from valueplatform.narrative.next_best_store import advice_of, refresh_suggestions, train
from valueplatform.narrative.next_best_view import AdviceView, SuggestionView, advice_view
from valueplatform.narrative.next_best_words import SuggestionWords
from valueplatform.narrative.wording.numbers import number_text

_ENGLISH = Locale.parse("en_US")


class Trained(msgspec.Struct, frozen=True):
    """What `train` did. `verdicts` says of each feature whether its value may be stated, and if not, why."""

    accounts_compared: int
    accounts_excluded: int
    first_month: str
    last_month: str
    verdicts: dict[str, str]
    suggestions: int
    accounts_with_suggestions: int


@click.command(name="train")
@data_dir_option
@json_option
@examples("valueplatform train", "valueplatform train --json")
@click.pass_context
@asynchronous
async def train_command(ctx: click.Context) -> None:
    """Fit the next-best-value model on all accounts, and renew every account's suggestions."""
    now = system_clock()
    async with opened(ctx) as databases:
        fitted = await train(databases.worker, operator_scope(), now)
        counts = await _refresh_all(databases, now)
    trained = Trained(
        accounts_compared=fitted.accounts,
        accounts_excluded=fitted.excluded,
        first_month=f"{fitted.first:%Y-%m}",
        last_month=f"{fitted.last:%Y-%m}",
        verdicts={found.feature: found.verdict.value for found in fitted.features},
        suggestions=sum(counts),
        accounts_with_suggestions=sum(count > 0 for count in counts),
    )
    say(ctx, trained, _trained_text(trained, fitted))


async def _refresh_all(databases: Databases, now: datetime) -> list[int]:
    async with databases.worker.transaction(operator_scope()) as tx:
        ids = account_table.c.account_id
        rows = await tx.rows(select(ids).where(ids > 0).order_by(ids))
    counts = []
    for row in track(rows, "Suggesting", console=stderr, disable=not sys.stderr.isatty(), transient=True):
        async with databases.worker.transaction(accounts_or_all([row.account_id])) as tx:
            counts.append(len(await refresh_suggestions(tx, row.account_id, now)))
    return counts


def _trained_text(trained: Trained, fitted: Fit) -> str:
    priced = [found.feature for found in fitted.features if found.verdict is Verdict.PRICED]
    lines = [
        f"Compared {trained.accounts_compared} accounts over {trained.first_month} to {trained.last_month}.",
        f"The value of {len(priced)} of {len(fitted.features)} features can be told from noise"
        + (f": {', '.join(priced)}." if priced else "."),
        f"{trained.suggestions} suggestions for {trained.accounts_with_suggestions} accounts.",
    ]
    if trained.accounts_excluded:
        lines.insert(1, f"{trained.accounts_excluded} have value in a currency that is not theirs; it is left out.")
    return "\n".join(lines)


@click.command()
@click.argument("account", metavar="ACCOUNT")
@data_dir_option
@json_option
@examples("valueplatform suggest harbor-logistics", "valueplatform suggest harbor-logistics --json")
@click.pass_context
@asynchronous
async def suggest(ctx: click.Context, account: str) -> None:
    """Show what is suggested to ACCOUNT, by the model as it was fitted last."""
    now = system_clock()
    async with opened(ctx) as databases:
        async with databases.worker.transaction(operator_scope()) as tx:
            found = await account_by_key(tx, account)
        async with databases.worker.transaction(accounts_or_all([found.account_id])) as tx:
            await refresh_suggestions(tx, found.account_id, now)
            advice = await advice_of(tx, found.account_id, now)
    view = advice_view(found.key, advice, SuggestionWords())
    say(ctx, view, _advice_text(view))


def _advice_text(view: AdviceView) -> str:
    parts = [_suggestion_text(suggestion) for suggestion in view.suggestions]
    return "\n\n".join([*parts, *([view.empty] if view.empty else [])])


def _suggestion_text(given: SuggestionView) -> str:
    head = f"{given.rank}. {given.what}" + ("" if given.state == "open" else f" [{given.state.value}]")
    return f"{head}\n   {_value_text(given)}\n   {given.reason}\n   {given.id}"


def _value_text(given: SuggestionView) -> str:
    if given.expected is None or given.interval is None:
        return "No value stated."
    low, high = (_money(bound, given.unit) for bound in (given.interval.low, given.interval.high))
    share = number_text(given.interval.coverage, "share", _ENGLISH)
    return f"{_money(given.expected, given.unit)} predicted for the next 12 months ({share} interval: {low} to {high})."


def _money(amount: Decimal, unit: str) -> str:
    return number_text(amount, unit, _ENGLISH)
