"""How far each reader was told of each account, and when to look again."""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from valueplatform.accounts.stewards import OF_STEWARD
from valueplatform.core.authorization import UserPrincipal
from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience
from valueplatform.stewardship.digests.choice import Choice, audience_of, next_slot

_OF_CUSTOMER: Final = "SELECT account_id FROM account WHERE account_id = ANY(CAST(:accounts AS bigint[]))"
# What was told before somebody chose is no news to them.
_BEGIN: Final = """
    INSERT INTO digest_mark (account_id, user_id, audience, version, as_of, next_at)
    SELECT mine.account_id, :user, :audience, coalesce((SELECT max(s.version) FROM story s
           WHERE s.account_id = mine.account_id AND s.audience = :audience), 0), :now, :next
      FROM ({accounts}) AS mine
    ON CONFLICT (account_id, user_id) DO {update}
"""
_ANEW: Final = """UPDATE SET audience = excluded.audience, version = excluded.version, as_of = excluded.as_of,
    sent_at = NULL, next_at = excluded.next_at, waiting_since = NULL"""
_LATER: Final = text("""
    UPDATE digest_mark SET next_at = :next, waiting_since = NULL WHERE user_id = :user AND next_at <> :next
""")


async def move_marks(tx: Transaction, user_id: int, choice: Choice, now: datetime) -> None:
    """Look at what is followed already by the times now chosen."""
    await tx.execute(_LATER, {"user": user_id, "next": next_slot(choice, now)})


async def begin_marks(tx: Transaction, user: UserPrincipal, choice: Choice, now: datetime, *, anew: bool) -> None:
    """Follow the accounts of a reader from now on. `anew`: forget how far they were told, since they were not told
    for a while; else only accounts that were not followed yet are begun with."""
    audience = audience_of(user)
    if audience is None or not choice.is_on:
        return
    upcoming = next_slot(choice, now)
    accounts = OF_STEWARD if audience is Audience.STEWARD else _OF_CUSTOMER
    values: dict[str, object] = {"user": user.user_id, "audience": audience.value, "now": now, "next": upcoming}
    if audience is not Audience.STEWARD:
        values["accounts"] = sorted(user.account_ids or ())
    await tx.execute(text(_BEGIN.format(accounts=accounts, update=_ANEW if anew else "NOTHING")), values)
