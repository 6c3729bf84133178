from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.api.world import MAY_4, MAY_5
from tests.conftest import Databases
from tests.core.factories import account
from tests.portal.browsers import Portal
from tests.telemetry import factories as telemetry
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.portal.answers import NAMELESS
from valueplatform.portal.frame import freshness, initials, last_event, supplier_name
from valueplatform.telemetry.archiving import archive_events

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Priya Nair", "PN"),
        ("Maya van den Berg", "MB"),
        ("cher", "C"),
        ("  ", "?"),
        ("Åse Lund", "ÅL"),
        ("(Bot) One", "O"),
    ],
)
def test_initials_are_of_first_and_last_name(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_a_feed_is_live_for_a_day() -> None:
    assert freshness(None, NOW) is None
    fresh, old = freshness(NOW - timedelta(hours=23), NOW), freshness(NOW - timedelta(hours=25), NOW)
    assert fresh is not None
    assert old is not None
    assert (fresh.live, old.live) == (True, False)


async def test_the_newest_event_of_any_type_counts_and_none_lies_ahead(portal: Portal) -> None:
    world = portal.world
    async with world.databases.web.transaction(accounts_or_all([world.harbor])) as tx:
        newest = await last_event(tx, world.harbor, NOW)
        before_it = await last_event(tx, world.harbor, datetime(2026, 5, 4, 20, tzinfo=UTC))
    assert newest is not None
    assert newest.date() == MAY_5
    assert before_it == datetime(2026, 5, 4, 20, tzinfo=UTC)
    assert newest.date() > MAY_4


async def test_an_account_whose_events_are_all_archived_has_its_newest_there(
    databases: Databases, tmp_path: Path
) -> None:
    account_id = await account(databases, "quiet")
    await telemetry.send(databases, telemetry.cloud_event(account="quiet", time="2025-01-02T03:04:05Z"))
    await archive_events(databases.worker, operator_scope(), str(tmp_path), NOW, NOW + timedelta(days=1))
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        assert await last_event(tx, account_id, NOW) == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


async def test_an_account_without_events_has_no_newest(databases: Databases) -> None:
    account_id = await account(databases, "empty")
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        assert await last_event(tx, account_id, NOW) is None
        assert await supplier_name(tx) == NAMELESS
