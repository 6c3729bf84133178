"""Damage to bodies that were good: what broken clients, proxies and attackers make of them."""

import gzip
import re
import zlib
from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

_SCALAR: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null')
"""A value, or the name of a member, of a JSON text."""
NASTY: Final = (
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e-400", b"1e999999999", b"9" * 40, b"9" * 5000, b"-0", b"0.1e1",
    b"01", b"1.", b"null", b"true", b"[]", b"{}", b'""', b'"\\u0000"', b'"a\\u0000b"', b'"\\ud800"', b'"\\udc00x"',
    b'"\x00"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"' + b"x" * 3000 + b'"', b'"' + b"y" * 70_000 + b'"',
    b"[" * 90 + b"]" * 90, b"[" * 200 + b"]" * 200, b"[" * 5000, b'{"a":' * 200 + b"1" + b"}" * 200,
    b'{"id":1,"id":2}', '"\u202e\u2028"'.encode(), b'"1e5"', b'"9999-12-31T23:59:59Z"', b'"0001-01-01T00:00:00Z"',
    b'"2026-06-01T10:00:00"', b'"2026-02-30T10:00:00Z"', b"1780308000000", b"1e12", b'"\\"', b"\xef\xbb\xbf", b"//x",
)  # fmt: skip
Damage = Callable[[bytes], bytes]

_places: Final = st.integers(0, 10**6)


def _flip(place: int, bit: int) -> Damage:
    def flipped(body: bytes) -> bytes:
        at = place % max(len(body), 1)
        return body[:at] + bytes(byte ^ 1 << bit for byte in body[at : at + 1]) + body[at + 1 :]

    return flipped


def _cut(place: int) -> Damage:
    return lambda body: body[: place % (len(body) + 1)]


def _twice(start: int, length: int) -> Damage:
    """A stretch of the body stands there twice: members are repeated, brackets do not close."""

    def doubled(body: bytes) -> bytes:
        at = start % (len(body) + 1)
        return body[: at + length] + body[at:]

    return doubled


def _without(start: int, length: int) -> Damage:
    def shortened(body: bytes) -> bytes:
        at = start % (len(body) + 1)
        return body[:at] + body[at + length :]

    return shortened


def _replaced(number: int, nasty: bytes) -> Damage:
    """One of its values, or names, is what it ought not to be; the rest is still JSON, if that is."""

    def with_nasty(body: bytes) -> bytes:
        found = list(_SCALAR.finditer(body))
        if not found:
            return body + nasty
        match = found[number % len(found)]
        return body[: match.start()] + nasty + body[match.end() :]

    return with_nasty


def _repeated_member(number: int, nasty: bytes) -> Damage:
    """A member stands twice, with another value."""

    def with_twin(body: bytes) -> bytes:
        names = [match for match in _SCALAR.finditer(body) if body[match.end() : match.end() + 1] == b":"]
        if not names:
            return body
        match = names[number % len(names)]
        return body[: match.start()] + match[0] + b":" + nasty + b"," + body[match.start() :]

    return with_twin


one_damage: Final = st.one_of(
    st.builds(_replaced, _places, st.sampled_from(NASTY)),
    st.builds(_repeated_member, _places, st.sampled_from(NASTY)),
    st.builds(_flip, _places, st.integers(0, 7)),
    st.builds(_twice, _places, st.integers(1, 200)),
    st.builds(_without, _places, st.integers(1, 200)),
    st.builds(_cut, _places),
)


@st.composite
def damaged(draw: st.DrawFn, *bodies: bytes) -> bytes:
    """One of the bodies, with one to four damages, or none at all."""
    body = draw(st.sampled_from(bodies))
    for damage in draw(st.lists(one_damage, max_size=4)):
        body = damage(body)
    return body


PACKINGS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("", lambda content: content),
    ("gzip", lambda content: gzip.compress(content, 1, mtime=0)),
    ("gzip", lambda content: gzip.compress(content, 1, mtime=0)[:-5]),
    ("gzip", lambda content: gzip.compress(content, 1, mtime=0) + b"more"),
    ("gzip", lambda content: gzip.compress(content[:9], 1, mtime=0) + gzip.compress(content[9:], 1, mtime=0)),
    ("gzip", lambda content: content),
    ("deflate", zlib.compress),
    ("br", lambda content: content),
)
"""Content-Encoding, and what a sender makes of a body for it: rightly or wrongly."""
