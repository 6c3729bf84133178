"""An estimate from a few answers: cohort figures, and ratios where the formula allows them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.factories import NOW
from tests.value.worths import the_model
from valueplatform.value.basis import BasisInput
from valueplatform.value.benchmark import Figure, Member, Per
from valueplatform.value.benchmark_store import Stored
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.model import ValueModel
from valueplatform.value.projection import Prospect
from valueplatform.value.ranges import Range
from valueplatform.value.self_estimate import Answers, EstimatedDriver, Unadjusted, self_estimate
from valueplatform.value.states import State
from valueplatform.value.typical_inputs import Typical, proportional_inputs, typical_inputs

METERS = "".join(
    f'[[meter]]\nslug = "{slug}"\nevent = "{slug}.done"\naggregation = "COUNT"\n\n'
    for slug in ("tasks", "calls_made", "trips", "visits")
)
MORE = f"""
{METERS}
[[assumption]]
slug = "minutes_before"
unit = "minute/job"
default = "10"

[[driver]]
slug = "less"
unit = "USD"
formula = "(tasks * minutes_before - logins) * per_minute"

[[driver]]
slug = "floored"
unit = "USD"
formula = "max(trips * per_minute, 0)"
"""
MODEL = the_model(MORE)
FIGURES = tuple(
    Figure("", driver, "USD", "capacity", per, 7, Decimal(3), Decimal(4), Decimal(5), low=Decimal(2), high=Decimal(6))
    for driver in ("time", "less", "floored")
    for per in Per
)
TYPICAL = (Typical("time", "", "USD", "per_minute", "USD/minute", 7, Decimal(2)),
           Typical("less", "", "USD", "per_minute", "USD/minute", 7, Decimal(2)))  # fmt: skip


def estimated(
    values: dict[str, str], *drivers: str, scale: str | None = None, typical: tuple[Typical, ...] = TYPICAL
) -> dict[str, EstimatedDriver]:
    made = Benchmarks((date(2026, 5, 1),), "seats", FIGURES, typical=typical)
    prospect = Prospect(None, "USD", None if scale is None else Decimal(scale))
    answers = Answers(prospect, drivers, {slug: Decimal(value) for slug, value in values.items()})
    return {one.projected.driver: one for one in self_estimate(Stored(1, NOW, made), MODEL, answers).drivers}


def bounds(one: EstimatedDriver) -> tuple[Decimal, Decimal, Decimal]:
    return one.projected.low, one.projected.expected, one.projected.high


def test_without_own_values_it_is_the_cohort_s_figure() -> None:
    assert bounds(estimated({})["time"]) == (Decimal(2), Decimal(4), Decimal(6))
    assert bounds(estimated({}, scale="2.5")["time"]) == (Decimal(5), Decimal(10), Decimal(15))


def test_an_own_value_that_the_amount_is_a_multiple_of_changes_it_by_its_ratio_to_what_is_usual() -> None:
    found = estimated({"per_minute": "3"})["time"]
    assert bounds(found) == (Decimal(3), Decimal(6), Decimal(9))
    (one,) = found.adjusted
    assert (one.own, one.typical, one.not_adjusted) == (Decimal(3), Decimal(2), None)


def test_an_own_value_that_it_is_no_multiple_of_changes_nothing_and_says_so() -> None:
    found = estimated({"minutes_before": "20", "per_minute": "3"})["less"]
    assert bounds(found) == (Decimal(3), Decimal(6), Decimal(9))
    assert {one.slug: one.not_adjusted for one in found.adjusted} == {
        "minutes_before": Unadjusted.NOT_LINEAR, "per_minute": None,
    }  # fmt: skip
    floored = estimated({"per_minute": "3"})["floored"]
    assert [one.not_adjusted for one in floored.adjusted] == [Unadjusted.NOT_LINEAR]


@pytest.mark.parametrize("median", [None, "0"])
def test_where_what_is_usual_is_not_known_or_nothing_it_says_so(median: str | None) -> None:
    usual = () if median is None else (Typical("time", "", "USD", "per_minute", "USD/minute", 7, Decimal(median)),)
    found = estimated({"per_minute": "3"}, typical=usual)["time"]
    assert bounds(found)[1] == 4
    assert [one.not_adjusted for one in found.adjusted] == [Unadjusted.NOT_KNOWN]


def test_a_value_that_a_driver_does_not_read_is_not_its_matter() -> None:
    assert estimated({"per_open": "3"})["time"].adjusted == []


def test_only_the_drivers_that_matter_are_estimated() -> None:
    assert set(estimated({}, "less")) == {"less"}


@given(st.decimals("0.001", 10**6, places=3), st.decimals("0.001", 10**6, places=3))
def test_a_range_is_never_upside_down(own: Decimal, scale: Decimal) -> None:
    low, expected, high = bounds(estimated({"per_minute": str(own)}, scale=str(scale))["time"])
    assert low <= expected <= high


@pytest.mark.parametrize(
    ("formula", "of"),
    [
        ("calls_made * per_minute", {"per_minute"}),
        ("calls_made * per_minute * per_open / 60", {"per_minute", "per_open"}),
        ("calls_made * per_minute + visits * per_open", set()),
        ("calls_made * per_minute + visits * per_minute", {"per_minute"}),
        ("(calls_made - visits) * per_minute", {"per_minute"}),
        ("calls_made * per_minute + 1", set()),
        ("calls_made / per_minute", set()),
        ("calls_made * per_minute * per_minute", set()),
        ("-calls_made * per_minute", {"per_minute"}),
        ("min(calls_made * per_minute, 10)", set()),
        ("calls_made * case when trips > 3 then per_minute else per_minute * 2 end", {"per_minute"}),
        ("calls_made * case when per_minute > 3 then per_minute else 0 end", set()),
    ],
)
def test_what_an_amount_is_a_multiple_of(formula: str, of: set[str]) -> None:
    more = f'\n[[driver]]\nslug = "tried"\nunit = "USD"\nformula = "{formula}"\n'
    model: ValueModel = the_model(METERS + more)
    driver = model.driver("tried")
    assert driver is not None
    assert proportional_inputs(model, driver) == of


def test_where_a_cap_may_cut_it_an_amount_is_a_multiple_of_nothing() -> None:
    more = """
