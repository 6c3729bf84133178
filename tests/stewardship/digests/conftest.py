from collections.abc import AsyncIterator

import pytest

from tests.conftest import Databases
from tests.core.mail_server import MailServer, a_mail_server
from tests.core.receiver import Receiver, a_receiver
from tests.stewardship.digests.factories import Readers, readers
from valueplatform.core.outbound import Outbound
from valueplatform.stewardship.digests.sending import Means

PUBLIC_URL = "https://value.example"


@pytest.fixture
async def harbor(databases: Databases) -> Readers:
    return await readers(databases)


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with a_mail_server() as server:
        yield server


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
def means(mail: MailServer) -> Means:
    return Means(PUBLIC_URL, mail.settings, Outbound(private=True))
