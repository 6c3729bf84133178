"""What events hold, and which of it may be shown: nasty data first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.catalog import (
    HIDDEN,
    LONGEST_NAME,
    MOST_PATHS,
    MOST_SAMPLES,
    Tally,
    kind_of,
    properties_of,
    sample_of,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def tallied(*data: object) -> Tally:
    tally = Tally()
    for place, one in enumerate(data):
        tally.add(NOW + timedelta(minutes=place), one)
    tally.trim()
    return tally


@pytest.mark.parametrize("data", [None, [], [{"a": 1}], "text", 5, True, {}])
def test_data_that_is_no_object_has_no_properties_and_counts_all_the_same(data: object) -> None:
    tally = tallied(data)
    assert (tally.events, tally.properties, tally.crowded) == (1, {}, False)


def test_objects_are_read_to_a_depth_of_three_and_lists_are_not_entered() -> None:
    data = {"a": {"b": {"c": {"d": {"e": 1}}}}, "l": [{"x": 1}], "n": None}
    assert list(properties_of(data)) == ["a", "a.b", "a.b.c", "l", "n"]


def test_a_key_with_dots_goes_before_a_nested_one_as_it_does_for_meters() -> None:
    for data in ({"a.b": 1, "a": {"b": "x"}}, {"a": {"b": "x"}, "a.b": 1}):
        assert properties_of(data)["a.b"] == 1
        assert tallied(data).properties["a.b"].events == 1


@pytest.mark.parametrize("name", ["", " ", ".", "..", "größe", "📦", "名前", "a'b\"c", "<script>", "%s", "a\nb", "0"])
def test_odd_names_are_listed_as_they_are(name: str) -> None:
    assert properties_of({name: 1}) == {name: 1}


def test_a_name_that_is_an_address_is_not_listed_and_a_long_one_is_cut() -> None:
    found = properties_of({"kim@acme.example": {"total": 1}, "x" * 5000: 2})
    assert set(found) == {HIDDEN, f"{HIDDEN}.total", "x" * (LONGEST_NAME - 1) + "…"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "boolean"),
        (0, "number"),
        (10**400, "number"),
        (Decimal("1.50"), "number"),
        ("12.50", "number as text"),
        ("-3", "number as text"),
        ("1" * 5000, "text"),
        ("", "text"),
        ("-", "text"),
        ("+49 151 2345", "text"),
        ("NaN", "text"),
        ("Infinity", "text"),
        ([], "list"),
        ({}, "object"),
    ],
)
def test_kinds_are_those_of_json_and_numbers_as_text(value: object, kind: str) -> None:
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("channel", "kim@acme.example"),
        ("channel", "Kim Berg"),
        ("note", "Please call me back tomorrow"),
        ("channel", "x" * 41),
        ("channel", "8f14e45fceea167a"),
        ("channel", "+491512345"),
        ("channel", "order-20261122"),
        ("channel", "größe"),
        ("channel", ""),
        ("channel", "12.50"),
        ("amount", 4_915_123_456),
        ("amount", 10**400),
        ("amount", Decimal("1e-300") + 10**7),
        ("user", "kim"),
        ("user.plan", "gold"),
        ("userName", "kim"),
        ("customer_id", 17),
        ("IPAddress", "fe"),
        ("access_token", "abc"),
        ("created.by", "kim"),
    ],
)
def test_what_may_be_personal_or_secret_is_never_a_sample(path: str, value: object) -> None:
    assert sample_of(path, value) is None
    assert tallied({path: value}).properties[path].samples is None


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("channel", "app", "app"),
        ("kind", "job.done", "job.done"),
        ("tier", "v2", "v2"),
        ("n", 5, "5"),
        ("user", True, "true"),
    ],
)
def test_what_looks_like_a_code_is(path: str, value: object, shown: str) -> None:
    assert tallied({path: value}).properties[path].samples == {shown}


def test_one_value_that_may_not_be_shown_hides_them_all() -> None:
    assert tallied({"c": "app"}, {"c": "Kim Berg"}, {"c": "app"}).properties["c"].samples is None
    assert tallied({"c": "app"}, {"c": None}, {"c": []}).properties["c"].samples == {"app"}


def test_values_of_high_variety_are_not_shown() -> None:
    few = [{"n": n} for n in range(MOST_SAMPLES)]
    assert tallied(*few).properties["n"].samples == {str(n) for n in range(MOST_SAMPLES)}
    assert tallied(*few, {"n": -1}).properties["n"].samples is None


def test_of_very_many_names_the_first_are_kept_and_counted_in_full() -> None:
    names = [f"k{n:05}" for n in range(3 * MOST_PATHS)]
    data = [{name: 1} for name in [*reversed(names), *names]]
    tally = tallied(*data)
    assert sorted(tally.properties) == names[:MOST_PATHS]
    assert {seen.events for seen in tally.properties.values()} == {2}
    assert tally.crowded


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(allow_nan=False), st.text(max_size=50), st.lists(st.integers())
)
_DATA = st.recursive(_VALUES, lambda inner: st.dictionaries(st.text(max_size=20), inner, max_size=5), max_leaves=20)


@given(st.lists(_DATA, max_size=8), st.randoms())
def test_any_order_and_any_pieces_give_the_same_tally(data: list[Any], chance: Any) -> None:
    timed = [(NOW + timedelta(hours=place), one) for place, one in enumerate(data)]
    whole = Tally()
    for time, one in timed:
        whole.add(time, one)
    chance.shuffle(timed)
    merged = Tally()
    for start in range(0, len(timed), 3):
        piece = Tally()
        for time, one in timed[start : start + 3]:
            piece.add(time, one)
        merged.merge(piece)
    whole.trim()
    assert merged == whole


@given(_DATA)
def test_no_data_is_too_odd_to_count(data: Any) -> None:
    tally = tallied(data)
    assert tally.events == 1
    assert {seen.events for seen in tally.properties.values()} <= {1}
