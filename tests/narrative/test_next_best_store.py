from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.accounts.factories import an_account
from tests.conftest import Databases
from tests.narrative.next_best_records import NOW, put_events, put_model, put_world
from tests.narrative.next_best_worlds import TODAY, World, feature, model_of, world
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.errors import ConflictError, NotFoundError
from valueplatform.narrative.next_best import Emptiness, suggest
from valueplatform.narrative.next_best_log import POLICY, logged
from valueplatform.narrative.next_best_model import fit
from valueplatform.narrative.next_best_store import (
    Advice,
    Decision,
    State,
    StoredSuggestion,
    advice_of,
    decide,
    is_training_due,
    newest_fit,
    refresh_suggestions,
    suggestions_of,
    train,
)
from valueplatform.value.models import NoModelError

LATER = NOW + timedelta(days=1)
BY = "ana@harbor.example"


async def refreshed(databases: Databases, account: int, now: datetime = NOW) -> Sequence[StoredSuggestion]:
    async with databases.worker.transaction(accounts_or_all([account])) as tx:
        await refresh_suggestions(tx, account, now)
        return await suggestions_of(tx, account)


async def decided(
    databases: Databases, account: int, suggestion: str, decision: Decision, now: datetime = NOW
) -> StoredSuggestion:
    """As the customer's page does it: in the web role, in the account's scope."""
    async with databases.web.transaction(accounts_or_all([account])) as tx:
        return await decide(tx, account, suggestion, decision, by=BY, now=now)


async def advice(databases: Databases, account: int) -> Advice:
    async with databases.web.transaction(accounts_or_all([account])) as tx:
        return await advice_of(tx, account, NOW)


@pytest.fixture
def simulated() -> World:
    return world(31, (0.5, 0.3, 0.0), accounts=24, noise=0.03)


@pytest.fixture
async def accounts(databases: Databases, simulated: World) -> Sequence[int]:
    """A supplier whose model is trained."""
    ids = await put_world(databases, simulated)
    await train(databases.worker, operator_scope(), NOW)
    return ids


@pytest.fixture
def candidate(simulated: World) -> int:
    """The place of an account that uses neither of the features that bring something."""
    return next(at for at, users in enumerate(simulated.users) if not users[:2].any())


async def test_a_fit_from_the_database_is_the_fit_of_the_frames(
    databases: Databases, simulated: World, accounts: Sequence[int], candidate: int
) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        stored = await newest_fit(tx)
    expected = fit(simulated.panel, simulated.features)
    assert stored is not None
    assert [one.verdict for one in stored.features] == [one.verdict for one in expected.features]
    ours, theirs = stored.features[0].effect, expected.features[0].effect
    assert ours is not None
    assert theirs is not None
    assert ours.log_effect == pytest.approx(theirs.log_effect, abs=1e-6)
    found = await refreshed(databases, accounts[candidate])
    direct = suggest(stored, model_of(simulated.features), simulated.situation(candidate + 1))
    assert [(one.suggestion.feature, one.suggestion.expected) for one in found] == [
        (one.feature, one.expected) for one in direct
    ]
    assert found[0].suggestion.feature == "f0"


async def test_columns_and_body_say_the_same(databases: Databases, accounts: Sequence[int], candidate: int) -> None:
    stored = await refreshed(databases, accounts[candidate])
    query = text(
        "SELECT suggestion_id, feature, rank, unit, low, expected, high FROM suggestion WHERE account_id = :id"
    )
    async with databases.worker.transaction(operator_scope()) as tx:
        rows = {row.suggestion_id: row for row in await tx.rows(query, {"id": accounts[candidate]})}
    assert len(rows) == len(stored) > 1
    for one in (stored_one.suggestion for stored_one in stored):
        row = rows[one.id]
        assert (row.feature, row.rank, row.unit) == (one.feature, one.rank, one.unit)
        assert (row.low, row.expected, row.high) == (one.low, one.expected, one.high)


