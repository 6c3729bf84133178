"""The value report: value by driver and month, the story, and suggestions, in the forms that leave the program.

The command and the API give the same bytes.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import decimal_text
from valueplatform.core.periods import Window
from valueplatform.narrative.advice_read import read_advice
from valueplatform.narrative.document import Audience
from valueplatform.narrative.next_best_view import AdviceView
from valueplatform.narrative.story_read import StoryRead, read_story
from valueplatform.value.answer import ValueAnswer, ValueRowAnswer, value_answer
from valueplatform.value.projection import Projected
from valueplatform.value.reading import Question, read_value
from valueplatform.value.values import ZERO

_JSON: Final = msgspec.json.Encoder(decimal_format="string")
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take the wide ones too
_AMOUNTS: Final = (
    "realized",
    "realized_low",
    "realized_high",
    "counted",
    "committed_low",
    "committed_expected",
    "committed_high",
)
_TEXTS: Final = ("driver", "unit", "benefit_class", "evidence", "state")
_PROJECTED: Final = ("low", "expected", "high")
_REALIZED: Final = frozenset({"realized", "counted"})
COLUMNS: Final = ("account", "window_start", *_TEXTS, *_AMOUNTS, *(f"projected_{bound}" for bound in _PROJECTED))
PARTNER_COLUMNS: Final = (
    *("account", "kind", "provider", "driver", "state"),
    *("since", "until", "unit", "reported", "share", "supplier_share"),
)


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        return {Format.JSON: "application/json", Format.CSV: "text/csv"}[self]


class Part(StrEnum):
    """Which table of the report a CSV holds; JSON holds both. *partners*: what partners reported and the splits agreed
    on, whose amounts are in no sum of value and so in no column of it."""

    VALUE = "value"
    PARTNERS = "partners"


class Asked(msgspec.Struct, frozen=True):
    """Which report. `start` and `end` (exclusive) None = all; `provider` keeps a partner to what it may see;
    `shows_paid` tells what the contracts cost."""

    start: date | None = None
    end: date | None = None
    provider: str | None = None
    shows_paid: bool = True


class Report(msgspec.Struct, frozen=True):
    value: ValueAnswer
    story: StoryRead
    advice: AdviceView


async def read_report(tx: Transaction, account: Account, asked: Asked, now: datetime) -> Report:
    """Raises NoModelError before a value model is applied."""
    question = Question(
        start=asked.start,
        end=asked.end,
        window=Window.MONTH,
        group_by=("driver",),
        provider=asked.provider,
        shows_paid=asked.shows_paid,
    )
    audience = Audience.CUSTOMER if asked.provider is None else Audience.PARTNER
    return Report(
        value=value_answer(await read_value(tx, account, question, now)),
        story=await read_story(tx, account, audience, now, provider=asked.provider),
        advice=await read_advice(tx, account, now, provider=asked.provider),
    )


def report_bytes(report: Report, form: Format, part: Part = Part.VALUE) -> bytes:
    """Raises InvalidInputError where a part is asked of JSON, which has no parts."""
    if form is Format.CSV:
        return report_csv(report, part)
    if part is not Part.VALUE:
        raise InvalidInputError("JSON holds the whole report: a part is for CSV alone. Leave it out, or take csv.")
    return report_json(report)


def report_document(report: Report) -> Mapping[str, Any]:
    """The value read's fields with `story` and `suggestions` beside them."""
    value: Mapping[str, Any] = msgspec.to_builtins(report.value)
    return {**value, "story": report.story.json, "suggestions": report.advice.suggestions}


def report_json(report: Report) -> bytes:
    return _JSON.encode(report_document(report)) + b"\n"


def report_csv(report: Report, part: Part = Part.VALUE) -> bytes:
    """RFC 4180; nothing in it is taken for a formula.

    Value: one row a driver, month and unit. Of an account without value, one row a driver in the state `projection`:
    nothing is realized, and what a month may come to stands in columns of its own. Partners: one row a provider, unit
    and standing of what was reported, and one a split that held.
    """
    columns, lines = {
        Part.VALUE: (COLUMNS, _of_value(report.value)),
        Part.PARTNERS: (PARTNER_COLUMNS, _of_partners(report.value)),
    }[part]
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([inert(report.value.account), *cells] for cells in lines)
    return written.getvalue().encode()


def _of_value(value: ValueAnswer) -> Iterator[list[str]]:
    for row in value.rows:
        yield [row.window_start.isoformat(), *_cells(row), *("" for _ in _PROJECTED)]
    for projected in value.projection.drivers if value.projection else ():
        yield [value.start.isoformat(), *_projected_cells(projected)]


def _cells(row: ValueRowAnswer) -> Iterator[str]:
    """Texts come from names that people chose; amounts are decimals of our own, and keep their minus."""
    yield from (inert(str(getattr(row, name) or "")) for name in _TEXTS)
    yield from (getattr(row, name) or "" for name in _AMOUNTS)


def _projected_cells(projected: Projected) -> Iterator[str]:
    yield from (inert(str(getattr(projected, name))) for name in _TEXTS)
    yield from (decimal_text(ZERO) if name in _REALIZED else "" for name in _AMOUNTS)
    yield from (decimal_text(getattr(projected, bound)) for bound in _PROJECTED)


def _of_partners(value: ValueAnswer) -> Iterator[list[str]]:
    for one in value.contributions:
        yield ["contribution", inert(one.provider), "", one.state, "", "", inert(one.unit), one.amount, "", ""]
    for line in value.splits:
        since, until = ("" if day is None else day.isoformat() for day in (line.since, line.until))
        shares = (line.share, line.supplier_share)
        yield ["split", inert(line.provider), inert(line.driver), "agreed", since, until, "", "", *shares]


def inert(text: str) -> str:
    """The text so that no spreadsheet runs it: what could begin a formula gets an apostrophe before it."""
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_DANGEROUS) else text
