"""Sentences of the engine as pages show them: every number a link to its proof."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from valueplatform.narrative.document import Sentence, Span, Status
from valueplatform.narrative.insight import Standing
from valueplatform.portal.view import words as view

_KEYS: Final = ("realized", "estimated")
"""Numbers that matter most in a headline, where it has them."""
CHIPS: Final = {
    Status.AHEAD: view.Chip("over", "Ahead"),
    Status.ON_PLAN: view.Chip("on", "On plan"),
    Status.BEHIND: view.Chip("under", "Behind"),
    Status.INSUFFICIENT: view.Chip("nodata", "Not enough data"),
}


def proof_path(ref: str, number: str | None = None) -> str:
    path = f"/proof/{quote(ref, safe='')}"
    return path if number is None else f"{path}?number={quote(number, safe='')}"


def number_view(span: Span, insight_id: str, *, key: bool = False) -> view.NumberView:
    """The number that a span holds."""
    return view.NumberView(
        name=span.name or "",
        text=span.text,
        value=span.value or "",
        unit=span.unit or "",
        state=(span.standing or Standing.VALIDATED).value,
        href=proof_path(insight_id, span.name),
        key=key,
    )


def spans_view(spans: Iterable[Span], insight_id: str, key: str | None = None) -> tuple[view.Span, ...]:
    """`key` names the number that matters."""
    return tuple(
        view.Span(span.text, number_view(span, insight_id, key=span.name == key))
        if span.name is not None and span.value is not None
        else view.Span(span.text)
        for span in spans
    )


def sentence_view(sentence: Sentence, *, new: bool = False, key: str | None = None) -> view.Sentence:
    spans = spans_view(sentence.spans, sentence.insight_id, key)
    return view.Sentence(sentence.insight_id, sentence.kind, spans, is_new=new)


def key_number(spans: Sequence[Span]) -> str | None:
    """The number that a headline is about."""
    names = [span.name for span in spans if span.name is not None]
    return next((name for name in _KEYS if name in names), names[0] if names else None)
