"""What became of accepted suggestions, as the story shows it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from valueplatform.core.periods import local_day
from valueplatform.narrative.grade_words import GradeWords
from valueplatform.narrative.grades import Grade
from valueplatform.narrative.grading import HORIZONS, Outcome
from valueplatform.narrative.next_best_correction import Track
from valueplatform.narrative.next_best_store import State, StoredSuggestion
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import day_text
from valueplatform.portal.sentences import spans_view
from valueplatform.portal.view import story as view
from valueplatform.portal.view import words

_WORDS: Final = GradeWords()


def grades_view(
    place: Place,
    stored: Sequence[StoredSuggestion],
    grades: Sequence[Grade],
    tracks: Sequence[Track],
    *,
    decides: bool,
) -> view.Grades | None:
    """None where nothing was accepted: then there is nothing to follow up. `decides`: the reader may take it back."""
    accepted = [one for one in stored if one.state in {State.ACCEPTED, State.DONE}]
    newest = {grade.suggestion_id: grade for grade in sorted(grades, key=lambda one: one.horizon)}
    items = tuple(_items(place, accepted, newest, decides=decides))
    return view.Grades(items, _WORDS.track(tracks[0]) if tracks else "") if items else None


def _items(
    place: Place, accepted: Sequence[StoredSuggestion], newest: Mapping[str, Grade], *, decides: bool
) -> Iterator[view.GradeItem]:
    for one in sorted(accepted, key=lambda item: (item.decided_at is None, item.decided_at), reverse=True):
        given, grade = one.suggestion, newest.get(one.suggestion.id)
        day = day_text(local_day(one.decided_at, place.account.timezone)) if one.decided_at else ""
        said = "Done" if one.state is State.DONE else "Accepted"
        if grade is None:
            waits = f"Not graded yet: it is held against what was predicted {HORIZONS[0]} days after its first use."
            sentence = words.Sentence(given.id, "suggestion", (words.Span(waits),))
            undo = words.Act("Take it back", place.path(f"/suggestions/{given.id}/undo"))
            waiting = words.Chip("predicted", "Waiting")
            may_undo = decides and one.state is State.ACCEPTED
            yield view.GradeItem(given.title, f"{said} {day}", waiting, sentence, undo if may_undo else None)
            continue
        sentence = words.Sentence(given.id, "suggestion", spans_view(_WORDS.sentence(grade), given.id))
        yield view.GradeItem(given.title, f"{said} {day}", _chip(grade), sentence)


def _chip(grade: Grade) -> words.Chip:
    text = _WORDS.verdict(grade)
    if grade.outcome is not Outcome.MEASURED:
        return words.Chip("nodata", text)
    if grade.is_within:
        return words.Chip("on", text)
    is_above = grade.realized is not None and grade.range_high is not None and grade.realized > grade.range_high
    return words.Chip("over" if is_above else "under", text)
