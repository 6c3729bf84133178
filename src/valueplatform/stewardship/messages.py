"""What a person may write to another: plain text, and the title of what they talk about. Pure rules."""

from collections.abc import Iterable
from typing import Final

from valueplatform.core.errors import InvalidInputError, TooLargeError

LONGEST_BODY: Final = 10_000
LONGEST_TITLE: Final = 120
_ELLIPSIS: Final = "…"


def checked_body(text: str) -> str:
    """The message as it is kept: lines end in a bare newline, nothing around it, 1 to LONGEST_BODY characters.

    Raises InvalidInputError where nothing can be read in it or it cannot be kept, TooLargeError over the limit.
    """
    body = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    _check_characters(body, "message")
    if len(body) > LONGEST_BODY:
        raise TooLargeError(
            f"The message has {len(body)} characters; {LONGEST_BODY} are the most. Send it in two.",
            {"limit": LONGEST_BODY},
        )
    if not _is_readable(body):
        raise InvalidInputError("The message is empty; write what you would like to say.")
    return body


def title_of(candidates: Iterable[str | None]) -> str:
    """The first candidate with something to read, on one line of at most LONGEST_TITLE characters, cut between words.

    A sentence gives its title without the full stop. Raises InvalidInputError where a candidate cannot be kept.
    """
    for candidate in candidates:
        line = " ".join((candidate or "").split())
        _check_characters(line, "title")
        if _is_readable(line):
            return _shortened(line.removesuffix("."))
    raise InvalidInputError("The conversation has no title; say in a few words what it is about.")


def _shortened(line: str) -> str:
    if len(line) <= LONGEST_TITLE:
        return line
    words = line[: LONGEST_TITLE - 1].rpartition(" ")[0]
    return (words or line[: LONGEST_TITLE - 1]) + _ELLIPSIS


def _is_readable(text: str) -> bool:
    """Whether there is a character that leaves ink: zero-width and control characters do not."""
    return any(character.isprintable() and not character.isspace() for character in text)


def _check_characters(text: str, what: str) -> None:
    """PostgreSQL has no zero byte, and half a surrogate pair is no text."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError(
            f"The {what} has a character that is no text (a zero byte or half of a pair); leave it out."
        )
