from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.api.intake import Client, MakeKey, taking
from tests.api.world import World, a_world
from tests.conftest import Databases, Server
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.keys import KeyGrant, create_key


@pytest.fixture
async def own_world(server: Server) -> AsyncIterator[World]:
    """A filled world that this test alone may change."""
    async with a_world(server) as world:
        yield world


@pytest.fixture
def world(own_world: World) -> World:
    """Modules whose tests read put `read_only_world` here."""
    return own_world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def read_only_world(server: Server) -> AsyncIterator[World]:
    """One filled world for the tests of a module: its database refuses every write."""
    async with a_world(server, read_only=True) as world:
        yield world


@pytest.fixture
async def bare_world(server: Server) -> AsyncIterator[World]:
    """Accounts, people and keys, and no value yet."""
    async with a_world(server, filled=False) as world:
        yield world


@pytest.fixture
def key(databases: Databases) -> MakeKey:
    """Makes a key; gives the header that carries it."""

    async def make(**options: Any) -> dict[str, str]:
        grant = KeyGrant(**{"kind": KeyKind.INGEST, "name": "test", **options})
        async with databases.worker.transaction(operator_scope()) as tx:
            return {"authorization": f"Bearer {(await create_key(tx, grant)).key}"}

    return make


@pytest.fixture
async def client(databases: Databases, key: MakeKey) -> AsyncIterator[Client]:
    async with taking(databases) as client:
        client.headers.update(await key())
        yield client
