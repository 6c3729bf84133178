"""A running server for real clients, faulty connections to it, and the clients that come from npm."""

import asyncio
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest
from sqlalchemy import text

from tests.clients.faults import Proxies
from tests.clients.running_server import running_server
from tests.conftest import Databases, Server
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.database import Database
from valueplatform.core.keys import KeyGrant, create_key

HERE = Path(__file__).parent
DATABASE = "valueplatform_clients"


@dataclass(frozen=True)
class Product:
    """A server as a process of its own. `key` may write events."""

    url: str
    key: str
    database_url: str

    def stored(self, account: str) -> list[str]:
        """The ids of the events of an account, sorted: one for each that is stored."""
        return sorted(str(row) for row in self.column(_EVENTS, account=account))

    def conflicts(self, account: str) -> int:
        return len(self.column(_CONFLICTS, account=account))

    def column(self, query: str, **values: object) -> list[object]:
        async def read() -> list[object]:
            database = Database(self.database_url, None)
            try:
                async with database.transaction(operator_scope()) as tx:
                    return [row[0] for row in await tx.rows(text(query), values)]
            finally:
                await database.dispose()

        return asyncio.run(read())


_EVENTS = "SELECT id FROM event JOIN account USING (account_id) WHERE key = :account"
_CONFLICTS = "SELECT 1 FROM event_conflict JOIN account USING (account_id) WHERE key = :account"


async def _key(databases: Databases) -> str:
    async with databases.worker.transaction(operator_scope()) as tx:
        return (await create_key(tx, KeyGrant(KeyKind.INGEST, "clients"))).key


@pytest.fixture(scope="session")
def product(server: Server) -> Iterator[Product]:
    key = asyncio.run(server.template(DATABASE, _key))
    database_url = server._named(DATABASE)
    with running_server(database_url) as url:
        yield Product(url, key, database_url)


@pytest.fixture(scope="session")
def proxies(product: Product) -> Iterator[Proxies]:
    with Proxies(product.url).running() as proxies:
        yield proxies


Run = Callable[..., str]


@pytest.fixture(scope="session")
def node() -> Run:
    """Runs a script of this folder with the clients from npm; gives what it printed."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("there is no node on the PATH to run the clients from npm")
    folder = _installed()

    def run(script: str, *arguments: str, **environment: str) -> str:
        place = folder / Path(script).name
        shutil.copyfile(HERE / script, place)  # modules are looked for beside the script
        ran = subprocess.run(
            [program, place.name, *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


def _installed() -> Path:
    """The clients of the lock file, installed once into the user's cache for all runs."""
    inputs = [HERE / name for name in ("package.json", "package-lock.json", ".npmrc")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()[:16]
    cache = platformdirs.user_cache_path("valueplatform-tests", ensure_exists=True)
    folder = cache / f"clients-{digest}"
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(dir=cache) as building:
        made = Path(building) / "made"
        made.mkdir()
        for path in inputs:
            shutil.copyfile(path, made / path.name)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--loglevel=error"], cwd=made, check=True, timeout=300)
        try:
            made.rename(folder)
        except OSError:  # another run was faster
            assert folder.is_dir()
    return folder
