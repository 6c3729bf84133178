"""Truth is checked against SQLite on the same data: SQL's logic of three values, written by others."""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.filters import FilterError, compile_filter, filter_paths

DATA = {
    "channel": "app",
    "minutes": Decimal("12.5"),
    "retries": "4",
    "huge": Decimal("1e999999999"),
    "job": {"kind": None, "size": {"rooms": 3}},
    "http.status": 200,
    "$browser": "Firefox",
    "paid": True,
    "tags": ["a"],
    "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}},
}


@pytest.mark.parametrize(
    "text",
    [
        "channel = 'app' and minutes > 3",
        "not channel <> 'app'",
        "minutes = 12.50",
        "minutes = '12.5'",
        "3 < minutes",
        "minutes > -3",
        "retries > 3.9 and retries = '4' and retries in (3, 4)",
        "job.size.rooms in (1, 2, 3)",
        "http.status = 200",
        "deep.a.b.c.d.e = 1",
        'deep.a."b".c.d.e = 1',
        "\"$browser\" = 'Firefox'",
        "paid",
        "paid = true and not paid = false",
        "job.kind is null and nothing.here is null and channel is not null",
        "(channel) = ('app') or ((nothing = 1))",
        "channel not in ('web', 'mail')",
        "'app' = channel",
        "channel < 'apq'",
        "nothing = 1 or paid",
        "paid or nothing = 1",
    ],
)
def test_what_is_true_is_admitted(text: str) -> None:
    assert compile_filter(text)(DATA) is True


@pytest.mark.parametrize(
    "text",
    [
        "nothing = 1",
        "not nothing = 1",
        "not (nothing = 1 or nothing = 2)",
        "not (nothing = 1 or paid = false)",
        "not (paid = false or nothing = 1)",
        "nothing <> 1",
        "nothing not in (1, 2)",
        "channel > 3",
        "not channel > 3",
        "tags = 'a'",
        "tags is null",
        "huge > 1",
        "minutes = channel",
        "minutes > paid",
        "paid < paid",
        "channel",
        "minutes = 12.51",
    ],
)
def test_what_is_false_or_unknown_is_not(text: str) -> None:
    assert compile_filter(text)(DATA) is False


def test_no_filter_admits_everything() -> None:
    assert compile_filter(None)({})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("channel = ", "cannot be read"),
        ("channel = 'app", "cannot be read"),
        ("channel = 'app' -- and minutes > 3", "comments"),
        ("channel = 'app' /* x */", "comments"),
        ("a = 1; drop table x", "semicolon"),
        ("a like 'b%'", "'like' is not allowed"),
        ("a between 1 and 2", "'between' is not allowed"),
        ("lower(a) = 'b'", "lower()"),
        ("now() > a", "now()"),
        ("current_timestamp > a", "clock function"),
        ("count(*) > 1", "aggregate"),
        ("a + 1 > 2", "arithmetic"),
        ("a in (select b from c)", "subquery"),
        ("exists (select 1)", "not allowed"),
        ("a in ()", "needs a list"),
        ("a in (b)", "the name b"),
        ("a = null", "is null"),
        ("a is true", "only null"),
        ("1 = 1", "must be a path"),
        ("true", "condition is needed"),
        ("a > true", "no order"),
        ("a = 1e30", "18 integer"),
        ("case when a then b else c end", "not allowed"),
        ("a::int = 1", "cast"),
        ("a[0] = 1", "not allowed"),
        ("a = ?", "not allowed"),
        ("a b", "operator"),
        ("a = 1 or" * 400 + " a = 1", "at most 2000"),
        (" or ".join(["a = 1"] * 150), "chains"),
        ("(" * 900 + "a" + ")" * 900, "nested"),
        ("not " * 400 + "a", "nested"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(FilterError) as refused:
        compile_filter(text)
    assert reason in refused.value.message
    assert refused.value.message.startswith("filter ")


def test_ten_thousand_parentheses_are_refused_not_followed() -> None:
    with pytest.raises(FilterError):
        compile_filter("(" * 10_000 + "a = 1" + ")" * 10_000)


COMPARISONS = st.builds(
    "{} {} {}".format,
    st.sampled_from(["n", "m"]),
    st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="]),
    st.sampled_from(["n", "m", "0", "1", "-2", "2.5"]),
)
TESTS = st.one_of(
    COMPARISONS,
    st.builds(
        "{} {}in ({})".format, st.sampled_from("nm"), st.sampled_from(["", "not "]), st.sampled_from(["1", "0, -2"])
    ),
    st.builds("{} is {}null".format, st.sampled_from("nm"), st.sampled_from(["", "not "])),
)
EXPRESSIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds("({}) and {}".format, inner, inner),
        st.builds("({}) or {}".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=8,
)
NUMBERS = st.sampled_from([None, 0, 1, -2, Decimal("2.5"), 3])


@given(EXPRESSIONS, st.fixed_dictionaries({"n": NUMBERS, "m": NUMBERS}))
def test_truth_is_that_of_sql(text: str, data: Mapping[str, Decimal | int | None]) -> None:
    columns = ", ".join(f"{value if value is not None else 'NULL'} AS {name}" for name, value in data.items())
    with sqlite3.connect(":memory:") as database:
        ((truth,),) = database.execute(f"SELECT ({text}) FROM (SELECT {columns})").fetchall()
    database.close()
    assert compile_filter(text)(data) is (truth == 1)


@given(st.text(max_size=60))
def test_any_text_is_either_compiled_or_refused(text: str) -> None:
    with suppress(FilterError):
        assert compile_filter(text)(DATA) in {True, False}


def test_the_paths_of_a_filter_are_found_where_they_stand() -> None:
    assert filter_paths("a.b.c.d.e.f = 'x' and (\"$browser\" is null or not a.b) and n in (1, 2) and m > n") == (
        "a.b.c.d.e.f",
        "$browser",
        "a.b",
        "n",
        "m",
    )
