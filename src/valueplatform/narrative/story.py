"""The story of one account for one audience, composed from admitted insights. Deterministic: same facts, same story.

Headline (at most 14 words, one insight), status with its reason, a lead of at most two sentences, chapters by
objective and driver, doubts in the margin. What counts stands in the headline; what does not stands beside it, and
says so.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from valueplatform.core.periods import Period
from valueplatform.narrative.chapters import chapters
from valueplatform.narrative.choice import eligible, is_of_one_driver, same
from valueplatform.narrative.document import Audience, Chapter, Sentence, Status, StoryDocument
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.insights.attainment import MINIMUM_DAYS
from valueplatform.narrative.insights.presence import is_long_silent
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.next_step import next_step
from valueplatform.narrative.repeats import FEW_PARTS, without_repeats
from valueplatform.narrative.rewording.draft import Rewordings
from valueplatform.narrative.series import series
from valueplatform.narrative.voice import Voice
from valueplatform.narrative.windows import commitment_windows, first_value_day
from valueplatform.narrative.wording import Wording, english

HEADLINES: Final = ("attainment", "realized", "estimated", "insufficient-data")
LEADS: Final[Mapping[str, Sequence[str]]] = {
    "attainment": ("silent-account", "committed-range", "plan-standing", "payback", "return-on-paid"),
    "realized": ("silent-account", "payback", "return-on-paid", "top-contributors", "estimated-beside"),
    "estimated": ("silent-account", "unvalidated-input", "top-contributors"),
    "insufficient-data": ("insufficient-data",),
}
"""What may follow each headline, in order."""
MOST_LEAD_SENTENCES: Final = 2
FIGURES_WORTH_TELLING: Final = 2
_FULL_STOP: Final = re.compile(
    r"(?<=[.!?]) (?=[“„A-ZÄÖÜ0-9])(?!(?<=\d\. )(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|"
    r"November|Dezember) \d{4})"
)
"""A German day has a full stop of its own: '12. Mai 2026'."""


class NothingToTellError(LookupError):
    """Not even that there is no data was admitted: the insights are not this account's."""


def compose(
    facts: AccountFacts,
    insights: Iterable[Admitted],
    audience: Audience,
    wording: Wording | None = None,
    rewordings: Rewordings | None = None,
) -> StoryDocument:
    """Compose the story. For a partner, facts and insights are those of `facts.for_provider`."""
    chosen = eligible(insights, audience)
    words = wording or english()
    voice = Voice(audience, words, facts.name, rewordings)
    head, headline = _headline(chosen, voice)
    silence = _silence(facts, head, chosen, voice)
    if silence is None:
        lead = _lead(head, chosen, voice)
    else:
        lead = (silence,)
        chosen = [a for a in chosen if a.id in {silence.insight_id, head.id}]
    told = {headline.insight_id, *(sentence.insight_id for sentence in lead)}
    status, why = _status(facts, chosen)
    told_chapters = without_repeats(headline, chapters(facts, chosen, voice, [a for a in chosen if a.id in told]))
    period = Period(head.insight.period_from, head.insight.period_to)
    planned = tuple(sorted(commitment_windows(facts).keys() & set(facts.money_drivers)))
    return StoryDocument(
        audience=audience.value,
        period_from=period.start,
        period_to=period.end,
        unit=facts.currency,
        headline=headline,
        lead=lead,
        status=status,
        reason=voice.phrase("reason", {}, why=why),
        chapters=told_chapters,
        series=series(facts, period, planned, counted=head.insight.kind != "estimated"),
        composed_at=facts.now,
        language=words.language,
        next=next_step([a for a in chosen if a.id in told | _told_in(told_chapters)], why, voice),
    )


def _told_in(told: Iterable[Chapter]) -> set[str]:
    sentences = {sentence.insight_id for chapter in told for sentence in chapter.insights}
    return sentences | {note.insight_id for chapter in told for note in chapter.notes}


def _of_account(insights: Sequence[Admitted], kind: str) -> Admitted | None:
    return next((a for a in insights if a.insight.kind == kind and a.insight.subject == ACCOUNT), None)


