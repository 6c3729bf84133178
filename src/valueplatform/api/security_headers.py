"""What every answer says to browsers, errors and unknown addresses too."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from litestar.types import BeforeMessageSendHookHandler, Message, Scope

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cache-Control": "no-store",
    }
)
OVER_TLS: Final = "max-age=31536000"


def security_headers(public_url: str) -> BeforeMessageSendHookHandler:
    """A `before_send` hook: it runs for unknown addresses too. What a handler sets itself stays."""
    given = dict(HEADERS)
    if public_url.startswith("https://"):
        given["Strict-Transport-Security"] = OVER_TLS
    headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]

    async def add(message: Message, _scope: Scope) -> None:
        if message["type"] == "http.response.start":
            held = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(header for header in headers if header[0] not in held)]

    return add
