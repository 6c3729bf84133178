"""What changed between two versions of a story, in at most five lines, each a link to its sentence."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.narrative.document import Sentence, StoryDocument
from valueplatform.narrative.story import sentences_in
from valueplatform.narrative.wording import Wording, wording_in
from valueplatform.narrative.wording.numbers import number_text

MOST_LINES: Final = 5
STANDING_KINDS: Final = frozenset({"attainment", "realized", "estimated", "outcome", "insufficient-data"})
"""Kinds that a story always tells: that they are told is no news."""
MEASURES: Final = ("realized", "estimated")


class SinceLine(msgspec.Struct, frozen=True):
    """`insight_id` is the sentence that the line leads to."""

    text: str
    insight_id: str


def since(old: StoryDocument, new: StoryDocument) -> tuple[SinceLine, ...]:
    """Standing first, then what was restated, then chapters that turned, then the total, then what is new.

    In the language of the new one. Empty where nothing worth a line changed.
    """
    words = wording_in(new.language)
    lines: list[SinceLine] = []
    for line in (
        *_status(old, new, words),
        *_restated(old, new),
        *_turned(old, new),
        *_total(old, new, words),
        *_new(old, new),
    ):
        if line.insight_id not in {known.insight_id for known in lines}:
            lines.append(line)
    return tuple(lines[:MOST_LINES])


def _status(old: StoryDocument, new: StoryDocument, words: Wording) -> Iterator[SinceLine]:
    if old.status is not new.status:
        text = words.phrase("since", {}, tells="status", before=old.status.value, now=new.status.value)
        yield SinceLine(text, new.lead[0].insight_id if new.lead else new.headline.insight_id)


def _total(old: StoryDocument, new: StoryDocument, words: Wording) -> Iterator[SinceLine]:
    """How far the headline's amount moved, where both speak of the same measure since the same day."""
    if (old.headline.kind, old.period_from, old.unit) != (new.headline.kind, new.period_from, new.unit):
        return
    for measure in MEASURES:
        before, now = _value(old.headline, measure), _value(new.headline, measure)
        if before is None or now is None or before == now:
            continue
        size = number_text(now - before, new.unit, words.locale, signed=False)
        tells = f"{measure}-{'up' if now > before else 'down'}"
        yield SinceLine(words.phrase("since", {}, tells=tells, size=size), new.headline.insight_id)


def _value(sentence: Sentence, name: str) -> Decimal | None:
    return next((Decimal(n.value) for n in sentence.numbers if n.name == name and n.value is not None), None)


def _restated(old: StoryDocument, new: StoryDocument) -> Iterator[SinceLine]:
    known = {sentence.insight_id for sentence in told(old)}
    for sentence in told(new):
        if sentence.kind == "adjustment" and sentence.insight_id not in known:
            yield SinceLine(sentences_in(sentence.text)[0], sentence.insight_id)


def _turned(old: StoryDocument, new: StoryDocument) -> Iterator[SinceLine]:
    """Chapters whose standing is another, and questions that were raised."""
    before = {chapter.id: chapter.status for chapter in old.chapters}
    noted = {note.insight_id for chapter in old.chapters for note in chapter.notes}
    for chapter in new.chapters:
        if chapter.id in before and chapter.status is not before[chapter.id] and chapter.status is not None:
            yield SinceLine(chapter.title, chapter.insights[0].insight_id)
        for note in chapter.notes:
            if note.kind == "risk" and note.insight_id not in noted:
                text = "".join(span.text for span in note.spans)
                yield SinceLine(sentences_in(text)[0], note.beside or note.insight_id)


def _new(old: StoryDocument, new: StoryDocument) -> Iterator[SinceLine]:
    known = {sentence.insight_id for sentence in told(old)}
    for sentence in told(new):
        if sentence.insight_id not in known and sentence.kind not in STANDING_KINDS:
            yield SinceLine(sentences_in(sentence.text)[0], sentence.insight_id)


def told(document: StoryDocument) -> Iterator[Sentence]:
    """Every sentence of the story, in reading order."""
    yield document.headline
    yield from document.lead
    yield from (sentence for chapter in document.chapters for sentence in chapter.insights)
