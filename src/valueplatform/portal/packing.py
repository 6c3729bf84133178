"""Pages go out packed, where the browser takes it.

A page holds the token of its session, and some echo what was asked: how well it packs must not give the token away
(the BREACH attack). Cookies do not travel with requests of other sites, and a name of random length in the packed
body's header hides by how many bytes two answers differ.
"""

import gzip
import io
import secrets
from typing import Final

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

WORTH_PACKING: Final = 1024
LEVEL: Final = 5
LONGEST_FILLER: Final = 32
_GZIP: Final = "gzip"


class PackedPages(ASGIMiddleware):
    """Packs HTML that comes in one piece; streams and everything else pass as they are."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if takes_gzip(Headers.from_scope(scope).get("accept-encoding", "")):
            await next_app(scope, receive, _Packed(send).take)
        else:
            await next_app(scope, receive, send)


def takes_gzip(accepted: str) -> bool:
    """`q=0` is a refusal."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.strip().partition(";")
        if coding.strip() == _GZIP:
            return weight.strip().replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def packed(body: bytes) -> bytes:
    """The body as gzip, its length off by a random number of bytes."""
    into = io.BytesIO()
    filler = secrets.token_hex(secrets.randbelow(LONGEST_FILLER))
    with gzip.GzipFile(filename=filler, mode="wb", compresslevel=LEVEL, fileobj=into, mtime=0) as file:
        file.write(body)
    return into.getvalue()


class _Packed:
    """Holds the start of an answer back until its body says whether it is packed."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: HTTPResponseStartEvent | None = None

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            if headers.get("content-type", "").startswith("text/html"):
                self.start = message
                return
        elif message["type"] == "http.response.body" and self.start is not None:
            start, self.start = self.start, None
            if not message["more_body"] and len(message["body"]) >= WORTH_PACKING:
                message["body"] = packed(message["body"])
                headers = MutableScopeHeaders.from_message(start)
                headers["Content-Encoding"] = _GZIP
                headers["Content-Length"] = str(len(message["body"]))
            _vary(MutableScopeHeaders.from_message(start))
            await self.send(start)
        await self.send(message)


def _vary(headers: MutableScopeHeaders) -> None:
    before = headers.get("vary")
    headers["Vary"] = f"{before}, Accept-Encoding" if before else "Accept-Encoding"
