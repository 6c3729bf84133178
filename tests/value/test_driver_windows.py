"""Capped pools, days on which a driver is in force, and versions that take over on a day: on the real database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.conftest import Databases
from tests.value.factories import (
    MODEL,
    NOW,
    TODAY,
    VALIDATOR,
    a_model,
    new_account,
    put_events,
    put_model,
)
from tests.value.test_refreshing import MAY, amounts, refresh, validate_everything, verified
from valueplatform.core.errors import ConflictError
from valueplatform.core.scope import grant_accounts
from valueplatform.value import assumption_record as record
from valueplatform.value.assumptions import Default
from valueplatform.value.postings import close_month
from valueplatform.value.ranges import Range
from valueplatform.value.shown import adjustments, shown_values
from valueplatform.value.states import State

NOON = datetime(2026, 5, 4, 16, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
# A job of 2 minutes is worth (14 - 2) / 60 * 45 = 9 dollars; the desk can save 20 a month.
CAPPED = (
    MODEL.replace('pool = "hours"\nunit = "USD"', 'pool = "desk"\nunit = "USD"').replace(
        'pool = "hours"\nunit = "crews"', 'unit = "crews"'
    )
    + """
[[pool]]
slug = "desk"
unit = "USD"
cap = "desk_cost"

[[assumption]]
slug = "desk_cost"
unit = "USD"
default = { low = "15", expected = "20", high = "50" }
"""
)


def jobs(*days: int) -> list[tuple[datetime, dict[str, object]]]:
    return [(NOON + day * ONE_DAY, {"minutes": 2, "crew": "a"}) for day in days]


async def test_a_month_counts_up_to_the_cap_of_its_pool_and_the_next_begins_anew(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases, a_model(CAPPED))
    await put_events(databases, account_id, jobs(0, 1, 2, 3, 28))
    await refresh(databases, account_id)

    found = await amounts(databases, account_id)

    assert list(found.values()) == [9, 9, 2, 0, 9]
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_an_event_that_comes_late_moves_the_later_days_of_its_month_and_no_others(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases, a_model(CAPPED))
    await put_events(databases, account_id, jobs(1, 2, 28))
    await refresh(databases, account_id)
    assert list((await amounts(databases, account_id)).values()) == [9, 9, 9]

    await put_events(databases, account_id, jobs(0))
    await refresh(databases, account_id)

    assert list((await amounts(databases, account_id)).values()) == [9, 9, 2, 9]
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_what_a_late_event_takes_from_closed_days_is_adjusted_with_its_cause(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases, a_model(CAPPED))
    await put_events(databases, account_id, jobs(1, 2, 3))
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await close_month(tx, account_id, "America/New_York", MAY, NOW)

    await put_events(databases, account_id, jobs(0))
    await refresh(databases, account_id)

    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        posted = await adjustments(tx, account_id)
        values = await shown_values(tx, account_id, MAY)
    assert {one.cause for one in posted} <= {"events"}
    assert sum(value.expected for value in values if value.driver == "dispatch_time") <= 20
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_an_amount_rests_on_the_cap_too_and_counts_only_once_that_is_validated(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases, a_model(CAPPED))
    await put_events(databases, account_id, jobs(0, 1, 2))
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)
    assert await _counted(databases, account_id) == 0

    await _agree(databases, account_id, "desk_cost", 25, "USD")
    await refresh(databases, account_id)

    assert await _counted(databases, account_id) == 25
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_a_cap_that_nobody_stated_gives_no_amount_and_says_why(databases: Databases) -> None:
    account_id = await new_account(databases)
    bare = CAPPED.replace('unit = "USD"\ndefault = { low = "15", expected = "20", high = "50" }', 'unit = "USD"')
    await put_model(databases, a_model(bare))
    await put_events(databases, account_id, jobs(0))
    await refresh(databases, account_id)
    assert await amounts(databases, account_id) == {}
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_a_driver_has_amounts_only_on_the_days_on_which_it_is_in_force(databases: Databases) -> None:
    account_id = await new_account(databases)
    window = "effective_from = 2026-05-05\neffective_to = 2026-05-06"
    await put_model(databases, a_model(MODEL.replace('slug = "dispatch_time"', f'slug = "dispatch_time"\n{window}')))
    await put_events(databases, account_id, jobs(0, 1, 2))
    await refresh(databases, account_id)
    assert await amounts(databases, account_id) == {date(2026, 5, 5): Decimal(9)}
    assert (await verified(databases, account_id)).discrepancies == ()


def revised(day: str | None, formula: str = "jobs * 2") -> str:
    """The model with another formula of its driver, from a day on."""
    begins = f"\neffective_from = {day}" if day else ""
    changed = MODEL.replace('"(jobs * manual_minutes - minutes) / 60 * hourly_cost"', f'"{formula}"')
    return changed.replace('slug = "dispatch_time"', f'slug = "dispatch_time"{begins}')


async def test_a_version_that_begins_on_a_day_leaves_the_days_before_to_the_one_before(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, jobs(0, 1, 2))
    await put_model(databases, a_model(revised("2026-05-05")))
    await refresh(databases, account_id)
    assert list((await amounts(databases, account_id)).values()) == [9, 2, 2]
    assert (await verified(databases, account_id)).discrepancies == ()

    await put_model(databases, a_model(revised("2026-05-06", "jobs * 3")))
    await refresh(databases, account_id)
    assert list((await amounts(databases, account_id)).values()) == [9, 2, 3]

    await put_model(databases, a_model(revised("2026-05-05", "jobs * 4")))
    await refresh(databases, account_id)
    assert list((await amounts(databases, account_id)).values()) == [9, 4, 4]

    await put_model(databases, a_model(revised(None, "jobs * 5")))
    await refresh(databases, account_id)
    assert list((await amounts(databases, account_id)).values()) == [5, 5, 5]
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_what_an_earlier_version_reads_stays_in_the_model(databases: Databases) -> None:
    await put_model(databases)
    without = revised("2026-05-05").replace('slug = "hourly_cost"', 'slug = "hourly_rate"')
    with pytest.raises(ConflictError, match="'hourly_cost' cannot go: version 1 of driver 'dispatch_time'"):
        await put_model(databases, a_model(without))


async def _agree(databases: Databases, account_id: int, slug: str, value: int, unit: str) -> None:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        stated = Default(Range.point(Decimal(value)), unit)
        await record.validate_stated(tx, account_id, slug, stated, VALIDATOR, NOW, TODAY)


async def _counted(databases: Databases, account_id: int) -> Decimal:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        values = await shown_values(tx, account_id, MAY)
    return sum((v.expected for v in values if v.counted and v.driver == "dispatch_time"), Decimal(0))


@pytest.mark.parametrize(
    "lapses",
    [
        ('method = "measured-before"', 'method = "measured-before"\nexpires_on = 2026-05-05'),
        ('evidence = "measured"', 'evidence = "measured"\nsunset = 2026-05-05'),
    ],
    ids=["baseline expires", "sunset passes"],
)
async def test_from_the_day_on_which_it_lapses_validated_value_is_an_estimate_again(
    databases: Databases, lapses: tuple[str, str]
) -> None:
    account_id = await new_account(databases)
    await put_model(databases, a_model(MODEL.replace(*lapses, 1)))
    await put_events(databases, account_id, jobs(0, 1))
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        values = [v for v in await shown_values(tx, account_id, MAY) if v.driver == "dispatch_time"]
    assert [(v.day.day, v.state, v.counted, v.expected) for v in values] == [
        (4, State.VALIDATED, True, Decimal(9)),
        (5, State.ESTIMATED, False, Decimal(9)),
    ]
    assert (await verified(databases, account_id)).discrepancies == ()
