"""Chapters: by objective first, then by driver, and what the account as a whole has to tell."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from valueplatform.narrative.choice import (
    BAD_NEWS_FLOOR,
    asks_to_validate,
    is_cautioned,
    is_not_validated,
    is_of_one_driver,
    same,
    score,
    told,
)
from valueplatform.narrative.document import Audience, Chapter, Note, Sentence, Status, Strip
from valueplatform.narrative.facts import AccountFacts, DriverFacts
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.insights.attainment import objectives
from valueplatform.narrative.insights.presence import counts
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.voice import Voice
from valueplatform.value.model import weakest

MOST_SENTENCES: Final[Mapping[Audience, int]] = {
    Audience.CUSTOMER: 3,
    Audience.STEWARD: 3,
    Audience.EXECUTIVE: 1,
    Audience.PARTNER: 3,
}
MOST_CHAPTERS: Final[Mapping[Audience, int]] = {
    Audience.CUSTOMER: 8,
    Audience.STEWARD: 12,
    Audience.EXECUTIVE: 4,
    Audience.PARTNER: 8,
}
MOST_NOTES: Final = 2
NOTE_KINDS: Final[Mapping[str, str]] = {
    "under-review": "risk",
    "silent-source": "caveat",
    "reduced-source": "caveat",
    "missing-days": "caveat",
    "days-without-amount": "caveat",
    "expiring-input": "risk",
    "input-change": "context",
    "partner-contribution": "context",
    "validated-input": "context",
    "weekly-season": "context",
}
"""Insights told in the margin, doubts first."""
TOTAL: Final = "total"
NEWS_FOR: Final = timedelta(days=60)
"""So long is it worth a note that an input was validated; from then on its proof says so."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What one chapter is about, before it is worded."""

    id: str
    name: str
    objective: str | None
    drivers: tuple[str, ...]
    insights: tuple[Admitted, ...]

    def of_kind(self, kind: str) -> Admitted | None:
        return next((admitted for admitted in self.insights if admitted.insight.kind == kind), None)

    @property
    def standing(self) -> Admitted | None:
        """The objective's attainment, else its only driver's, else the weakest driver's."""
        found = [a for a in self.insights if a.insight.kind == "attainment"]
        together = [a for a in found if a.insight.subject.startswith("objective:")]
        ordered = together or sorted(found, key=lambda a: (a.insight.favorable is not False, a.insight.subject))
        return ordered[0] if ordered else None

    @property
    def status(self) -> Status | None:
        return Status(self.standing.insight.terms["status"]) if self.standing else None


def chapters(
    facts: AccountFacts, insights: Sequence[Admitted], voice: Voice, spent: Iterable[Admitted]
) -> tuple[Chapter, ...]:
    """Chapters in order, bad news first. What headline and lead have `spent` is not told again."""
    spent = list(spent)
    used = {same(admitted) for admitted in spent}
    free = [admitted for admitted in insights if same(admitted) not in used]
    outlines = [*_outlines(facts, free), *_total(free, voice.audience)]
    order = sorted(outlines, key=lambda outline: _rank(outline, voice.audience))
    noted: set[str] = set()
    asked = {a.insight.subject for a in spent if asks_to_validate(a)}
    found: list[Chapter] = []
    for outline in order:
        chapter = _chapter(facts, outline, voice, noted, asked)
        if chapter is not None:
            found.append(chapter)
    return _kept(found, voice.audience)


def _kept(found: Sequence[Chapter], audience: Audience) -> tuple[Chapter, ...]:
    """As many as the reader is told; an executive hears of the total before one more objective that keeps to plan."""
    most = MOST_CHAPTERS[audience]
    kept = list(found[:most])
    total = next((chapter for chapter in found[most:] if chapter.id == TOTAL), None)
    if audience is Audience.EXECUTIVE and total is not None and kept[-1].status in {Status.AHEAD, Status.ON_PLAN}:
        kept[-1] = total
    return tuple(kept)


