"""One embedded PostgreSQL a test run, one fresh database a test, cloned from a migrated template."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import text
from sqlalchemy.engine import make_url

from valueplatform.core import migrate
from valueplatform.core.database import Database, Role, asyncpg_url
from valueplatform.core.embedded import running

SHARED = Path(__file__).parents[2] / "shared"
TEMPLATE = "valueplatform_template"
# Tests need no durability; those that kill the server start one of their own.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# A deadline an example fails on a busy machine, where nothing is wrong with the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@dataclass(frozen=True)
class Databases:
    """The same fresh database in every role; `admin` is the superuser."""

    url: str
    admin: Database
    ingest: Database
    worker: Database
    web: Database

    @classmethod
    def connect(cls, url: str) -> "Databases":
        roles = {"ingest": Role.INGEST, "worker": Role.WORKER, "web": Role.WEB}
        return cls(url=url, admin=Database(url, None), **{name: Database(url, role) for name, role in roles.items()})

    async def dispose(self) -> None:
        for database in (self.admin, self.ingest, self.worker, self.web):
            await database.dispose()


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


async def _run_admin(url: str, *statements: str) -> None:
    database = Database(url, None)
    async with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await database.dispose()


async def _make_template(url: str) -> None:
    await _run_admin(url, f"CREATE DATABASE {TEMPLATE}")
    database = Database(_named(url, TEMPLATE), None)
    await migrate.upgrade(database)
    await database.dispose()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The superuser's address of a running PostgreSQL with a migrated template database.

    `DATABASE_URL` names another server than the embedded one; each pytest-xdist worker starts its own.
    """
    given = os.environ.get("VALUEPLATFORM_TEST_DATABASE_URL")
    if given:
        asyncio.run(_run_admin(given, f"DROP DATABASE IF EXISTS {TEMPLATE}"))
        asyncio.run(_make_template(given))
        yield asyncpg_url(given)
        return
    with tempfile.TemporaryDirectory(prefix="vp-test-") as folder, running(Path(folder), settings=FAST) as server:
        asyncio.run(_make_template(server.url))
        yield server.url


@pytest.fixture
async def databases(server_url: str) -> AsyncIterator[Databases]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    await _run_admin(server_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    databases = Databases.connect(_named(server_url, name))
    yield databases
    await databases.dispose()
    await _run_admin(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test of the shared data sets may be skipped only where they are absent."""
    report = yield
    if report.skipped and "shared" in getattr(item, "fixturenames", ()) and SHARED.is_dir():
        report.outcome = "failed"
        report.longrepr = f"skipped although {SHARED} is there: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data sets; a test that asks for them skips where they are absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared data sets are not beside the project")
    return SHARED
