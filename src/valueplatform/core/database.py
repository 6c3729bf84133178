"""Connections to PostgreSQL, each in one role, each transaction in one tenant scope."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import asyncpg
from sqlalchemy import Executable, Row, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from valueplatform.core.errors import UnavailableError
from valueplatform.core.scope import Scope

RETRY_AFTER_SECONDS = 2
_AWAY = ("08", "53", "57P")
"""What SQLSTATE begins with where no connection is, disk or memory is used up, or the server starts or ends."""

_NO_SUCH_ROLE = "22023"
"""Of a connection: the role that it starts in is not there, because the database was not upgraded yet, or lost."""


class Role(StrEnum):
    """Database roles. *owner* owns the tables; *ingest* bypasses row security, *worker* has a policy for all
    accounts, *web* sees its scope only."""

    OWNER = "valueplatform_owner"
    INGEST = "valueplatform_ingest"
    WORKER = "valueplatform_worker"
    WEB = "valueplatform_web"

    @property
    def short(self) -> str:
        return self.value.removeprefix("valueplatform_")


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction and the scope that it was opened with. Inner code never commits."""

    connection: AsyncConnection
    scope: Scope

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> int:
        """Run a statement for its effect; the number of rows that it touched."""
        result = await self.connection.execute(statement, parameters)
        return result.rowcount

    async def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        return (await self.connection.execute(statement, parameters)).all()

    async def row(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        return (await self.connection.execute(statement, parameters)).one_or_none()

    async def scalar(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        return (await self.connection.execute(statement, parameters)).scalar_one_or_none()

    async def driver(self) -> "asyncpg.Connection[Any]":
        """The asyncpg connection beneath, inside this very transaction (for COPY)."""
        raw = await self.connection.get_raw_connection()
        driver_connection = raw.driver_connection
        assert driver_connection is not None  # noqa: S101 - SQLAlchemy types it optional; a checked-out connection has one
        return driver_connection


class Database:
    """One PostgreSQL in one role. `role=None` connects as whoever the URL names (migrations, doctor)."""

    def __init__(self, url: str, role: Role | None, *, pool_size: int = 5) -> None:
        self.role = role
        self.url = url
        settings = {"application_name": f"valueplatform {role.short if role else 'admin'}"}
        if role is not None:
            # A start-up setting, not SET ROLE: RESET and DISCARD come back to it.
            settings["role"] = role.value
        self.engine: AsyncEngine = create_async_engine(
            asyncpg_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=4,
            connect_args={"server_settings": settings, "timeout": 4},
        )

    @asynccontextmanager
    async def transaction(self, scope: Scope, *, steady: bool = False) -> AsyncIterator[Transaction]:
        """Open a transaction in `scope`; commit at the end, roll back on error.

        `steady`: all that is read is of one moment, whatever is committed meanwhile. The first statement sets the
        scope, so the asyncpg connection is inside the transaction from the start. Raises UnavailableError where the
        database cannot be reached.
        """
        with _reachable():
            async with AsyncExitStack() as stack:
                try:
                    connection = await stack.enter_async_context(self.engine.begin())
                except (OSError, TimeoutError) as error:  # a socket that is not there, among others
                    raise unavailable() from error
                except DBAPIError as error:
                    if _state(error) == _NO_SUCH_ROLE:  # no fault of what was to be stored
                        raise unavailable() from error
                    raise
                await connection.exec_driver_sql(f"SET LOCAL valueplatform.scope = '{scope.literal}'")
                if steady:
                    await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                yield Transaction(connection, scope)

    async def vacuum(self, table: str) -> None:
        """Give back what deleted rows of a table took up, outside any transaction. PostgreSQL passes over a table that
        the role does not own. Raises UnavailableError."""
        with _reachable():
            async with self.engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.exec_driver_sql(f"VACUUM {table}")

    async def dispose(self) -> None:
        await self.engine.dispose()


@contextmanager
def _reachable() -> Iterator[None]:
    """A lost connection as UnavailableError; every other error as it is."""
    try:
        yield
    except (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise unavailable() from error
    except (OperationalError, InterfaceError) as error:
        raise unavailable() from error
    except DBAPIError as error:
        if error.connection_invalidated or _state(error).startswith(_AWAY):
            raise unavailable() from error
        raise


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def unavailable() -> UnavailableError:
    return UnavailableError("The database cannot be reached; try again shortly.", retry_after=RETRY_AFTER_SECONDS)


def asyncpg_url(url: str) -> str:
    """`postgres://…` and `postgresql://…` as SQLAlchemy's asyncpg address."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


async def lock_model_shared(tx: Transaction) -> None:
    """Hold the model revision still until the end of the transaction; ingest takes this."""
    await tx.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": MODEL_LOCK})


async def lock_model_exclusive(tx: Transaction) -> None:
    """Wait for running ingest transactions, and keep new ones out, until the end of the transaction."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MODEL_LOCK})


async def lock_account(tx: Transaction, account_id: int) -> None:
    """Be the only writer of what an account is worth until the end of the transaction."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ACCOUNT_LOCKS + account_id})


# Any constant will do, as long as no other program in the same database uses it: the letters "vp model".
MODEL_LOCK = 0x7670_206D_6F64_656C
ACCOUNT_LOCKS = 0x7670_6163 << 32  # "vpac", then the account's id
