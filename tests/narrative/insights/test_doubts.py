"""Figures that rest on incomplete data: told only as the record bears it out, and beside the figures they touch."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.narrative.factories import TODAY, account, driver, record_of, rows, steady
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Doubt
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights import discover
from valueplatform.narrative.insights.doubts import doubts
from valueplatform.narrative.story import compose
from valueplatform.value.derivation import Constant, Sent, Tally

START = date(2026, 1, 1)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def facts_of(doubt: Doubt, sent: Mapping[date, int], **given: Any) -> AccountFacts:
    daily = [*rows("a", steady(START, TODAY, 50)), *rows("b", steady(START, TODAY, 5))]
    counted = {(doubt.source, day): events for day, events in sent.items()}
    return account(daily, drivers=(driver("a"), driver("b")), doubts=(doubt,), sent=counted, **given)


def silent(source: str = "segment", days: int = 6, drivers: tuple[str, ...] = ("a",)) -> Doubt:
    return Doubt(source, True, ago(days), ago(1), drivers)


SILENT_DAYS = {ago(day): 40 for day in range(7, 40)}


def the_one(facts: AccountFacts) -> Insight:
    (found,) = doubts(facts)
    return found


def test_a_silent_source_says_since_when_and_for_how_many_days() -> None:
    found = the_one(facts_of(silent(), SILENT_DAYS))
    assert {one.name: (one.value, one.unit) for one in found.numbers} == {
        "quiet": (Decimal(6), "day"),
        "sent": (Decimal(0), "event"),
    }
    assert found.terms == {"since_day": ago(6).isoformat(), "source_name": "segment"}
    assert (found.drivers, found.period_from, found.period_to) == (("a",), ago(6), TODAY)


def test_what_has_come_since_makes_it_untold() -> None:
    assert doubts(facts_of(silent(), SILENT_DAYS | {TODAY: 1})) == []
    assert doubts(facts_of(silent(), SILENT_DAYS | {ago(3): 1})) == []


def test_a_source_with_far_fewer_events_is_compared_with_the_same_weekdays_before() -> None:
    doubt = Doubt("segment", False, ago(3), ago(1), ("a",))
    found = the_one(facts_of(doubt, SILENT_DAYS | {ago(day): 4 for day in (1, 2, 3)} | {ago(9): 50}))
    assert [(one.name, one.value) for one in found.numbers] == [("sent", Decimal(12)), ("before", Decimal(130))]
    assert found.number("before").derivation == Sent("segment", ago(10), ago(7))
    assert doubts(facts_of(doubt, SILENT_DAYS | {ago(day): 27 for day in (1, 2, 3)})) == []


def test_what_touches_no_figure_of_the_story_is_not_told() -> None:
    assert doubts(facts_of(silent(drivers=()), SILENT_DAYS)) == []
    without = facts_of(silent(drivers=("c",)), SILENT_DAYS)
    assert doubts(replace(without, drivers=(*without.drivers, driver("c")))) == []


def test_a_source_with_a_long_name_is_not_named() -> None:
    assert "source_name" not in the_one(facts_of(silent("s" * 61), SILENT_DAYS)).terms


@pytest.mark.parametrize("source", ["segment", "/app", "https://x.example/a?b=1 2", "“q” <b>", "x" * 200, "7"])
@pytest.mark.parametrize("days", [1, 2, 6, 119])
def test_it_is_told_in_the_margin_beside_the_figures_that_it_touches(source: str, days: int) -> None:
    sent = {ago(day): 40 for day in range(days + 1, days + 30)}
    facts = facts_of(silent(source, days), sent)
    insights = discover(facts)
    kept, refused = admit(insights, rederive_from(record_of(facts), insights))
    assert refused == []
    for audience in (Audience.CUSTOMER, Audience.STEWARD):
        document = compose(facts, kept, audience)
        (note,) = [note for chapter in document.chapters for note in chapter.notes if note.kind == "caveat"]
        text = "".join(span.text for span in note.spans)
        named = source if len(source) <= 60 else "a source of theirs"
        shown = "1\N{NO-BREAK SPACE}day" if days == 1 else f"{days}\N{NO-BREAK SPACE}days"
        assert f"rest on incomplete data: no events from {named} for {shown}." in text
        chapter = next(one for one in document.chapters if note in one.notes)
        assert note.beside == chapter.insights[0].insight_id
        assert chapter.id == "a"


def test_fewer_events_are_told_with_both_counts() -> None:
    doubt = Doubt("segment", False, ago(3), ago(1), ("a",))
    facts = facts_of(doubt, {ago(day): 4000 for day in range(7, 40)} | {ago(day): 401 for day in (1, 2, 3)})
    insights = discover(facts)
    kept, refused = admit(insights, rederive_from(record_of(facts), insights))
    assert refused == []
    document = compose(facts, kept, Audience.CUSTOMER)
    (note,) = [note for chapter in document.chapters for note in chapter.notes if note.kind == "caveat"]
    text = "".join(span.text for span in note.spans).replace("\N{NO-BREAK SPACE}", " ")
    assert text.startswith(
        "Figures from 18 Aug 2026 to 20 Aug 2026 rest on incomplete data: 1,203 events came from segment, "
        "against 12,000 events on the same days before."
    )


def faults(found: Insight) -> list[Insight]:
    """The same, wrong in one place each."""

    def changed(place: int, **change: Any) -> Insight:
        numbers = list(found.numbers)
        numbers[place] = msgspec.structs.replace(numbers[place], **change)
        return msgspec.structs.replace(found, numbers=tuple(numbers))

    quiet = found.numbers[0].derivation
    assert isinstance(quiet, Tally)
    replaced = msgspec.structs.replace
    other = Sent("other", ago(6), TODAY)
    return [
        changed(0, value=Decimal(7)),
        changed(0, value=Decimal(-6)),
        changed(1, value=Decimal(1)),
        changed(1, unit="job"),
        changed(0, derivation=replaced(quiet, items=quiet.items[:-1])),
        changed(0, derivation=replaced(quiet, threshold=Constant("0"))),
        changed(0, derivation=replaced(quiet, comparison="above")),
        changed(1, value=Decimal(40), derivation=Sent("segment", ago(7), ago(6))),
        replaced(found, terms=found.terms | {"source_name": "stripe"}),
        replaced(found, terms=found.terms | {"since_day": ago(7).isoformat()}),
        replaced(found, period_from=ago(9)),
        replaced(found, numbers=(found.numbers[0], replaced(found.numbers[1], name="quiet"))),
        changed(1, derivation=other, name="quiet"),
    ]


def test_every_planted_fault_is_refused() -> None:
    facts = facts_of(silent(), SILENT_DAYS)
    record = record_of(facts)
    for fault in faults(the_one(facts)):
        _, refused = admit([fault], rederive_from(record, [fault]))
        assert len(refused) == 1, fault
