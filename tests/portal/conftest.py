from collections.abc import AsyncIterator

import pytest

from tests.conftest import Databases
from tests.portal.browsers import CHAMPION, STEWARD, VALIDATOR, Browser, Portal, a_portal


@pytest.fixture
async def portal(databases: Databases) -> AsyncIterator[Portal]:
    async with a_portal(databases) as portal:
        yield portal


@pytest.fixture
async def bare_portal(databases: Databases) -> AsyncIterator[Portal]:
    """People and accounts, and no value yet."""
    async with a_portal(databases, filled=False) as portal:
        yield portal


@pytest.fixture
async def customer(portal: Portal) -> Browser:
    """The champion of harbor."""
    return await portal.browser(CHAMPION)


@pytest.fixture
async def validator(portal: Portal) -> Browser:
    return await portal.browser(VALIDATOR)


@pytest.fixture
async def steward(portal: Portal) -> Browser:
    return await portal.browser(STEWARD)
