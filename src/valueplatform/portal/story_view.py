"""A composed story as the page shows it. Pure: everything it needs has been read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from valueplatform.accounts.stewards import Steward
from valueplatform.core.periods import local_day
from valueplatform.narrative.anchors import STAND, anchors, chapter_anchor
from valueplatform.narrative.document import Chapter, Language, Note, Sentence, Span, Status, StoryDocument
from valueplatform.narrative.forms import dateline
from valueplatform.narrative.grades import Grade
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.next_best import Pricing
from valueplatform.narrative.next_best_correction import Track
from valueplatform.narrative.next_best_store import State, StoredSuggestion
from valueplatform.narrative.next_best_words import SuggestionWords
from valueplatform.narrative.next_step import NOTHING
from valueplatform.narrative.since import SinceLine
from valueplatform.narrative.store import StoredStory
from valueplatform.narrative.wording import wording_in
from valueplatform.portal.calling import Place
from valueplatform.portal.chart import commitment_chart
from valueplatform.portal.exact import exact_text, moment_text, short_day, short_text
from valueplatform.portal.grades_view import grades_view
from valueplatform.portal.languages import switch_of
from valueplatform.portal.sentences import CHIPS, key_number, number_view, proof_path, sentence_view, spans_view
from valueplatform.portal.view import story as view
from valueplatform.portal.view import words
from valueplatform.portal.view.conversation import Prompt
from valueplatform.portal.view.drawings import Strip
from valueplatform.portal.visits import Before

STALE_AFTER: Final = timedelta(days=3)
_LABELS: Final = {Pricing.INCLUDED: "Included", Pricing.COSTS_EXTRA: "Costs extra", Pricing.NOT_STATED: ""}
_RESTS: Final = {
    "validated": "agreed values alone",
    "touched": "an open question",
    "estimated": "an estimate",
    "proposed": "a proposal",
    "under-review": "a value under review",
    "predicted": "a prediction",
}
_NOTE_KINDS: Final[Mapping[str, words.NoteKind]] = {"context": "context", "risk": "risk", "caveat": "caveat"}
_RISK: Final = words.Chip("under-review", "Under review")
_WORDS: Final = SuggestionWords()
_QUOTED: Final = re.compile("[“„](.+?)[”“]")


@dataclass(frozen=True, slots=True)
class Told:
    """A story with what stands around it, for one reader.

    `classes` is the insight on benefit classes with its id; `changed` says since when each line of `since` holds.
    `asks`: the reader may talk to the steward; `decides`: and set suggestions aside; `partners`: and see who shares in
    the account. `talk` is whom to talk to next. `asked` is the language that the address asked
    for.
    """

    place: Place
    stored: StoredStory
    now: datetime
    public_url: str
    steward: Steward | None = None
    closed: frozenset[date] = frozenset()
    classes: tuple[str, Insight] | None = None
    before: Before | None = None
    since: Sequence[SinceLine] = ()
    changed: Mapping[str, datetime] = field(default_factory=dict)
    suggestion: StoredSuggestion | None = None
    accepted: Sequence[StoredSuggestion] = ()
    grades: Sequence[Grade] = ()
    tracks: Sequence[Track] = ()
    asks: bool = False
    decides: bool = False
    partners: bool = False
    last_event: datetime | None = None
    talk: Prompt | None = None
    asked: Language | None = None

    @property
    def mark(self) -> str:
        return mark_of(self.stored.version, self.stored.composed_at)

    @property
    def document(self) -> StoryDocument:
        return self.stored.document

    @property
    def today(self) -> date:
        return local_day(self.now, self.place.account.timezone)

    @property
    def new(self) -> frozenset[str]:
        return frozenset(line.insight_id for line in self.since)

    @property
    def steward_name(self) -> str:
        return self.steward.name if self.steward else "your steward"


def _lang(told: Told) -> str:
    return f"?lang={told.asked}" if told.asked is not None else ""


def mark_of(version: int, composed_at: datetime) -> str:
    """Names a state of the story: another one whenever it was composed anew."""
    return f"v{version}.{int(composed_at.timestamp() * 1_000_000)}"


def story_view(told: Told) -> view.Story:
    document, account = told.document, told.place.account
    headline = document.headline
    return view.Story(
        account_key=account.key,
        account_name=account.name,
        version=told.mark,
        lang="" if document.language is Language.ENGLISH else document.language.value,
        languages=switch_of(document.language, told.place.path("/story")),
        dateline=dateline(document),
        chip=CHIPS[document.status],
        headline=sentence_view(headline, new=headline.insight_id in told.new, key=key_number(headline.spans)),
        lead=tuple(sentence_view(sentence, new=sentence.insight_id in told.new) for sentence in document.lead),
        chapters=tuple(_chapters(told)),
        chart=commitment_chart(document, told.closed, _classes(told)),
        step=document.next.text if document.next is not None and document.next.act != NOTHING else None,
        suggestion=_suggestion(told),
        grades=grades_view(told.place, told.accepted, told.grades, told.tracks, decides=told.decides),
        since=_since(told),
        banner=_banner(told),
        links=(
            compare_link(told.place),
            *((words.Link("Partners", told.place.path("/partners")),) if told.partners else ()),
            words.Link("Download this story", told.place.path("/story.md" + _lang(told))),
        ),
        printed=tuple(_printed(told)),
        ask=words.Act(f"Talk to {told.steward_name}", told.place.path("/together/new")) if told.asks else None,
        live_href=told.place.path("/story/live?" + urlencode(_live(told))),
        talk=told.talk,
    )


def compare_link(place: Place) -> words.Link:
    return words.Link("Compare with others", place.path("/benchmarks"))


def _chapters(told: Told) -> Iterator[view.Chapter]:
    chapters = told.document.chapters
    scales = {unit: _scale(chapters, unit) for unit in {c.strip.unit for c in chapters if c.strip}}
    for chapter in chapters:
        strip = _strip(chapter, scales[chapter.strip.unit]) if chapter.strip else None
        first = chapter.insights[0].insight_id if chapter.insights else None
        yield view.Chapter(
            id=chapter_anchor(chapter),
            title=chapter.title,
            chip=CHIPS[chapter.status] if chapter.status else None,
            meta=chapter.meta,
            sentences=tuple(sentence_view(s, new=s.insight_id in told.new) for s in chapter.insights),
            notes=tuple(_note(told, note) for note in chapter.notes),
            strip=strip,
            href=words.Link("Why it changed", told.place.path("/why")),
            ask=ask_about(told.place, f"Ask {told.steward_name} about this", insight=first)
            if told.asks and first
            else None,
            short=_short(chapter),
        )


def _short(chapter: Chapter) -> str:
    """A label for the list of chapters: the objective, else the driver, else the title itself."""
    quoted = _QUOTED.search(chapter.title)
    if quoted is not None:
        return quoted[1]
    return chapter.meta.partition(",")[0] or chapter.title


def ask_about(place: Place, label: str, **about: str) -> words.Act:
    """Opens a conversation with this attached."""
    return words.Act(label, place.path("/together/new"), tuple(about.items()))


def _scale(chapters: Sequence[Chapter], unit: str) -> Decimal:
    """What the whole width stands for: the same for all strips in one unit."""
    strips = [chapter.strip for chapter in chapters if chapter.strip and chapter.strip.unit == unit]
    return max((max(strip.realized, strip.high) for strip in strips), default=Decimal(0)) or Decimal(1)


def _strip(chapter: Chapter, scale: Decimal) -> Strip | None:
    if chapter.strip is None:
        return None
    given = chapter.strip

    def place(value: Decimal) -> float:
        return float(min(max(value / scale, Decimal(0)), Decimal(1)))

    return Strip(
        label=chapter.title,
        realized=place(given.realized),
        low=place(given.low),
        expected=place(given.expected),
        high=place(given.high),
        realized_text=short_text(given.realized, given.unit),
        expected_text=short_text(given.expected, given.unit),
        risk=chapter.status is Status.BEHIND,
    )


def _note(told: Told, note: Note) -> words.Note:
    kind = _NOTE_KINDS.get(note.kind, "context")
    title = "" if kind == "risk" and note.title == _under_review(told.document.language) else note.title
    both = words.Link("See both sides", told.place.path(f"/assumptions?about={note.insight_id}"))
    return words.Note(
        kind=kind,
        title=f"{title}." if title and title[-1] not in ".!?" else title,
        spans=spans_view(note.spans, note.insight_id),
        links=(both,) if kind == "risk" else (),
        chip=_RISK if kind == "risk" else None,
        beside=note.beside or None,
    )


def _under_review(language: Language) -> str:
    """What the chip says already."""
    return wording_in(language).phrase("note-title", {}, about="under-review")


def _classes(told: Told) -> tuple[words.NumberView, ...]:
    if told.classes is None:
        return ()
    insight_id, insight = told.classes
    return tuple(
        number_view(Span(exact_text(n.value, n.unit), n.name, format(n.value, "f"), n.unit, n.standing), insight_id)
        for n in insight.numbers
    )


def _since(told: Told) -> view.Since | None:
    if told.before is None or not told.since:
        return None
    seen = short_day(local_day(told.before.at, told.place.account.timezone), told.today)
    places = anchors(told.document)
    items = []
    for line in told.since:
        changed = told.changed.get(line.insight_id, told.stored.composed_at)
        day = local_day(changed, told.place.account.timezone)
        where = places.get(line.insight_id, STAND)
        items.append(view.SinceItem(line.text, f"#{where}", short_day(day, told.today), day.isoformat()))
    return view.Since(f"Since your last visit, {seen}", f"{len(items)} new since {seen}", tuple(items))


def _banner(told: Told) -> words.Banner | None:
    if told.last_event is None or told.now - told.last_event < STALE_AFTER:
        return None
    when = moment_text(told.last_event, told.place.account.timezone)
    return words.Banner(
        "stale",
        f"As of {when}.",
        "No events have come in since. Nothing is lost: late events are added, and the story says so.",
    )


def _printed(told: Told) -> Iterator[view.PrintedProof]:
    seen = set()
    for made, sentence in _sentences(told.document):
        for span in sentence.spans:
            if span.name is None or span.value is None or (sentence.insight_id, span.name) in seen:
                continue
            seen.add((sentence.insight_id, span.name))
            number = number_view(span, sentence.insight_id)
            address = f"{told.public_url}{proof_path(sentence.insight_id, span.name)}"
            yield view.PrintedProof(span.text, made, _RESTS[number.state], address)


def _sentences(document: StoryDocument) -> Iterator[tuple[str, Sentence]]:
    for sentence in (document.headline, *document.lead):
        yield "all drivers", sentence
    for chapter in document.chapters:
        for sentence in chapter.insights:
            yield chapter.meta or "all drivers", sentence


def _live(told: Told) -> dict[str, str]:
    """What the page tells its stream, so that what comes next keeps an Undo that is on offer."""
    said = {"seen": told.mark}
    if told.suggestion is not None and told.suggestion.state is State.DISMISSED:
        said["aside"] = told.suggestion.suggestion.id
    if told.asked is not None:
        said["lang"] = told.asked.value
    return said


def _suggestion(told: Told) -> view.Suggestion | None:
    if told.suggestion is None:
        return None
    given = told.suggestion.suggestion
    aside = told.suggestion.state is State.DISMISSED
    path = told.place.path(f"/suggestions/{given.id}")
    if aside:
        decide = words.Act("Undo", f"{path}/undo")
        hint = "You set this aside. It may come back in 90 days."
    else:
        decide = words.Act("Not for us", f"{path}/dismiss")
        hint = f"{told.steward_name} gets this suggestion with its numbers." if told.steward else ""
    label = f"Ask {told.steward_name} about this" if told.place.is_own else f"Raise this with {told.place.account.name}"
    return view.Suggestion(
        id=given.id,
        what=_WORDS.what(given),
        reason=(words.Sentence(given.id, "suggestion", spans_view(_WORDS.reason(given), given.id)),),
        facts=tuple(_facts(told.suggestion, told.tracks)),
        ask=ask_about(told.place, label, suggestion=given.id),
        hint=hint if told.place.is_own else "",
        label="Set aside" if aside else _LABELS[given.pricing],
        accept=words.Act("We will do this", f"{path}/accept") if told.decides and not aside else None,
        dismiss=decide if told.decides else None,
    )


def _facts(stored: StoredSuggestion, tracks: Sequence[Track]) -> Iterator[words.Fact]:
    given = stored.suggestion
    if given.expected is None or given.low is None or given.high is None:
        yield words.Fact("Expected value", "Not known yet")
        return
    yield words.Fact("Expected, next 12 months", short_text(given.expected, given.unit))
    low, high = (short_text(value, given.unit) for value in (given.low, given.high))
    yield words.Fact("90% interval", f"{low} to {high}")
    if tracks and tracks[0].may_be_told:
        yield words.Fact("Past suggestions", f"{tracks[0].within} of {tracks[0].graded}", "landed inside")
