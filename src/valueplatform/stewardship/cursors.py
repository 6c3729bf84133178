"""Where a page of several sort columns ended, in a cursor of `core.pages`."""

from typing import TypeVar

import msgspec

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import cursor_at, text_position


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The sort columns of the last row of a page. Decimals and times travel as text, so nothing is lost."""


P = TypeVar("P", bound=Position)


def cursor_of(position: Position) -> str:
    return cursor_at(msgspec.json.encode(position).decode())


def position_in(cursor: str | None, shape: type[P]) -> P | None:
    """The position that `cursor_of` was given; None for the first page. Raises InvalidInputError."""
    said = text_position(cursor)
    if said is None:
        return None
    try:
        return msgspec.json.decode(said, type=shape)
    except msgspec.DecodeError as error:
        message = f"`cursor` {cursor!r} is not one that this list gave; start again without a cursor."
        raise InvalidInputError(message) from error
