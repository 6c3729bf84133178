"""How long comparable accounts took: cohorts of five or more, none of them more than half, recounted by other code."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, SUPPLIER, VALIDATOR
from tests.value.worth_worlds import install, jobs, work
from tests.value.worths import the_model
from valueplatform.core.scope import grant_accounts, grant_all, no_accounts
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import EVER, Action
from valueplatform.value.benchmark import Withheld
from valueplatform.value.model import Evidence
from valueplatform.value.objectives import Objective
from valueplatform.value.proof_ways import WayDifference, check_ways
from valueplatform.value.ranges import Range
from valueplatform.value.time_to_value import Reached, Step, Way
from valueplatform.value.ways import Days, Scope, Ways, days_of, figures_of, leg
from valueplatform.value.ways_run import OFTEN, compare_ways
from valueplatform.value.ways_store import newest_ways

CONTRACT = date(2026, 1, 1)


def a_way(*days: int | None, objective: int | None = None) -> Way:
    """Steps by their days after the contract's."""
    steps = [
        Reached(step, None if day is None else CONTRACT + timedelta(days=day), None, None, None)
        for step, day in zip(Step, days, strict=True)
    ]
    words = None if objective is None else Objective(objective_id=objective, title="o", created_at=NOW)
    return Way(words, steps)


def taken(*days: int, segment: str | None = None, scope: Scope = Scope.ACCOUNT) -> list[Days]:
    return [Days(at, scope, Step.GO_LIVE, segment, Fraction(one)) for at, one in enumerate(days, 1)]


def test_days_count_from_the_step_right_before_and_from_no_other() -> None:
    assert [leg(a_way(0, 31, None, 60), step) for step in Step] == [None, 31, None, None]
    assert leg(a_way(0, -5, 10, 12), Step.GO_LIVE) == -5


def test_an_account_brings_one_value_of_its_objectives_their_median() -> None:
    ways = [a_way(0, 30, 40, None), a_way(0, 30, 41, None, objective=1), a_way(0, 30, 44, None, objective=2)]
    found = {(one.scope, one.step): one.days for one in days_of(7, "small", ways)}
    assert found == {
        (Scope.ACCOUNT, Step.GO_LIVE): 30,
        (Scope.OBJECTIVE, Step.GO_LIVE): 30,
        (Scope.ACCOUNT, Step.FIRST_VALIDATED): 10,
        (Scope.OBJECTIVE, Step.FIRST_VALIDATED): Fraction(25, 2),
    }


def test_a_cohort_is_told_by_its_quartiles_in_whole_days() -> None:
    (figure,) = figures_of(taken(10, 20, 30, 40, 50))
    assert (figure.accounts, figure.lower, figure.median, figure.upper) == (5, 20, 30, 40)


@pytest.mark.parametrize(
    ("days", "reason"), [((10, 20, 30, 40), Withheld.FEW), ((1, 1, 1, 1, 90), Withheld.DOMINATED), ((), None)]
)
def test_too_few_or_one_that_outweighs_all_are_withheld(days: tuple[int, ...], reason: Withheld | None) -> None:
    found = figures_of(taken(*days))
    assert [(one.withheld, one.accounts, one.median) for one in found] == ([(reason, None, None)] if reason else [])


def test_a_segment_stands_before_all_and_all_before_nothing() -> None:
    small = taken(1, 2, 3, 4, 5, segment="small")
    large = [Days(10 + at, Scope.ACCOUNT, Step.GO_LIVE, "large", Fraction(90)) for at in range(3)]
    ways = Ways(figures_of([*small, *large]))
    assert ways.figure(Scope.ACCOUNT, Step.GO_LIVE, "small").median == 3
    assert (ways.figure(Scope.ACCOUNT, Step.GO_LIVE, "large").accounts) == 8
    assert ways.figure(Scope.OBJECTIVE, Step.GO_LIVE, "small").withheld is Withheld.FEW


@given(st.lists(st.integers(-400, 4000), min_size=1, max_size=12))
def test_figures_stay_within_the_days_they_are_of_and_do_not_depend_on_order(days: list[int]) -> None:
    (figure,) = figures_of(taken(*days))
    assert figures_of(taken(*reversed(days))) == (figure,)
    if figure.lower is not None and figure.median is not None and figure.upper is not None:
        assert min(days) <= figure.lower <= figure.median <= figure.upper <= max(days)


# --- by the worker


