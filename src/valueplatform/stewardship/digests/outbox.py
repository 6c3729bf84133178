"""What waits to be sent. A worker claims one in a transaction of its own, sends it, and settles it in another.

Claiming counts the try and says when the next one may be, so that what a killed worker left behind is taken up again,
by anybody, under the same id. Whoever was slower than that no longer settles it.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience
from valueplatform.stewardship.digests.choice import Channel
from valueplatform.stewardship.digests.content import DIGEST, Digest, digest_id

PAUSES: Final = tuple(timedelta(minutes=m) for m in (2, 5, 30, 120, 300))
"""Until the next try; the last goes for all that follow."""
GIVEN_UP_AFTER: Final = timedelta(days=3)

_QUEUE: Final = text("""
    INSERT INTO digest (account_id, digest_id, user_id, audience, kind, version, since_at, channel, body, queued_at,
                        next_at, attempts, state)
    VALUES (:account, :id, :user, :audience, :kind, :version, :since_at, :channel, CAST(:body AS jsonb), :now, :now, 0,
            'waiting')
    ON CONFLICT (account_id, digest_id) DO NOTHING
""")
_WAITS: Final = text("""
    SELECT count(*) FROM digest
    WHERE account_id = :account AND user_id = :user AND kind = 'digest' AND state = 'waiting'
""")
_QUEUED: Final = """
    SELECT d.account_id, d.digest_id, d.user_id, d.kind, d.version, d.since_at, d.channel, d.body, d.queued_at,
           d.attempts, a.timezone, u.email, u.disabled_at, c.channel AS chosen, c.webhook_url, c.webhook_secret,
           c.unsubscribe_key, c.bad_news
      FROM digest d JOIN account a USING (account_id) JOIN app_user u USING (user_id)
      LEFT JOIN digest_choice c USING (user_id)
"""
# Digests of a steward's accounts that were composed in one pass are one e-mail: whoever has the first, has them all.
_ONE_MESSAGE: Final = "d.kind = 'digest' AND d.audience = 'steward' AND d.channel = 'email'"
_CLAIM: Final = text(f"""{_QUEUED}
     WHERE d.state = 'waiting' AND d.next_at <= :now
       AND NOT ({_ONE_MESSAGE} AND EXISTS (
           SELECT FROM digest o WHERE o.user_id = d.user_id AND o.queued_at = d.queued_at AND o.kind = d.kind
              AND o.audience = d.audience AND o.channel = d.channel AND o.state = 'waiting'
              AND o.digest_id < d.digest_id))
     ORDER BY d.next_at, d.digest_id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
""")
_REST: Final = text(f"""{_QUEUED}
     WHERE d.state = 'waiting' AND {_ONE_MESSAGE} AND d.user_id = :user AND d.queued_at = :queued_at
       AND d.digest_id <> :id
     ORDER BY d.digest_id FOR UPDATE OF d
""")
_TRIED: Final = text("""
    UPDATE digest SET attempts = attempts + 1, next_at = :next WHERE account_id = :account AND digest_id = :id
""")
_PUT_OFF: Final = text("UPDATE digest SET next_at = :next WHERE account_id = :account AND digest_id = :id")
_END: Final = text("""
    UPDATE digest SET state = :state, ended_at = :now, error = :error
    WHERE account_id = :account AND digest_id = :id AND state = 'waiting' AND attempts = :attempts
""")
_FAILED: Final = text("""
    UPDATE digest SET error = :error
    WHERE account_id = :account AND digest_id = :id AND state = 'waiting' AND attempts = :attempts
""")
_TOLD: Final = text("""
    UPDATE digest_mark SET version = greatest(version, :version), as_of = greatest(as_of, :as_of), sent_at = :now
    WHERE account_id = :account AND user_id = :user
      AND audience = (SELECT audience FROM digest WHERE account_id = :account AND digest_id = :id)
""")
_LAST: Final = text("""
    SELECT DISTINCT ON (state) state, ended_at, queued_at, error, attempts FROM digest
    WHERE user_id = :user ORDER BY state, coalesce(ended_at, queued_at) DESC
""")


class Addressee(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int
    channel: Channel


class Queued(msgspec.Struct, frozen=True):
    """One digest as it is claimed, with what its reader's choice is now."""

    account_id: int
    digest_id: UUID
    user_id: int
    kind: str
    version: int
    since_at: datetime
    timezone: str
    channel: Channel
    digest: Digest
    queued_at: datetime
    attempts: int
    email: str
    wanted: bool
    webhook_url: str | None
    secret: bytes | None
    unsubscribe_key: bytes | None

    @property
    def is_gathered(self) -> bool:
        """Whether it goes in one message with those of other accounts."""
        is_stewards = self.digest.audience == Audience.STEWARD.value
        return self.kind == DIGEST and is_stewards and self.channel is Channel.EMAIL

    @property
    def where(self) -> dict[str, Any]:
        return {"account": self.account_id, "id": self.digest_id}


