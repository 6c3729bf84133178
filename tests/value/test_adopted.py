"""Features switched on as comparable accounts use them: the figures, what comes of them, and what is refused."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from statistics import quantiles
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, NOW
from tests.value.worth_worlds import DAYS, Sent, install, jobs, opens, work
from tests.value.worths import the_model
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.value.benchmark import Per
from valueplatform.value.benchmark_run import compare_accounts
from valueplatform.value.benchmark_store import newest_benchmarks
from valueplatform.value.levers import Change, Seats, SwitchOn
from valueplatform.value.proof_record import read_source
from valueplatform.value.scenario import Outlook, look
from valueplatform.value.scenario_verify import verify_scenarios
from valueplatform.value.scenarios import Draft, ground_of, keep_scenario
from valueplatform.value.verify import verify_benchmarks

JULY = date(2026, 7, 1)
RECENT = tuple(date(2026, 6, day) for day in range(1, 15))
MODEL = the_model(
    """
[benchmark]
scale = "sites"

[[feature]]
slug = "quiet"
event = "login"

[[feature]]
slug = "big-only"
event = "tracking.opened"
eligible_segments = ["big"]
"""
)


def world(users: Sequence[int]) -> dict[str, list[Sent]]:
    """Accounts that track, as many opens a day as told; and one that does not, with jobs of its own."""
    found = {f"u{number}": [*jobs(3), *opens(count)] for number, count in enumerate(users)}
    return found | {"new": [*jobs(3, (*DAYS, *RECENT))]}


async def compared(databases: Databases, users: Sequence[int], scale: str | None = None) -> int:
    """The account that does not use it."""
    ids = await install(databases, world(users), MODEL)
    if scale is not None:
        async with databases.admin.transaction(grant_accounts([])) as tx:
            sites = "jsonb_build_object('sites', CASE WHEN key = 'new' THEN :own ELSE (2 * account_id)::text END)"
            await tx.execute(text(f"UPDATE account SET attributes = {sites}"), {"own": scale})
    await work(databases, ids.values())
    async for _ in compare_accounts(databases.worker, grant_all()):
        pass
    return ids["new"]


async def outlook(databases: Databases, account_id: int, *changes: Change, **asked: Any) -> Outlook:
    async with databases.web.transaction(grant_accounts([account_id]), steady=True) as tx:
        ground = await ground_of(tx, await account_by_id(tx, account_id), NOW)
        return look(ground, changes, JULY, asked.get("months", 2))


def on(feature: str = "tracking", times: str = "1", over: int = 1) -> Change:
    return Change(SwitchOn(feature, Decimal(times)), JULY, over)


async def test_a_feature_that_is_switched_on_is_used_as_comparable_accounts_use_it(databases: Databases) -> None:
    account_id = await compared(databases, [10, 20, 30, 40, 50, 60])
    found = await outlook(databases, account_id, on())
    (told,) = found.comparable
    # Three days a month, at two dollars an open; of 142.5 three digits are told, half to even.
    assert quantiles([3 * count for count in (10, 20, 30, 40, 50, 60)], n=4, method="inclusive") == [67.5, 105, 142.5]
    assert (told.meter, told.accounts, told.cohort, told.per) == ("opens", 6, "", Per.ACCOUNT)
    assert (told.lower, told.median, told.upper) == (Decimal("67.5"), Decimal(105), Decimal(142))
    calls = next(one for one in found.drivers if one.driver == "calls")
    for _, _, added in calls.months:
        assert abs(Fraction(added.expected) - 2 * Fraction(told.median)) < Fraction(1, 100)
        assert added.low < added.expected < added.high
        assert abs(Fraction(added.low) - Fraction(told.lower)) < Fraction(1, 100)
        assert abs(Fraction(added.high) - 4 * Fraction(told.upper)) < Fraction(1, 100)
    assert found.total.added.expected == calls.added.expected


async def test_per_unit_of_scale_where_that_is_known(databases: Databases) -> None:
    account_id = await compared(databases, [10, 20, 30, 40, 50, 60], scale="7")
    (told,) = (await outlook(databases, account_id, on())).comparable
    assert (told.per, told.scale) == (Per.SCALE, Decimal(7))
    assert told.a_month(0) == Fraction(told.median) * 7


async def test_it_gets_there_step_by_step_half_as_much_and_with_everything_else(databases: Databases) -> None:
    account_id = await compared(databases, [10, 20, 30, 40, 50, 60])
    whole = await outlook(databases, account_id, on())
    half = await outlook(databases, account_id, on(times="0.5"))
    assert abs(half.total.added.expected * 2 - whole.total.added.expected) < Decimal("0.02")
    slow = await outlook(databases, account_id, on(over=2))
    first, second = (month.added.expected for month in slow.months)
    assert abs(first * 2 - second) < Decimal("0.02")
    both = await outlook(databases, account_id, on(), Change(Seats(Decimal(2)), JULY))
    assert both.together == pytest.approx(whole.total.added.expected, abs=Decimal("0.02"))


@pytest.mark.parametrize(
    ("users", "feature", "says"),
    [
        ([10, 20, 30, 40], "tracking", "fewer than five comparable accounts use it"),
        ([10, 20, 30, 40, 500], "tracking", "one account makes more than half"),
        ([10, 20, 30, 40, 50], "dispatch", "is in use already"),
        ([10, 20, 30, 40, 50], "quiet", "its own events feed no meter of a driver"),
        ([10, 20, 30, 40, 50], "big-only", "is not offered to this segment; it is to big"),
        ([10, 20, 30, 40, 50], "none", "The model has no feature 'none'"),
    ],
)
async def test_where_it_cannot_be_told_it_is_refused_with_the_reason(
    databases: Databases, users: Sequence[int], feature: str, says: str
) -> None:
    account_id = await compared(databases, users)
    with pytest.raises(UnprocessableError, match=says):
        await outlook(databases, account_id, on(feature))


async def test_figures_and_what_comes_of_them_agree_with_raw_events(databases: Databases) -> None:
    account_id = await compared(databases, [10, 20, 30, 40, 50, 60], scale="7")
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        await keep_scenario(tx, account_id, Draft("On", JULY, 3, (on(over=2),)), CUSTOMER, NOW)
    async with databases.worker.transaction(grant_all(), steady=True) as tx:
        stored = await newest_benchmarks(tx)
        assert stored is not None
        assert stored.benchmarks.adopted
        count, wrong = await verify_benchmarks(tx)
        assert (count >= len(stored.benchmarks.adopted), wrong) == (True, [])
    async with databases.worker.transaction(grant_accounts([account_id]), steady=True) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        count, wrong = await verify_scenarios(tx, source, await account_by_id(tx, account_id), NOW)
        assert (count > 0, wrong) == (True, [])


async def test_a_figure_that_is_off_is_found(databases: Databases) -> None:
    await compared(databases, [10, 20, 30, 40, 50, 60])
    async with databases.admin.transaction(grant_accounts([])) as tx:
        off = "jsonb_set(document, '{adopted,0,figure,median}', '\"1.5\"')"
        await tx.execute(text(f"UPDATE benchmark_run SET document = {off}"))
    async with databases.worker.transaction(grant_all(), steady=True) as tx:
        _, (wrong,) = await verify_benchmarks(tx)
    assert wrong.where.startswith("use of ")