def _outlines(facts: AccountFacts, insights: Sequence[Admitted]) -> list[Outline]:
    """One for each objective with its drivers, then one for each other driver."""
    found = []
    placed: set[str] = set()
    for objective, drivers in objectives(facts).items():
        placed |= set(drivers)
        subjects = {*drivers, f"objective:{objective}"}
        found.append(
            Outline(_slug(f"objective {objective}"), objective, objective, drivers, _about(insights, subjects, drivers))
        )
    for driver in facts.drivers:
        if driver.slug not in placed:
            about = _about(insights, {driver.slug}, (driver.slug,))
            found.append(Outline(_slug(driver.slug), driver.title, None, (driver.slug,), about))
    return [outline for outline in found if outline.insights]


def _about(insights: Sequence[Admitted], subjects: set[str], drivers: Sequence[str]) -> tuple[Admitted, ...]:
    """Insights on the subjects, and those on inputs and partners that stand beneath the drivers."""
    beneath = {*NOTE_KINDS, "unvalidated-input"}
    return tuple(
        a
        for a in insights
        if a.insight.subject in subjects
        or (a.insight.kind in beneath and a.insight.subject != ACCOUNT and set(a.insight.drivers) & set(drivers))
    )


def _total(insights: Sequence[Admitted], audience: Audience) -> list[Outline]:
    """What is estimated beside the total is told of the driver where it is all of one; an executive may not come that
    far, and hears it of the total."""
    own = tuple(
        a
        for a in insights
        if (
            (a.insight.subject == ACCOUNT and a.insight.kind not in {"attainment", "realized", "estimated"})
            or a.insight.kind in {"go-live", "milestone", "renewal-ahead", "suggestion-outcome"}
        )
        and (audience is Audience.EXECUTIVE or not is_of_one_driver(a, insights))
    )
    return [Outline(TOTAL, "", None, (), own)] if own else []


def _rank(outline: Outline, audience: Audience) -> tuple[int, bool, float, str]:
    """Behind first, then other bad news, then objectives, the total, and what is left; by what matters most in each."""
    own = told([a for a in outline.insights if a.insight.kind not in NOTE_KINDS], audience, MOST_SENTENCES[audience])
    bad = any(a.insight.favorable is False and score(a, audience) >= BAD_NEWS_FLOOR for a in own)
    best = max((score(a, audience) for a in own), default=0.0)
    if outline.status is Status.BEHIND:
        group = 0
    elif bad:
        group = 1
    elif outline.objective is not None:
        group = 2
    else:
        group = 3 if outline.id == TOTAL else 4
    return group, not any(a.insight.favorable is False for a in own), -best, outline.id


def _chapter(facts: AccountFacts, outline: Outline, voice: Voice, noted: set[str], asked: set[str]) -> Chapter | None:
    audience = voice.audience
    open_insights = [
        a
        for a in outline.insights
        if a.insight.kind not in NOTE_KINDS
        and not (a.insight.kind == "unvalidated-input" and a.insight.subject in asked)
    ]
    sentences = list(_sentences(told(open_insights, audience, MOST_SENTENCES[audience]), voice, asked))
    if not sentences:
        return None
    return Chapter(
        id=outline.id,
        title=_title(outline, sentences, voice, counts=counts(facts)),
        period_from=min(sentence.period_from for _, sentence in sentences),
        period_to=max(sentence.period_to for _, sentence in sentences),
        status=outline.status,
        meta=_meta(facts, outline, voice),
        insights=tuple(sentence for _, sentence in sentences),
        notes=_notes(outline, sentences, voice, noted, facts.today),
        strip=_strip(outline),
    )


def _sentences(chosen: Iterable[Admitted], voice: Voice, asked: set[str]) -> Iterator[tuple[Admitted, Sentence]]:
    """In words; that somebody is to validate is asked once, and that numbers are not validated is said beside the first
    of a chapter. `asked` holds what it was asked of."""
    cautioned: set[str] = set()
    for admitted in chosen:
        sentence = voice.sentence(admitted, asked=bool(asked), cautioned=is_cautioned(admitted, cautioned))
        if sentence is None:
            continue
        if is_not_validated(admitted):
            cautioned.add(admitted.insight.subject)
        if asks_to_validate(admitted):
            asked.add(admitted.insight.subject)
        yield admitted, sentence