[[pool]]
slug = "desk"
unit = "USD"
cap = "per_open * 100"

[[driver]]
slug = "tried"
unit = "USD"
formula = "calls_made * per_minute"
pool = "desk"
"""
    model = the_model(METERS + more)
    driver = model.driver("tried")
    assert driver is not None
    assert proportional_inputs(model, driver) == frozenset()


def members(count: int) -> list[Member]:
    return [Member(n, "time", "USD", "capacity", "big", Decimal(9)) for n in range(count)]


def given_(*values: str, unit: str = "USD/minute") -> dict[int, list[BasisInput]]:
    return {
        n: [BasisInput("per_minute", Range.point(Decimal(value)), unit, State.ESTIMATED, None)]
        for n, value in enumerate(values)
    }


def test_what_is_usual_is_told_of_five_alone_and_in_one_unit() -> None:
    slugs = frozenset({"per_minute"})
    assert typical_inputs(members(4), given_("1", "2", "3", "4"), slugs) == []
    found = typical_inputs(members(5), given_("1", "2", "3", "4", "5"), slugs)
    assert {(one.segment, one.median, one.accounts) for one in found} == {("", Decimal(3), 5), ("big", Decimal(3), 5)}
    assert typical_inputs(members(5), given_("1", "1", "1", "1", "9"), slugs) == []
    mixed = {**given_("1", "2", "3", "4"), 4: given_("5", unit="EUR/minute")[0]}
    assert typical_inputs(members(5), mixed, slugs) == []
    assert typical_inputs(members(5), given_("1", "2", "3", "4", "5"), frozenset()) == []
