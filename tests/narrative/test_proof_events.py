from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Databases
from tests.telemetry.test_catalog_count import count_all
from tests.value.factories import NOW, new_account, put_events, put_model
from valueplatform.core.database import Transaction
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.narrative import proof_events
from valueplatform.narrative.proof_events import PAGE, EventLine, EventPage, event_page
from valueplatform.telemetry.archiving import archive_events
from valueplatform.value.refreshing import read_record

ZONE = "America/St_Johns"
BACK = datetime(2006, 10, 29, 2, 31, tzinfo=UTC)
"""Clocks went from 0:01 back into the day before."""


@pytest.mark.parametrize(
    ("first", "after"),
    [
        (date(2006, 10, 28), date(2006, 10, 29)),
        (date(2006, 10, 29), date(2006, 10, 30)),
        (date(2006, 10, 25), date(2006, 10, 29)),
        (date(2006, 10, 27), date(2006, 11, 2)),
        (date(2007, 1, 1), date(2007, 2, 1)),
    ],
)
async def test_the_events_of_days_are_counted_and_shown_even_where_a_day_has_two_parts(
    databases: Databases, first: date, after: date
) -> None:
    await put_model(databases)
    account_id = await new_account(databases, timezone=ZONE)
    times = [BACK + timedelta(minutes=13 * step) for step in range(-400, 400, 3)]
    await put_events(databases, account_id, [(time, {"minutes": 1, "crew": "a"}) for time in times], timezone=ZONE)
    expected = sorted((time for time in times if first <= time.astimezone(ZoneInfo(ZONE)).date() < after), reverse=True)
    async with databases.web.transaction(grant_accounts([account_id]), steady=True) as tx:
        record, _ = await read_record(tx, account_id)
        page = await event_page(tx, account_id, record, ["jobs"], (first, after), None, shows_subjects=False)
    assert page.count == len(expected)
    assert [event.time for event in page.sample] == expected[:PAGE]


async def test_pages_follow_each_other_to_the_last_event_over_database_and_archive(
    databases: Databases, tmp_path: Path
) -> None:
    """Days with many events and none, the same moment several times, archived months, one that came late."""
    account_id = await _with_history(databases)
    async with databases.web.transaction(grant_accounts([account_id]), steady=True) as tx:
        before = await _all_pages(tx, account_id)
    await archive_events(databases.worker, grant_all(), str(tmp_path), datetime(2026, 3, 2, tzinfo=UTC), NOW)
    await put_events(databases, account_id, [(datetime(2026, 1, 20, 5, tzinfo=UTC), {"minutes": 1})])
    async with databases.web.transaction(grant_accounts([account_id]), steady=True) as tx:
        after = await _all_pages(tx, account_id)
    assert len(before) == 223
    assert [one for one in after if one in before] == before
    assert len(after) == len(before) + 1
    assert [one.time for one in after] == sorted((one.time for one in after), reverse=True)


async def test_many_events_are_told_as_the_catalog_has_counted_them(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = await _with_history(databases)
    monkeypatch.setattr(proof_events, "COUNTED", 100)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        uncounted = await _page(tx, account_id)
    assert (uncounted.count, uncounted.is_exact) == (223, True)
    await count_all(databases)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        counted = await _page(tx, account_id)
    assert (counted.count, counted.is_exact) == (223, False)


async def _with_history(databases: Databases) -> int:
    await put_model(databases)
    account_id = await new_account(databases, timezone=ZONE)
    moments = [datetime(2026, 1, 10, 12, tzinfo=UTC)] * 45
    moments += [datetime(2026, 1, 31, 23, 30, tzinfo=UTC) + timedelta(minutes=number) for number in range(90)]
    moments += [datetime(2026, 2, 3, 9, tzinfo=UTC) + timedelta(days=number) for number in range(88)]
    await put_events(databases, account_id, [(moment, {"minutes": 1}) for moment in moments], timezone=ZONE)
    return account_id


async def _page(tx: Transaction, account_id: int, cursor: str | None = None) -> EventPage:
    record, _ = await read_record(tx, account_id)
    days = (date(2026, 1, 1), date(2026, 6, 1))
    return await event_page(tx, account_id, record, ["jobs"], days, cursor, shows_subjects=False)


async def _all_pages(tx: Transaction, account_id: int) -> list[EventLine]:
    page = await _page(tx, account_id)
    found = [*page.sample]
    while page.next_cursor is not None:
        assert page.count >= len(found) == len({one.id for one in found})
        page = await _page(tx, account_id, page.next_cursor)
        found += page.sample
    assert page.count == len(found)
    return found