async def test_renewing_changes_nothing_where_nothing_changed(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    first = await refreshed(databases, accounts[candidate])
    assert await refreshed(databases, accounts[candidate], NOW + timedelta(minutes=5)) == first


async def test_what_is_taken_into_use_is_no_longer_suggested(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    before = await refreshed(databases, accounts[candidate])
    await put_events(databases, accounts[candidate], "f0", TODAY)
    after = await refreshed(databases, accounts[candidate])
    assert {one.suggestion.feature for one in before} - {one.suggestion.feature for one in after} == {"f0"}
    assert [one.suggestion.rank for one in after] == list(range(1, len(after) + 1))


async def test_an_accepted_suggestion_keeps_the_numbers_it_was_accepted_with(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account = accounts[candidate]
    best = (await refreshed(databases, account))[0]
    taken = await decided(databases, account, best.suggestion.id, Decision.ACCEPT)
    assert (taken.state, taken.decided_at, taken.decided_by) == (State.ACCEPTED, NOW, BY)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(text("UPDATE accrual SET expected = expected * 2 WHERE account_id = :id"), {"id": account})
    after = {one.suggestion.id: one for one in await refreshed(databases, account, LATER)}
    assert after[best.suggestion.id] == taken
    assert len(after) > 1


async def test_a_dismissed_suggestion_stays_away_for_ninety_days(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account = accounts[candidate]
    best = (await refreshed(databases, account))[0].suggestion
    await decided(databases, account, best.id, Decision.DISMISS)

    async def state_after(days: int) -> State:
        found = await refreshed(databases, account, NOW + timedelta(days=days))
        return next(one.state for one in found if one.suggestion.id == best.id)

    assert await state_after(0) is State.DISMISSED
    assert await state_after(89) is State.DISMISSED
    assert await state_after(90) is State.OPEN


async def test_a_dismissal_can_be_undone(databases: Databases, accounts: Sequence[int], candidate: int) -> None:
    account = accounts[candidate]
    best = (await refreshed(databases, account))[0]
    await decided(databases, account, best.suggestion.id, Decision.DISMISS)
    undone = await decided(databases, account, best.suggestion.id, Decision.UNDO, LATER)
    assert undone == best
    assert (await refreshed(databases, account))[0] == best


async def test_a_decision_taken_twice_is_taken_once(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account = accounts[candidate]
    best = (await refreshed(databases, account))[0].suggestion
    first = await decided(databases, account, best.id, Decision.DONE)
    assert await decided(databases, account, best.id, Decision.DONE, LATER) == first


async def test_what_is_done_is_neither_dismissed_nor_undone(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account = accounts[candidate]
    best = (await refreshed(databases, account))[0].suggestion
    await decided(databases, account, best.id, Decision.DONE)
    for decision in (Decision.DISMISS, Decision.UNDO, Decision.ACCEPT):
        with pytest.raises(ConflictError, match=f"suggestion {best.id} is done"):
            await decided(databases, account, best.id, decision)


async def test_open_ones_come_first_and_then_what_was_decided(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account = accounts[candidate]
    best, second, *rest = (one.suggestion.id for one in await refreshed(databases, account))
    await decided(databases, account, best, Decision.DISMISS)
    await decided(databases, account, second, Decision.ACCEPT)
    found = await refreshed(databases, account)
    assert [one.suggestion.id for one in found] == [*rest, second, best]
    assert [one.state for one in found] == [*[State.OPEN] * len(rest), State.ACCEPTED, State.DISMISSED]


async def test_another_accounts_suggestion_is_not_there_to_decide_on(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account, other = accounts[candidate], accounts[candidate - 1]
    best = (await refreshed(databases, account))[0].suggestion
    with pytest.raises(NotFoundError):
        await decided(databases, other, best.id, Decision.ACCEPT)
    async with databases.web.transaction(accounts_or_all([other])) as tx:
        with pytest.raises(NotFoundError):
            await decide(tx, account, best.id, Decision.ACCEPT, by=BY, now=NOW)
        assert await suggestions_of(tx, account) == ()


async def test_before_the_first_fit_nothing_is_suggested_and_said_so(databases: Databases) -> None:
    await put_model(databases, model_of((feature("f0"),)))
    account = (await an_account(databases)).account_id
    assert await refreshed(databases, account) == ()
    assert await advice(databases, account) == Advice((), Emptiness.NOT_FITTED)


async def test_where_everything_is_decided_the_rest_is_said_to_be_nothing(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account = accounts[candidate]
    for one in await refreshed(databases, account):
        await decided(databases, account, one.suggestion.id, Decision.DISMISS)
    found = await advice(databases, account)
    assert found.empty is Emptiness.NOTHING_LEFT
    assert {one.state for one in found.suggestions} == {State.DISMISSED}


async def test_there_is_nothing_to_train_on_without_a_model(databases: Databases) -> None:
    with pytest.raises(NoModelError):
        await train(databases.worker, operator_scope(), NOW)


async def test_the_newest_fit_is_in_force(databases: Databases, accounts: Sequence[int]) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(text("DELETE FROM accrual"))
    assert len(accounts) == 24
    await train(databases.worker, operator_scope(), LATER)
    async with databases.worker.transaction(operator_scope()) as tx:
        stored = await newest_fit(tx)
        count = await tx.scalar(text("SELECT count(*) FROM next_best_fit"))
    assert stored is not None
    assert (stored.accounts, count) == (0, 2)


async def test_amounts_are_exact_decimals_in_the_accounts_currency(
    databases: Databases, simulated: World, candidate: int
) -> None:
    ids = await put_world(databases, simulated, currency="DKK")
    await train(databases.worker, operator_scope(), NOW)
    best = (await refreshed(databases, ids[candidate]))[0].suggestion
    assert best.unit == "DKK"
    assert isinstance(best.expected, Decimal)
    assert best.expected.as_tuple().exponent == -4


async def test_training_is_due_once_a_day_and_never_before_there_is_a_model(databases: Databases) -> None:
    async def is_due(now: datetime) -> bool:
        async with databases.worker.transaction(operator_scope()) as tx:
            return await is_training_due(tx, now)

    assert not await is_due(NOW)
    await put_model(databases, model_of((feature("f0"),)))
    assert await is_due(NOW)
    await train(databases.worker, operator_scope(), NOW)
    assert not await is_due(NOW + timedelta(hours=23))
    assert await is_due(NOW + timedelta(hours=25))


async def test_what_could_be_suggested_is_logged_when_it_changes_and_never_for_a_customer(
    databases: Databases, accounts: Sequence[int], candidate: int
) -> None:
    account = accounts[candidate]
    await refreshed(databases, account)
    await refreshed(databases, account, LATER)
    await put_events(databases, account, "f0", TODAY)
    await refreshed(databases, account, LATER + timedelta(hours=1))
    async with databases.worker.transaction(operator_scope()) as tx:
        first, second = await logged(tx, account)
    assert [one.rank for one in first.candidates if one.rank] == list(range(1, len(first.candidates) + 1))
    assert all(one.chance is not None for one in first.candidates)
    assert {one.feature for one in first.candidates} - {one.feature for one in second.candidates} == {"f0"}
    assert (first.policy, first.fit_id) == (POLICY, second.fit_id)
    async with databases.web.transaction(accounts_or_all([account])) as tx:
        assert await logged(tx, account) == []
