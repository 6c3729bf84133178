"""Who is due to be told, and of what: one reader at a time, of all accounts due, in a transaction of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text

from valueplatform.accounts.people import as_person
from valueplatform.accounts.stewards import steward_of
from valueplatform.core.authorization import UserPrincipal, operator_scope
from valueplatform.core.database import Database, Transaction
from valueplatform.core.users import principal_of
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.news import News, news_since
from valueplatform.narrative.store import newest_story
from valueplatform.stewardship.bad_news import BadNews, open_bad_news
from valueplatform.stewardship.digests.choice import Choice, audience_of, choice_of, next_slot
from valueplatform.stewardship.digests.content import Subject, bad_news_digest, story_digest
from valueplatform.stewardship.digests.marks import begin_marks
from valueplatform.stewardship.digests.outbox import Addressee, queue, waits
from valueplatform.stewardship.holds import held_until
from valueplatform.stewardship.working_days import working_days_later

LOOK_AGAIN: Final = timedelta(minutes=1)
NAMELESS: Final = "Value Platform"
MOST_AT_ONCE: Final = 500
"""Accounts of a steward in one transaction; those beyond come in the next, and in the same message."""
CHAMPION_AHEAD: Final = 1
"""Working days that an executive's digest waits for the champion's at most."""

_MARKS: Final = """
    SELECT m.account_id, m.user_id, m.audience, m.version, m.as_of, m.waiting_since, a.key, a.name AS account_name,
           a.timezone, u.email, u.name, u.role, u.account_ids, u.provider, u.disabled_at,
           (SELECT document->'supplier'->>'name' FROM model_revision ORDER BY revision DESC LIMIT 1) AS supplier
      FROM digest_mark m JOIN account a USING (account_id) JOIN app_user u USING (user_id)
      JOIN digest_choice c USING (user_id)
     WHERE m.next_at <= :now AND c.channel <> 'none'
"""
# A reader is one worker's at a time, by the row of their choice: what is due of a steward at once is one message. Marks
# are locked after it, in the order in which they are settled.
_READER: Final = text("""
    SELECT c.user_id FROM digest_mark m JOIN digest_choice c USING (user_id)
     WHERE m.next_at <= :now AND c.channel <> 'none'
     ORDER BY m.next_at, m.user_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED
""")
_DUE: Final = text(f"{_MARKS} AND m.user_id = :user ORDER BY m.account_id LIMIT :most FOR UPDATE OF m")
_LATER: Final = text("""
    UPDATE digest_mark SET next_at = :next, waiting_since = :waiting WHERE account_id = :account AND user_id = :user
""")
_FORGET: Final = text("DELETE FROM digest_mark WHERE account_id = :account AND user_id = :user")
_START_AGAIN: Final = text("""
    UPDATE digest_mark SET audience = :audience, as_of = :now, next_at = :next, sent_at = NULL, waiting_since = NULL,
           version = coalesce((SELECT max(version) FROM story WHERE account_id = :account AND audience = :audience), 0)
     WHERE account_id = :account AND user_id = :user
""")
_CHAMPIONS: Final = text("""
    SELECT m.version, m.as_of, m.sent_at FROM digest_mark m
      JOIN digest_choice c USING (user_id) JOIN app_user u USING (user_id)
      JOIN person p ON p.account_id = m.account_id AND p.email = u.email AND p.role = 'champion'
     WHERE m.account_id = :account AND m.audience = 'customer' AND c.channel <> 'none' AND u.disabled_at IS NULL
""")
_STEWARDS: Final = text("""
    SELECT u.* FROM digest_choice c JOIN app_user u USING (user_id)
    WHERE c.channel <> 'none' AND u.role = 'steward' AND u.disabled_at IS NULL
