"""The steward's side of a suggestion: whom to talk to, why now, what it may bring, and how likely it is to be taken up.

From the same suggestions that the customer sees; only the order differs, by chance of adoption times expected value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.numbers import AMOUNT_PLACES
from valueplatform.narrative.next_best import Suggestion
from valueplatform.narrative.next_best_store import State, StoredSuggestion, suggestions_of

RENEWAL_DAYS: Final = 120
"""A contract that ends within this many days is a reason to talk."""

NEW_DAYS: Final = 14

_ROLES: Final = ("champion", "sponsor", "economic-buyer", "admin", "validator", "user")
"""Whom to talk to, first choice first."""

_ACCOUNT = text("""
    SELECT (CAST(:now AS timestamptz) AT TIME ZONE a.timezone)::date AS today,
           (SELECT max(coalesce(c.end_day, DATE 'infinity')) FROM contract c
            WHERE c.account_id = a.account_id AND c.kind <> 'churn') AS ends
    FROM account a WHERE a.account_id = :account
""")
_PEOPLE = text("SELECT name, email, role FROM person WHERE account_id = :account")


class Why(StrEnum):
    """Why now, the most pressing first."""

    RENEWAL = "renewal"
    """The last contract ends within 120 days."""
    ACCEPTED = "accepted"
    """The customer said yes and it is not done."""
    NEW = "new"
    """Suggested within the last two weeks."""
    STANDING = "standing"
    """Nothing presses."""


@dataclass(frozen=True, slots=True)
class Contact:
    name: str
    email: str
    role: str


class Prompt(msgspec.Struct, frozen=True):
    """`contact` is None where nobody is known; `ends` is the contract's end where `why` is RENEWAL.

    `at_stake` is the expected value times the chance of adoption (times one where the chance is not known); None where
    the suggestion is not priced. `unit` is the account's currency: amounts of several accounts do not add.
    """

    suggestion: Suggestion
    state: State
    contact: Contact | None
    why: Why
    ends: date | None
    at_stake: Decimal | None


async def prompts_of(tx: Transaction, account_id: int, now: datetime) -> tuple[Prompt, ...]:
    """What to talk about with the account, most at stake first; what was dismissed or is done calls for nothing."""
    account = await tx.row(_ACCOUNT, {"account": account_id, "now": now})
    if account is None:
        return ()
    people = [Contact(row.name, row.email, row.role) for row in await tx.rows(_PEOPLE, {"account": account_id})]
    stored = [one for one in await suggestions_of(tx, account_id) if one.state in {State.OPEN, State.ACCEPTED}]
    contact = contact_of(people)
    ends = account.ends if isinstance(account.ends, date) else None
    due = ends if ends is not None and account.today <= ends <= account.today + timedelta(days=RENEWAL_DAYS) else None
    prompts = (Prompt(one.suggestion, one.state, contact, _why(one, due, now), due, at_stake(one)) for one in stored)
    return tuple(sorted(prompts, key=_order))


def contact_of(people: Iterable[Contact]) -> Contact | None:
    """The champion, else who comes next; by name among several."""
    known = [person for person in people if person.role in _ROLES]
    return min(known, key=lambda person: (_ROLES.index(person.role), person.name), default=None)


def at_stake(stored: StoredSuggestion) -> Decimal | None:
    expected, chance = stored.suggestion.expected, stored.suggestion.chance
    if expected is None:
        return None
    return (expected * (Decimal(1) if chance is None else chance)).quantize(Decimal(1).scaleb(-AMOUNT_PLACES))


def _why(stored: StoredSuggestion, due: date | None, now: datetime) -> Why:
    if due is not None:
        return Why.RENEWAL
    if stored.state is State.ACCEPTED:
        return Why.ACCEPTED
    return Why.NEW if now - stored.suggested_at <= timedelta(days=NEW_DAYS) else Why.STANDING


def _order(prompt: Prompt) -> tuple[bool, Decimal, Decimal, str]:
    stake, chance = prompt.at_stake, prompt.suggestion.chance
    return stake is None, -(stake or Decimal(0)), -(chance or Decimal(0)), prompt.suggestion.title
