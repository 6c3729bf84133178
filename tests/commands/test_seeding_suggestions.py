"""Decisions of the sample's customers, taken by the platform's own rules at their own moments."""

from datetime import timedelta
from typing import Literal

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.narrative.next_best_records import NOW, put_world
from tests.narrative.next_best_worlds import World, world
from valueplatform.accounts.accounts import account_by_key
from valueplatform.commands.seeding_suggestions import load_decisions
from valueplatform.core.authorization import operator_scope
from valueplatform.narrative.next_best_log import logged
from valueplatform.narrative.next_best_store import State, suggestions_of
from valueplatform.sample.decisions import Decided

CHAMPION = "champion@customer.example"


@pytest.fixture
def simulated() -> World:
    return world(31, (0.5, 0.3, 0.0), accounts=24, noise=0.03)


@pytest.fixture
async def candidate(databases: Databases, simulated: World) -> str:
    await put_world(databases, simulated)
    return f"account-{next(at for at, users in enumerate(simulated.users, start=1) if not users[:2].any())}"


def decided(account: str, feature: str, decision: Literal["accept", "dismiss"] = "accept") -> Decided:
    return Decided(account, feature, decision, CHAMPION, NOW, NOW + timedelta(days=2))


async def found(databases: Databases, key: str) -> dict[str, State]:
    async with databases.worker.transaction(operator_scope()) as tx:
        account = await account_by_key(tx, key)
        stored = await suggestions_of(tx, account.account_id)
        assert all(one.suggested_at == NOW for one in stored)
        assert [one.logged_at for one in await logged(tx, account.account_id)] == [NOW]
        taken = [one for one in stored if one.state is not State.OPEN]
        assert all((one.decided_by, one.decided_at) == (CHAMPION, NOW + timedelta(days=2)) for one in taken)
        return {one.suggestion.feature: one.state for one in stored}


async def test_what_was_suggested_is_accepted_or_declined_at_its_own_moment(
    databases: Databases, candidate: str
) -> None:
    said = [decided(candidate, "f0"), decided(candidate, "f1", "dismiss")]
    assert await load_decisions(databases.worker, said, NOW) == 2
    states = await found(databases, candidate)
    assert (states["f0"], states["f1"]) == (State.ACCEPTED, State.DISMISSED)


async def test_what_was_not_suggested_is_not_decided_about(databases: Databases, candidate: str) -> None:
    assert await load_decisions(databases.worker, [decided(candidate, "never-offered")], NOW) == 0
    assert set((await found(databases, candidate)).values()) == {State.OPEN}


async def test_a_load_that_was_broken_off_goes_on_and_one_fit_is_made(databases: Databases, candidate: str) -> None:
    said = [decided(candidate, "f0")]
    assert [await load_decisions(databases.worker, said, NOW) for _ in range(2)] == [1, 1]
    assert (await found(databases, candidate))["f0"] is State.ACCEPTED
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM next_best_fit")) == 1


async def test_without_decisions_nothing_is_fitted(databases: Databases, candidate: str) -> None:
    assert candidate
    assert await load_decisions(databases.worker, [], NOW) == 0
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM next_best_fit")) == 0
