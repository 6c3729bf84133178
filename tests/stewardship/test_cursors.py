"""Cursors of several columns: what we gave comes back, what we did not give is refused."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import cursor_at
from valueplatform.stewardship.cursors import Position, cursor_of, position_in


class Place(Position, frozen=True, array_like=True):
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    name: Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z")]
    place: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


@given(st.datetimes(timezones=st.just(UTC)), st.text().filter(lambda name: "\0" not in name), st.integers(1, 2**63 - 1))
def test_a_position_survives_the_way_to_the_caller_and_back(at: datetime, name: str, place: int) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    assert position_in(cursor_of(Place(at, name, place)), Place) == Place(at, name, place)


def test_the_first_page_has_no_position() -> None:
    assert position_in(None, Place) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%%%",
        "AAAA",
        cursor_at(7),
        cursor_at("no json"),
        cursor_at("[]"),
        cursor_at('["2026-08-21T00:00:00Z", "a"]'),
        cursor_at('["2026-08-21T00:00:00Z", "a", 0]'),
        cursor_at('["2026-08-21T00:00:00Z", "a", 99999999999999999999]'),
        cursor_at('["2026-08-21T00:00:00", "a", 1]'),
        cursor_at('["2026-08-21T00:00:00Z", "a\\u0000b", 1]'),
        cursor_at('["2026-08-21T00:00:00Z", "a", 1, 1]'),
        cursor_at('{"at": "2026-08-21T00:00:00Z"}'),
    ],
)
def test_a_cursor_that_this_list_did_not_give_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        position_in(cursor, Place)
