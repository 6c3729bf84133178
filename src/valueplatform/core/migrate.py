"""Brings a database to the schema of this release: roles first, then the migrations."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from valueplatform.core.database import Database, Role
from valueplatform.core.errors import InstallationError

MIGRATION_LOCK = 0x7670_206D_6967_7261  # "vp migra"


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    current: str | None
    newest: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.newest


def migrations_folder() -> Path:
    """The migrations: inside the package when installed from a wheel, beside `src` in a checkout."""
    packaged = Path(str(files("valueplatform"))) / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "migrations"


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


async def upgrade(database: Database) -> SchemaStatus:
    """Create the roles and run what migrations are missing, all in one transaction.

    `database` connects as a role that may create roles (the embedded superuser, or the login of DATABASE_URL).
    Raises InstallationError where it may not.
    """
    async with database.engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        await connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        await connection.exec_driver_sql("SET LOCAL statement_timeout = '30min'")
        await _ensure_roles(connection)
        # Migrations that must see every tenant's rows run in the ingest role, which bypasses row security.
        await connection.exec_driver_sql(f"SET LOCAL ROLE {Role.OWNER}")
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))
        return await connection.run_sync(_status)


async def status(database: Database) -> SchemaStatus:
    async with database.engine.connect() as connection:
        return await connection.run_sync(_status)


def _status(connection: Connection) -> SchemaStatus:
    script = ScriptDirectory.from_config(_config(connection))
    newest = script.get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    return SchemaStatus(current=current, newest=str(newest))


async def _ensure_roles(connection: AsyncConnection) -> None:
    try:
        for role in Role:
            await _ensure_role(connection, role)
        await connection.exec_driver_sql(f"GRANT ALL ON SCHEMA public TO {Role.OWNER}")
        for role in (Role.INGEST, Role.WORKER, Role.WEB):
            await connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {role}")
    except DBAPIError as error:
        raise InstallationError(
            f"The login of DATABASE_URL may not create the roles that this product needs ({_reason(error)}). "
            "Let an administrator run `valueplatform db upgrade` once, or create them as `valueplatform doctor` shows."
        ) from error


async def _ensure_role(connection: AsyncConnection, role: Role) -> None:
    if not await _exists(connection, role):
        try:
            async with connection.begin_nested():
                await connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER")
        except DBAPIError:
            # Another database of the same server is being set up just now; its lock does not reach here.
            if not await _exists(connection, role):
                raise
    if role is Role.INGEST:
        may = await connection.scalar(
            text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        )
        bypasses = await connection.scalar(
            text("SELECT rolbypassrls FROM pg_roles WHERE rolname = :name"), {"name": role}
        )
        if may and not bypasses:
            await connection.exec_driver_sql(f"ALTER ROLE {role} BYPASSRLS")
    # Since PostgreSQL 16 whoever creates a role is a member of it that may not yet act in it.
    may_act = text("""
        SELECT pg_has_role(current_user, :name,
                           CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    """)
    if not await connection.scalar(may_act, {"name": role.value}):
        await connection.exec_driver_sql(f"GRANT {role} TO CURRENT_USER")


async def _exists(connection: AsyncConnection, role: Role) -> bool:
    query = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :name)")
    return bool(await connection.scalar(query, {"name": role.value}))


def _reason(error: DBAPIError) -> str:
    origin: Any = error.orig
    cause = getattr(origin, "__cause__", None)
    return str(cause if isinstance(cause, asyncpg.PostgresError) else origin)
