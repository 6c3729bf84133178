import pytest

from tests.conftest import Databases
from tests.telemetry.factories import cloud_event, make_account, rows, scalar, send
from valueplatform.accounts.imports import Rejection as RejectedRow
from valueplatform.core.authorization import operator_scope
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.rejections import (
    first_sender,
    keep_rejected_rows,
    rejected_event_of,
    rejected_events,
)
from valueplatform.telemetry.requests import Sender
from valueplatform.telemetry.tables import rejected_event

ANY = rejected_event.c.rejected_id > 0


async def test_rows_of_other_imports_are_kept_once_for_each_content(databases: Databases) -> None:
    acme = await make_account(databases, "acme")
    row = RejectedRow(acme, "7", "missing_value", "Column amount is empty.", '{"account":"acme\0"}')
    unknown = RejectedRow(0, None, "unknown_account", "There is no account.", '{"account":"new"}')
    for _ in range(2):
        async with databases.worker.transaction(operator_scope()) as tx:
            await keep_rejected_rows(tx, "import:contracts", [row, unknown, row])
            await keep_rejected_rows(tx, "import:contracts", [])
    kept = await rows(databases, "SELECT account_id, origin, id, code, body FROM rejected_event ORDER BY rejected_id")
    assert [(r["account_id"], r["id"], r["code"]) for r in kept] == [
        (acme, "7", "missing_value"),
        (0, None, "unknown_account"),
    ]
    assert kept[0]["body"] == '{"account":"acme\\x00"}'
    async with databases.worker.transaction(operator_scope()) as tx:
        await keep_rejected_rows(tx, "import:plans", [row])
    assert await scalar(databases, "SELECT count(*) FROM rejected_event") == 3


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
