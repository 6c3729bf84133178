"""One click from a sentence to a person, with what it said kept (A21)."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.stewardship import factories
from tests.stewardship.factories import INSIGHT, NOON
from valueplatform.core.authorization import Action, PersonRole, Principal, Side, UserRole, accounts_or_all
from valueplatform.core.database import Database
from valueplatform.core.errors import ForbiddenError, InvalidInputError, NotFoundError, TooLargeError
from valueplatform.core.scope import Scope
from valueplatform.stewardship.conversations import Opening, WaitsFor, open_conversation, reply
from valueplatform.stewardship.threads import read_thread

STEWARD = factories.supplier()


async def opened(
    databases: Databases, account_id: int, principal: Principal | None = None, *, body: str = "Why?", **opening: Any
) -> int:
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        who = principal or factories.customer(account_id)
        return await open_conversation(tx, account_id, who, Opening(body, **opening), NOON)


async def replied(database: Database, account_id: int, conversation_id: int, principal: Principal, body: str) -> None:
    async with database.transaction(accounts_or_all([account_id])) as tx:
        await reply(tx, account_id, conversation_id, principal, body, NOON + timedelta(hours=1))


async def everything(databases: Databases, query: str) -> list[tuple[Any, ...]]:
    async with databases.admin.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def test_a_partner_neither_opens_nor_replies_nor_reads(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    conversation_id = await opened(databases, account_id)
    tess = factories.partner(account_id)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        with pytest.raises(ForbiddenError):
            await open_conversation(tx, account_id, tess, Opening("Hello"), NOON)
        with pytest.raises(ForbiddenError):
            await reply(tx, account_id, conversation_id, tess, "Hello", NOON)
        with pytest.raises(ForbiddenError):
            await read_thread(tx, account_id, conversation_id, tess)


@pytest.mark.parametrize(
    "role", [r for r in UserRole if r not in {UserRole.STEWARD, UserRole.ADMIN, UserRole.CUSTOMER}]
)
async def test_roles_that_answer_no_customers_do_not_speak(databases: Databases, role: UserRole) -> None:
    account_id = await factories.account(databases, "harbor")
    with pytest.raises(ForbiddenError, match=r"is not among its rights"):
        await opened(databases, account_id, factories.supplier(role))


@pytest.mark.parametrize("role", PersonRole)
async def test_every_person_of_the_account_may_ask(databases: Databases, role: PersonRole) -> None:
    account_id = await factories.account(databases, "harbor")
    assert await opened(databases, account_id, factories.customer(account_id, role=role))


async def test_another_accounts_conversation_is_not_there(databases: Databases) -> None:
    harbor, other = await factories.account(databases, "harbor"), await factories.account(databases, "other")
    conversation_id = await opened(databases, other)
    with pytest.raises(NotFoundError, match="no conversation"):
        await replied(databases.web, harbor, conversation_id, factories.customer(harbor), "Hello")
    async with databases.web.transaction(accounts_or_all([harbor])) as tx:
        with pytest.raises(NotFoundError, match="no account"):
            await open_conversation(tx, other, factories.customer(harbor), Opening("Hello"), NOON)
        with pytest.raises(NotFoundError, match="no account"):
            await reply(tx, other, conversation_id, factories.customer(harbor), "Hello", NOON)
    assert await everything(databases, "SELECT count(*) FROM message") == [(1,)]


async def test_the_worker_role_is_held_to_the_scope_too(databases: Databases) -> None:
    harbor, other = await factories.account(databases, "harbor"), await factories.account(databases, "other")
    conversation_id = await opened(databases, other)
    async with databases.worker.transaction(accounts_or_all([harbor])) as tx:
        with pytest.raises(NotFoundError):
            await reply(tx, other, conversation_id, STEWARD, "Hello", NOON)
        with pytest.raises(NotFoundError):
            await read_thread(tx, other, conversation_id, STEWARD)


async def test_an_account_that_does_not_exist_is_not_found_in_any_scope(databases: Databases) -> None:
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        with pytest.raises(NotFoundError):
            await open_conversation(tx, 4711, STEWARD, Opening("Hello"), NOON)


@pytest.mark.parametrize(
    ("opening", "error"),
    [
        (Opening(" "), InvalidInputError),
        (Opening("a\0b"), InvalidInputError),
        (Opening("x" * 10_001), TooLargeError),
        (Opening("Why?", title="a\0b"), InvalidInputError),
        (Opening("Why?", insight_id="ins_unknown"), NotFoundError),
        (Opening("Why?", assumption="unknown"), InvalidInputError),
        (Opening("Why?", assumption="\0"), InvalidInputError),
    ],
)
async def test_what_cannot_be_a_conversation_leaves_nothing_behind(
    databases: Databases, opening: Opening, error: type[Exception]
) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.model(databases, "repeat_visit_cost")
    with pytest.raises(error):
        async with databases.web.transaction(accounts_or_all([account_id])) as tx:
            await open_conversation(tx, account_id, factories.customer(account_id), opening, NOON)
    assert await everything(databases, "SELECT 1 FROM conversation UNION ALL SELECT 1 FROM changed_day") == []


async def test_the_sentence_is_kept_as_it_stood_when_the_story_moves_on(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id)
    await factories.tell(databases, account_id, factories.document(factories.sentence()))
    conversation_id = await opened(databases, account_id, insight_id=INSIGHT)
    later = NOON + timedelta(minutes=5)
    moved = factories.document(factories.sentence(text="At $265 a visit, that is $463K."))
    await factories.keep_insight(databases, account_id, version=2, since=later)
    await factories.tell(databases, account_id, moved, version=2, at=later)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        thread = await read_thread(tx, account_id, conversation_id, STEWARD)
    quote = thread.conversation.insight
    assert quote is not None
    assert (quote.version, quote.sentence) == (1, factories.sentence())
    assert quote.sentence.numbers[0].value == "486080.0000"
    assert thread.conversation.title == "At $310 a visit, that is $486K"


async def test_without_an_insight_the_message_gives_the_title_unless_one_is_given(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await opened(databases, account_id, body="Reno is ahead.\nWhy?")
    await opened(databases, account_id, body="Hello", title="  ¿Qué pasa con 東京?  ")
    titles = await everything(databases, "SELECT title FROM conversation ORDER BY conversation_id")
    assert titles == [("Reno is ahead. Why?",), ("¿Qué pasa con 東京?",)]


async def test_a_conversation_may_be_about_an_assumption_of_the_model(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.model(databases, "repeat_visit_cost")
    await opened(databases, account_id, assumption="repeat_visit_cost")
    assert await everything(databases, "SELECT assumption FROM conversation") == [("repeat_visit_cost",)]


async def test_whoever_spoke_last_waits_for_the_other_side(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    conversation_id = await opened(databases, account_id)
    turns = "SELECT waits_for FROM conversation"
    assert await everything(databases, turns) == [(WaitsFor.SUPPLIER,)]
    await replied(databases.web, account_id, conversation_id, factories.customer(account_id), "And one more thing.")
    assert await everything(databases, turns) == [(WaitsFor.SUPPLIER,)]
    await replied(databases.web, account_id, conversation_id, STEWARD, "Because of the checklists.")
    assert await everything(databases, turns) == [(WaitsFor.CUSTOMER,)]


async def test_what_the_steward_opens_waits_for_the_customer(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await opened(databases, account_id, STEWARD, body="Two regions match your best accounts.")
    assert await everything(databases, "SELECT waits_for FROM conversation") == [(WaitsFor.CUSTOMER,)]


async def test_replies_at_the_same_moment_are_all_kept_and_the_last_of_them_says_who_waits(
    databases: Databases,
) -> None:
    account_id = await factories.account(databases, "harbor")
    conversation_id = await opened(databases, account_id)
    speakers: list[Principal] = [factories.customer(account_id), STEWARD] * 4
    await asyncio.gather(
        *(
            replied(databases.web, account_id, conversation_id, who, f"Message {place}")
            for place, who in enumerate(speakers)
        )
    )
    rows = await everything(databases, "SELECT body, side, at FROM message ORDER BY message_id")
    assert {row[0] for row in rows} == {"Why?", *(f"Message {place}" for place in range(8))}
    last = WaitsFor.after(Side(rows[-1][1]))
    assert await everything(databases, "SELECT waits_for FROM conversation") == [(last,)]


async def test_times_rise_even_where_a_clock_goes_back(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    conversation_id = await opened(databases, account_id)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        said = await reply(tx, account_id, conversation_id, STEWARD, "Because.", NOON - timedelta(hours=3))
    assert said.at == NOON


async def test_each_message_marks_the_accounts_local_day_for_the_worker(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor", timezone="Pacific/Auckland")
    await opened(databases, account_id)
    marks = await everything(databases, "SELECT account_id, day, through, cause FROM changed_day")
    assert marks == [(account_id, date(2026, 9, 2), date(2026, 9, 2), "conversation")]


async def test_a_machine_that_acts_for_a_person_speaks_in_that_persons_name(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.people(databases, account_id, ("dan@harbor.example", "Daniel Reyes", PersonRole.VALIDATOR, None))
    await opened(databases, account_id, factories.machine_of(account_id, "dan@harbor.example", Action.ASK))
    said = await everything(databases, "SELECT author, author_name, side FROM message")
    assert said == [("dan@harbor.example", "Daniel Reyes", "customer")]


async def test_a_machine_without_the_scope_is_refused(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    with pytest.raises(ForbiddenError):
        await opened(databases, account_id, factories.machine_of(account_id, "dan@harbor.example"))


async def test_the_web_role_sees_no_message_outside_its_scope(databases: Databases) -> None:
    harbor, other = await factories.account(databases, "harbor"), await factories.account(databases, "other")
    for account_id in (harbor, other):
        await opened(databases, account_id)
    for scope, seen in ((accounts_or_all([harbor]), 1), (accounts_or_all(None), 2), (Scope(frozenset()), 0)):
        async with databases.web.transaction(scope) as tx:
            for table in ("conversation", "message"):
                assert await tx.scalar(text(f"SELECT count(*) FROM {table}")) == seen
