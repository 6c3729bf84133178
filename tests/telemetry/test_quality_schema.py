"""The shape of events: what appears, disappears or changes kind is found once, and nothing else."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tests.telemetry.intakes import TODAY, before
from valueplatform.telemetry.quality import NOTICE, WARNING, Found
from valueplatform.telemetry.quality_schema import PropertyShape, TypeShape, judge_shape

MEASURED = {("job.done", ""), ("job.done", "minutes")}


def prop(path: str, first: int = 100, last: int = 0, **given: Any) -> PropertyShape:
    """Seen from so many days ago to so many, 10 times a day."""
    return PropertyShape(path, (first - last + 1) * 10, before(first), before(last), **given)


def kind(*properties: PropertyShape, name: str = "job.done", first: int = 100, last: int = 0) -> TypeShape:
    days = {before(ago): 10 for ago in range(last, first + 1)}
    return TypeShape(name, len(days) * 10, before(first), days, properties)


def judged(*types: TypeShape, today: date = TODAY) -> list[Found]:
    return judge_shape(types, MEASURED, today)


def test_what_stays_as_it_was_is_left_alone() -> None:
    assert judged(kind(prop("minutes"), prop("team")), kind(name="login")) == []
    assert judged() == []


def test_the_first_four_weeks_of_an_account_are_its_beginning() -> None:
    assert judged(kind(first=27), kind(name="login", first=2)) == []
    (found,) = judged(kind(first=28), kind(name="login", first=2))
    assert (found.place, found.severity, found.since, found.types) == ("login appeared", NOTICE, before(2), ("login",))


def test_what_is_new_is_so_for_a_week() -> None:
    assert [one.place for one in judged(kind(), kind(name="login", first=6))] == ["login appeared"]
    assert judged(kind(), kind(name="login", first=7)) == []
    (found,) = judged(kind(prop("zone", first=6)))
    assert (found.place, found.seen) == ("properties of job.done appeared", "zone appeared in job.done")
    assert judged(kind(prop("zone", first=7))) == []


def test_a_type_that_stops_while_others_go_on_has_disappeared() -> None:
    (found,) = judged(kind(last=5), kind(name="login"))
    assert (found.place, found.since, found.severity) == ("job.done disappeared", before(4), WARNING)
    assert judged(kind(last=5), kind(name="login", last=5)) == []
    assert judged(kind(last=2), kind(name="login")) == []


def test_a_property_that_stops_has_disappeared_if_it_was_in_enough_events() -> None:
    (found,) = judged(kind(prop("minutes", last=2), prop("team")))
    assert (found.seen, found.since, found.severity) == ("minutes disappeared in job.done", before(1), WARNING)
    rare = PropertyShape("note", 60, before(100), before(5))
    assert judged(kind(rare)) == []
    assert judged(kind(prop("minutes", last=29))) == []
    assert judged(kind(prop("minutes", last=1))) == []


def test_names_that_are_made_anew_with_each_event_are_one_finding() -> None:
    (found,) = judged(kind(*(prop(f"key-{number:03}", first=3, last=3) for number in range(150))))
    assert found.seen == "key-000, key-001, key-002, key-003, key-004 and 145 more appeared in job.done"
    assert found.numbers == {"properties": 150}


def kinds(changes: Mapping[int, set[str]]) -> dict[date, set[str]]:
    return {before(ago): {"number"} for ago in range(40)} | {before(ago): new for ago, new in changes.items()}


def test_a_property_that_has_another_kind_than_before_has_changed() -> None:
    (found,) = judged(kind(prop("minutes", kinds=kinds({1: {"number", "text"}, 0: {"text"}}))))
    assert (found.place, found.severity, found.since) == (
        "properties of job.done changed kind",
        WARNING,
        before(1),
    )
    for usual in ({}, {0: {"null"}}, {0: {"number", "null"}}, {9: {"text"}, 0: {"text"}}, {7: {"text"}, 6: {"text"}}):
        assert judged(kind(prop("minutes", kinds=kinds(usual)))) == []


def test_what_was_always_of_two_kinds_has_not_changed() -> None:
    both = {before(ago): {"number", "text"} for ago in range(40)}
    assert judged(kind(prop("minutes", kinds=both))) == []
    assert judged(kind(prop("minutes", kinds={TODAY: {"text"}}))) == []


def test_a_change_ends_when_it_has_become_usual() -> None:
    for days, found in ((7, 1), (8, 0)):
        changed = kind(prop("minutes", kinds=kinds({ago: {"text"} for ago in range(days)})))
        assert len(judged(changed)) == found
    assert judged(kind(prop("x", last=2)), today=TODAY + timedelta(days=60)) == []
