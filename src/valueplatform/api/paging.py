"""Pages of lists that are read whole because they are short: what an account or the model has of a kind."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from litestar.params import FromQuery, QueryParameter

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import LARGEST_LIMIT, Page, checked_limit, page_of, text_position

T = TypeVar("T")

Limit = Annotated[int, QueryParameter(description=f"At most so many items, up to {LARGEST_LIMIT}.")]
Cursor = FromQuery[str | None]
SHORT: Final = LARGEST_LIMIT
"""How many items of a short list come unasked."""


def page_after(items: Sequence[T], limit: int, cursor: str | None, name: Callable[[T], str]) -> Page[T]:
    """The page after the item that the cursor names. Raises InvalidInputError where there is no such item any more."""
    checked_limit(limit)
    start = 0
    after = text_position(cursor)
    if after is not None:
        places = [place for place, item in enumerate(items) if name(item) == after]
        if not places:
            raise InvalidInputError(f"`cursor` {cursor!r} names nothing in this list; start again without a cursor.")
        start = places[0] + 1
    return page_of(items[start : start + limit + 1], limit, name)
