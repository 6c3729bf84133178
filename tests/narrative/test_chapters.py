from dataclasses import replace
from datetime import date, timedelta

from tests.narrative.factories import TODAY, account, admitted, contract, driver, harbor, rows, steady, targets
from valueplatform.narrative.chapters import MOST_CHAPTERS, MOST_NOTES, chapters
from valueplatform.narrative.document import Audience, Chapter, Status
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.voice import Voice
from valueplatform.narrative.wording import english

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _chapters(facts: AccountFacts, audience: Audience = Audience.CUSTOMER) -> tuple[Chapter, ...]:
    return chapters(facts, admitted(facts), Voice(audience, english(), facts.name), [])


def test_objectives_head_the_story_and_what_is_behind_heads_the_objectives() -> None:
    found = _chapters(harbor())
    assert [chapter.status for chapter in found[:3]] == [Status.BEHIND, Status.BEHIND, Status.ON_PLAN]
    assert all(chapter.id.startswith("objective-") for chapter in found[:3])


def test_a_chapter_says_its_driver_class_and_evidence() -> None:
    assert _chapters(harbor())[0].meta == "Repeat visits avoided, cashable, measured"


def test_the_strip_is_the_standing_of_the_chapter() -> None:
    strip = _chapters(harbor())[2].strip
    assert strip is not None
    assert (str(strip.realized), str(strip.expected)) == ("930875.1000", "892154.8387")


def test_doubts_come_before_context_and_two_notes_are_enough() -> None:
    first = _chapters(harbor())[0]
    assert [note.kind for note in first.notes] == ["risk", "caveat"]
    assert all(len(chapter.notes) <= MOST_NOTES for chapter in _chapters(harbor()))


def test_no_note_is_told_twice() -> None:
    ids = [note.insight_id for chapter in _chapters(harbor()) for note in chapter.notes]
    assert len(ids) == len(set(ids))


def test_the_week_of_the_whole_account_is_noted_beside_the_total_alone() -> None:
    days = {START + timedelta(days=i): 10 + (START + timedelta(days=i)).weekday() ** 2 for i in range(230)}
    daily = [*rows("a", days), *rows("b", days)]
    found = _chapters(account(daily, drivers=(driver("a"), driver("b"))))
    noted = [chapter.id for chapter in found for note in chapter.notes if "usual" in str(note.spans)]
    assert noted == ["total"]


def test_many_drivers_do_not_make_an_endless_story() -> None:
    slugs = [f"driver_{i}" for i in range(20)]
    daily = [row for slug in slugs for row in rows(slug, steady(START, TOMORROW, 10))]
    found = _chapters(account(daily, drivers=tuple(driver(slug) for slug in slugs)))
    assert len(found) == MOST_CHAPTERS[Audience.CUSTOMER]


def test_two_objectives_of_one_title_with_other_signs_have_chapters_of_their_own() -> None:
    plan = [
        *targets("Do more!", "a", START, date(2027, 1, 1), 300),
        *targets("Save", "b", START, date(2027, 1, 1), 300),
    ]
    daily = [*rows("a", steady(START, TOMORROW, 10)), *rows("b", steady(START, TOMORROW, 10))]
    facts = account(
        daily, drivers=(driver("a"), driver("b")), targets=tuple(plan), contracts=(contract(START, None, 1),)
    )
    assert {chapter.id for chapter in _chapters(facts)} >= {"objective-do-more", "objective-save"}


def test_an_objective_that_nothing_was_realized_for_has_no_chapter_of_blanks() -> None:
    facts = replace(harbor(), targets=tuple(targets("Dream", "nothing", START, date(2027, 1, 1), 5)))
    assert not any("Dream" in chapter.title for chapter in _chapters(facts))
