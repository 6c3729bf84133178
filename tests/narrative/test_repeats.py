from datetime import date, timedelta

from tests.narrative.factories import TODAY, account, admitted, driver, rows, steady
from valueplatform.narrative.document import Audience, Chapter, Note, Sentence, Span, StoryDocument
from valueplatform.narrative.facts import AccountFacts, Person
from valueplatform.narrative.insight import Strength
from valueplatform.narrative.repeats import without_repeats
from valueplatform.narrative.since import told
from valueplatform.narrative.story import compose
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _story(facts: AccountFacts, audience: Audience = Audience.CUSTOMER) -> StoryDocument:
    return compose(facts, admitted(facts), audience)


def _kinds(document: StoryDocument) -> list[str]:
    return [sentence.kind for sentence in told(document)]


def _sentence(insight_id: str, kind: str, **numbers: str) -> Sentence:
    spans = tuple(Span(value, name, value, "USD") for name, value in numbers.items())
    return Sentence(insight_id, kind, spans, spans, Strength.STRONG, START, TODAY)


def _chapter(name: str, *sentences: Sentence, notes: tuple[Note, ...] = ()) -> Chapter:
    return Chapter(name, name, START, TODAY, None, "" if name == "total" else name, sentences, notes)


HEADLINE = _sentence("head", "realized", realized="500")


def test_a_milestone_since_which_all_was_realized_repeats_the_headline() -> None:
    other = _sentence("paid", "return-on-paid", times_paid="2")
    (kept,) = without_repeats(HEADLINE, [_chapter("total", _sentence("live", "go-live", since="500"), other)])
    assert kept.insights == (other,)


def test_a_milestone_since_which_less_was_realized_says_something() -> None:
    go_live = _chapter("total", _sentence("live", "go-live", since="499.99"))
    assert without_repeats(HEADLINE, [go_live]) == (go_live,)


def test_what_one_driver_alone_waits_for_is_told_of_it_alone() -> None:
    daily = [*rows("a", steady(START, TOMORROW, 10)), *rows("b", steady(START, TOMORROW, 9), state=State.ESTIMATED)]
    people = (Person("Priya Nair", "validator"),)
    document = _story(account(daily, drivers=(driver("a"), driver("b")), people=people))
    waiting = [sentence.text for sentence in told(document) if sentence.kind in {"estimated", "estimated-beside"}]
    assert len(waiting) == 1
    assert "Priya Nair can validate it." in waiting[0]


def test_what_two_drivers_wait_for_is_told_together_too() -> None:
    daily = [
        *rows("a", steady(START, TOMORROW, 10)),
        *rows("b", steady(START, TOMORROW, 9), state=State.ESTIMATED),
        *rows("c", steady(START, TOMORROW, 8), state=State.ESTIMATED),
    ]
    document = _story(account(daily, drivers=(driver("a"), driver("b"), driver("c"))))
    assert _kinds(document).count("estimated-beside") == 1


def test_the_parts_of_a_total_of_two_are_told_by_their_chapters() -> None:
    both = [*rows("a", steady(START, TOMORROW, 10)), *rows("b", steady(START, TOMORROW, 9))]
    third = rows("c", steady(START, TOMORROW, 8))
    two = account(both, drivers=(driver("a"), driver("b")))
    three = account([*both, *third], drivers=(driver("a"), driver("b"), driver("c")))
    assert "top-contributors" not in _kinds(_story(two))
    assert "top-contributors" in _kinds(_story(three))


def test_a_change_among_the_causes_is_told_again_only_with_a_cause_of_its_own() -> None:
    causes = _chapter("total", _sentence("why", "change-contributors", first="-17", second="3"))
    bare = _chapter(
        "a", _sentence("stands", "realized", realized="9"), _sentence("fell", "period-over-period", change="-17")
    )
    caused = _chapter("b", _sentence("rose", "period-over-period", change="3", volume="8"))
    kept = without_repeats(HEADLINE, [bare, caused, causes])
    assert [s.insight_id for chapter in kept for s in chapter.insights] == ["stands", "rose", "why"]


def test_a_note_beside_what_goes_moves_to_what_stays() -> None:
    note = Note("caveat", "", (Span("Days are missing."),), "missing", "fell")
    causes = _chapter("total", _sentence("why", "change-contributors", first="-17"))
    bare = _chapter(
        "a",
        _sentence("stands", "realized", realized="9"),
        _sentence("fell", "period-over-period", change="-17"),
        notes=(note,),
    )
    assert without_repeats(HEADLINE, [bare, causes])[0].notes[0].beside == "stands"


def test_a_chapter_of_repeats_goes_whole() -> None:
    again = _chapter("total", _sentence("live", "go-live", since="500"))
    assert without_repeats(HEADLINE, [again]) == ()


def test_a_difference_of_a_cent_is_no_repeat() -> None:
    causes = _chapter("total", _sentence("why", "change-contributors", first="-17.01"))
    own = _chapter("a", _sentence("fell", "period-over-period", change="-17"))
    assert without_repeats(HEADLINE, [own, causes]) == (own, causes)
