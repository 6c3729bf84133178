"""Why a signal calls now: one sentence each, its numbers as spans.

Sentences of insights come from the story's own wording. Those that only the steward reads are worded here and parsed
back by the same check, so that they too say nothing but what was re-derived.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import structlog
from babel import Locale

from valueplatform.core.periods import local_day
from valueplatform.narrative.document import Audience, Span, Status
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.faithful.sentences import check_sentence
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best_store import State, StoredSuggestion
from valueplatform.narrative.wording import UnfaithfulSentenceError, Wording, english
from valueplatform.narrative.wording.engine import inside_sentence
from valueplatform.narrative.wording.numbers import day_text, number_text
from valueplatform.stewardship.renewal import RENEWAL_DUE
from valueplatform.stewardship.signal import Signal, SignalKind
from valueplatform.stewardship.signals import Situation
from valueplatform.stewardship.silence import EVENTS_STOPPED, NO_EVENTS_YET

_log = structlog.get_logger(__name__)
_IN_THE_MARGIN: Final = frozenset({"under-review"})
_STANDS: Final = {Status.BEHIND: "the commitment is not met", Status.INSUFFICIENT: "its value cannot be told yet"}

Spans = tuple[Span, ...]


class SignalWords:
    """English only: stewards' signals are no part of a story."""

    def __init__(self, wording: Wording | None = None) -> None:
        self._wording = wording or english()
        self._locale: Locale = self._wording.locale
        self._own: Mapping[str, Callable[[Admitted, Situation], Spans]] = {
            RENEWAL_DUE: self._renewal_due,
            EVENTS_STOPPED: self._events_stopped,
            NO_EVENTS_YET: self._no_events_yet,
        }

    def why(self, signal: Signal, given: Situation, admitted: Mapping[str, Admitted]) -> Spans | None:
        """None where no faithful sentence can be made: such a signal is not shown, and the fault is logged."""
        if signal.kind is SignalKind.QUESTION:
            return self._question(signal, given)
        if signal.kind is SignalKind.SUGGESTION:
            return self._suggestion(signal, given)
        found = admitted.get(signal.insight_id or "")
        if found is None:
            return self._proposal(signal, given)
        try:
            return self._of_insight(found, given)
        except UnfaithfulSentenceError as error:
            _log.error("signal withheld", account=given.facts.key, signal=signal.kind, problem=str(error))
            return None

    def _of_insight(self, admitted: Admitted, given: Situation) -> Spans:
        kind = admitted.insight.kind
        if kind in self._own:
            spans = self._own[kind](admitted, given)
            if found := check_sentence(spans, admitted, str(self._locale)):
                text = "".join(span.text for span in spans)
                raise UnfaithfulSentenceError(f"{kind}: {'; '.join(found)} in {text!r}")
            return spans
        if kind in _IN_THE_MARGIN:
            return self._wording.note(admitted, Audience.STEWARD, "risk").spans
        return self._wording.sentence(admitted, Audience.STEWARD).spans

    def _renewal_due(self, admitted: Admitted, given: Situation) -> Spans:
        ends = self._day(admitted.insight.terms["end_day"])
        stands = _STANDS.get(given.status, "it is due")
        if not admitted.insight.number("yearly").value:
            return (Span(f"The contract ends on {ends}, and {stands}."),)
        yearly = self._number(admitted, "yearly")
        return Span(f"The contract ends on {ends}, worth "), yearly, Span(f" over its last year, and {stands}.")

    def _events_stopped(self, admitted: Admitted, given: Situation) -> Spans:  # noqa: ARG002 - all words of a kind are asked alike
        last = self._day(admitted.insight.terms["last_day"])
        if not admitted.insight.number("before").value:
            return (Span(f"No event has come since {last}."),)
        before = self._number(admitted, "before")
        return Span(f"No event has come since {last}; the weeks until then brought "), before, Span(".")

    def _no_events_yet(self, admitted: Admitted, given: Situation) -> Spans:  # noqa: ARG002 - as above
        since = self._day(admitted.insight.terms["since_day"])
        if not admitted.insight.number("paid").value:
            return (Span(f"No event has come yet; the contract runs since {since}."),)
        paid = self._number(admitted, "paid")
        return Span("No event has come yet, and "), paid, Span(f" has been paid since {since}.")

    def _question(self, signal: Signal, given: Situation) -> Spans:
        asked = next(q for q in given.questions if str(q.conversation_id) == signal.subject)
        since = day_text(local_day(asked.since, given.facts.timezone), self._locale)
        return (Span(f"{asked.asked_by} has waited for an answer since {since}."),)

    def _suggestion(self, signal: Signal, given: Situation) -> Spans:
        stored = next(s for s in given.suggestions if s.suggestion.id == signal.subject)
        found = stored.suggestion
        if found.expected is None:
            return (Span(self._began(stored, given)),)
        text = number_text(found.expected, found.unit, self._locale)
        value = Span(text, "expected", format(found.expected, "f"), found.unit, Standing.PREDICTED)
        return Span(f"{self._began(stored, given)} It may bring about "), value, Span(" in the next 12 months.")

    def _began(self, stored: StoredSuggestion, given: Situation) -> str:
        title = stored.suggestion.title
        if stored.state is State.ACCEPTED and stored.decided_at is not None:
            day = day_text(local_day(stored.decided_at, given.facts.timezone), self._locale)
            return f"They accepted {title} on {day}."
        return f"{title} is not in use."

    def _proposal(self, signal: Signal, given: Situation) -> Spans | None:
        """A proposal beside a validated value: without its number, which would not open."""
        slug = signal.subject.removeprefix("proposal:")
        proposed = next((i for i in given.facts.inputs if i.slug == slug and i.proposals), None)
        if proposed is None:
            return None
        last = proposed.proposals[-1]
        title, day = inside_sentence(proposed.title), day_text(last.on, self._locale)
        return (Span(f"{last.author} proposed another {title} on {day}; the validated one holds until it is settled."),)

    def _day(self, said: str) -> str:
        return day_text(date.fromisoformat(said), self._locale)

    def _number(self, admitted: Admitted, name: str) -> Span:
        number = admitted.insight.number(name)
        text = number_text(number.value, number.unit, self._locale)
        return Span(text, name, format(number.value, "f"), number.unit, number.standing)
