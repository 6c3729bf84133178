"""What was said, in order, and by whom."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.stewardship import factories
from tests.stewardship.factories import NOON
from valueplatform.core.authorization import PersonRole, Side, UserRole, accounts_or_all, operator_scope
from valueplatform.core.errors import ForbiddenError, NotFoundError
from valueplatform.stewardship.conversations import Message, Opening, WaitsFor, open_conversation, reply
from valueplatform.stewardship.threads import (
    Participant,
    RecordLine,
    Thread,
    conversations_of,
    read_thread,
    waiting_count,
)

STEWARD = factories.supplier()


async def talk(databases: Databases, account_id: int, title: str, minutes: int, *sides: Side) -> int:
    """A conversation whose messages come from `sides` in turn, a minute apart."""
    speakers = {Side.CUSTOMER: factories.customer(account_id), Side.SUPPLIER: STEWARD}
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        start = NOON + timedelta(minutes=minutes)
        opening = Opening(f"{title} 0", title=title)
        conversation_id = await open_conversation(tx, account_id, speakers[sides[0]], opening, start)
        for place, side in enumerate(sides[1:], start=1):
            at = start + timedelta(minutes=place)
            await reply(tx, account_id, conversation_id, speakers[side], f"{title} {place}", at)
    return conversation_id


async def thread_of(databases: Databases, account_id: int, conversation_id: int) -> Thread:
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        return await read_thread(tx, account_id, conversation_id, STEWARD)


async def test_an_account_where_nobody_spoke_has_no_conversations(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        assert await conversations_of(tx, account_id, STEWARD) == []
        assert await waiting_count(tx, account_id, STEWARD) == 0
        with pytest.raises(NotFoundError, match="no conversation 1 in this account"):
            await read_thread(tx, account_id, 1, STEWARD)


async def test_what_waits_for_the_reader_comes_first_then_the_latest(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await talk(databases, account_id, "asked early", 0, Side.CUSTOMER)
    await talk(databases, account_id, "answered", 20, Side.CUSTOMER, Side.SUPPLIER)
    await talk(databases, account_id, "asked late", 10, Side.SUPPLIER, Side.CUSTOMER)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        for_steward = await conversations_of(tx, account_id, STEWARD)
        for_customer = await conversations_of(tx, account_id, factories.customer(account_id))
        assert await waiting_count(tx, account_id, STEWARD) == 2
        assert await waiting_count(tx, account_id, factories.customer(account_id)) == 1
    assert [c.title for c in for_steward] == ["asked late", "asked early", "answered"]
    assert [c.title for c in for_customer] == ["answered", "asked late", "asked early"]
    late = for_steward[0]
    assert (late.messages, late.opened_by, late.last_side) == (2, "maya@fieldnote.example", Side.CUSTOMER)
    assert (late.waits_for, late.last_author_name) == (WaitsFor.SUPPLIER, "Priya Nair")


async def test_conversations_of_another_account_are_not_listed(databases: Databases) -> None:
    harbor, other = await factories.account(databases, "harbor"), await factories.account(databases, "other")
    await talk(databases, other, "theirs", 0, Side.CUSTOMER)
    for database in (databases.web, databases.worker):
        async with database.transaction(accounts_or_all([harbor])) as tx:
            assert await conversations_of(tx, other, STEWARD) == []
            assert await conversations_of(tx, harbor, STEWARD) == []
            assert await waiting_count(tx, other, STEWARD) == 0


@pytest.mark.parametrize("role", [UserRole.PARTNER, UserRole.PRODUCT, UserRole.FINANCE, UserRole.OPERATIONS])
async def test_who_may_not_read_conversations_is_told_so(databases: Databases, role: UserRole) -> None:
    account_id = await factories.account(databases, "harbor")
    outsider = factories.supplier(role)
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        for read in (conversations_of, waiting_count):
            with pytest.raises(ForbiddenError):
                await read(tx, account_id, outsider)


async def test_a_proposal_made_in_the_conversation_stands_between_its_messages(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.people(
        databases, account_id, ("priya@harbor.example", "Priya Nair", PersonRole.VALIDATOR, "Finance")
    )
    conversation_id = await talk(databases, account_id, "cost", 0, Side.CUSTOMER, Side.SUPPLIER)
    elsewhere = await talk(databases, account_id, "other", 0, Side.CUSTOMER)
    async with databases.worker.transaction(operator_scope()) as tx:
        await factories.entry(tx, account_id, conversation_id, known_at=NOON + timedelta(seconds=30))
        await factories.entry(tx, account_id, elsewhere)
        await factories.entry(tx, account_id, None)
    items = (await thread_of(databases, account_id, conversation_id)).items
    assert [type(item) for item in items] == [Message, RecordLine, Message]
    line = items[1]
    assert isinstance(line, RecordLine)
    assert (line.author_name, line.action, line.slug) == ("Priya Nair", "propose", "repeat_visit_cost")
    assert (line.expected, line.unit) == (Decimal("265.000000000"), "USD/visit")


async def test_an_answer_without_a_value_of_its_own_is_a_line_too(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    conversation_id = await talk(databases, account_id, "cost", 0, Side.CUSTOMER)
    nothing = {"low": None, "expected": None, "high": None, "unit": None}
    async with databases.worker.transaction(operator_scope()) as tx:
        await factories.entry(tx, account_id, None)
        stated = await tx.scalar(text("SELECT max(entry_id) FROM assumption_entry"))
        left = {"author": "left@harbor.example", "answers": stated}
        await factories.entry(tx, account_id, conversation_id, action="dispute", **left, **nothing)
    line = (await thread_of(databases, account_id, conversation_id)).items[-1]
    assert isinstance(line, RecordLine)
    assert (line.action, line.expected, line.author_name) == ("dispute", None, "left@harbor.example")


async def test_people_are_named_once_with_what_they_are_today(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.people(
        databases,
        account_id,
        ("priya@harbor.example", "Priya Nair", PersonRole.VALIDATOR, "Finance"),
        # Somebody with the steward's address on the customer's side does not become the steward.
        ("maya@fieldnote.example", "Impostor", PersonRole.ADMIN, "IT"),
    )
    await factories.user_row(databases, "maya@fieldnote.example", "Maya Okafor", UserRole.STEWARD)
    sides = (Side.CUSTOMER, Side.SUPPLIER, Side.CUSTOMER)
    conversation_id = await talk(databases, account_id, "cost", 0, *sides)
    assert (await thread_of(databases, account_id, conversation_id)).people == (
        Participant("priya@harbor.example", "Priya Nair", Side.CUSTOMER, "validator", "Finance"),
        Participant("maya@fieldnote.example", "Maya Okafor", Side.SUPPLIER, "steward", None),
    )


async def test_who_has_left_the_account_stays_in_what_they_said(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    conversation_id = await talk(databases, account_id, "cost", 0, Side.CUSTOMER)
    people = (await thread_of(databases, account_id, conversation_id)).people
    assert people == (Participant("priya@harbor.example", "Priya Nair", Side.CUSTOMER, None, None),)


async def test_a_thread_is_json_with_exact_decimals_as_text(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor", name="Häfen & Söhne 港")
    conversation_id = await talk(databases, account_id, "Kosten <b>", 0, Side.CUSTOMER)
    async with databases.worker.transaction(operator_scope()) as tx:
        await factories.entry(tx, account_id, conversation_id, expected=Decimal("999999999999999999.999999999"))
    thread = await thread_of(databases, account_id, conversation_id)
    document = msgspec.json.decode(msgspec.json.encode(thread))
    assert {item["type"] for item in document["items"]} == {"message", "record"}
    line = next(item for item in document["items"] if item["type"] == "record")
    assert line["expected"] == "999999999999999999.999999999"
    assert msgspec.json.decode(msgspec.json.encode(thread), type=Thread) == thread
