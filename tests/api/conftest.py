from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.world import World, a_world
from tests.conftest import Server


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
