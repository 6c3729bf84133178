"""What accounts validated, told of cohorts alone."""

import statistics
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.agreed_values import Agreed, Validated, agreed_values
from valueplatform.value.benchmark import Withheld, published

VALUES = st.lists(st.decimals("0.001", 10**6, places=3), min_size=5, max_size=40)


def said(
    *values: str | Decimal, segment: str | None = "big", unit: str = "USD/hour", first: int = 1
) -> list[Validated]:
    return [Validated(first + at, "cost", unit, segment, Decimal(value)) for at, value in enumerate(values)]


def of(found: list[Agreed], segment: str = "", unit: str = "USD/hour") -> Agreed:
    (one,) = [each for each in found if (each.segment, each.unit) == (segment, unit)]
    return one


def test_the_median_of_five_lies_between_the_least_and_the_greatest_which_cover_it_well() -> None:
    found = of(agreed_values(said("41", "39", "45.50", "38", "52")))
    assert (found.accounts, found.low, found.median, found.high) == (5, Decimal(38), Decimal(41), Decimal(52))
    assert found.coverage == Decimal("0.9375")


def test_four_are_not_told_of() -> None:
    found = of(agreed_values(said("41", "39", "45", "38")))
    assert (found.withheld, found.accounts, found.median) == (Withheld.FEW, None, None)


def test_one_of_more_than_half_hides_all() -> None:
    assert of(agreed_values(said("1", "1", "1", "1", "9"))).withheld is Withheld.DOMINATED


def test_values_in_several_currencies_are_never_together() -> None:
    found = agreed_values([*said(*["40"] * 5), *said("4000", "4000", unit="JPY/hour", first=9)])
    assert of(found).accounts == 5
    assert of(found, unit="JPY/hour").withheld is Withheld.FEW


def test_a_small_segment_is_in_the_cohort_of_all() -> None:
    found = agreed_values([*said(*["40"] * 5), *said("41", segment="small", first=9)])
    assert (of(found).accounts, of(found, "big").accounts, of(found, "small").withheld) == (6, 5, Withheld.FEW)


@given(VALUES)
def test_the_interval_holds_the_median_of_the_standard_library(values: list[Decimal]) -> None:
    found = of(agreed_values(said(*values, segment=None)))
    if found.withheld is None:
        assert found.median == published(Fraction(statistics.median([Fraction(one) for one in values])))
        assert found.low is not None
        assert found.high is not None
        assert found.coverage is not None
        assert found.low <= found.median <= found.high
        assert found.coverage >= Decimal("0.9")
