"""The raw body of a request, within bounds of bytes, as they come and unpacked; `patience` bounds the time."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from valueplatform.core.errors import InvalidInputError, TooLargeError

MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_MEMBERS: Final = 16
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


async def read_body(chunks: AsyncIterator[bytes], encoding: str, announced: int | None) -> bytes:
    """The body, unpacked. `encoding` is Content-Encoding, `announced` Content-Length.

    Raises TooLargeError before it has read it all, and InvalidInputError for what does not unpack.
    Never holds more than the limit, however much a packed body would unfold to.
    """
    if announced is not None and announced > MOST_BYTES:
        raise _too_large()
    codings = [coding for part in encoding.lower().split(",") if (coding := part.strip()) not in {"", "identity"}]
    if any(coding not in {"gzip", "x-gzip", "deflate"} for coding in codings) or len(codings) > 1:
        raise InvalidInputError(f"Content-Encoding {encoding!r} is not known here; send gzip or none.")
    return await (_unpacked(chunks) if codings else _plain(chunks))


async def _plain(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MOST_BYTES:
            raise _too_large()
    return bytes(body)


class _Unpacker:
    """Unfolds packed bytes as they come, up to one byte over the limit. gzip members may follow one another."""

    def __init__(self) -> None:
        self.body = bytearray()
        self._members = 1
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)

    def feed(self, chunk: bytes) -> None:
        while chunk and len(self.body) <= MOST_BYTES:
            if self._member.eof:
                self._next_member()
            self.body += self._member.decompress(chunk, MOST_BYTES + 1 - len(self.body))
            chunk = self._member.unused_data or self._member.unconsumed_tail

    @property
    def ended(self) -> bool:
        return self._member.eof

    def _next_member(self) -> None:
        self._members += 1
        if self._members > _MOST_MEMBERS:  # each copies the rest of its chunk
            raise InvalidInputError(f"The body has more than {_MOST_MEMBERS} gzip members; pack it in one.")
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)


async def _unpacked(chunks: AsyncIterator[bytes]) -> bytes:
    unpacker = _Unpacker()
    packed = 0
    try:
        async for chunk in chunks:
            packed += len(chunk)
            unpacker.feed(chunk)
            if len(unpacker.body) > MOST_BYTES or packed > MOST_BYTES:
                raise _too_large()
    except zlib.error as error:
        raise InvalidInputError(f"The body does not unpack: {error}.") from error
    if packed and not unpacker.ended:
        raise InvalidInputError("The packed body ends too early.")
    return bytes(unpacker.body)


def _too_large() -> TooLargeError:
    return TooLargeError(f"The body has more than {MOST_BYTES} bytes unpacked; send fewer events at a time.")
