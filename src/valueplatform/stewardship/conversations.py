"""Conversations between an account's people and its steward: opening one, and replying.

Whoever spoke last waits for the other side. A partner is never in one (value rule 19). Writing tells the worker, which
raises or settles the signal and the portfolio.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import insert, select, update

from valueplatform.accounts.tables import account, person
from valueplatform.core.authorization import Action, KeyPrincipal, Principal, Side, require
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, InvalidInputError, NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.stewardship.attachments import Attached, attached
from valueplatform.stewardship.messages import checked_body, title_of
from valueplatform.stewardship.tables import conversation, message
from valueplatform.telemetry.tables import changed_day
from valueplatform.value.models import stored_model

CAUSE: Final = "conversation"
"""Of the mark that tells the worker that somebody wrote."""


class WaitsFor(StrEnum):
    CUSTOMER = "customer"
    SUPPLIER = "supplier"

    @classmethod
    def after(cls, side: Side) -> "WaitsFor":
        """Whose turn it is once `side` has spoken."""
        return cls.SUPPLIER if side is Side.CUSTOMER else cls.CUSTOMER


class Opening(msgspec.Struct, frozen=True):
    """What a conversation begins with. Without a title, the insight's sentence gives it, else the message itself.

    `assumption` is the slug of an assumption or baseline that it is about.
    """

    body: str
    insight_id: str | None = None
    title: str | None = None
    assumption: str | None = None


class Message(msgspec.Struct, frozen=True, tag="message"):
    """What a person said. `author` is an e-mail address, or the name of a machine's key."""

    message_id: int
    author: str
    author_name: str
    side: Side
    body: str
    insight: Attached | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Turn:
    """Who speaks, in which account; `timezone` is the account's."""

    account_id: int
    timezone: str
    author: str
    name: str
    side: Side


async def open_conversation(
    tx: Transaction, account_id: int, principal: Principal, opening: Opening, now: datetime, *, to: Side | None = None
) -> int:
    """Begin a conversation with its first message; its id. It waits for the side `to`, the other one unless given:
    people of one account may write to each other.

    Raises ForbiddenError for partners and whoever lacks the right, NotFoundError for an account, insight or
    assumption that is not there, InvalidInputError and TooLargeError for what cannot be a message.
    """
    turn = await _turn(tx, account_id, principal)
    body = checked_body(opening.body)
    quote = await attached(tx, account_id, opening.insight_id) if opening.insight_id else None
    title = title_of([opening.title, quote.sentence.text if quote else None, body])
    if opening.assumption is not None:
        await _check_assumption(tx, opening.assumption)
    conversation_id: int = await tx.scalar(
        insert(conversation)
        .values(
            account_id=account_id,
            title=title,
            assumption=opening.assumption,
            opened_by=turn.author,
            opened_at=now,
            last_at=now,
            waits_for=WaitsFor.after(turn.side) if to is None else WaitsFor(to.value),
        )
        .returning(conversation.c.conversation_id)
    )
    await _add(tx, turn, conversation_id, body, quote, now)
    return conversation_id


async def reply(
    tx: Transaction,
    account_id: int,
    conversation_id: int,
    principal: Principal,
    body: str,
    now: datetime,
    *,
    insight_id: str | None = None,
) -> Message:
    """Add a message. Replies at the same moment go in one after the other, and the last of them says who waits.

    Raises as `open_conversation`, and NotFoundError for a conversation that is not this account's.
    """
    turn = await _turn(tx, account_id, principal)
    checked = checked_body(body)
    quote = await attached(tx, account_id, insight_id) if insight_id else None
    of_it = (conversation.c.account_id == account_id, conversation.c.conversation_id == conversation_id)
    last_at: datetime | None = await tx.scalar(select(conversation.c.last_at).where(*of_it).with_for_update())
    if last_at is None:
        raise no_conversation(conversation_id)
    # Times rise within a conversation, also where another process's clock was ahead.
    at = max(now, last_at)
    said = await _add(tx, turn, conversation_id, checked, quote, at)
    await tx.execute(update(conversation).where(*of_it).values(last_at=at, waits_for=WaitsFor.after(turn.side)))
    return said


def no_conversation(conversation_id: int) -> NotFoundError:
    return NotFoundError(f"There is no conversation {conversation_id} in this account.")


def require_reader(principal: Principal) -> None:
    """Raises ForbiddenError for partners, and for whoever may not read conversations."""
    require(principal, Action.READ_CONVERSATIONS)
    _refuse_partner(principal)


async def _turn(tx: Transaction, account_id: int, principal: Principal) -> _Turn:
    require(principal, Action.ASK if principal.side is Side.CUSTOMER else Action.ANSWER)
    _refuse_partner(principal)
    query = select(account.c.timezone).where(account.c.account_id == account_id)
    timezone: str | None = await tx.scalar(query) if tx.scope.covers(account_id) else None
    if timezone is None:
        raise NotFoundError(f"There is no account with id {account_id}.")
    name = principal.name
    if isinstance(principal, KeyPrincipal) and principal.person is not None:
        names = select(person.c.name).where(person.c.account_id == account_id, person.c.email == principal.person)
        name = await tx.scalar(names) or principal.person
    return _Turn(account_id, timezone, principal.author, name, principal.side)


def _refuse_partner(principal: Principal) -> None:
    if principal.side is Side.PARTNER:
        raise ForbiddenError("A partner is not in the conversations of customer and supplier (value rule 19).")


async def _check_assumption(tx: Transaction, slug: str) -> None:
    model = await stored_model(tx)
    if model is None or model.rate(slug) is None:
        raise InvalidInputError(f"The value model has no assumption or baseline {slug!r}; name one that it has.")


async def _add(
    tx: Transaction, turn: _Turn, conversation_id: int, body: str, quote: Attached | None, at: datetime
) -> Message:
    values: dict[str, Any] = {
        "account_id": turn.account_id,
        "conversation_id": conversation_id,
        "author": turn.author,
        "author_name": turn.name,
        "side": turn.side,
        "body": body,
        "insight": msgspec.to_builtins(quote),
        "at": at,
    }
    message_id: int = await tx.scalar(insert(message).values(values).returning(message.c.message_id))
    today = local_day(at, turn.timezone)
    await tx.execute(insert(changed_day).values(account_id=turn.account_id, day=today, through=today, cause=CAUSE))
    return Message(message_id, turn.author, turn.name, turn.side, body, quote, at)
