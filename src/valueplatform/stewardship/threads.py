"""Reading conversations: which there are, what was said in one, what the record did meanwhile, and who is in it."""

import heapq
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select, text

from valueplatform.accounts.tables import person
from valueplatform.core.authorization import Principal, Side
from valueplatform.core.database import Transaction
from valueplatform.core.tables import user
from valueplatform.stewardship.attachments import Attached
from valueplatform.stewardship.conversations import Message, WaitsFor, no_conversation, require_reader
from valueplatform.stewardship.tables import message


class Conversation(msgspec.Struct, frozen=True):
    """One line of the list. `insight` is the one that it began with, as it stood then; `last_*` is the last message."""

    conversation_id: int
    title: str
    assumption: str | None
    opened_by: str
    opened_at: datetime
    waits_for: WaitsFor
    messages: int
    last_at: datetime
    last_author_name: str
    last_side: Side
    insight: Attached | None


class RecordLine(msgspec.Struct, frozen=True, tag="record"):
    """What was said of an assumption, baseline or driver in this conversation: not a message, but the record itself.

    `action` is one of `value.assumptions.Action`; amounts are absent where it states no value.
    """

    entry_id: int
    action: str
    slug: str
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    unit: str | None
    author: str
    author_name: str
    side: Side
    reason: str
    at: datetime


class Participant(msgspec.Struct, frozen=True):
    """Whoever has spoken. `role` is a customer's role in the account or a supplier's own, None for machines and for
    people who have left; `group` is the customer's department."""

    author: str
    name: str
    side: Side
    role: str | None
    group: str | None


class Thread(msgspec.Struct, frozen=True):
    """`items` are in the order of what happened; `people` in the order in which they came in."""

    conversation: Conversation
    items: tuple[Message | RecordLine, ...]
    people: tuple[Participant, ...]


_CONVERSATIONS: Final = """
    SELECT c.conversation_id, c.title, c.assumption, c.opened_by, c.opened_at, c.waits_for, c.last_at,
           said.messages, first.insight, last.author_name AS last_author_name, last.side AS last_side
      FROM conversation c
      JOIN LATERAL (SELECT count(*) AS messages, min(message_id) AS first_id, max(message_id) AS last_id FROM message m
                     WHERE m.account_id = c.account_id AND m.conversation_id = c.conversation_id) AS said ON true
      JOIN message first ON first.account_id = c.account_id AND first.conversation_id = c.conversation_id
                        AND first.message_id = said.first_id
      JOIN message last ON last.account_id = c.account_id AND last.conversation_id = c.conversation_id
                       AND last.message_id = said.last_id
     WHERE c.account_id = :account
"""
_LIST: Final = text(f"{_CONVERSATIONS} ORDER BY c.waits_for <> :side, c.last_at DESC, c.conversation_id DESC")
_ONE: Final = text(f"{_CONVERSATIONS} AND c.conversation_id = :conversation")
_WAITING: Final = text("SELECT count(*) FROM conversation WHERE account_id = :account AND waits_for = :side")
_RECORD: Final = text("""
    SELECT e.entry_id, e.action, e.slug, e.low, e.expected, e.high, e.unit, e.author, e.author_side AS side, e.reason,
           e.known_at AS at, coalesce(p.name, u.name, e.author) AS author_name
      FROM assumption_entry e
      LEFT JOIN person p ON p.account_id = e.account_id AND p.email = e.author
      LEFT JOIN app_user u ON u.email = e.author
     WHERE e.account_id = :account AND e.conversation_id = :conversation
     ORDER BY e.entry_id
""")


async def conversations_of(tx: Transaction, account_id: int, reader: Principal) -> list[Conversation]:
    """Those that wait for the reader's side first, then the latest first. Raises ForbiddenError."""
    require_reader(reader)
    if not tx.scope.covers(account_id):
        return []
    rows = await tx.rows(_LIST, {"account": account_id, "side": reader.side})
    return [_conversation(row) for row in rows]


async def waiting_count(tx: Transaction, account_id: int, reader: Principal) -> int:
    """How many conversations of the account wait for the reader's side. Raises ForbiddenError."""
    require_reader(reader)
    if not tx.scope.covers(account_id):
        return 0
    return int(await tx.scalar(_WAITING, {"account": account_id, "side": reader.side}))


async def read_thread(tx: Transaction, account_id: int, conversation_id: int, reader: Principal) -> Thread:
    """Raises ForbiddenError, and NotFoundError for a conversation that is not this account's."""
    require_reader(reader)
    where = {"account": account_id, "conversation": conversation_id}
    row = await tx.row(_ONE, where) if tx.scope.covers(account_id) else None
    if row is None:
        raise no_conversation(conversation_id)
    of_it = (message.c.account_id == account_id, message.c.conversation_id == conversation_id)
    messages = [_message(m) for m in await tx.rows(select(message).where(*of_it).order_by(message.c.message_id))]
    lines = [_record_line(line) for line in await tx.rows(_RECORD, where)]
    happened: list[Iterable[Message | RecordLine]] = [messages, lines]
    items = tuple(heapq.merge(*happened, key=lambda item: item.at))
    return Thread(_conversation(row), items, await _people(tx, account_id, items))


def _conversation(row: Row[Any]) -> Conversation:
    return msgspec.convert(row._mapping, Conversation)  # noqa: SLF001 - public in SQLAlchemy


def _record_line(row: Row[Any]) -> RecordLine:
    return msgspec.convert(row._mapping, RecordLine)  # noqa: SLF001 - public in SQLAlchemy


def _message(row: Row[Any]) -> Message:
    insight = msgspec.convert(row.insight, Attached | None)
    return Message(row.message_id, row.author, row.author_name, Side(row.side), row.body, insight, row.at)


async def _people(tx: Transaction, account_id: int, items: Iterable[Message | RecordLine]) -> tuple[Participant, ...]:
    """Under the name that each last went by."""
    spoke = {item.author: item for item in items}
    emails = list(spoke)
    persons = select(person.c.email, person.c.role, person.c.person_group)
    theirs = {
        row.email: row
        for row in await tx.rows(persons.where(person.c.account_id == account_id, person.c.email.in_(emails)))
    }
    users = {row.email: row for row in await tx.rows(select(user.c.email, user.c.role).where(user.c.email.in_(emails)))}
    return tuple(_participant(item, theirs, users) for item in spoke.values())


def _participant(item: Message | RecordLine, persons: dict[str, Row[Any]], users: dict[str, Row[Any]]) -> Participant:
    known = (persons if item.side is Side.CUSTOMER else users).get(item.author)
    group = known.person_group if known is not None and item.side is Side.CUSTOMER else None
    return Participant(item.author, item.author_name, item.side, known.role if known is not None else None, group)
