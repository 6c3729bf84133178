from collections.abc import AsyncIterator

import pytest

from tests.conftest import Server
from tests.portal.browsers import CHAMPION, STEWARD, VALIDATOR, Browser, Portal, a_portal, a_worth_portal


@pytest.fixture
async def portal(server: Server) -> AsyncIterator[Portal]:
    async with a_portal(server) as portal:
        yield portal


@pytest.fixture
async def worth_portal(server: Server) -> AsyncIterator[Portal]:
    async with a_worth_portal(server) as portal:
        yield portal


@pytest.fixture
async def bare_portal(server: Server) -> AsyncIterator[Portal]:
    """People and accounts, and no value yet."""
    async with a_portal(server, filled=False) as portal:
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
