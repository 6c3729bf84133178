"""Papers of the sample's parties, put down by the platform's own rules."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_events, put_model
from valueplatform.accounts.accounts import account_by_id
from valueplatform.commands.seeding_papers import load_papers
from valueplatform.core.authorization import Side
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.scope import grant_accounts
from valueplatform.sample.papers import Foreseen, Signed
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.scenarios import Saved, scenarios_of
from valueplatform.value.statements import Statement, statements_of

SPONSOR, STEWARD = "sponsor@harbor.example", "maya@fieldnote.example"


async def put_harbor(databases: Databases, days: int) -> tuple[int, str]:
    await put_model(databases)
    account_id = await new_account(databases)
    start = datetime(2026, 4, 1, 15, tzinfo=UTC)
    await put_events(databases, account_id, [(start + timedelta(days=at), {"minutes": 5}) for at in range(days)])
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_value(tx, account_id, NOW)
        return account_id, (await account_by_id(tx, account_id)).key


def papers_of(key: str) -> tuple[Signed, Foreseen]:
    ahead = Foreseen(key, "A tenth more crews", date(2026, 7, 1), 12, Decimal("1.1"), SPONSOR)
    return Signed(key, date(2026, 4, 1), STEWARD, SPONSOR), ahead


async def read(databases: Databases, account_id: int) -> tuple[list[Statement], list[Saved]]:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        return list(await statements_of(tx, account_id)), await scenarios_of(tx, account_id, "somebody else")


async def test_both_sides_sign_the_month_and_everybody_sees_the_scenario_however_often_it_is_loaded(
    databases: Databases,
) -> None:
    account_id, key = await put_harbor(databases, 60)
    for _ in range(2):
        await load_papers(databases.worker, papers_of(key), NOW)
    (statement,), (scenario,) = await read(databases, account_id)
    assert (statement.statement_id, statement.title) == ("value-2026-04", "Value of April 2026")
    assert [(one.side, one.signer) for one in statement.signatures] == [
        (Side.SUPPLIER, STEWARD),
        (Side.CUSTOMER, SPONSOR),
    ]
    assert (scenario.draft.name, scenario.author, scenario.shared) == ("A tenth more crews", SPONSOR, True)


async def test_a_look_ahead_needs_usage_to_carry_on(databases: Databases) -> None:
    account_id, key = await put_harbor(databases, 0)
    _, ahead = papers_of(key)
    with pytest.raises(UnprocessableError, match="carries on from 14"):
        await load_papers(databases.worker, [ahead], NOW)
    assert await read(databases, account_id) == ([], [])
