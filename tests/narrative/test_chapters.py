from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import (
    TODAY,
    account,
    admitted,
    assumption,
    contract,
    driver,
    harbor,
    rows,
    steady,
    targets,
)
from valueplatform.narrative.chapters import MOST_CHAPTERS, MOST_NOTES, chapters
from valueplatform.narrative.choice import eligible, is_cautioned
from valueplatform.narrative.document import Audience, Chapter, Status
from valueplatform.narrative.facts import AccountFacts, Person
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.story import compose
from valueplatform.narrative.voice import Voice
from valueplatform.narrative.wording import english
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _chapters(facts: AccountFacts, audience: Audience = Audience.CUSTOMER) -> tuple[Chapter, ...]:
    return chapters(facts, eligible(admitted(facts), audience), Voice(audience, english(), facts.name), [])


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


def _told_kinds(chapter: Chapter) -> list[str]:
    return [sentence.kind for sentence in chapter.insights]


def test_a_caveat_stands_beside_the_number_that_it_touches() -> None:
    dispatch = next(c for c in _chapters(harbor()) if c.title.startswith("“Dispatch without waiting”"))
    texts = {sentence.insight_id: sentence.text for sentence in dispatch.insights}
    expiring = next(note for note in dispatch.notes if note.title == "Expiring")
    assert texts[expiring.beside].startswith("Dispatch hours saved contributed")


def test_an_old_validation_is_no_news() -> None:
    validated = {a.id for a in admitted(harbor()) if a.insight.kind == "validated-input"}
    assert validated
    assert not validated & {note.insight_id for chapter in _chapters(harbor()) for note in chapter.notes}


def test_a_validation_of_last_month_is_told() -> None:
    inputs = tuple(replace(given, validated_on=TODAY - timedelta(days=30)) for given in harbor().inputs)
    found = _chapters(replace(harbor(), inputs=inputs))
    assert any("validated by" in "".join(s.text for s in note.spans) for c in found for note in c.notes)


def _unvalidated() -> AccountFacts:
    slugs = ("a", "b")
    daily = [row for slug in slugs for row in rows(slug, steady(START, TOMORROW, 10), state=State.ESTIMATED)]
    return account(
        daily,
        drivers=tuple(driver(slug, f"Driver {slug}", inputs=(f"{slug}_cost",)) for slug in slugs),
        inputs=tuple(assumption(f"{slug}_cost", "5", "USD/job", State.ESTIMATED) for slug in slugs),
        contracts=(contract(START, None, 100),),
        people=(Person("Priya Nair", "validator"),),
    )


def test_a_story_asks_once_to_validate() -> None:
    text = " ".join(sentence.text for chapter in _chapters(_unvalidated()) for sentence in chapter.insights)
    assert text.count("Priya Nair can") == 1


def test_where_nothing_counts_no_chapter_speaks_of_a_total_that_there_is_not() -> None:
    titles = [chapter.title for chapter in _chapters(_unvalidated())]
    assert titles == ["How the estimate came about", "Driver a added to the estimate", "Driver b added to the estimate"]


def test_what_waits_for_its_first_validation_says_so_in_its_title() -> None:
    document = compose(_unvalidated(), admitted(_unvalidated()), Audience.CUSTOMER)
    assert document.chapters[0].title == "Value still waits to be validated"


def test_a_driver_that_came_to_nothing_has_no_chapter() -> None:
    daily = [
        *rows("a", steady(START, TOMORROW, 10), state=State.ESTIMATED),
        *rows("b", steady(START, TOMORROW, 0), state=State.ESTIMATED),
    ]
    found = _chapters(account(daily, drivers=(driver("a"), driver("b"))))
    assert [chapter.id for chapter in found if chapter.id != "total"] == ["a"]


def test_an_executive_hears_of_the_total_before_one_more_objective_that_keeps_to_plan() -> None:
    slugs = [f"d{i}" for i in range(5)]
    daily = [row for slug in slugs for row in rows(slug, steady(START, TOMORROW, 10))]
    plan = [target for slug in slugs for target in targets(f"Goal {slug}", slug, START, date(2027, 1, 1), 305)]
    facts = account(
        daily,
        drivers=tuple(driver(slug) for slug in slugs),
        targets=tuple(plan),
        contracts=(contract(START, None, 3650),),
    )
    found = _chapters(facts, Audience.EXECUTIVE)
    assert [chapter.id for chapter in found][-1] == "total"
    assert len(found) == MOST_CHAPTERS[Audience.EXECUTIVE]


def test_no_chapter_has_more_than_three_sentences_and_a_cause() -> None:
    for audience in Audience:
        for chapter in _chapters(harbor(), audience):
            assert len([kind for kind in _told_kinds(chapter) if kind != "change-contributors"]) <= 3


def _objective_of_estimates() -> AccountFacts:
    """Three drivers of one objective, none of them validated, one of which takes value away."""
    amounts = {"a": 10, "b": 20, "c": -3}
    daily = [
        row for slug, n in amounts.items() for row in rows(slug, steady(START, TOMORROW, n), state=State.ESTIMATED)
    ]
    plan = [target for slug in amounts for target in targets("Do more", slug, START, date(2027, 1, 1), 100)]
    return account(daily, drivers=tuple(driver(slug, f"Driver {slug}") for slug in amounts), targets=tuple(plan))


def test_a_chapter_says_once_that_its_numbers_are_not_validated_and_calls_each_of_them_about() -> None:
    found = next(one for one in _chapters(_objective_of_estimates()) if one.id == "objective-do-more")
    texts = [sentence.text for sentence in found.insights]
    assert len(texts) == 3
    assert sum("validated" in text for text in texts) == 1
    assert "validated" in texts[0]
    assert all("about" in text for text in texts)


def test_what_is_said_of_one_driver_cautions_nobody_about_numbers_of_another_that_are_not_called_about() -> None:
    def fell(slug: str) -> Admitted:
        return next(a for a in admitted(_falling(slug)) if a.insight.kind in {"trend", "period-over-period"})

    assert not is_cautioned(fell("a"), {"b"})
    assert is_cautioned(fell("a"), {"a"})
    assert is_cautioned(fell("a"), {ACCOUNT})


def _falling(slug: str) -> AccountFacts:
    days = {START + timedelta(days=n): Decimal(2000 - 4 * n) for n in range((TOMORROW - START).days)}
    return account(rows(slug, days, state=State.ESTIMATED), drivers=(driver(slug, f"Driver {slug}"), driver("z")))