def _title(outline: Outline, sentences: Sequence[tuple[Admitted, Sentence]], voice: Voice, *, counts: bool) -> str:
    """`counts`: something of the account does, so that what does not stands outside a total."""
    name, of = outline.name, "objective" if outline.objective else "driver"
    if outline.id == TOTAL:
        name, of = voice.account_name, "account"
        tells = _total_tells(sentences[0][0])
        tells = "estimate" if tells == TOTAL and not counts else tells
    elif outline.status is not None:
        questioned = outline.status is Status.BEHIND and outline.of_kind("under-review") is not None
        tells = "behind-questioned" if questioned else outline.status.value
    else:
        tells = _driver_tells(sentences)
        if tells == "estimated" and not counts:
            tells = "unvalidated"
    month = next(
        (a.insight.terms["month"] for a, _ in sentences if tells[:5] == "total" and "month" in a.insight.terms), ""
    )
    return voice.phrase("chapter-title", {"month": month} if month else {}, tells=tells, name=name, of=of)


def _total_tells(first: Admitted) -> str:
    if first.insight.kind == "silent-account":
        return first.insight.kind
    if first.insight.kind in {"period-over-period", "month-so-far", "trend"}:
        return f"total-{first.insight.terms['direction']}"
    if first.insight.kind in {"return-on-paid", "since-purchase", "payback"}:
        return "return-above" if first.insight.favorable else "return-below"
    if first.insight.kind == "time-to-value" and first.insight.terms["step"] == "waiting":
        return "waiting"
    return first.insight.kind if first.insight.kind == "renewal-ahead" else TOTAL


def _driver_tells(sentences: Sequence[tuple[Admitted, Sentence]]) -> str:
    """What of a driver is news, else what it is."""
    kinds = [a.insight.kind for a, _ in sentences]
    for kind in (
        "stalled-driver",
        "lost-driver",
        "insufficient-data",
        "estimated",
        "disruption",
        "detractor",
        "new-driver",
        "outcome",
    ):
        if kind in kinds:
            return kind
    changes = [a.insight.terms["direction"] for a, _ in sentences if "direction" in a.insight.terms]
    return changes[0] if changes else "added"


def _meta(facts: AccountFacts, outline: Outline, voice: Voice) -> str:
    if outline.id == TOTAL:
        return ""
    drivers: list[DriverFacts] = [facts.driver(slug) for slug in outline.drivers]
    evidence = weakest([facts.evidence_of(slug) for slug in outline.drivers])
    return voice.phrase(
        "meta",
        {},
        drivers=[driver.title for driver in drivers],
        benefit_classes=[driver.benefit_class for driver in drivers],
        evidence=evidence.value,
    )


def _notes(
    outline: Outline, sentences: Sequence[tuple[Admitted, Sentence]], voice: Voice, noted: set[str], today: date
) -> tuple[Note, ...]:
    """At most two, each told once in a story, beside the number that it touches; doubts before context."""
    if voice.audience is Audience.PARTNER:
        return ()
    kinds = [k for k in NOTE_KINDS if voice.audience is not Audience.EXECUTIVE or NOTE_KINDS[k] == "risk"]
    found: list[Note] = []
    for kind in kinds:
        fitting = [a for a in outline.insights if a.insight.kind == kind and a.id not in noted and _is_news(a, today)]
        for admitted in fitting[: 1 if kind == "validated-input" else MOST_NOTES]:
            note = voice.note(admitted, NOTE_KINDS[kind], _touched(admitted, sentences).insight_id)
            if note is not None and len(found) < MOST_NOTES:
                noted.add(admitted.id)
                found.append(note)
    return tuple(found)


def _is_news(admitted: Admitted, today: date) -> bool:
    validated = admitted.insight.terms.get("validated_day")
    return validated is None or date.fromisoformat(validated) >= today - NEWS_FOR


def _touched(note: Admitted, sentences: Sequence[tuple[Admitted, Sentence]]) -> Sentence:
    """The first sentence on the note's drivers and fewest others, else the first."""
    touched = [(a, s) for a, s in sentences if set(a.insight.drivers) & set(note.insight.drivers)]
    if not touched or set(touched[0][0].insight.drivers) <= set(note.insight.drivers):
        return (touched or list(sentences))[0][1]
    return min(touched, key=lambda one: len(one[0].insight.drivers))[1]


def _strip(outline: Outline) -> Strip | None:
    if outline.standing is None:
        return None
    insight = outline.standing.insight
    values = {name: insight.number(name).value for name in ("realized", "low", "expected", "high")}
    return Strip(**values, unit=insight.number("realized").unit)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
