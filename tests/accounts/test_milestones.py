"""Milestones."""

from datetime import UTC, date, datetime

from tests.accounts.factories import Kept, an_account, found, imported
from tests.conftest import Databases
from valueplatform.accounts.fields import Row
from valueplatform.accounts.imports import ImportReport, Mark, Outcome
from valueplatform.accounts.milestones import Milestone, MilestoneImport, milestones_of, put_milestone
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.periods import Period

ROW = {"account": "acme", "id": "m1", "kind": "Go-Live", "time": "2025-06-01T00:30", "title": "First job"}


async def test_a_milestone_without_a_zone_is_in_the_zone_of_the_account(databases: Databases) -> None:
    account, kept = await an_account(databases), Kept()
    assert await imported(databases, MilestoneImport(), [ROW], kept) == ImportReport(received=1, created=1)
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        (milestone,) = await milestones_of(tx, account.account_id)
    at = datetime(2025, 5, 31, 22, 30, tzinfo=UTC)
    assert milestone == Milestone(milestone_id="m1", kind="go-live", at=at, title="First job")
    # In Berlin that is the first of June.
    june = Period(date(2025, 6, 1), date(2025, 6, 2))
    assert kept.marks == [Mark(account.account_id, june, "milestone:go-live")]


async def test_the_same_moment_in_another_zone_is_no_change(databases: Databases) -> None:
    await an_account(databases)
    await imported(databases, MilestoneImport(), [ROW])
    again = {**ROW, "time": "2025-05-31T22:30:00Z"}
    assert await imported(databases, MilestoneImport(), [again]) == ImportReport(received=1, unchanged=1)
    later = {**ROW, "time": "2025-06-02", "title": ""}
    assert await imported(databases, MilestoneImport(), [later]) == ImportReport(received=1, changed=1)
    assert (await found(databases)).revision == 2


async def test_milestones_come_oldest_first(databases: Databases) -> None:
    account = await an_account(databases)
    rows = [{**ROW, "id": f"m{n}", "time": f"2025-0{9 - n}-01"} for n in range(1, 4)]
    await imported(databases, MilestoneImport(), rows)
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        assert [one.milestone_id for one in await milestones_of(tx, account.account_id)] == ["m3", "m2", "m1"]


async def test_a_page_may_put_a_milestone(databases: Databases) -> None:
    account = await an_account(databases)
    wanted = Milestone(milestone_id="m1", kind="review", at=datetime(2026, 1, 1, tzinfo=UTC), title="Review")
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        first = await put_milestone(tx, account.account_id, account.timezone, wanted)
        second = await put_milestone(tx, account.account_id, account.timezone, wanted)
        assert [first.outcomes, second.outcomes] == [[Outcome.CREATED], [Outcome.UNCHANGED]]
        assert await milestones_of(tx, account.account_id) == [wanted]


async def test_a_milestone_needs_a_kind_and_a_time(databases: Databases) -> None:
    await an_account(databases)
    rows: list[Row] = [{**ROW, "kind": ""}, {**ROW, "time": "soon"}, {**ROW, "id": None}]
    report = await imported(databases, MilestoneImport(), rows)
    assert report == ImportReport(received=3, rejected=3, reasons={"invalid_value": 1, "missing_value": 2})
