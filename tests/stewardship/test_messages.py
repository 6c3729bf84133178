"""What a person may write, and how a conversation gets its title."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.errors import InvalidInputError, TooLargeError
from valueplatform.stewardship.messages import LONGEST_BODY, LONGEST_TITLE, checked_body, title_of


@pytest.mark.parametrize("body", ["", "   \n\t", "\u200b", "\ufeff\u200d", "\x07", "\u2028", "\r\n\r\n"])
def test_a_message_in_which_nothing_can_be_read_is_refused(body: str) -> None:
    with pytest.raises(InvalidInputError, match="empty"):
        checked_body(body)


@pytest.mark.parametrize("body", ["a\0b", "\0", "half a pair \ud83d", "\udc00"])
def test_a_message_that_no_database_can_keep_is_refused(body: str) -> None:
    with pytest.raises(InvalidInputError, match="no text"):
        checked_body(body)


def test_a_message_may_have_ten_thousand_characters_and_no_more() -> None:
    assert checked_body("é" * LONGEST_BODY + "  ") == "é" * LONGEST_BODY
    with pytest.raises(TooLargeError, match="10001 characters; 10000 are the most"):
        checked_body("é" * (LONGEST_BODY + 1))


def test_a_message_is_kept_as_written_but_for_the_space_around_it_and_the_ends_of_lines() -> None:
    assert checked_body("\r\n  <b>Hi</b> 👩🏽‍🔧\r\n\r\nline two\rthree  ") == "<b>Hi</b> 👩🏽‍🔧\n\nline two\nthree"


@given(st.text())
def test_a_checked_message_passes_the_check_again_unchanged(text: str) -> None:
    try:
        body = checked_body(text)
    except InvalidInputError:
        return
    assert checked_body(body) == body
    assert body == body.strip()
    assert 1 <= len(body) <= LONGEST_BODY


def test_the_first_candidate_with_something_to_read_is_the_title() -> None:
    assert title_of([None, " \n", "\u200b", "You saved\n $1.84M.", "other"]) == "You saved $1.84M"


def test_a_long_title_is_cut_between_words() -> None:
    title = title_of(["word " * 100])
    assert len(title) <= LONGEST_TITLE
    assert title.endswith("word…")


def test_a_title_of_one_endless_word_is_cut_within_it() -> None:
    assert title_of(["x" * 500]) == "x" * (LONGEST_TITLE - 1) + "…"


def test_nothing_to_read_at_all_is_no_title() -> None:
    with pytest.raises(InvalidInputError, match="no title"):
        title_of([None, "  "])


@given(st.text(min_size=1))
def test_a_title_is_one_line_within_its_limit(text: str) -> None:
    try:
        title = title_of([text])
    except InvalidInputError:
        return
    assert 1 <= len(title) <= LONGEST_TITLE
    assert len(title.splitlines()) == 1