class Ended(msgspec.Struct, frozen=True):
    """What became of the last digest that ended so, or that waits; `error` is why the last try failed."""

    state: str
    at: datetime
    error: str | None
    attempts: int


async def queue(tx: Transaction, to: Addressee, digest: Digest, what: str, since_at: datetime, now: datetime) -> bool:
    """Put a digest into the outbox; False where it was there before. `what` names the news in it, so that the same
    reader is told the same but once."""
    values = {
        "account": to.account_id,
        "id": digest_id(to.account_id, to.user_id, digest.kind, what),
        "user": to.user_id,
        "audience": digest.audience,
        "kind": digest.kind,
        "version": digest.version,
        "since_at": since_at,
        "channel": to.channel.value,
        "now": now,
        "body": msgspec.json.encode(digest).decode(),
    }
    return bool(await tx.execute(_QUEUE, values))


async def waits(tx: Transaction, account_id: int, user_id: int) -> bool:
    """Whether a digest to the reader is on its way: the next one is composed once it has arrived."""
    return bool(await tx.scalar(_WAITS, {"account": account_id, "user": user_id}))


async def next_waiting(tx: Transaction, now: datetime) -> tuple[Queued, ...]:
    """The one that waits longest with all that go in one message with it, locked; what others have locked is passed
    over. Empty where none is due."""
    row = await tx.row(_CLAIM, {"now": now})
    if row is None:
        return ()
    first = _queued(row)
    if not first.is_gathered:
        return (first,)
    values = {"user": first.user_id, "queued_at": first.queued_at, "id": first.digest_id}
    return first, *(_queued(other) for other in await tx.rows(_REST, values))


def _queued(row: Row[Any]) -> Queued:
    digest = msgspec.convert(row.body, Digest)
    chosen = row.chosen == row.channel and (row.kind == DIGEST or row.bad_news)
    return Queued(
        row.account_id, row.digest_id, row.user_id, row.kind, row.version, row.since_at, row.timezone,
        Channel(row.channel), digest, row.queued_at, row.attempts, row.email, chosen and row.disabled_at is None,
        row.webhook_url, row.webhook_secret, row.unsubscribe_key,
    )  # fmt: skip


async def tried(tx: Transaction, one: Queued, now: datetime) -> Queued:
    """Count a try that begins now; the next may be after its pause."""
    pause = PAUSES[min(one.attempts, len(PAUSES) - 1)]
    await tx.execute(_TRIED, one.where | {"next": now + pause})
    return msgspec.structs.replace(one, attempts=one.attempts + 1)


async def put_off(tx: Transaction, one: Queued, until: datetime) -> None:
    """Look at it again then; nothing was tried."""
    await tx.execute(_PUT_OFF, one.where | {"next": until})


async def settle_sent(tx: Transaction, one: Queued, now: datetime) -> None:
    """It was taken; the reader has been told up to its version."""
    if await _end(tx, one, "sent", None, now) and one.kind == DIGEST:
        told = {"version": one.version, "as_of": one.queued_at, "user": one.user_id, "now": now}
        await tx.execute(_TOLD, one.where | told)


async def settle_failed(tx: Transaction, one: Queued, reason: str, now: datetime, *, final: bool = False) -> bool:
    """It was not taken: it goes on waiting, or is given up after three days of trying; whether it is given up."""
    if final or (now - one.queued_at >= GIVEN_UP_AFTER and one.attempts > len(PAUSES)):
        await _end(tx, one, "given-up", reason, now)
        return True
    await tx.execute(_FAILED, one.where | {"error": reason, "attempts": one.attempts})
    return False


async def drop(tx: Transaction, one: Queued, now: datetime) -> None:
    """Nobody wants it any more."""
    await _end(tx, one, "dropped", None, now)


async def _end(tx: Transaction, one: Queued, state: str, error: str | None, now: datetime) -> bool:
    values = {"state": state, "error": error, "now": now, "attempts": one.attempts}
    return bool(await tx.execute(_END, one.where | values))


async def last_of(tx: Transaction, user_id: int) -> dict[str, Ended]:
    """Of each state the last digest to the reader, by state."""
    rows = await tx.rows(_LAST, {"user": user_id})
    return {row.state: Ended(row.state, row.ended_at or row.queued_at, row.error, row.attempts) for row in rows}
