"""A story in the forms that leave the program: the contract's JSON, plain text and Markdown."""

import textwrap
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.document import Chapter, Note, Sentence, Span, Status, Step, StoryDocument
from valueplatform.narrative.wording import wording_in

WIDTH: Final = 78
_MARKS: Final = {Status.AHEAD: "▲", Status.ON_PLAN: "●", Status.BEHIND: "▼", Status.INSUFFICIENT: "◌"}


def story_json(account: str, version: int, document: StoryDocument) -> dict[str, Any]:
    """The contract's `/story`; periods are `from` and `to`, the end exclusive; values are decimal strings. A sentence
    that a language model reworded has our `own_words` beside it."""
    return {
        "account": account,
        "version": version,
        "audience": document.audience,
        "language": document.language,
        "composed_at": document.composed_at.isoformat() if document.composed_at else None,
        "period": _period(document.period_from, document.period_to),
        "headline": document.headline.text,
        "headline_insight": _sentence(document.headline),
        "lead": [_sentence(sentence) for sentence in document.lead],
        "status": document.status.value,
        "reason": document.reason,
        "chapters": [_chapter(chapter) for chapter in document.chapters],
        "next": _step(document.next) if document.next is not None else None,
    }


def _step(step: Step) -> dict[str, Any]:
    return {"act": step.act, "text": step.text, "insight": step.insight_id or None}


def _chapter(chapter: Chapter) -> dict[str, Any]:
    return {
        "id": chapter.id,
        "title": chapter.title,
        "period": _period(chapter.period_from, chapter.period_to),
        "status": chapter.status.value if chapter.status else None,
        "meta": chapter.meta,
        "insights": [_sentence(sentence) for sentence in chapter.insights],
        "notes": [_note(note) for note in chapter.notes],
    }


def _sentence(sentence: Sentence) -> dict[str, Any]:
    own = {"own_words": "".join(span.text for span in sentence.plain)} if sentence.plain else {}
    return own | {
        "id": sentence.insight_id,
        "kind": sentence.kind,
        "text": sentence.text,
        "numbers": [_number(span) for span in sentence.numbers],
        "strength": sentence.strength.value,
        "period": _period(sentence.period_from, sentence.period_to),
    }


def _number(span: Span) -> dict[str, Any]:
    return {"name": span.name, "value": span.value, "unit": span.unit, "state": span.standing, "text": span.text}


def _note(note: Note) -> dict[str, Any]:
    return {"id": note.insight_id, "kind": note.kind, "title": note.title, "text": _text(note), "beside": note.beside}


def _text(note: Note) -> str:
    return "".join(span.text for span in note.spans)


def _period(start: date, end: date) -> dict[str, str]:
    return {"from": start.isoformat(), "to": end.isoformat()}


def dateline(document: StoryDocument) -> str:
    """From the first day to the last, both told; a single day once."""
    last = max(document.period_to - ONE_DAY, document.period_from)
    days = {"first_day": document.period_from.isoformat()}
    if last > document.period_from:
        days["last_day"] = last.isoformat()
    return wording_in(document.language).phrase("dateline", days)


def _mark(status: Status, document: StoryDocument) -> str:
    return f"{_MARKS[status]} {wording_in(document.language).phrase('status', {}, status=status.value)}"


def story_text(document: StoryDocument, width: int = WIDTH) -> str:
    """For a terminal: wrapped lines, margin notes indented beneath what they belong to."""
    return "\n".join(_lines(document, width)) + "\n"


def _lines(document: StoryDocument, width: int) -> Iterator[str]:
    yield f"{dateline(document)}   {_mark(document.status, document)}"
    yield ""
    yield from textwrap.wrap(document.headline.text, width)
    if document.lead:
        yield ""
        yield from textwrap.wrap(" ".join(sentence.text for sentence in document.lead), width)
    if _tells_reason(document):
        yield ""
        yield from textwrap.wrap(document.reason, width)
    for chapter in document.chapters:
        yield from ("", "")
        yield from textwrap.wrap(chapter.title, width)
        yield "-" * min(len(chapter.title), width)
        about = [_mark(chapter.status, document)] if chapter.status else []
        yield from textwrap.wrap("   ".join([*about, *([chapter.meta] if chapter.meta else [])]), width)
        for sentence in chapter.insights:
            yield ""
            yield from textwrap.wrap(sentence.text, width)
            for note in (note for note in chapter.notes if note.beside == sentence.insight_id):
                yield from textwrap.wrap(_titled(note), width, initial_indent="  | ", subsequent_indent="  | ")
    if document.next is not None:
        yield from ("", "")
        yield from textwrap.wrap(f"Next step: {document.next.text}", width)


def _tells_reason(document: StoryDocument) -> bool:
    """Not where the lead says it with its numbers."""
    return all(sentence.kind != "committed-range" for sentence in document.lead)


def _titled(note: Note) -> str:
    return f"{note.title}. {_text(note)}" if note.title else _text(note)


def story_markdown(document: StoryDocument) -> str:
    """Headings, paragraphs and quotes; names from the record cannot become markup."""
    parts = [f"*{dateline(document)} · {_mark(document.status, document)}*", f"# {_plain(document.headline.text)}"]
    if document.lead:
        parts.append(_plain(" ".join(sentence.text for sentence in document.lead)))
    if _tells_reason(document):
        parts.append(_plain(document.reason))
    for chapter in document.chapters:
        parts.append(f"## {_plain(chapter.title)}")
        about = [_mark(chapter.status, document)] if chapter.status else []
        if meta := " · ".join([*about, *([_plain(chapter.meta)] if chapter.meta else [])]):
            parts.append(f"*{meta}*")
        for sentence in chapter.insights:
            parts.append(_plain(sentence.text))
            parts += [f"> {_plain(_titled(n))}" for n in chapter.notes if n.beside == sentence.insight_id]
    if document.next is not None:
        parts.append(f"**Next step:** {_plain(document.next.text)}")
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Text with what Markdown would read as markup escaped."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|~" else letter for letter in text)
