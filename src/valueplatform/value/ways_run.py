"""Comparing how long accounts took, in the worker: every account's way is read in a short transaction of its own."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.database import Database
from valueplatform.core.scope import Scope
from valueplatform.value.models import stored_model
from valueplatform.value.time_to_value import read_ways
from valueplatform.value.ways import Days, Ways, days_of, figures_of
from valueplatform.value.ways_store import newest_ways, put_ways

OFTEN: Final = timedelta(hours=1)
"""Days change once a day, and their record now and then: a younger comparison stands."""
_ACCOUNTS: Final = text("SELECT account_id FROM account WHERE account_id > 0 ORDER BY account_id")


async def compare_ways(database: Database, scope: Scope, now: datetime) -> AsyncIterator[None]:
    """One run over the accounts in scope; every item is a step that is done. Nothing where the last run is young, or
    there is no model. Iterate it to the end; `database` is in the worker role."""
    async with database.transaction(scope) as tx:
        stored, model = await newest_ways(tx), await stored_model(tx)
        if model is None or (stored is not None and now - stored.as_of < OFTEN):
            return
        accounts = [row.account_id for row in await tx.rows(_ACCOUNTS)]
    found: list[Days] = []
    for account_id in accounts:
        async with database.transaction(scope) as tx:
            account = await account_by_id(tx, account_id)
            found += days_of(account_id, account.segment, await read_ways(tx, account, None, now))
        yield
    async with database.transaction(scope) as tx:
        await put_ways(tx, Ways(figures_of(found)), found, now)
    yield
