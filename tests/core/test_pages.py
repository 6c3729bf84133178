"""Pages of long lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import checked_limit, cursor_at, number_position, page_of, text_position


@pytest.mark.parametrize("cursor", ["", "%%%", "bnVsbA", "e30", "x" * 10_000, "ä", "WzFd", cursor_at("\0")])
def test_a_cursor_that_no_list_gave_is_refused_with_the_cure(cursor: str) -> None:
    for read in (text_position, number_position):
        with pytest.raises(InvalidInputError, match="start again without a cursor"):
            read(cursor)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        text_position(cursor_at(7))
    with pytest.raises(InvalidInputError):
        number_position(cursor_at("7"))


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_position_survives_the_way_through_a_cursor(position: str) -> None:
    assert text_position(cursor_at(position)) == position


@given(st.integers(-(2**63), 2**63 - 1))
def test_so_does_a_number(position: int) -> None:
    assert number_position(cursor_at(position)) == position


@given(st.lists(st.integers(0, 1000), unique=True).map(sorted), st.integers(1, 7))
def test_pages_hold_every_row_once(rows: list[int], limit: int) -> None:
    read: list[int] = []
    cursor: str | None = None
    while True:
        after = number_position(cursor)
        page = page_of([row for row in rows if after is None or row > after][: limit + 1], limit, lambda row: row)
        read += page.items
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert read == rows


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(InvalidInputError, match="ask for 1 to 500"):
        checked_limit(limit)
    assert checked_limit(500) == 500
