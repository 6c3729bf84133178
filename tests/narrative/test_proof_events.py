from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Databases
from tests.value.factories import new_account, put_events, put_model
from valueplatform.core.scope import grant_accounts
from valueplatform.narrative.proof_events import PAGE, event_page
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
