"""Meters that do not add, as drivers take them: exact averages, one event's number, and nothing where there is none."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, a_model, new_account, put_events, put_model
from tests.value.seven_meters import SEVEN, SEVEN_TEXT
from valueplatform.core.periods import Period
from valueplatform.core.scope import grant_accounts
from valueplatform.value.accrual_store import LAST_DAY
from valueplatform.value.meter_days import ALL_PROVIDERS, MeterDay, meter_days
from valueplatform.value.proof_record import read_source
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.verify import Checked, verify_account

ALL = Period(date(2026, 1, 1), LAST_DAY)
NOON = datetime(2026, 5, 4, 16, tzinfo=UTC)
MONDAY = date(2026, 5, 4)
Accrual = tuple[Decimal | None, str | None]


async def days(databases: Databases, account_id: int) -> dict[tuple[str, str], MeterDay]:
    """By meter and provider, of the one day that there is."""
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        found = await meter_days(tx, account_id, SEVEN.meters, ALL)
    assert {each.day for each in found} == {MONDAY}
    return {(each.meter, each.provider): each for each in found}


async def accrued(databases: Databases, account_id: int) -> dict[str, Accrual]:
    """Expected amount and reason by driver, of the supplier's one day; and the independent path must agree."""
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_value(tx, account_id, NOW)
        rows = await tx.rows(text("SELECT driver, provider, expected, reason FROM accrual"))
    assert (await verified(databases, account_id)).discrepancies == ()
    return {row.driver: (row.expected, row.reason) for row in rows if row.provider == "supplier"}


async def verified(databases: Databases, account_id: int) -> Checked:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        return await verify_account(tx, source, ALL.start, ALL.end)


def jobs(*minutes: object, **more: Any) -> list[tuple[datetime, dict[str, Any]]]:
    return [(NOON + timedelta(minutes=n), {"minutes": each, **more}) for n, each in enumerate(minutes)]


@pytest.fixture
async def account_id(databases: Databases) -> int:
    await put_model(databases, SEVEN)
    return await new_account(databases)


async def test_providers_and_dimension_values_come_together_by_their_parts(
    databases: Databases, account_id: int
) -> None:
    await put_events(databases, account_id, [*jobs(1, 1, crew="a"), *jobs(2, crew="b")])
    await put_events(databases, account_id, jobs(6, -3), provider="tessera")
    found = await days(databases, account_id)
    mean = found["mean", ALL_PROVIDERS]
    assert Fraction(mean.value) / mean.over == Fraction(7, 5)
    assert {p: Fraction(found["mean", p].value) / found["mean", p].over for p in ("supplier", "tessera")} == {
        "supplier": Fraction(4, 3),
        "tessera": Fraction(3, 2),
    }
    assert [found["least", p].value for p in (ALL_PROVIDERS, "supplier", "tessera")] == [-3, 1, -3]
    assert found["jobs", "tessera"].over == 1


async def test_an_average_is_not_rounded_before_the_formula_is(databases: Databases, account_id: int) -> None:
    """Three minutes over seven jobs: 7 * (14 - 3/7) / 60 * 45 = 71.25 exactly."""
    await put_events(databases, account_id, jobs(1, 1, 1, 0, 0, 0, 0))
    assert (await accrued(databases, account_id))["pace"] == (Decimal("71.2500"), None)


async def test_a_day_without_a_number_has_no_amount_where_it_is_needed_and_says_why(
    databases: Databases, account_id: int
) -> None:
    await put_events(databases, account_id, jobs("x", None, crew="a"))
    found = await accrued(databases, account_id)
    assert found["pace"] == (None, "null_input:mean")
    assert found["spread"] == (None, "null_input:level")
    assert found["dispatch_time"] == (Decimal("21.0000"), None)  # a sum without numbers is zero
    assert "level_to_mean" not in found  # none of its meters has a number that day