def _headline(insights: Sequence[Admitted], voice: Voice) -> tuple[Admitted, Sentence]:
    for kind in HEADLINES:
        head = _of_account(insights, kind)
        sentence = voice.sentence(head, "headline") if head is not None else None
        if head is not None and sentence is not None:
            return head, sentence
    raise NothingToTellError("No insight on the account as a whole was admitted; discover and admit them first.")


def _silence(facts: AccountFacts, head: Admitted, insights: Sequence[Admitted], voice: Voice) -> Sentence | None:
    """Where nothing came for long, nothing counts and no plan is to be met, that is all the story below its headline,
    which is what was estimated (value rule 10)."""
    own = voice.audience is not Audience.PARTNER and head.insight.kind == "estimated"
    silent = _of_account(insights, "silent-account") if own and is_long_silent(facts) else None
    return None if silent is None else voice.sentence(silent, "lead", cautioned=True)


def _lead(head: Admitted, insights: Sequence[Admitted], voice: Voice) -> tuple[Sentence, ...]:
    found: list[Sentence] = []
    told: set[tuple[str, str]] = set()
    room = MOST_LEAD_SENTENCES
    for kind in LEADS[head.insight.kind]:
        own = [a for a in insights if a.insight.kind == kind and (a.insight.subject == ACCOUNT or kind[:3] == "unv")]
        sentence = voice.sentence(own[0], "lead") if own else None
        length = len(sentences_in(sentence.text)) if sentence is not None else 0
        if own and not _is_worth_leading(own[0], insights):
            continue
        if sentence is not None and 0 < length <= room and same(own[0]) not in told:
            found.append(sentence)
            told.add(same(own[0]))
            room -= length
    return tuple(found)


def _is_worth_leading(admitted: Admitted, insights: Sequence[Admitted]) -> bool:
    """Not a driver behind plan where one without a plan took more from the total, nor what chapters of drivers say."""
    if is_of_one_driver(admitted, insights):
        return False
    if admitted.insight.kind == "top-contributors":
        parts = {a.insight.subject for a in insights if a.insight.kind in HEADLINES and a.insight.numbers} - {ACCOUNT}
        return len(parts) > FEW_PARTS
    behind = next((abs(n.value) for n in admitted.insight.numbers if n.name == "behind"), None)
    if admitted.insight.kind != "plan-standing" or behind is None:
        return True
    taken = (abs(a.insight.numbers[0].value) for a in insights if a.insight.kind in {"detractor", "disruption"})
    return max(taken, default=Decimal(0)) <= behind


def sentences_in(text: str) -> list[str]:
    """A text cut at its full stops (not those inside figures or names)."""
    return [part for part in _FULL_STOP.split(text) if part]


def _status(facts: AccountFacts, insights: Sequence[Admitted]) -> tuple[Status, str]:
    attainment = _of_account(insights, "attainment")
    if attainment is not None:
        status = Status(attainment.insight.terms["status"])
        return status, status.value
    if first_value_day(facts) is None:
        return Status.INSUFFICIENT, "no-value"
    if facts.providers:
        return Status.INSUFFICIENT, "not-shared"
    windows = commitment_windows(facts)
    if not windows:
        return Status.INSUFFICIENT, "no-plan"
    early = all(period.days < MINIMUM_DAYS for period in windows.values())
    return Status.INSUFFICIENT, "too-early" if early else "not-validated"


def fingerprint(document: StoryDocument) -> str:
    """Changes when something worth telling has changed: what is told, in which order and words of ours, and its numbers
    to two figures. A number that moves less is updated in place, and so is a rewording."""
    told = [document.headline, *document.lead, *(s for chapter in document.chapters for s in chapter.insights)]
    notes = [note for chapter in document.chapters for note in chapter.notes]
    parts = [document.audience, document.status.value, document.reason, document.period_from.isoformat()]
    parts += [f"{chapter.id} {chapter.title} {chapter.status}" for chapter in document.chapters]
    for spans, owner in [(s.own_words, s.insight_id) for s in told] + [(n.spans, n.insight_id) for n in notes]:
        parts.append(owner)
        parts += [_coarse(span.value) if span.value is not None else span.text for span in spans]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _coarse(value: str) -> str:
    number = Decimal(value)
    if not number:
        return "0"
    return str(number.quantize(Decimal(1).scaleb(number.adjusted() - FIGURES_WORTH_TELLING + 1)).normalize())
