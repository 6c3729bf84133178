"""What a key may send: a rate with a burst, and a number a day, in events as they are received.

The rate is a token bucket: it fills by `rate_limit` events a second up to `burst`, and a request takes as many as it
has events. A request larger than the burst goes in when the bucket is full, and leaves a debt: it could never go in
else. The day is that of UTC.

The state is a row in PostgreSQL, so it is the same for all processes, by the database's clock. It is read and charged
once a group, in the transaction that stores the group: what is not stored is not charged.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from valueplatform.core.errors import OverloadedError
from valueplatform.telemetry.requests import IngestRequest

# A clock that steps back fills nothing, and from then on as usual; one that leaps ahead fills the bucket, no more.
_REFILL: Final = """
    INSERT INTO key_usage AS held (key_id, tokens, filled_at, day, used)
    SELECT key_id, burst, clock_timestamp(), (clock_timestamp() AT TIME ZONE 'UTC')::date, 0
    FROM api_key WHERE key_id = ANY($1::uuid[]) AND (rate_limit IS NOT NULL OR daily_quota IS NOT NULL) ORDER BY key_id
    ON CONFLICT (key_id) DO UPDATE SET
        tokens = least(excluded.tokens, held.tokens + (SELECT rate_limit FROM api_key WHERE key_id = held.key_id)
            * greatest(0, extract(epoch FROM clock_timestamp() - held.filled_at))),
        filled_at = clock_timestamp(),
        day = (clock_timestamp() AT TIME ZONE 'UTC')::date,
        used = CASE held.day WHEN (clock_timestamp() AT TIME ZONE 'UTC')::date THEN held.used ELSE 0 END
    RETURNING key_id, tokens, used, filled_at
"""
_LIMITS: Final = "SELECT key_id, rate_limit, burst, daily_quota FROM api_key WHERE key_id = ANY($1::uuid[])"
_CHARGE: Final = """
    UPDATE key_usage SET tokens = tokens - spent, used = used + spent
    FROM unnest($1::uuid[], $2::bigint[]) AS charged (key_id, spent) WHERE key_usage.key_id = charged.key_id
"""
_SECONDS_OF_A_DAY: Final = 24 * 60 * 60


class QuotaError(OverloadedError):
    """A key has sent more than it may; the message says what that is, `retry_after` when there is room again."""

    code = "rate_limited"

    def __init__(self, key_id: UUID, limit: str, *, retry_after: int) -> None:
        message = f"The key {key_id} may send {limit}; send again in {retry_after} s, or ask for a higher limit."
        super().__init__(message, retry_after=retry_after)
        self.detail = {**self.detail, "key": str(key_id), "limit": limit}


class OverQuotaError(Exception):
    """Some requests of a group are over the quotas of their keys; nothing of the group was stored. By place."""

    def __init__(self, refused: Mapping[int, QuotaError]) -> None:
        super().__init__(f"{len(refused)} requests are over the quotas of their keys")
        self.refused = refused


class Bucket(msgspec.Struct):
    """What a key may send now. `rate` and `daily` None = without limit; `tokens` may be in debt."""

    key_id: UUID
    rate: int | None
    burst: int | None
    daily: int | None
    tokens: Decimal | None
    used: int
    now: datetime

    def refusal(self, events: int) -> QuotaError | None:
        """Why a request of so many events may not go in."""
        if self.rate is not None and self.burst is not None and self.tokens is not None:
            lacking = min(events, self.burst) - self.tokens
            if lacking > 0:
                limit = f"{self.rate} events a second, {self.burst} at once"
                return QuotaError(self.key_id, limit, retry_after=ceil(lacking / self.rate))
        if self.daily is not None and (self.used + min(events, self.daily) > self.daily):
            passed = self.now.hour * 3600 + self.now.minute * 60 + self.now.second
            limit = f"{self.daily} events a day (UTC)"
            return QuotaError(self.key_id, limit, retry_after=_SECONDS_OF_A_DAY - passed)
        return None

    def take(self, events: int) -> None:
        self.tokens = None if self.tokens is None else self.tokens - events
        self.used += events


async def charge(
    connection: "asyncpg.Connection[Any]", requests: Sequence[IngestRequest], *, refuse: bool = True
) -> None:
    """Charge the keys that have quotas for what they send, in the caller's transaction, which must store it.

    Raises OverQuotaError where some may not go in, unless they are not to be refused: then their keys get into debt.
    """
    keys = sorted({request.sender.key_id for request in requests if request.sender.limited and request.sender.key_id})
    if not keys:
        return
    buckets = await _buckets(connection, keys)
    spent: defaultdict[UUID, int] = defaultdict(int)
    refused: dict[int, QuotaError] = {}
    for place, request in enumerate(requests):
        bucket = buckets.get(request.sender.key_id)
        if bucket is None:
            continue
        refusal = bucket.refusal(request.received) if refuse else None
        if refusal is not None:
            refused[place] = refusal
            continue
        bucket.take(request.received)
        spent[bucket.key_id] += request.received
    if refused:
        raise OverQuotaError(refused)
    await connection.execute(_CHARGE, list(spent), list(spent.values()))


async def _buckets(connection: "asyncpg.Connection[Any]", keys: Sequence[UUID]) -> dict[UUID | None, Bucket]:
    """The buckets of those keys that have quotas, filled up to now, their rows locked in order of the key."""
    filled = {row["key_id"]: row for row in await connection.fetch(_REFILL, keys)}
    limits = await connection.fetch(_LIMITS, list(filled))
    return {
        row["key_id"]: Bucket(
            row["key_id"],
            row["rate_limit"],
            row["burst"],
            row["daily_quota"],
            filled[row["key_id"]]["tokens"],
            filled[row["key_id"]]["used"],
            filled[row["key_id"]]["filled_at"],
        )
        for row in limits
    }