async def test_only_the_branch_that_is_taken_needs_its_meters(databases: Databases, account_id: int) -> None:
    await put_events(databases, account_id, jobs(5, channel="desk"))  # `most` takes the app's alone
    assert (await accrued(databases, account_id))["spread"] == (Decimal("5.0000"), None)
    await put_events(databases, account_id, jobs(6, 7, channel="desk"))
    assert (await accrued(databases, account_id))["spread"] == (None, "null_input:most")


async def test_an_average_of_zero_divides_nothing(databases: Databases, account_id: int) -> None:
    await put_events(databases, account_id, jobs(-2, 2))
    assert (await accrued(databases, account_id))["level_to_mean"] == (None, "zero_divisor:mean")


async def test_numbers_as_large_as_the_wire_takes_are_exact(databases: Databases, account_id: int) -> None:
    huge = "999999999999999999.999999999"
    await put_events(databases, account_id, jobs(huge, huge, f"-{huge}", channel="app"))
    found = await accrued(databases, account_id)
    assert found["level_to_mean"] == (Decimal("-3.0000"), None)  # the last is -huge, the mean huge / 3
    assert found["spread"] == (Decimal("2000000000000000000.0000"), None)


async def test_in_bulk_the_same(databases: Databases, account_id: int) -> None:
    """So many days that formulas are evaluated by columns; some without a number, some with a mean of zero."""
    drawn = [
        (NOON + timedelta(days=n % 300, minutes=n), {"minutes": (None, 1, -1, "2.5", 0)[n * n % 5]}) for n in range(900)
    ]
    await put_events(databases, account_id, drawn)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_value(tx, account_id, NOW)
    checked = await verified(databases, account_id)
    assert checked.discrepancies == ()
    assert checked.accruals > 900


@pytest.mark.parametrize("meter", ["least", "most", "level"])
@pytest.mark.parametrize("fault", ["picked = picked + 1", "picked = NULL, rank = NULL, picked_key = NULL"])
async def test_a_wrong_pick_is_found(databases: Databases, account_id: int, meter: str, fault: str) -> None:
    await put_events(databases, account_id, jobs(5, 6, channel="app", crew="a"))
    await accrued(databases, account_id)
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text(f"UPDATE rollup SET {fault} WHERE meter = '{meter}'"))
    (found,) = (await verified(databases, account_id)).discrepancies
    cut = ", 'a'" if meter == "least" else ""
    assert (found.what, found.where) == ("rollup", f"{meter}, supplier, 2026-05-04{cut}")


async def test_a_wrong_pick_is_found_where_another_dimension_value_hides_it(
    databases: Databases, account_id: int
) -> None:
    long, same = "x" * 300, "x" * 300 + "y"
    for crew, minutes in (("a", 1), (None, 7), (long, 8), (same, 9)):
        await put_events(databases, account_id, jobs(minutes, crew=crew))
    await accrued(databases, account_id)
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("UPDATE rollup SET picked = 2 WHERE meter = 'least' AND picked = 7"))
    (found,) = (await verified(databases, account_id)).discrepancies
    assert (found.where, found.stated) == ("least, supplier, 2026-05-04, none", "2 from 1 events")


async def test_a_meter_that_changes_its_aggregation_is_rebuilt_over_what_is_stored(
    databases: Databases, account_id: int
) -> None:
    await put_events(databases, account_id, jobs(5, 6, 1, channel="app"))
    assert (await days(databases, account_id))["level", ALL_PROVIDERS].value == 1
    changed = a_model(SEVEN_TEXT.replace("LATEST", "MAX"))
    await put_model(databases, changed)
    level = [meter for meter in changed.meters if meter.slug == "level"]
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        found = await meter_days(tx, account_id, level, ALL)
    assert [each.value for each in found] == [6, 6]
    await accrued(databases, account_id)


async def test_asked_for_no_provider_days_are_those_over_all_of_them(databases: Databases, account_id: int) -> None:
    await put_events(databases, account_id, jobs(5, 6, 1, channel="app"))
    whole = {each for each in (await days(databases, account_id)).values() if each.provider == ALL_PROVIDERS}
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        found = await meter_days(tx, account_id, SEVEN.meters, ALL, by_provider=False)
    assert len(found) == len(whole) > 1
    assert set(found) == whole
