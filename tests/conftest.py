"""One embedded PostgreSQL a test run, one fresh database a test, cloned from a migrated template."""

import asyncio
import gc
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from valueplatform.core import migrate
from valueplatform.core.database import Database, Role, asyncpg_url
from valueplatform.core.embedded import running

T = TypeVar("T")
SHARED = Path(__file__).parents[2] / "shared"
TEMPLATE = "valueplatform_template"
# Tests need no durability; those that kill the server start one of their own.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""Files in memory, where the system has them: a database is cloned there in a quarter of the time."""
ROOM = 2 * 1024**3
"""Bytes that the databases of a test run may take."""

# numpy reads it when the first test imports it: the threads of several workers only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A deadline an example fails on a busy machine, where nothing is wrong with the code. Each run draws others.
settings.register_profile(
    "patient", deadline=None, max_examples=60 * int(os.environ.get("VALUEPLATFORM_TEST_TIMES", "1"))
)
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


class Operator:
    """The superuser's one connection, in a loop of its own: each test has another, and connecting takes longer than
    what is to be done."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+asyncpg", "")
        self._connection: asyncpg.Connection[Any] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="operator", daemon=True)
        self._thread.start()

    async def run(self, statements: Sequence[str]) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._run(statements), self._loop))

    async def _run(self, statements: Sequence[str]) -> None:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url)
        for statement in statements:
            await self._connection.execute(statement)

    def close(self) -> None:
        if self._connection is not None:
            asyncio.run_coroutine_threadsafe(self._connection.close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL with a migrated template, and the templates that were filled from it so far.

    `filled` holds by name what was told of each; a name stands for one content.
    """

    url: str
    operator: Operator
    filled: dict[str, Any] = field(default_factory=dict)

    async def template(self, name: str, fill: Callable[[Databases], Awaitable[T]], base: str = TEMPLATE) -> T:
        """What `fill` told of the template: the first test that asks fills it, all clone it."""
        if name not in self.filled:
            await self.run(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name} TEMPLATE {base}")
            databases = Databases.connect(self._named(name))
            try:
                told = await fill(databases)
            finally:
                await databases.dispose()  # only a database that nobody is connected to can be cloned
            self.filled[name] = told
        known: T = self.filled[name]
        return known

    @asynccontextmanager
    async def clone(self, template: str = TEMPLATE, *, read_only: bool = False) -> AsyncIterator[Databases]:
        """A fresh database; `read_only`: it refuses whatever would change it."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        # Copying files is what memory is fast at; the other strategy writes every page to the log.
        await self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        if read_only:
            await self.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        databases = Databases.connect(self._named(name))
        try:
            yield databases
        finally:
            await databases.dispose()
            await self.run(f"DROP DATABASE {name} WITH (FORCE)")

    async def run(self, *statements: str) -> None:
        """Outside of any transaction."""
        await self.operator.run(statements)

    def close(self) -> None:
        self.operator.close()

    def _named(self, database: str) -> str:
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)


async def _migrated(url: str) -> Server:
    server = Server(asyncpg_url(url), Operator(asyncpg_url(url)))
    await server.template(TEMPLATE, lambda databases: migrate.upgrade(databases.admin), base="template1")
    return server


def _folder() -> str | None:
    """Where the embedded server keeps its databases; None is where temporary files go."""
    return str(MEMORY) if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """`VALUEPLATFORM_TEST_DATABASE_URL` names another server than the embedded one, as its superuser; each
    pytest-xdist worker starts its own."""
    given = os.environ.get("VALUEPLATFORM_TEST_DATABASE_URL")
    if given:
        with closing(asyncio.run(_migrated(given))) as server:
            yield server
        return
    with (
        tempfile.TemporaryDirectory(prefix="vp-test-", dir=_folder()) as folder,
        running(Path(folder), settings=FAST) as embedded,
        closing(asyncio.run(_migrated(embedded.url))) as server,
    ):
        yield server


@pytest.fixture
async def databases(server: Server) -> AsyncIterator[Databases]:
    async with server.clone() as databases:
        yield databases


def pytest_collection_finish() -> None:
    """What is imported stays to the end: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


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
