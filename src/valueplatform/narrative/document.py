"""A story as composed: sentences made of spans, in chapters. Stored whole, rendered by every surface alike."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from valueplatform.narrative.insight import Standing, Strength


class Audience(StrEnum):
    """Who reads. Choice and tone differ between them, facts never."""

    CUSTOMER = "customer"
    STEWARD = "steward"
    EXECUTIVE = "executive"
    PARTNER = "partner"


class Language(StrEnum):
    """What stories are told in. Everything around them is English."""

    ENGLISH = "en"
    GERMAN = "de"


class Status(StrEnum):
    AHEAD = "ahead"
    ON_PLAN = "on-plan"
    BEHIND = "behind"
    INSUFFICIENT = "insufficient-data"


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run of text; where `name` is set it is a number of the insight, and `value` its exact decimal string."""

    text: str
    name: str | None = None
    value: str | None = None
    unit: str | None = None
    standing: Standing | None = None


class Sentence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One insight in words. `numbers` are all of them, also those the wording leaves out. Where a language model
    reworded it, `plain` holds the words of our own templates."""

    insight_id: str
    kind: str
    spans: tuple[Span, ...]
    numbers: tuple[Span, ...]
    strength: Strength
    period_from: date
    period_to: date
    plain: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)

    @property
    def own_words(self) -> tuple[Span, ...]:
        """The spans of our own templates, reworded or not."""
        return self.plain or self.spans


class Strip(msgspec.Struct, frozen=True):
    """Realized against committed of one chapter, for drawing."""

    realized: Decimal
    low: Decimal
    expected: Decimal
    high: Decimal
    unit: str


class Note(msgspec.Struct, frozen=True):
    """What stands in the margin: context, risk (a question) or caveat (data). `insight_id` is the note's own, which its
    numbers open; `beside` is the sentence that it stands next to."""

    kind: str
    title: str
    spans: tuple[Span, ...]
    insight_id: str
    beside: str = ""


class Chapter(msgspec.Struct, frozen=True):
    id: str
    title: str
    period_from: date
    period_to: date
    status: Status | None
    meta: str
    insights: tuple[Sentence, ...]
    notes: tuple[Note, ...] = ()
    strip: Strip | None = None


class Step(msgspec.Struct, frozen=True):
    """The one thing to do next that follows from what was told. `act` is its code, `insight_id` what it follows from,
    if anything."""

    act: str
    text: str
    insight_id: str = ""


class SeriesPoint(msgspec.Struct, frozen=True):
    """Cumulative value to the end of a month (or to today); realized is None after today."""

    end: date
    realized: Decimal | None
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None


class StoryDocument(msgspec.Struct, frozen=True):
    """`unit` is the account's currency. `period_*` is the stretch that headline and chart speak of. `language` is that
    of all its words."""

    audience: str
    period_from: date
    period_to: date
    unit: str
    headline: Sentence
    lead: tuple[Sentence, ...]
    status: Status
    reason: str
    chapters: tuple[Chapter, ...]
    series: tuple[SeriesPoint, ...]
    composed_at: datetime | None = None
    language: Language = Language.ENGLISH
    next: Step | None = None
