from collections.abc import AsyncIterator

import pytest

from tests.api.world import World, a_world
from tests.conftest import Databases


@pytest.fixture
async def world(databases: Databases) -> AsyncIterator[World]:
    async with a_world(databases) as world:
        yield world


@pytest.fixture
async def bare_world(databases: Databases) -> AsyncIterator[World]:
    """Accounts, people and keys, and no value yet."""
    async with a_world(databases, filled=False) as world:
        yield world
