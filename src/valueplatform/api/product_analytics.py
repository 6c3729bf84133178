"""What the addresses of product analytics clients share: a body that clients put their key into, and a fixed answer.

These clients take any other answer than their success for a failure, and send the batch again; so what was rejected,
or is in conflict, is answered as success and kept.
"""

import base64
import binascii
from datetime import datetime
from typing import Final

from valueplatform.api.calling import ApiRequest, Gate
from valueplatform.api.events import Intake, sender_of
from valueplatform.api.request_body import read_body
from valueplatform.core.authorization import Action, KeyPrincipal, require
from valueplatform.core.errors import UnauthenticatedError
from valueplatform.telemetry.dialect import Parsed
from valueplatform.telemetry.requests import IngestRequest

ERRORS: Final = (400, 401, 403, 408, 413, 429, 503)


async def take(
    intake: Intake, caller: KeyPrincipal, origin: str, parsed: Parsed, received_at: datetime, size: int
) -> None:
    """Store what a request holds; returns once it is committed."""
    sender = sender_of(caller, origin)
    request = IngestRequest(sender, received_at, parsed.events, parsed.rejections, size=size, clock=parsed.clock)
    await intake.committer.commit(request)


async def body_of(request: ApiRequest, encoding: str = "") -> bytes:
    """The body, unpacked. `encoding` says how it is packed where its headers do not."""
    headers = request.headers
    return await read_body(request.stream(), headers.get("content-encoding", "") or encoding, request.content_length)


def key_in_header(request: ApiRequest) -> str | None:
    """The key: user name of `Basic`, or `Bearer`. None where the request has no such header."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "basic":
            return _user_of(credentials.strip())
        case "bearer":
            return credentials.strip() or None
        case _:
            return None


def _user_of(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError) as error:
        raise UnauthenticatedError("The Authorization header is no Basic one; send base64 of `key:`.") from error


async def writer(gate: Gate, key: str | None, place: str) -> KeyPrincipal:
    """Whose key it is, if it may write events. Raises UnauthenticatedError, ForbiddenError."""
    if not key:
        raise UnauthenticatedError(f"Send a key {place}; `valueplatform key create --kind ingest` makes one.")
    caller = await gate.holder(key)
    require(caller, Action.WRITE_EVENTS)
    return caller