""")
_SUPPLIER: Final = text("SELECT document->'supplier'->>'name' FROM model_revision ORDER BY revision DESC LIMIT 1")
_USER: Final = text("SELECT user_id FROM app_user WHERE email = :email")


async def follow_new_accounts(database: Database, now: datetime) -> None:
    """Stewards who chose digests are told of accounts that became theirs since."""
    async with database.transaction(operator_scope()) as tx:
        for row in await tx.rows(_STEWARDS):
            choice = await choice_of(tx, row.user_id)
            if choice is not None:
                await begin_marks(tx, principal_of(row), choice, now, anew=False)


async def queue_next(database: Database, now: datetime) -> bool:
    """Look at all that is due of the reader who is due longest: compose, put off, or find nothing new. False
    where none is."""
    async with database.transaction(operator_scope()) as tx:
        reader = await tx.scalar(_READER, {"now": now})
        if reader is None:
            return False
        for row in await tx.rows(_DUE, {"user": reader, "now": now, "most": MOST_AT_ONCE}):
            await _look(tx, row, now)
        return True


async def _look(tx: Transaction, row: Row[Any], now: datetime) -> None:
    where = {"account": row.account_id, "user": row.user_id}
    choice = await choice_of(tx, row.user_id)
    audience = await _may_read(tx, row)
    if audience is None or choice is None:
        await tx.execute(_FORGET, where)
        return
    upcoming = next_slot(choice, now)
    if audience.value != row.audience:  # another role, another story: what was told of it before is not known
        await tx.execute(_START_AGAIN, where | {"audience": audience.value, "now": now, "next": upcoming})
        return
    news = await news_since(tx, row.account_id, audience, row.version, choice.language)
    waiting = row.waiting_since
    if news is None or not news.lines or await waits(tx, row.account_id, row.user_id):
        waiting = None
    elif audience is not Audience.STEWARD and await held_until(tx, row.account_id, row.timezone, row.as_of, now):
        upcoming = now + LOOK_AGAIN
    elif audience is Audience.EXECUTIVE and await _champion_is_first(tx, row, now):
        upcoming, waiting = now + LOOK_AGAIN, waiting or now
    else:
        await _queue(tx, row, choice, audience, news, now)
        waiting = None
    await tx.execute(_LATER, where | {"next": upcoming, "waiting": waiting})


async def _may_read(tx: Transaction, row: Row[Any]) -> Audience | None:
    """Whose story the reader is told of this account today; None where they no longer read it."""
    if row.disabled_at is not None:
        return None
    user = await as_person(tx, principal_of(row))
    if not isinstance(user, UserPrincipal) or not (user.account_ids is None or row.account_id in user.account_ids):
        return None
    audience = audience_of(user)
    if audience is Audience.STEWARD:
        steward = await steward_of(tx, row.account_id)
        return audience if steward is not None and steward.email == user.email else None
    return audience


async def _champion_is_first(tx: Transaction, row: Row[Any], now: datetime) -> bool:
    """Whether an executive's digest waits: a champion with a digest has something to be told and was not told since the
    executive was, or not of the latest bad news; for one working day at most."""
    if row.waiting_since is not None and now >= working_days_later(row.waiting_since, CHAMPION_AHEAD, row.timezone):
        return False
    bad = await open_bad_news(tx, row.account_id, row.as_of)
    for champion in await tx.rows(_CHAMPIONS, {"account": row.account_id}):
        told = champion.sent_at is not None and champion.as_of > row.as_of
        if told and all(news.told_at <= champion.as_of for news in bad):
            continue
        news = await news_since(tx, row.account_id, Audience.CUSTOMER, champion.version)
        if news is not None and news.lines:
            return True
    return False


async def _queue(tx: Transaction, row: Row[Any], choice: Choice, audience: Audience, news: News, now: datetime) -> None:
    subject = Subject(row.account_id, row.key, row.account_name, row.supplier or NAMELESS)
    digest = await story_digest(tx, subject, audience, news.stored, news.lines, row.version)
    to = Addressee(row.account_id, row.user_id, choice.channel)
    await queue(tx, to, digest, f"{audience}/{news.stored.version}", row.as_of, now)


async def tell_steward(tx: Transaction, account_id: int, facts: AccountFacts, news: Sequence[BadNews]) -> None:
    """Queue bad news that was just told for the steward, if they asked to hear of it at once."""
    now = facts.now
    steward = await steward_of(tx, account_id) if news else None
    if steward is None:
        return
    user_id = await tx.scalar(_USER, {"email": steward.email})
    choice = await choice_of(tx, user_id)
    stored = await newest_story(tx, account_id, Audience.STEWARD)
    if choice is None or not choice.is_on or not choice.bad_news or stored is None:
        return
    supplier = await tx.scalar(_SUPPLIER)
    digest = await bad_news_digest(
        tx, Subject(account_id, facts.key, facts.name, supplier or "Value Platform"), stored, news
    )
    what = " ".join(sorted(f"{one.insight_id}@{one.told_at.isoformat()}" for one in news))
    await queue(tx, Addressee(account_id, user_id, choice.channel), digest, what, now, now)
