"""What a reader has not seen yet, told on every other page: what is new in a story, and for a steward, bad news."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.accounts.stewards import OF_STEWARD
from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience
from valueplatform.narrative.news import News, news_since
from valueplatform.stewardship.holds import held_until

WORTH_TELLING: Final = timedelta(days=14)
"""For so long bad news that a steward has not read is told on their pages."""
_MOST: Final = 500

_SEEN: Final = text("""
    SELECT greatest(v.version, d.version) AS version, greatest(v.visited_at, d.dismissed_at) AS at
      FROM visit v LEFT JOIN notice_dismissal d USING (account_id, user_id, audience)
     WHERE v.account_id = :account AND v.user_id = :user AND v.audience = :audience
       AND greatest(v.version, d.version) <
           (SELECT max(version) FROM story WHERE account_id = :account AND audience = :audience)
""")
_DISMISS: Final = text("""
    INSERT INTO notice_dismissal (account_id, user_id, audience, version, dismissed_at)
    SELECT :account, :user, :audience, least(:version, max(version)), :now FROM story
     WHERE account_id = :account AND audience = :audience HAVING max(version) IS NOT NULL
    ON CONFLICT (account_id, user_id, audience) DO UPDATE
    SET version = greatest(notice_dismissal.version, excluded.version), dismissed_at = excluded.dismissed_at
""")
_UNREAD: Final = f"""
    SELECT b.account_id, a.key, a.name, b.insight_id, b.text, b.told_at
      FROM bad_news b JOIN account a USING (account_id)
      LEFT JOIN visit v ON v.account_id = b.account_id AND v.user_id = :user AND v.audience = 'customer'
      LEFT JOIN notice_dismissal d
             ON d.account_id = b.account_id AND d.user_id = :user AND d.audience = 'steward'
     WHERE b.over_at IS NULL AND b.told_at > :since
       AND b.told_at > coalesce(greatest(v.visited_at, d.dismissed_at), '-infinity')
       AND b.account_id IN ({OF_STEWARD})
"""  # noqa: S608 - a constant of ours
_UNREAD_FIRST: Final = text(f"{_UNREAD} ORDER BY b.told_at DESC, b.account_id, b.position LIMIT :most")
_PUT_ASIDE: Final = text(f"""
    INSERT INTO notice_dismissal (account_id, user_id, audience, version, dismissed_at)
    SELECT DISTINCT account_id, :user, 'steward', 0, CAST(:now AS timestamptz)
      FROM ({_UNREAD}) AS unread WHERE told_at <= :told
    ON CONFLICT (account_id, user_id, audience) DO UPDATE SET dismissed_at = excluded.dismissed_at
""")  # noqa: S608 - a constant of ours


class Reading(msgspec.Struct, frozen=True):
    """Who reads the story of which account. `is_customer`: a hold delays what they are told."""

    account: Account
    user_id: int
    is_customer: bool


class Unread(msgspec.Struct, frozen=True):
    """Bad news that the steward of its account has not read."""

    account_id: int
    key: str
    name: str
    insight_id: str
    text: str
    told_at: datetime


async def unseen(tx: Transaction, reading: Reading, now: datetime) -> tuple[News, datetime] | None:
    """What is new since the reader saw the story, and when that was; None where nothing is, they never saw it, they put
    it aside, or it is held."""
    account_id = reading.account.account_id
    where = {"account": account_id, "user": reading.user_id, "audience": Audience.CUSTOMER.value}
    seen = await tx.row(_SEEN, where)
    if seen is None:
        return None
    if reading.is_customer and await held_until(tx, account_id, reading.account.timezone, seen.at, now):
        return None
    news = await news_since(tx, account_id, Audience.CUSTOMER, seen.version)
    return (news, seen.at) if news is not None and news.lines else None


async def dismiss(tx: Transaction, account_id: int, user_id: int, version: int, now: datetime) -> None:
    """Say no more of what is new up to this version."""
    audience = Audience.CUSTOMER.value
    where = {"account": account_id, "user": user_id, "audience": audience, "version": version, "now": now}
    await tx.execute(_DISMISS, where)


async def unread_bad_news(tx: Transaction, user_id: int, now: datetime) -> Sequence[Unread]:
    """In the accounts of a steward, the latest first: told within two weeks, and neither read nor put aside."""
    rows = await tx.rows(_UNREAD_FIRST, {"user": user_id, "since": now - WORTH_TELLING, "most": _MOST})
    return [Unread(**row._asdict()) for row in rows]


async def dismiss_bad_news(tx: Transaction, user_id: int, told: datetime, now: datetime) -> None:
    """Put aside what was told up to then."""
    await tx.execute(_PUT_ASIDE, {"user": user_id, "since": now - WORTH_TELLING, "told": told, "now": now})
