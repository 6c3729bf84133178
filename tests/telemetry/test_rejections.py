import pytest

from tests.conftest import Databases
from tests.telemetry.factories import cloud_event, send
from valueplatform.core.authorization import operator_scope
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.rejections import (
    first_sender,
    rejected_event_of,
    rejected_events,
)
from valueplatform.telemetry.requests import Sender
from valueplatform.telemetry.tables import rejected_event

ANY = rejected_event.c.rejected_id > 0


async def test_they_are_listed_oldest_first_from_where_one_left_off(databases: Databases) -> None:
    await send(databases, *[cloud_event(id=str(number), time="x") for number in range(5)])
    async with databases.ingest.transaction(operator_scope()) as tx:
        first = await rejected_events(tx, ANY, limit=3)
        rest = await rejected_events(tx, ANY, after=first[-1].rejected_id)
    assert [event.id for event in [*first, *rest]] == ["0", "1", "2", "3", "4"]


async def test_what_came_without_a_key_is_the_suppliers(databases: Databases) -> None:
    await send(databases, cloud_event(time="x"), sender=Sender("import", "supplier", numbered=True))
    async with databases.ingest.transaction(operator_scope()) as tx:
        (event,) = await rejected_events(tx, ANY)
        assert await first_sender(tx, event) == Sender("import", "supplier")
        with pytest.raises(NotFoundError):
            await rejected_event_of(tx, ANY, event.rejected_id + 1)
