"""Transactions in a role and a scope."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select, text

from tests.conftest import FAST, Databases
from tests.core.factories import account
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.database import (
    Database,
    Role,
    asyncpg_url,
    lock_account,
    lock_model_exclusive,
    lock_model_shared,
)
from valueplatform.core.embedded import running
from valueplatform.core.errors import UnavailableError
from valueplatform.core.scope import no_accounts
from valueplatform.core.tables import model_revision


async def test_each_database_runs_in_its_role_and_resetting_comes_back_to_it(databases: Databases) -> None:
    for database in (databases.ingest, databases.worker, databases.web):
        async with database.transaction(no_accounts()) as tx:
            assert await tx.scalar(text("SELECT current_user")) == database.role
            await tx.execute(text("RESET ROLE"))
            assert await tx.scalar(text("SELECT current_user")) == database.role


async def test_an_error_takes_back_everything(databases: Databases) -> None:
    async def insert_and_fail() -> None:
        async with databases.worker.transaction(no_accounts()) as tx:
            await tx.execute(text("INSERT INTO provider VALUES ('p', 'P')"))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await insert_and_fail()
    async with databases.worker.transaction(no_accounts()) as tx:
        assert await tx.rows(text("SELECT * FROM provider")) == []


async def test_a_copy_through_the_driver_belongs_to_the_transaction(databases: Databases) -> None:
    account_id = await account(databases, "acme")
    row = (account_id, "m", "supplier", [None], 1, 1, 0)
    columns = ["account_id", "meter", "provider", "dimensions", "events", "total", "unmetered", "day"]
    day = await _today(databases)

    async def copy_and_fail() -> None:
        async with databases.ingest.transaction(no_accounts()) as tx:
            driver = await tx.driver()
            await driver.copy_records_to_table("rollup", records=[(*row, day)], columns=columns)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await copy_and_fail()
    async with databases.worker.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM rollup")) == 0


async def _today(databases: Databases) -> object:
    async with databases.worker.transaction(no_accounts()) as tx:
        return await tx.scalar(text("SELECT current_date"))


async def test_the_scope_ends_with_the_transaction(databases: Databases) -> None:
    async with databases.web.transaction(accounts_or_all([1, 2])) as tx:
        assert tx.scope.covers(2)
        assert await tx.scalar(text("SELECT current_setting('valueplatform.scope')")) == "1,2"
    async with databases.web.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT current_setting('valueplatform.scope')")) == ""


@pytest.mark.parametrize(("steady", "seen"), [(True, (1, 1)), (False, (1, 2))])
async def test_what_a_steady_transaction_reads_is_of_one_moment(
    databases: Databases, *, steady: bool, seen: tuple[int, int]
) -> None:
    one = await account(databases, "one")
    count = text("SELECT count(*) FROM account WHERE account_id > 0")
    async with databases.worker.transaction(accounts_or_all([one]), steady=steady) as tx:
        before = await tx.scalar(count)
        await account(databases, "two")
        assert (before, await tx.scalar(count)) == seen


async def test_applying_a_model_waits_for_running_ingest(databases: Databases) -> None:
    order: list[str] = []
    locked = asyncio.Event()

    async def ingest() -> None:
        async with databases.ingest.transaction(no_accounts()) as tx:
            await lock_model_shared(tx)
            locked.set()
            await _somebody_waits_for_a_lock(databases)
            order.append("ingest")

    async def apply() -> None:
        await locked.wait()
        async with databases.worker.transaction(no_accounts()) as tx:
            await lock_model_exclusive(tx)
            order.append("apply")

    await asyncio.gather(ingest(), apply())
    assert order == ["ingest", "apply"]


async def _somebody_waits_for_a_lock(databases: Databases) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE NOT l.granted AND d.datname = current_database()"
    )
    async with databases.admin.engine.connect() as connection:
        while not await connection.scalar(waiting):
            pass


async def test_two_ingest_transactions_hold_the_model_at_once(databases: Databases) -> None:
    async with databases.ingest.transaction(no_accounts()) as one, databases.ingest.transaction(no_accounts()) as two:
        await lock_model_shared(one)
        await lock_model_shared(two)
        assert await two.rows(select(model_revision)) == []


async def test_different_accounts_can_be_locked_at_once(databases: Databases) -> None:
    async with databases.worker.transaction(no_accounts()) as one, databases.worker.transaction(no_accounts()) as two:
        await lock_account(one, 1)
        await lock_account(two, 2)


async def test_a_database_that_is_gone_is_unavailable_with_a_time_to_retry(tmp_path: Path) -> None:
    with running(tmp_path, settings=FAST) as server:
        database = Database(server.url, None)
        async with database.transaction(no_accounts()) as tx:
            await tx.scalar(text("SELECT 1"))
    # The pooled connection is dead now, and a new one cannot be made.
    for _ in range(2):
        with pytest.raises(UnavailableError) as error:
            async with database.transaction(no_accounts()) as tx:
                await tx.scalar(text("SELECT 1"))
        assert error.value.retry_after > 0
    await database.dispose()


async def test_a_database_without_its_roles_is_unavailable_rather_than_blaming_who_asks(databases: Databases) -> None:
    missing = cast("Role", SimpleNamespace(value="valueplatform_missing", short="missing"))
    database = Database(databases.url, missing)
    with pytest.raises(UnavailableError):
        async with database.transaction(no_accounts()):
            pass
    await database.dispose()


async def test_a_connection_that_is_cut_in_a_transaction_is_unavailable(databases: Databases) -> None:
    async def cut_oneself_off() -> None:
        async with databases.worker.transaction(no_accounts()) as tx:
            pid = await tx.scalar(text("SELECT pg_backend_pid()"))
            async with databases.admin.engine.connect() as connection:
                await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            await tx.scalar(text("SELECT 1"))

    with pytest.raises(UnavailableError):
        await cut_oneself_off()
    async with databases.worker.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_any_way_to_write_the_address_will_do(scheme: str) -> None:
    url = asyncpg_url(f"{scheme}://anna:p%40ss@db.example:5433/value?ssl=require")
    assert url == "postgresql+asyncpg://anna:p%40ss@db.example:5433/value?ssl=require"


def test_roles_have_short_names() -> None:
    assert [role.short for role in Role] == ["owner", "ingest", "worker", "web"]


@pytest.mark.parametrize("state", ["57P03", "57P01", "53100", "53300", "08006"])
async def test_a_database_that_starts_ends_or_is_full_is_unavailable_too(databases: Databases, state: str) -> None:
    raised = text(f"DO $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '{state}'; END $$")
    with pytest.raises(UnavailableError):
        async with databases.worker.transaction(no_accounts()) as tx:
            await tx.execute(raised)