_CONTRACT = text("""
    INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider)
    VALUES (:id, 'c', DATE '2026-01-01', NULL, 100, 'USD', 'month', 'new', 'supplier')
""")
_OTHERWISE = "UPDATE way_run SET document = jsonb_set(document, '{figures,0,median}', '99')"
_LIVE = text("""
    INSERT INTO milestone (account_id, milestone_id, kind, at, title) VALUES (:id, 'live', 'go-live', :at, 'Live')
""")


async def a_fleet(databases: Databases, count: int = 5) -> dict[str, int]:
    """Accounts with contract and go-live, the last of them without; what the validator of the first agreed to counts
    there."""
    model = the_model()
    measured = msgspec.structs.replace(model.drivers[0], evidence=Evidence.MEASURED)
    model = msgspec.structs.replace(model, drivers=(measured, *model.drivers[1:]))
    ids = await install(databases, {f"acct-{n}": jobs(2) for n in range(count + 1)}, model)
    async with databases.worker.transaction(grant_all()) as tx:
        for at, account_id in enumerate(list(ids.values())[:count]):
            await tx.execute(_CONTRACT, {"id": account_id})
            live = datetime(2026, 2, 1 + 3 * at, 12, tzinfo=UTC)
            await tx.execute(_LIVE, {"id": account_id, "at": live})
    first = ids["acct-0"]
    async with databases.worker.transaction(grant_all()) as tx:
        said = Statement("per_minute", Range.point(Decimal(2)), "USD/minute", EVER, "payroll")
        entry = await record.state_value(tx, first, Action.PROPOSE, said, SUPPLIER, NOW)
        await record.validate(tx, first, entry.entry_id, VALIDATOR, NOW, EVER)
    await work(databases, ids.values())
    return ids


async def run(databases: Databases, now: datetime = NOW) -> int:
    return len([None async for _ in compare_ways(databases.worker, grant_all(), now)])


async def checked(databases: Databases) -> tuple[int, list[WayDifference]]:
    async with databases.worker.transaction(grant_all()) as tx:
        return await check_ways(tx)


async def test_a_run_tells_of_cohorts_and_the_independent_path_agrees(databases: Databases) -> None:
    await a_fleet(databases)
    assert await checked(databases) == (0, [])
    assert await run(databases) == 7
    async with databases.web.transaction(no_accounts()) as tx:
        stored = await newest_ways(tx)
    assert stored is not None
    figure = stored.ways.figure(Scope.ACCOUNT, Step.GO_LIVE, None)
    assert (figure.accounts, figure.lower, figure.median, figure.upper) == (5, 34, 37, 40)
    assert stored.ways.figure(Scope.ACCOUNT, Step.FIRST_VALIDATED, None).withheld is Withheld.FEW
    count, found = await checked(databases)
    assert (count >= 12, found) == (True, [])
    async with databases.worker.transaction(grant_all()) as tx:
        steps = {row.step for row in await tx.rows(text("SELECT step FROM way_days"))}
    assert steps == {"go-live", "first-validated-outcome"}


async def test_a_young_run_stands_and_an_old_one_is_replaced_whole(databases: Databases) -> None:
    await a_fleet(databases)
    await run(databases)
    assert await run(databases, NOW + OFTEN - timedelta(seconds=1)) == 0
    assert await run(databases, NOW + OFTEN) == 7
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM way_run")) == 1
        assert await tx.scalar(text("SELECT count(DISTINCT run) FROM way_days")) == 1


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ("UPDATE way_days SET halves = halves + 2 WHERE step = 'go-live'", "days to go-live of account"),
        ("DELETE FROM way_days WHERE step = 'first-validated-outcome'", "days to first-validated-outcome of account"),
        (
            "UPDATE way_run SET document = jsonb_set(document, '{figures,0,median}', '99')",
            "days to go-live of account, all",
        ),
    ],
)
async def test_what_was_not_counted_so_is_found(databases: Databases, wrong: str, where: str) -> None:
    await a_fleet(databases)
    await run(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text(wrong))
    _, found = await checked(databases)
    assert any(one.where.startswith(where) for one in found), found


async def test_a_reader_sees_the_figures_and_the_days_of_its_own_accounts_alone(databases: Databases) -> None:
    ids = await a_fleet(databases)
    await run(databases)
    own = ids["acct-1"]
    async with databases.web.transaction(grant_accounts([own])) as tx:
        seen = {row.account_id for row in await tx.rows(text("SELECT account_id FROM way_days"))}
        document = str(await tx.scalar(text("SELECT document::text FROM way_run")))
    assert seen == {own}
    assert "account_id" not in document
    assert "acct" not in document
