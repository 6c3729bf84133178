"""From an empty PostgreSQL to the schema of this release."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from tests.conftest import FAST, Databases
from tests.core.schema_of_all_rooms import ROOMS, metadata
from valueplatform.core import migrate
from valueplatform.core.database import Database, Role
from valueplatform.core.embedded import running
from valueplatform.core.errors import InstallationError


@asynccontextmanager
async def fresh_databases(folder: Path, *names: str) -> AsyncIterator[list[Database]]:
    """Empty databases on a server of their own, which has no roles of ours yet."""
    with running(folder, settings=FAST) as server:
        admin = Database(server.url, None)
        async with admin.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for name in names:
                await connection.execute(text(f"CREATE DATABASE {name}"))
        opened = [Database(_named(server.url, name), None) for name in names]
        try:
            yield opened
        finally:
            for database in (admin, *opened):
                await database.dispose()


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_the_tables_in_the_code_are_those_of_the_migrated_database(databases: Databases) -> None:
    assert {"core", "accounts", "telemetry", "value", "narrative", "stewardship"} <= set(ROOMS)
    async with databases.admin.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_table_that_the_code_does_not_know_would_be_noticed(databases: Databases) -> None:
    async with databases.admin.engine.connect() as connection:
        await connection.exec_driver_sql("ALTER TABLE milestone ADD COLUMN forgotten text")
        assert len(await connection.run_sync(_differences)) == 1
        await connection.rollback()


async def test_a_migrated_database_is_up_to_date_and_migrating_it_again_changes_nothing(databases: Databases) -> None:
    before = await migrate.status(databases.admin)
    assert before.up_to_date
    assert await migrate.upgrade(databases.admin) == before


async def test_every_table_belongs_to_the_owner_role(databases: Databases) -> None:
    query = text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    async with databases.admin.engine.connect() as connection:
        assert (await connection.scalars(query)).all() == [Role.OWNER]


async def test_processes_that_start_on_an_empty_server_at_once_all_end_with_the_schema(tmp_path: Path) -> None:
    async with fresh_databases(tmp_path, "one", "two") as (one, two):
        assert not (await migrate.status(one)).up_to_date
        codes = await asyncio.gather(*(_upgraded_by_a_process(database.url) for database in (one, two, one, two)))
        assert codes == [0, 0, 0, 0]
        assert (await migrate.status(one)).up_to_date
        assert (await migrate.status(two)).up_to_date


async def _upgraded_by_a_process(url: str) -> int:
    program = """
import asyncio, sys
from valueplatform.core import migrate
from valueplatform.core.database import Database
assert asyncio.run(migrate.upgrade(Database(sys.argv[1], None))).up_to_date
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, url, env=env)
    return await process.wait()


async def test_a_login_that_may_not_create_roles_is_told_so_and_nothing_is_half_done(tmp_path: Path) -> None:
    async with fresh_databases(tmp_path, "one") as (one,):
        async with one.engine.begin() as connection:
            await connection.exec_driver_sql("CREATE ROLE guest LOGIN")
        guest = Database(make_url(one.url).set(username="guest").render_as_string(hide_password=False), None)
        with pytest.raises(InstallationError, match=r"may not create the roles.*permission denied"):
            await migrate.upgrade(guest)
        assert (await migrate.status(guest)).current is None
        await guest.dispose()


async def test_a_login_that_may_create_roles_but_not_bypass_can_migrate(tmp_path: Path) -> None:
    async with fresh_databases(tmp_path, "one") as (one,):
        async with one.engine.begin() as connection:
            await connection.exec_driver_sql("CREATE ROLE landlord LOGIN CREATEROLE")
            await connection.exec_driver_sql("ALTER DATABASE one OWNER TO landlord")
        landlord = Database(make_url(one.url).set(username="landlord").render_as_string(hide_password=False), None)
        assert (await migrate.upgrade(landlord)).up_to_date
        for role in (Role.INGEST, Role.WORKER, Role.WEB):
            database = Database(landlord.url, role)
            async with database.engine.connect() as connection:
                assert await connection.scalar(text("SELECT count(*) FROM account")) == 0
            await database.dispose()
        await landlord.dispose()
