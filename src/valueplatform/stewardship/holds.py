"""Holding bad news back: a steward gains time to speak first, and nobody can suppress anything (value rule 13).

A hold delays the notices and digests of one account, never its pages or the API, and never for longer than two working
days from when the news was first told. What holds bad news that has had its two days is sent, whatever hold stands.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, text

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError, UnprocessableError
from valueplatform.stewardship.bad_news import BadNews, open_bad_news
from valueplatform.stewardship.messages import checked_body
from valueplatform.stewardship.working_days import working_days_later

MOST_WORKING_DAYS: Final = 2
LONGEST_REASON: Final = 500
_READ: Final = text("""
    SELECT h.hold_id, h.author, h.reason, h.placed_at, h.told_at, h.until, r.author AS released_by, r.released_at
      FROM news_hold h LEFT JOIN news_hold_release r USING (account_id, hold_id)
     WHERE account_id = :account ORDER BY h.hold_id DESC
""")
_PLACE: Final = text("""
    INSERT INTO news_hold (account_id, author, reason, placed_at, told_at, until)
    VALUES (:account, :author, :reason, :now, :told_at, :until) RETURNING hold_id
""")
_RELEASE: Final = text("""
    INSERT INTO news_hold_release (account_id, hold_id, author, released_at) VALUES (:account, :hold, :author, :now)
""")


class Hold(msgspec.Struct, frozen=True):
    """`told_at` is when the oldest news that it covers was first told; `until` is at most two working days later."""

    hold_id: int
    author: str
    reason: str
    placed_at: datetime
    told_at: datetime
    until: datetime
    released_by: str | None = None
    released_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        return self.released_at is None and now < self.until


async def holds_of(tx: Transaction, account_id: int) -> tuple[Hold, ...]:
    """Every hold of the account, the newest first."""
    rows: Sequence[Row[Any]] = await tx.rows(_READ, {"account": account_id})
    return tuple(Hold(**row._asdict()) for row in rows)


async def standing_hold(tx: Transaction, account_id: int, now: datetime) -> Hold | None:
    return next((hold for hold in await holds_of(tx, account_id) if hold.stands(now)), None)


async def holdable(tx: Transaction, account: Account, now: datetime) -> tuple[BadNews, ...]:
    """Bad news whose two working days are not over, oldest first."""
    found = await open_bad_news(tx, account.account_id)
    return tuple(news for news in found if now < latest(news.told_at, account.timezone))


def latest(told_at: datetime, timezone: str) -> datetime:
    """Until when news may be held."""
    return working_days_later(told_at, MOST_WORKING_DAYS, timezone)


async def place_hold(
    tx: Transaction, account: Account, author: str, reason: str, now: datetime, until: datetime | None = None
) -> Hold:
    """Hold back what bad news there is, until then, or for as long as is allowed.

    Raises UnprocessableError where there is nothing to hold or it would be too long, ConflictError where one stands
    already, InvalidInputError, TooLargeError.
    """
    said = checked_reason(reason)
    await lock_account(tx, account.account_id)
    if (standing := await standing_hold(tx, account.account_id, now)) is not None:
        raise ConflictError(
            f"{standing.author} holds the news of {account.key!r} already, until {standing.until.isoformat()}; release "
            "that hold first."
        )
    news = await holdable(tx, account, now)
    if not news:
        raise UnprocessableError(
            f"There is nothing to hold in {account.key!r}: no bad news was first told within the last two working days."
        )
    told_at = news[0].told_at
    end = latest(told_at, account.timezone)
    if until is not None and until <= now:
        raise InvalidInputError(f"`until` is {until.isoformat()}, which is past; give a later time, or none.")
    if until is not None and until > end:
        raise UnprocessableError(
            f"News may be held for two working days from when it was first told, here until {end.isoformat()}."
        )
    values = {"account": account.account_id, "author": author, "reason": said, "now": now, "told_at": told_at}
    hold_id = await tx.scalar(_PLACE, values | {"until": until or end})
    return Hold(int(hold_id), author, said, now, told_at, until or end)


def checked_reason(reason: str) -> str:
    """Raises InvalidInputError."""
    said = checked_body(reason) if reason.strip() else ""
    if not said or len(said) > LONGEST_REASON:
        raise InvalidInputError(f"Say in 1 to {LONGEST_REASON} characters why the news is held; it is kept.")
    return said


async def release_hold(tx: Transaction, account: Account, author: str, now: datetime) -> Hold:
    """End the hold that stands. Raises NotFoundError where none does."""
    await lock_account(tx, account.account_id)
    hold = await standing_hold(tx, account.account_id, now)
    if hold is None:
        raise NotFoundError(f"No hold stands on the news of {account.key!r}.")
    where = {"account": account.account_id, "hold": hold.hold_id, "author": author, "now": now}
    await tx.execute(_RELEASE, where)
    return msgspec.structs.replace(hold, released_by=author, released_at=now)


async def held_until(
    tx: Transaction, account_id: int, timezone: str, since: datetime, now: datetime
) -> datetime | None:
    """Until when what is new since then waits, whole; None where it does not.

    It waits where a hold stands, it has bad news in it, and none of that has had its two working days.
    """
    hold = await standing_hold(tx, account_id, now)
    news = await open_bad_news(tx, account_id, since) if hold is not None else ()
    if hold is None or not news:
        return None
    end = min(hold.until, latest(news[0].told_at, timezone))
    return end if now < end else None
