"""Two filters are called disjoint only where no event can pass both."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.filter_disjoint import are_disjoint
from valueplatform.telemetry.filters import FilterError, compile_filter

DISJOINT = [
    ("channel = 'app'", "channel = 'web'"),
    ("channel = 'app'", "channel <> 'app'"),
    ("channel = 'app'", "not channel = 'app'"),
    ("channel in ('app', 'web')", "channel not in ('app', 'web')"),
    ("channel in ('app', 'web')", "channel in ('desk')"),
    ("channel = 'app'", "channel is null"),
    ("channel is null", "channel is not null"),
    ("channel is null", "channel <= origin"),
    ("minutes < 10", "minutes >= 10"),
    ("minutes > 10", "10 > minutes"),
    ("minutes > 3 and minutes < 5", "minutes = 5"),
    ("minutes = 5", "minutes = -5"),
    ("urgent", "not urgent"),
    ("urgent = true", "urgent = false"),
    ("urgent", "urgent <> true"),
    ("job.kind = 'repair' and minutes > 3", "job.kind = 'visit' and minutes > 3"),
    ("channel = 'app' or channel = 'web'", "channel = 'desk' or channel is null"),
    ("not (channel = 'app' or minutes > 3)", "channel = 'app'"),
    ("minutes > 3 and minutes < 2", "channel = 'app'"),
]
OVERLAPPING = [
    ("channel = 'app'", "channel = 'app'"),
    ("channel = 'app'", "channel = 'app' and minutes > 3"),
    ("channel = 'app'", "channel in ('app', 'web')"),
    ("channel = 'app'", "minutes > 3"),
    ("channel <> 'app'", "channel <> 'web'"),
    ("minutes <= 10", "minutes >= 10"),
    ("minutes > 3", "minutes < 4"),
    ("channel = 'app'", "origin = 'web'"),
    ("channel = 'app' or minutes > 3", "channel = 'web'"),
    ("not (channel = 'app' and minutes > 3)", "channel = 'app'"),
    ("urgent is null", "channel is null"),
    # Not provable by what is looked at, so not called disjoint.
    ("minutes = 5", "minutes = '6'"),
    ("a < b", "b < a"),
]


@pytest.mark.parametrize(("first", "second"), DISJOINT)
def test_filters_that_contradict_each_other_are_disjoint(first: str, second: str) -> None:
    assert are_disjoint(first, second)
    assert are_disjoint(second, first)


@pytest.mark.parametrize(("first", "second"), OVERLAPPING)
def test_filters_that_one_event_may_pass_are_not(first: str, second: str) -> None:
    assert not are_disjoint(first, second)
    assert not are_disjoint(second, first)


@pytest.mark.parametrize("other", [None, "channel = 'app'"])
def test_no_filter_lets_everything_through(other: str | None) -> None:
    assert not are_disjoint(None, other)
    assert not are_disjoint(other, None)


def test_a_filter_with_too_many_ways_is_not_looked_into() -> None:
    long = " and ".join(f"(p{n} = 'a' or q{n} = 'b')" for n in range(8))
    assert not are_disjoint(f"channel = 'app' and {long}", "channel = 'web'")
    values = ", ".join(f"'v{n}'" for n in range(100))
    assert not are_disjoint(f"channel in ({values})", "channel = 'app'")
    assert are_disjoint(f"channel not in ({values})", "channel = 'v7'")


def test_what_cannot_be_read_is_refused_as_everywhere() -> None:
    with pytest.raises(FilterError):
        are_disjoint("channel =", "channel = 'app'")


_TEXTS = st.sampled_from(["a", "b", "5", "true"])
_NUMBERS = st.sampled_from(["3", "5", "5.0", "7"])
_PATHS = st.sampled_from(["p", "q"])
_SIGNS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_ATOMS = st.one_of(
    st.builds("{} {} '{}'".format, _PATHS, _SIGNS, _TEXTS),
    st.builds("{} {} {}".format, _PATHS, _SIGNS, _NUMBERS),
    st.builds("{} in ('{}', {})".format, _PATHS, _TEXTS, _NUMBERS),
    st.builds("{} is {}null".format, _PATHS, st.sampled_from(["", "not "])),
    st.builds("{} = {}".format, _PATHS, st.sampled_from(["true", "false"])),
    st.sampled_from(["p", "q", "p = q", "p < q"]),
)
_FILTERS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)
_VALUES = st.sampled_from(
    [None, True, False, "a", "b", "aa", "", "5", "5.0", "true", 3, 4, 5, Decimal("5.0"), Decimal("6.5"), 8, {"x": 1}]
)


@given(_FILTERS, _FILTERS, st.lists(st.fixed_dictionaries({"p": _VALUES, "q": _VALUES}), min_size=1, max_size=30))
def test_no_event_passes_both_of_two_disjoint_filters(first: str, second: str, sent: list[dict[str, object]]) -> None:
    if are_disjoint(first, second):
        assert not [data for data in sent if compile_filter(first)(data) and compile_filter(second)(data)]
