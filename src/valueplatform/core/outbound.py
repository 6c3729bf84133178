"""Requests to addresses that somebody gave us: checked when they are saved, and again at every connection.

What the name resolves to is looked at, and exactly that is connected to, so that a name cannot stand for one address
when it is checked and for another when it is used. Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import httpcore

from valueplatform.core.errors import InvalidInputError

LONGEST: Final = 2000
STEP: Final = 10.0
"""Seconds that connecting, or one answer, may take."""
WHOLE: Final = 20.0
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name. Raises OSError where there are none."""

# They carry an IPv4 address inside, or reach one: what looks public may lead back into the house.
_TUNNELS: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class RefusedAddressError(InvalidInputError):
    """An address that must not be called from here."""


async def resolve_name(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Outbound:
    """Where requests may go. `private`: also to this machine and the network around it, and without TLS."""

    private: bool = False
    resolve: Resolve = resolve_name

    async def check(self, url: str) -> str:
        """The address as it is kept. Raises RefusedAddressError, saying what is wrong with it."""
        parts = self.parsed(url)
        await self.addresses(parts.hostname or "", parts.port or 443)
        return url.strip()

    def parsed(self, url: str) -> SplitResult:
        """Raises RefusedAddressError."""
        text = url.strip()
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise RefusedAddressError(f"That is no web address: {error}.") from error
        schemes = ("https", "http") if self.private else ("https",)
        if parts.scheme not in schemes or not host:
            raise RefusedAddressError("Give a web address that begins with https://.")
        if len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
            raise RefusedAddressError(f"A web address has at most {LONGEST} letters, all of them ASCII; no spaces.")
        if parts.username is not None or parts.password is not None:
            raise RefusedAddressError("Leave user name and password out of the address; requests are signed.")
        return parts

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """What the name stands for now; all of it may be called. Raises RefusedAddressError."""
        try:
            found = await asyncio.wait_for(self.resolve(host, port), STEP)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise RefusedAddressError(f"The name {host!r} cannot be found.") from error
        if not found or not (self.private or all(map(is_public, found))):
            raise RefusedAddressError(
                f"The name {host!r} stands for this machine or a private network, which is not called from here."
            )
        return found

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, whole: float = WHOLE) -> int:
        """The status that is answered; what else is answered is not read.

        Raises RefusedAddressError, OSError, TimeoutError, httpcore.NetworkError and its like.
        """
        self.parsed(url)
        more = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), STEP)}
        async with (
            asyncio.timeout(whole),
            httpcore.AsyncConnectionPool(
                ssl_context=ssl.create_default_context(), network_backend=_Checked(self), http2=False
            ) as pool,
            pool.stream("POST", url, headers=list(headers.items()), content=body, extensions=more) as answer,
        ):
            return int(answer.status)


def is_public(address: str) -> bool:
    """Whether anybody on the internet could be meant."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.is_site_local or any(ip in tunnel for tunnel in _TUNNELS):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to what was checked, and nowhere else; TLS goes on to ask for the name."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await self._outbound.addresses(host, port)
        return await self._plain.connect_tcp(found[0], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
