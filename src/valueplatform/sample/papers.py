"""What both sides keep in writing: the last closed month, signed, and a look ahead that the sponsor shares."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from valueplatform.sample.cast import Account
from valueplatform.sample.records import email_of, steward_of

LEAST_HISTORY: Final = timedelta(days=90)
ACCOUNTS: Final = 3
AHEAD_MONTHS: Final = 12
_CLOSES_AFTER: Final = timedelta(days=11)
"""Of the next month, when a month is closed everywhere."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A month, from its first day, stated by the steward and signed by both; the customer's side by its sponsor."""

    account: str
    month: date
    steward_email: str
    sponsor_email: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A scenario of the sponsor, for all to see: all usage times `crews`, from the month `start` on."""

    account: str
    name: str
    start: date
    months: int
    crews: Decimal
    author_email: str


def papers(accounts: tuple[Account, ...]) -> tuple[Signed | Foreseen, ...]:
    """Those of the first three accounts that work with the product and have somebody to sign and to plan."""
    ready = [account for account in accounts if _is_ready(account)]
    return tuple(paper for account in ready[:ACCOUNTS] for paper in _of(account))


def _is_ready(account: Account) -> bool:
    sponsored = any(person.role == "sponsor" for person in account.spec.people)
    live = account.live is not None and account.ended is None and account.today - account.live >= LEAST_HISTORY
    return live and sponsored


def _of(account: Account) -> Iterator[Signed | Foreseen]:
    sponsor = email_of(account, next(person for person in account.spec.people if person.role == "sponsor"))
    closing = (account.today - _CLOSES_AFTER).replace(day=1)
    yield Signed(account.key, (closing - timedelta(days=1)).replace(day=1), steward_of(account)[0], sponsor)
    start = (account.today.replace(day=1) + timedelta(days=31)).replace(day=1)
    yield Foreseen(account.key, "A tenth more crews", start, AHEAD_MONTHS, Decimal("1.1"), sponsor)
