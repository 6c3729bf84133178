"""Event data in normal form: exact, and the same text for the same value.

Equal data has equal text however it was written: keys in order, no spaces, 199.0 as 199, 1e2 as 100. So bodies can
be compared by hash, and the same events leave the same rows behind in whatever order and spelling they came.
"""

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Final

import msgspec

from valueplatform.core.errors import ProblemError

DEEPEST: Final = 100
LONGEST_NUMBER: Final = 400

_UNROUNDED: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_NULL_CHARACTER: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|[\]}]')


class RefusedEventError(ProblemError):
    """One event that cannot be taken. `reason` is its code in the report; the request goes on without it."""

    code = "refused_event"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def wire_number(text: str) -> int | Decimal:
    """A JSON number with a fraction or an exponent, in shortest form; an integer where it is one.

    Fit for `msgspec` as `float_hook`. Raises RefusedEventError where it would take more than 400 digits.
    """
    if len(text) > LONGEST_NUMBER:
        raise _too_long(text)
    if "e" in text or "E" in text:
        return _unfolded(text)
    shortest = text.rstrip("0")
    return int(shortest[:-1]) if shortest[-1] == "." else Decimal(shortest)


def _unfolded(text: str) -> int | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise _too_long(text) from error
    if not number:
        return 0
    if abs(number.adjusted()) > LONGEST_NUMBER:
        raise _too_long(text)
    number = _UNROUNDED.normalize(number)
    return int(number) if number == number.to_integral_value() else number


def _too_long(text: str) -> RefusedEventError:
    return RefusedEventError(
        "number_out_of_range",
        f"The number {text[:20]}… needs more than {LONGEST_NUMBER} digits; send it in another unit, or as a string.",
    )


_DECODER: Final = msgspec.json.Decoder(float_hook=wire_number)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def decode(text: bytes | str) -> object:
    """The value of a JSON text, its numbers exact. Raises what msgspec raises, or RefusedEventError."""
    return _DECODER.decode(text)


def stored_value(text: str | None) -> object:
    """The value of data as it is stored; None where an event has none."""
    return None if text is None else decode(text)


def normal_form(value: object) -> bytes:
    """The one JSON text of a value that `decode` gave. Raises RefusedEventError for the character U+0000."""
    text = _ENCODER.encode(value)
    if b"\\u0000" in text and _NULL_CHARACTER.search(text):
        raise RefusedEventError(
            "null_character", "The data holds the character U+0000, which the database cannot keep; leave it out."
        )
    return text


def check_depth(text: bytes) -> None:
    """Raises RefusedEventError for JSON nested deeper than 100. Cheap where there are few brackets at all."""
    if text.count(b"{") + text.count(b"[") <= DEEPEST:
        return
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[1]:
            depth += 1
            if depth > DEEPEST:
                raise too_deep()
        elif match[0][:1] != b'"':
            depth -= 1


def too_deep() -> RefusedEventError:
    return RefusedEventError("too_deep", f"The event is nested deeper than {DEEPEST} levels; send flatter data.")
