"""Loading what customers of the sample decided about suggestions: what the platform suggested at that moment, from what
it knew then, and a decision by the rules that hold for everybody. What was not suggested is not decided about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from valueplatform.accounts.accounts import accounts_by_keys
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.database import Database, Transaction
from valueplatform.narrative.next_best_store import Decision, decide, refresh_suggestions, suggestions_of, train
from valueplatform.sample.decisions import Decided
from valueplatform.value.refreshing import refresh_value

_FITTED: Final = text("SELECT EXISTS (SELECT FROM next_best_fit WHERE fitted_at >= :now)")
_ACCOUNTS: Final = text("SELECT account_id FROM account WHERE account_id > 0 ORDER BY account_id")


async def load_decisions(worker: Database, decisions: Sequence[Decided], now: datetime) -> int:
    """Suggest as of `now`, when every event until then has been taken in and none since, and decide; how many decisions
    stand. Of a load that was broken off it goes on where it was."""
    if not decisions:
        return 0
    await _fit_once(worker, now)
    async with worker.transaction(operator_scope()) as tx:
        accounts = await accounts_by_keys(tx, [one.account for one in decisions])
    taken = 0
    for key, account in accounts.items():
        async with worker.transaction(accounts_or_all([account.account_id])) as tx:
            await refresh_suggestions(tx, account.account_id, now)
            taken += await _decide(tx, account.account_id, [one for one in decisions if one.account == key])
    return taken


async def _fit_once(worker: Database, now: datetime) -> None:
    async with worker.transaction(operator_scope()) as tx:
        if await tx.scalar(_FITTED, {"now": now}):
            return
        ids = [row.account_id for row in await tx.rows(_ACCOUNTS)]
    for account_id in ids:
        async with worker.transaction(accounts_or_all([account_id])) as tx:
            await refresh_value(tx, account_id, now)
    await train(worker, operator_scope(), now)


async def _decide(tx: Transaction, account_id: int, decisions: Sequence[Decided]) -> int:
    offered = {one.suggestion.feature: one.suggestion.id for one in await suggestions_of(tx, account_id)}
    known = [one for one in decisions if one.feature in offered]
    for one in known:
        decision = Decision(one.decision)
        await decide(tx, account_id, offered[one.feature], decision, by=one.author_email, now=one.at)
    return len(known)
