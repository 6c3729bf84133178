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
from valueplatform.core.numbers import decimal_text
from valueplatform.core.periods import Window
from valueplatform.narrative.advice_read import read_advice
from valueplatform.narrative.document import Audience
from valueplatform.narrative.next_best_view import AdviceView
from valueplatform.narrative.story_read import StoryRead, read_story
from valueplatform.value.answer import ValueAnswer, ValueRowAnswer, value_answer
from valueplatform.value.projection import Projected
from valueplatform.value.reading import Question, read_value

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
_OF_PARTNERS: Final = ("provider", "reported", "share", "supplier_share", "until")
COLUMNS: Final = (
    "account",
    "window_start",
    *_TEXTS,
    *_AMOUNTS,
    *(f"projected_{bound}" for bound in _PROJECTED),
    *_OF_PARTNERS,
)


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        return {Format.JSON: "application/json", Format.CSV: "text/csv"}[self]


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


def report_bytes(report: Report, form: Format) -> bytes:
    return report_csv(report) if form is Format.CSV else report_json(report)


def report_document(report: Report) -> Mapping[str, Any]:
    """The value read's fields with `story` and `suggestions` beside them."""
    value: Mapping[str, Any] = msgspec.to_builtins(report.value)
    return {**value, "story": report.story.json, "suggestions": report.advice.suggestions}


def report_json(report: Report) -> bytes:
    return _JSON.encode(report_document(report)) + b"\n"


def report_csv(report: Report) -> bytes:
    """One row a driver, month and unit, as RFC 4180 has it; nothing in it is taken for a formula. Of an account without
    value, one row a driver in the state `projection`, whose amounts of a month stand in columns of their own.

    Then what partners reported, one row a provider, unit and standing, and one a split that held: neither has an amount
    among those of value, since neither is in it. A split's row begins with its first day.
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for row in report.value.rows:
        cells = (*_cells(row), *("" for _ in (*_PROJECTED, *_OF_PARTNERS)))
        writer.writerow([inert(report.value.account), row.window_start.isoformat(), *cells])
    for projected in report.value.projection.drivers if report.value.projection else ():
        writer.writerow([inert(report.value.account), report.value.start.isoformat(), *_projected_cells(projected)])
    writer.writerows([inert(report.value.account), *cells] for cells in _of_partners(report.value))
    return written.getvalue().encode()


def _cells(row: ValueRowAnswer) -> Iterator[str]:
    """Texts come from names that people chose; amounts are decimals of our own, and keep their minus."""
    yield from (inert(str(getattr(row, name) or "")) for name in _TEXTS)
    yield from (getattr(row, name) or "" for name in _AMOUNTS)


def _projected_cells(projected: Projected) -> Iterator[str]:
    yield from (inert(str(getattr(projected, name))) for name in _TEXTS)
    yield from ("" for _ in _AMOUNTS)
    yield from (decimal_text(getattr(projected, bound)) for bound in _PROJECTED)
    yield from ("" for _ in _OF_PARTNERS)


def _of_partners(value: ValueAnswer) -> Iterator[list[str]]:
    none = [""] * (len(_AMOUNTS) + len(_PROJECTED))
    for one in value.contributions:
        texts = [value.start.isoformat(), "", inert(one.unit), "", "", one.state]
        yield [*texts, *none, inert(one.provider), one.amount, "", "", ""]
    for line in value.splits:
        since, until = ("" if day is None else day.isoformat() for day in (line.since, line.until))
        texts = [since, inert(line.driver), "", "", "", "split"]
        yield [*texts, *none, inert(line.provider), "", line.share, line.supplier_share, until]


def inert(text: str) -> str:
    """The text so that no spreadsheet runs it: what could begin a formula gets an apostrophe before it."""
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_DANGEROUS) else text
