import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import Databases
from tests.narrative.graded_accounts import (
    NOW,
    START,
    a_suggestion,
    graded,
    kept,
    put_account,
    put_suggestion,
    put_supplier,
)
from tests.narrative.next_best_records import put_days, put_events, put_model, put_value
from tests.narrative.next_best_worlds import model_of
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.narrative.grade_check import verify_grades
from valueplatform.narrative.grades import all_grades
from valueplatform.narrative.grading import Outcome


async def differences(databases: Databases, account: int) -> tuple[int, list[str]]:
    async with databases.worker.transaction(accounts_or_all([account])) as tx:
        checked, found = await verify_grades(tx, account)
    return checked, [one.where.rpartition(", ")[2] for one in found]


async def test_what_was_realized_is_held_against_what_was_promised(databases: Databases) -> None:
    account = await put_supplier(databases)
    assert await graded(databases) == 2
    month, quarter = await kept(databases, account)
    assert (month.horizon, quarter.horizon) == (30, 90)
    assert (month.outcome, month.start, month.end) == (Outcome.MEASURED, START, START + timedelta(days=30))
    # 30 days at 12 a day, of which others would have brought 10 a day: before costs, 1,240 a year were promised.
    assert (month.realized, month.without, month.compared) == (Decimal("60.0000"), Decimal("300.0000"), 6)
    assert month.expected == Decimal("37.0610")
    assert quarter.realized == Decimal("180.0000")
    # A third of a twelfth, two thirds of one and 29 days: 59.58 of the 334.58 days that a year counts for.
    assert quarter.expected == Decimal("220.8219")
    assert (quarter.is_within, month.is_within) == (True, True)
    assert await differences(databases, account) == (2 * 11, [])


async def test_grading_again_writes_nothing(databases: Databases) -> None:
    await put_supplier(databases)
    assert await graded(databases) == 2
    assert await graded(databases) == 0
    assert await graded(databases, NOW + timedelta(days=1)) == 0


async def test_two_that_grade_at_once_write_each_grade_once(databases: Databases) -> None:
    await put_supplier(databases)
    assert sum(await asyncio.gather(graded(databases), graded(databases))) == 2


async def test_a_record_that_changed_late_makes_a_further_version(databases: Databases) -> None:
    account = await put_supplier(databases)
    await graded(databases)
    await put_value(databases, account, START + timedelta(days=2), "30", driver="late")
    assert await graded(databases, NOW + timedelta(days=1)) == 2
    month, _ = await kept(databases, account)
    assert (month.version, month.realized) == (2, Decimal("90.0000"))
    count = text("SELECT count(*) FROM suggestion_grade")
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await tx.scalar(count) == 4


@pytest.mark.parametrize("days", [29, 32])
async def test_nothing_is_graded_before_its_days_and_late_events_have_passed(databases: Databases, days: int) -> None:
    await put_supplier(databases)
    assert await graded(databases, NOW.replace(year=2025, month=9, day=10) + timedelta(days=days)) == 0


async def test_what_was_accepted_and_never_used_was_not_taken_up(databases: Databases) -> None:
    account = await put_supplier(databases, use=False)
    await graded(databases)
    (one,) = await kept(databases, account)
    assert (one.outcome, one.start, one.realized) == (Outcome.NOT_TAKEN_UP, None, None)
    assert await differences(databases, account) == (0, [])


async def test_four_comparable_accounts_measure_nothing(databases: Databases) -> None:
    account = await put_supplier(databases, others=4)
    await graded(databases)
    assert {one.outcome for one in await kept(databases, account)} == {Outcome.FEW_COMPARABLE}


async def test_accounts_that_took_the_step_as_well_are_not_compared(databases: Databases) -> None:
    account = await put_supplier(databases, others=6)
    rival = await put_account(databases, "rival", after="500")
    await put_events(databases, rival, "a", START + timedelta(days=10))
    await graded(databases)
    assert {one.compared for one in await kept(databases, account)} == {6}


async def test_an_account_without_ninety_days_on_record_is_not_measured(databases: Databases) -> None:
    await put_supplier(databases)
    young = await put_account(databases, "young", days=60)
    await put_suggestion(databases, young, "young")
    await put_events(databases, young, "a", START)
    await graded(databases)
    assert {one.outcome for one in await kept(databases, young)} == {Outcome.SHORT_RECORD}


async def test_a_loss_keeps_its_size(databases: Databases) -> None:
    account = await put_supplier(databases, after="-2")
    await graded(databases)
    month, _ = await kept(databases, account)
    assert (month.realized, month.is_within) == (Decimal("-360.0000"), False)


async def test_a_step_without_a_stated_value_is_told_without_a_verdict(databases: Databases) -> None:
    await put_model(databases, model_of(()))
    account = await put_supplier(databases)
    other = await put_account(databases, "unpriced", after="11")
    await put_suggestion(databases, other, "unpriced", low=None, expected=None, high=None, net=False)
    await put_events(databases, other, "a", START)
    await graded(databases)
    month, _ = await kept(databases, other)
    assert (month.outcome, month.realized, month.is_within) == (Outcome.NOT_PRICED, Decimal("30.0000"), None)
    assert (await differences(databases, other))[1] == []
    async with databases.worker.transaction(operator_scope()) as tx:
        assert set(await all_grades(tx)) == {account, other}


async def test_the_suggestions_of_open_and_dismissed_states_are_not_graded(databases: Databases) -> None:
    account = await put_supplier(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(text("UPDATE suggestion SET state = 'dismissed'"))
    assert await graded(databases) == 0
    assert await kept(databases, account) == ()


async def test_currencies_are_never_added(databases: Databases) -> None:
    account = await put_supplier(databases)
    await put_days(databases, account, {START + timedelta(days=1): "99999"}, unit="EUR", driver="other")
    await graded(databases)
    month, _ = await kept(databases, account)
    assert month.realized == Decimal("60.0000")


async def test_a_grade_that_was_tampered_with_is_found(databases: Databases) -> None:
    account = await put_supplier(databases)
    await graded(databases)
    forge = """
        INSERT INTO suggestion_grade SELECT account_id, suggestion_id, horizon, 2,
               body || '{"realized": "61.0000", "is_within": false}', graded_at FROM suggestion_grade WHERE horizon = 30
    """
    copy = """
        INSERT INTO suggestion_grade_input
        SELECT account_id, suggestion_id, horizon, 2, body FROM suggestion_grade_input WHERE horizon = 30
    """
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(text(forge))
        await tx.execute(text(copy))
    assert (await differences(databases, account))[1] == ["realized", "is_within"]


async def test_a_promise_that_was_rewritten_is_found(databases: Databases) -> None:
    account = await put_supplier(databases)
    await graded(databases)
    assert a_suggestion().expected == Decimal(1000)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(text("""UPDATE suggestion SET body = body || '{"expected": "100.0000"}'"""))
    assert (await differences(databases, account))[1] == ["expected", "expected"]


async def test_grades_are_never_changed(databases: Databases) -> None:
    await put_supplier(databases)
    await graded(databases)
    with pytest.raises(DBAPIError):
        async with databases.worker.transaction(operator_scope()) as tx:
            await tx.execute(text("UPDATE suggestion_grade SET version = 7"))


async def test_a_customer_never_reads_what_other_accounts_brought(databases: Databases) -> None:
    account = await put_supplier(databases)
    await graded(databases)
    async with databases.web.transaction(accounts_or_all([account])) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM suggestion_grade")) == 2
        assert await tx.scalar(text("SELECT count(*) FROM suggestion_grade_input")) == 0
