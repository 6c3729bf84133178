from datetime import date

from valueplatform.narrative.faithful import leaves
from valueplatform.value.derivation import (
    Adjusted,
    Closed,
    Constant,
    Difference,
    Input,
    Metered,
    Ratio,
    Realized,
    Statistic,
    Tally,
    Total,
)

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
IN_MARCH = Realized(MARCH, APRIL, "USD", ("a",))
IN_APRIL = Realized(APRIL, MAY, "USD", ("b",))


def test_a_difference_is_about_what_it_is_taken_from() -> None:
    assert leaves.subject_span(Difference(IN_APRIL, IN_MARCH)) == (APRIL, MAY)


def test_a_share_is_about_its_numerator() -> None:
    assert leaves.subject_span(Ratio(IN_MARCH, IN_APRIL)) == (MARCH, APRIL)


def test_a_sum_is_about_all_its_parts() -> None:
    assert leaves.subject_span(Total((IN_MARCH, IN_APRIL))) == (MARCH, MAY)
    assert leaves.subject_span(Statistic("median", (IN_MARCH, IN_APRIL))) == (MARCH, MAY)


def test_the_threshold_of_a_tally_is_not_what_it_counts() -> None:
    assert leaves.subject_span(Tally((IN_MARCH,), "above", IN_APRIL)) == (MARCH, APRIL)


def test_an_adjustment_is_about_the_month_that_it_adjusts() -> None:
    assert leaves.subject_span(Adjusted(APRIL, MAY, ("a",), MARCH)) == (MARCH, APRIL)
    assert leaves.subject_span(Closed(MARCH)) == (MARCH, APRIL)


def test_a_constant_and_an_input_are_about_no_stretch() -> None:
    assert leaves.subject_span(Constant("1")) is None
    assert leaves.subject_span(Input("a", MARCH)) is None


def test_boundaries_are_those_of_value_and_meters() -> None:
    node = Total((Difference(IN_APRIL, IN_MARCH), Metered("jobs", MARCH, MAY), Closed(date(2020, 1, 1))))
    assert leaves.boundaries([node]) == [MARCH, APRIL, MAY]
    assert leaves.meters_in([node]) == {"jobs"}


def test_drivers_and_inputs_are_found_wherever_they_are() -> None:
    node = Ratio(Total((IN_MARCH, IN_APRIL)), Input("rate", MAY))
    assert leaves.drivers_in(node) == {"a", "b"}
    assert leaves.inputs_in([node]) == {("rate", MAY)}
