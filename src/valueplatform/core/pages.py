"""Pages of long lists: a cursor says where the last page ended, so that rows which come or go shift nothing."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from valueplatform.core.errors import InvalidInputError

T = TypeVar("T")
Position = str | int

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 500


class Page(msgspec.Struct, Generic[T], frozen=True):
    """`next_cursor` is None on the last page."""

    items: Sequence[T]
    next_cursor: str | None


def checked_limit(limit: int) -> int:
    """Raises InvalidInputError outside 1 to LARGEST_LIMIT."""
    if not 1 <= limit <= LARGEST_LIMIT:
        raise InvalidInputError(f"`limit` is {limit}; ask for 1 to {LARGEST_LIMIT} items.")
    return limit


def page_of(rows: Sequence[T], limit: int, position: Callable[[T], Position]) -> Page[T]:
    """The page from up to `limit` + 1 rows: one row too many tells that there is a next page."""
    items = rows[:limit]
    return Page(items, cursor_at(position(items[-1])) if len(rows) > limit else None)


def cursor_at(position: Position) -> str:
    """Where a page ended, as text that callers hand back unread."""
    return urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def text_position(cursor: str | None) -> str | None:
    """The text that the page before ended at; None for the first page. Raises InvalidInputError."""
    position = _position(cursor)
    if position is not None and (not isinstance(position, str) or "\0" in position):
        raise _unreadable(cursor)  # PostgreSQL has no text with a zero byte
    return position


def number_position(cursor: str | None) -> int | None:
    """The number that the page before ended at; None for the first page. Raises InvalidInputError."""
    position = _position(cursor)
    if position is not None and not isinstance(position, int):
        raise _unreadable(cursor)
    return position


def _position(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        position: Position = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Position)
    except (ValueError, msgspec.DecodeError) as error:
        raise _unreadable(cursor) from error
    return position


def _unreadable(cursor: str | None) -> InvalidInputError:
    return InvalidInputError(f"`cursor` {cursor!r} is not one that this list gave; start again without a cursor.")
