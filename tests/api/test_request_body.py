import gzip
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.api.request_body import MOST_BYTES, read_body
from valueplatform.core.errors import InvalidInputError, TooLargeError


class Pieces:
    """A body that comes in pieces, and counts how many were asked for."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.read += 1
            yield piece


async def body(*pieces: bytes, encoding: str = "", announced: int | None = None) -> bytes:
    return await read_body(aiter(Pieces(*pieces)), encoding, announced)


@given(st.binary(max_size=2000), st.lists(st.integers(0, 2000), max_size=5), st.integers(1, 3))
async def test_a_packed_body_is_the_same_in_whatever_pieces_it_comes(
    content: bytes, cuts: list[int], members: int
) -> None:
    share = len(content) // members + 1
    packed = b"".join(gzip.compress(content[n * share : (n + 1) * share]) for n in range(members))
    edges = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    pieces = [packed[start:end] for start, end in pairwise(edges)]
    assert await body(*pieces, encoding="gzip") == content
    assert await body(*pieces) == packed


async def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    largest = bytes(MOST_BYTES)
    assert len(await body(largest, announced=MOST_BYTES)) == MOST_BYTES
    assert len(await body(gzip.compress(largest), encoding="x-gzip")) == MOST_BYTES
    for pieces, encoding in (((largest, b"x"), ""), ((gzip.compress(largest + b"x"),), "gzip")):
        with pytest.raises(TooLargeError):
            await body(*pieces, encoding=encoding)


async def test_what_is_announced_too_large_is_not_read_at_all() -> None:
    pieces = Pieces(b"x")
    with pytest.raises(TooLargeError):
        await read_body(aiter(pieces), "", MOST_BYTES + 1)
    assert pieces.read == 0


async def test_reading_stops_where_the_limit_is_passed() -> None:
    pieces = Pieces(*[bytes(1024 * 1024)] * 1000)
    with pytest.raises(TooLargeError):
        await read_body(aiter(pieces), "", None)
    assert pieces.read == 5


async def test_a_bomb_is_unpacked_no_further_than_the_limit() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    for content in (bomb, bomb[: len(bomb) // 2], gzip.compress(b"[") + bomb):
        with pytest.raises(TooLargeError):
            await body(content, encoding="gzip")


async def test_a_body_of_very_many_gzip_members_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="16 gzip members"):
        await body(gzip.compress(b"") * 200_000, encoding="gzip")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"plain", "gzip"),
        # Without the time of day: what a test is called must be the same in every process.
        (gzip.compress(b"x", mtime=0)[:-1], "gzip"),
        (gzip.compress(b"x", mtime=0) + b"garbage", "gzip"),
        (b"x", "br"),
        (b"x", "gzip, gzip"),
    ],
)
async def test_what_does_not_unpack_is_refused(content: bytes, encoding: str) -> None:
    with pytest.raises(InvalidInputError):
        await body(content, encoding=encoding)


async def test_no_body_at_all_is_empty() -> None:
    assert await body() == await body(encoding="gzip") == b""
