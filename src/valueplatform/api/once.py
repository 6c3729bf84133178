"""Idempotency-Key: a write that is sent again answers as it did, and is not done again."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import HeaderParameter
from sqlalchemy import text

from valueplatform.api.calling import ApiRequest, Caller
from valueplatform.core.authorization import KeyPrincipal
from valueplatform.core.clock import Clock
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ConflictError, InvalidInputError

KEPT: Final = timedelta(hours=24)
LONGEST: Final = 255
REPLAYED: Final = "Idempotent-Replayed"
"""The header of an answer that was given before."""

_ENCODER: Final = msgspec.json.Encoder()
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))")
_FIND: Final = text("""
    SELECT request_hash, status, body FROM idempotency
    WHERE caller = :caller AND idempotency_key = :key AND created_at > :since
""")
_KEEP: Final = text("""
    INSERT INTO idempotency (caller, idempotency_key, request_hash, status, body, created_at)
    VALUES (:caller, :key, :request_hash, :status, :body, :now)
    ON CONFLICT (caller, idempotency_key) DO UPDATE SET request_hash = excluded.request_hash,
        status = excluded.status, body = excluded.body, created_at = excluded.created_at
""")
# Rows that another writer holds are left to it, so that two cannot wait for each other.
_FORGET: Final = text("""
    DELETE FROM idempotency WHERE (caller, idempotency_key) IN (
        SELECT caller, idempotency_key FROM idempotency WHERE created_at <= :since LIMIT 100 FOR UPDATE SKIP LOCKED)
""")

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Any text; the same write sent again within 24 hours answers the same, and is not done twice.",
    ),
]
Write = Callable[[], Awaitable[Any]]
"""Does the write; gives what is answered."""


class ReusedKeyError(ConflictError):
    """The same Idempotency-Key with another request."""

    code = "idempotency_key_reused"


class Sending(msgspec.Struct, frozen=True):
    """A write as it was sent: by whom, what, and under which Idempotency-Key, if any."""

    request: ApiRequest
    caller: KeyPrincipal
    key: str | None


async def provide_sending(request: ApiRequest, caller: Caller, idempotency_key: IdempotencyKey = None) -> Sending:
    return Sending(request, caller, idempotency_key)


Sent = NamedDependency[Sending]


async def once(tx: Transaction, sending: Sending, clock: Clock, write: Write, *, status: int = 201) -> Response[Any]:
    """Do the write in the caller's transaction and answer with `status`; or answer as the first time.

    The answer is kept in the transaction of the write: either both are there or neither. A write that fails is not
    kept, and may be sent again. Raises ReusedKeyError.
    """
    request, key = sending.request, sending.key
    if key is None:
        return _response(status, _ENCODER.encode(await write()))
    if not key.strip() or len(key) > LONGEST:
        raise InvalidInputError(f"Idempotency-Key must have 1 to {LONGEST} characters.")
    now, who = clock(), str(sending.caller.key_id)
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    request_hash = hashlib.sha256(asked).digest()
    await tx.execute(_LOCK, {"name": f"{who} {key}"})
    kept = await tx.row(_FIND, {"caller": who, "key": key, "since": now - KEPT})
    if kept is not None:
        if kept.request_hash != request_hash:
            raise ReusedKeyError(f"Idempotency-Key {key!r} was used for another request within the last 24 hours.")
        return _response(kept.status, kept.body, {REPLAYED: "true"})
    body = _ENCODER.encode(await write())
    values = {"caller": who, "key": key, "request_hash": request_hash, "status": status, "body": body, "now": now}
    await tx.execute(_KEEP, values)
    await tx.execute(_FORGET, {"since": now - KEPT})
    return _response(status, body)


def _response(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=headers)
