"""Prompts in words: a title, why now, and a short draft in the sender's voice.

A draft greets, quotes the sentence of the record, asks for one thing by one day, and signs. It states nothing else: its
own words are held to the same check as sentences of the story, with the names and the day of the prompt set aside. No
number stands in it but those of the quoted insight. English only, as the check is.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
import structlog

from valueplatform.core.authorization import Side
from valueplatform.core.periods import local_day
from valueplatform.narrative.document import Audience, Span
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.faithful.english import ENGLISH
from valueplatform.narrative.faithful.sentences import check_sentence, stray_numbers
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best_store import State
from valueplatform.narrative.wording import UnfaithfulSentenceError, Wording, english
from valueplatform.narrative.wording.engine import inside_sentence
from valueplatform.narrative.wording.numbers import day_text, number_text
from valueplatform.stewardship.collaboration import Collaboration, Occasion
from valueplatform.stewardship.collaboration_rules import Ending, Found, Ground, Waiting
from valueplatform.stewardship.signals import Situation

_log = structlog.get_logger(__name__)
Spans = tuple[Span, ...]
_O = Occasion

_TITLES: Final[Mapping[Occasion, str]] = {
    _O.NO_DATA: "Talk to {name} about the missing data",
    _O.BEHIND: "Talk to {name} about {what}",
    _O.UNDER_REVIEW: "Settle {what} with {name}",
    _O.STALLED: "Talk to {name} about {what}",
    _O.RENEWAL: "Talk to {name} before the contract ends",
    _O.VALIDATION: "Ask {name} to validate {what}",
    _O.NO_VALIDATOR: "Ask {name} to name a validator",
    _O.PLAN: "Ask {name} to sign {what}",
    _O.STATEMENT: "Ask {name} to sign {what}",
    _O.SPLIT: "Ask {name} about {what}",
    _O.CONSENT: "Ask {name} whether {what} may report",
    _O.CONTRIBUTION: "Ask {name} about what {what} reported",
    _O.PLAN_ENDS: "Talk to {name} about the next plan",
    _O.BASELINE: "Ask {name} to measure {what} anew",
    _O.STARTING: "Talk to {name} about starting {what}",
    _O.SUGGESTION: "Talk to {name} about {what}",
    _O.REFERENCE: "Ask {name} for a reference",
}
_TALK: Final = "I would like to go through it with you and agree on what to do. Could we speak by {day}?"
_VALIDATE: Final = "Could you look at {what} and validate it, or say what speaks against it, by {day}?"
_SIGN: Final = "Could you read it and sign it for your side, or say what is missing, by {day}?"
_ASKS: Final[Mapping[Occasion, str]] = {
    _O.NO_DATA: "We receive no data from you at the moment. Could we look together at why, by {day}?",
    _O.BEHIND: _TALK,
    _O.UNDER_REVIEW: "I would like to settle {what} with you. Could you tell me by {day} what you need to see from us?",
    _O.STALLED: "Could you check with me whether the events of {what} still arrive, by {day}?",
    _O.RENEWAL: "I would like to go through the results with you well before that. Could we speak by {day}?",
    _O.VALIDATION: _VALIDATE,
    _O.NO_VALIDATOR: "Could you name somebody on your side who may validate {what}, by {day}?",
    _O.PLAN: _SIGN,
    _O.STATEMENT: _SIGN,
    _O.SPLIT: "Could you look at it and agree, or say why not, by {day}?",
    _O.CONSENT: "Could you give consent on the page of partners, or say why not, by {day}?",
    _O.CONTRIBUTION: "Could you look at it on the page of partners and corroborate it, or dispute it, by {day}?",
    _O.PLAN_ENDS: "I would like to agree with you on what comes next. Could we speak by {day}?",
    _O.BASELINE: "Could we agree by {day} on how to measure it anew?",
    _O.STARTING: "I would like to agree with you on how to begin. Could we speak by {day}?",
    _O.SUGGESTION: "I would like to show you what it takes. Could we speak by {day}?",
    _O.REFERENCE: "Would you be willing to tell others about it? I would be glad to speak by {day}.",
}
_ASKS_OF_CUSTOMERS: Final[Mapping[Occasion, str]] = {
    **_ASKS,
    _O.NO_DATA: "Could you help us find out whether our events still arrive, by {day}?",
    _O.UNDER_REVIEW: "Could you answer the question on {what}, with what it rests on, by {day}?",
    _O.STALLED: "Could you check with us whether the events of {what} still arrive, by {day}?",
    _O.NO_VALIDATOR: "Could you name somebody on our side who may validate {what}, by {day}?",
    _O.PLAN: "Could you read it and sign it, or say what is missing, by {day}?",
    _O.STATEMENT: "Could you read it and sign it, or say what is missing, by {day}?",
}


class CollaborationWords:
    def __init__(self, wording: Wording | None = None) -> None:
        self._wording = wording or english()
        self._locale = self._wording.locale

    def worded(self, found: Found, ground: Ground, admitted: Mapping[str, Admitted]) -> Collaboration | None:
        """The prompt with its words; None where no faithful ones can be found: it is left out, and logged."""
        prompt = found.prompt
        try:
            return self._worded(_Speaking(found, ground, admitted.get(prompt.insight_id or "")))
        except UnfaithfulSentenceError as error:
            _log.error("prompt withheld", account=ground.given.facts.key, prompt=prompt.occasion, problem=str(error))
            return None

    def _worded(self, of: "_Speaking") -> Collaboration:
        prompt = of.found.prompt
        quote = self._quote(of)
        words = {"name": prompt.receiver.name, "what": of.what, "day": day_text(prompt.due, self._locale)}
        return msgspec.structs.replace(
            prompt,
            title=_TITLES[prompt.occasion].format_map(words),
            why=quote if prompt.side is Side.CUSTOMER else self._for_steward(of, quote),
            draft=self._draft(of, quote, words),
        )

    def _for_steward(self, of: "_Speaking", quote: Spans) -> Spans:
        """As the steward is told it: the signal's own words, else those of the steward's story."""
        signal, admitted = of.found.matter.signal, of.admitted
        if signal is not None and signal.why and signal.insight_id == of.found.prompt.insight_id:
            return signal.why
        if admitted is not None and self._wording.has_sentence(admitted.insight.kind):
            return self._wording.sentence(admitted, Audience.STEWARD).spans
        return quote

    def _quote(self, of: "_Speaking") -> Spans:
        """What the record says, as both sides may read it."""
        if of.admitted is not None:
            return self._told(of.admitted, of)
        if of.found.matter.record is not None:
            return _checked(of, (Span(self._recorded(of)),))
        return _checked(of, tuple(self._suggested(of)))

    def _told(self, admitted: Admitted, of: "_Speaking") -> Spans:
        insight = admitted.insight
        if "customer" not in insight.audiences:
            return of.found.matter.signal.why if of.found.matter.signal else ()
        if self._wording.has_sentence(insight.kind):
            return self._wording.sentence(admitted, Audience.CUSTOMER).spans
        return self._wording.note(admitted, Audience.CUSTOMER, "risk").spans

    def _draft(self, of: "_Speaking", quote: Spans, words: Mapping[str, str]) -> Spans:
        prompt = of.found.prompt
        asks = _ASKS if prompt.side is Side.SUPPLIER else _ASKS_OF_CUSTOMERS
        ask = asks[prompt.occasion]
        check = _said(of, quote, ask.format_map({**words, "day": "then"}))
        problems = _problems(of, check)
        if problems:
            text = "".join(span.text for span in check)
            raise UnfaithfulSentenceError(f"{prompt.occasion}: {'; '.join(problems)} in {text!r}")
        said = _said(of, quote, ask.format_map(words))
        return Span(f"Hello {prompt.receiver.name},\n\n"), *said, Span(f"\n\nThank you,\n{prompt.sender.name}")

    def _recorded(self, of: "_Speaking") -> str:
        record = of.found.matter.record
        if isinstance(record, Waiting):
            return self._waiting(record, of.ground.given)
        if isinstance(record, Ending) and record.occasion is Occasion.BASELINE:
            return f"The baseline “{record.title}” holds until {day_text(record.on, self._locale)}."
        if isinstance(record, Ending):
            return f"What is committed ends on {day_text(record.on, self._locale)}."
        proposed = of.found.matter.signal
        return "".join(span.text for span in proposed.why) if proposed else ""

    def _waiting(self, record: Waiting, given: Situation) -> str:
        side = given.facts.name if record.side is Side.CUSTOMER else given.facts.supplier
        day = day_text(record.since, self._locale)
        if record.occasion is Occasion.SPLIT:
            return f"How {record.title} is shared waits for {side} since {day}."
        if record.occasion is Occasion.CONSENT:
            return f"{record.title} asked on {day} to be let report value to {side}."
        if record.occasion is Occasion.CONTRIBUTION:
            return f"What {record.title} reported waits for the answer of {side} since {day}."
        by = f"{record.by} signed on {day}" if record.by else f"it stands since {day}"
        return f"{_title(record)} waits for the signature of {side}; {by}."

    def _suggested(self, of: "_Speaking") -> Iterator[Span]:
        """What is in the signal's words for the steward, as both sides may read it; else the signal's."""
        stored = of.suggestion
        if stored is None:
            signal = of.found.matter.signal
            yield from signal.why if signal else ()
            return
        given, title = of.ground.given.facts, stored.suggestion.title
        if stored.state is State.ACCEPTED and stored.decided_at is not None:
            day = day_text(local_day(stored.decided_at, given.timezone), self._locale)
            yield Span(f"{given.name} accepted {title} on {day}.")
        else:
            yield Span(f"{given.name} does not use {title}.")
        expected = stored.suggestion.expected
        if expected is not None:
            text = number_text(expected, stored.suggestion.unit, self._locale)
            value = Span(text, "expected", format(expected, "f"), stored.suggestion.unit, Standing.PREDICTED)
            yield from (Span(" It may bring about "), value, Span(" within a year."))


class _Speaking:
    """A prompt on the way to its words."""

    def __init__(self, found: Found, ground: Ground, admitted: Admitted | None) -> None:
        self.found = found
        self.ground = ground
        self.admitted = admitted
        wanted = found.prompt.about.id
        given = ground.given
        self.suggestion = next((s for s in given.suggestions if s.suggestion.id == wanted), None)
        self.what = self._what()

    def _what(self) -> str:
        """What it is about, as it reads within a sentence."""
        record, facts = self.found.matter.record, self.ground.given.facts
        if record is not None:
            return _title(record)
        if self.suggestion is not None:
            return self.suggestion.suggestion.title
        kind, _, slug = self.found.matter.topic.partition(":")
        if kind == "driver":
            return facts.driver(slug).title
        if kind == "input":
            return f"the {inside_sentence(next(i.title for i in facts.inputs if i.slug == slug))}"
        return "the commitment"

    @property
    def names(self) -> frozenset[str]:
        """Names that are said outside of what an insight says."""
        facts, matter = self.ground.given.facts, self.found.matter
        known = {proposal.author for given in facts.inputs for proposal in given.proposals}
        known |= {facts.name, facts.supplier, self.what, self.what.removeprefix("the ")}
        known |= {self.suggestion.suggestion.title} if self.suggestion else set()
        if matter.record is not None:
            by = matter.record.by if isinstance(matter.record, Waiting) else None
            known |= {matter.record.title, by or ""}
        return frozenset(known - {""})


def _title(record: Waiting | Ending) -> str:
    if record.occasion is Occasion.SPLIT:
        return f"the share of {record.title}"
    return f"“{record.title}”" if record.occasion in {Occasion.PLAN, Occasion.STATEMENT} else record.title


def _said(of: _Speaking, quote: Spans, ask: str) -> Spans:
    insight = of.admitted.insight if of.admitted is not None else None
    if not quote or (insight is not None and "customer" not in insight.audiences):
        return (Span(ask),)
    if insight is None:
        return *quote, Span(f"\n\n{ask}")
    whose = "Your" if of.found.prompt.side is Side.SUPPLIER else "Our"
    return Span(f"{whose} value story says: “"), *quote, Span(f"”\n\n{ask}")


def _checked(of: _Speaking, spans: Spans) -> Spans:
    problems = _problems(of, spans)
    if problems:
        text = "".join(span.text for span in spans)
        raise UnfaithfulSentenceError(f"{of.found.prompt.occasion}: {'; '.join(problems)} in {text!r}")
    return spans


def _problems(of: _Speaking, spans: Spans) -> list[str]:
    """What is wrong with spans that speak of the prompt's insight, or else of a row of the record: of that, they may
    hold names and days, and the number of a suggestion."""
    if of.admitted is not None:
        return check_sentence(spans, of.admitted)
    text = "".join(span.text for span in spans if span.name is None)
    for name in sorted(of.names, key=len, reverse=True):
        text = text.replace(name, "")
    return list(stray_numbers(ENGLISH.day.sub("", text), ENGLISH))
