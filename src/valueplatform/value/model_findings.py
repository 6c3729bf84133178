"""What is wrong with a model, or better known: where, what, and the cure."""

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where in a model: a kind ("driver"), the number in its kind from 1, the slug, and the key if it is one."""

    kind: str
    number: int | None = None
    slug: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        number = "" if self.number is None else f"[{self.number}]"
        slug = "" if self.slug is None else f' "{self.slug}"'
        return f"{self.kind}{number}{slug}" + (f".{self.key}" if self.key else "")


class Finding(msgspec.Struct, frozen=True):
    place: Place
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}; {self.cure}"


def suggestion(unknown: str, known: Iterable[str]) -> str:
    """The cure for an unknown word."""
    names = {name.lower(): name for name in sorted(known)}
    close = get_close_matches(unknown.lower(), names, n=5, cutoff=0.6)
    if close:
        longer = sorted(name for name in close if name.startswith(unknown.lower()))
        return f'did you mean "{names[longer[0] if longer else close[0]]}"?'
    listed = list(names.values())
    return f"known are {', '.join(listed[:12])}{', …' if len(listed) > 12 else ''}" if listed else "none is defined"


def unknown(place: Place, what: str, name: str, known: Iterable[str]) -> Finding:
    return Finding(place, f'unknown {what} "{name}"', suggestion(name, known))


def at_key(place: Place, key: str) -> Place:
    return msgspec.structs.replace(place, key=key)
