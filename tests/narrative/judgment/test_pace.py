"""The told forecast: by hand where that is possible, and by three codes that share nothing."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueplatform.narrative.faithful.forecasting import forecast_anew
from valueplatform.narrative.judgment.pace import LEAST_WEEKS, may_forecast, pace
from valueplatform.value.derivation import Bound
from valueplatform.value.proof_forecast import forecast

AMOUNTS = st.one_of(
    st.lists(st.integers(0, 10**9), min_size=39, max_size=60),
    st.lists(st.integers(-(10**13), 10**13), min_size=39, max_size=45),
    st.lists(st.sampled_from([0, 0, 0, 70000]), min_size=39, max_size=50),
)


@given(AMOUNTS, st.integers(1, 13))
@settings(max_examples=40, deadline=None)
def test_three_codes_forecast_the_same_to_the_last_place(units: list[int], ahead: int) -> None:
    weeks = [Fraction(unit, 10**4) for unit in units]
    stated = pace(weeks, ahead)
    for bound in Bound:
        exact = round(Fraction(getattr(stated, bound.value)), 4)
        assert round(forecast_anew(weeks, ahead, bound), 4) == exact
        assert round(forecast(weeks, ahead, bound), 4) == exact


@pytest.mark.parametrize("value", ["0", "0.0001", "123.4567", "-20", "99999999999.9999"])
def test_what_never_changes_goes_on_without_doubt(value: str) -> None:
    found = pace([Fraction(value)] * 60, 15)
    assert (found.low, found.expected, found.high) == (Decimal(value) * 15,) * 3


def test_one_that_follows_the_last_week_is_worked_out_by_hand() -> None:
    """Weeks in pairs of 0 and 8: the least squared errors are those of the smallest step, 0.1 without a trend. Its
    level runs between fixed points below and above four."""
    weeks = [Fraction(8 * (number % 2)) for number in range(400)]
    after_eight = Fraction(8 * Fraction(1, 10)) / (1 - Fraction(81, 100))
    assert float(pace(weeks, 2).expected) == pytest.approx(2 * float(after_eight), abs=1e-6)


def test_what_was_never_negative_is_not_forecast_to_be() -> None:
    weeks = [Fraction(max(0, 4000 - 110 * number)) for number in range(60)]
    found = pace(weeks, 15)
    assert found.low == found.expected == 0
    signed = pace([value - 1000 for value in weeks], 15)
    assert signed.expected < 0


def test_growth_goes_on_and_fades() -> None:
    weeks = [Fraction(100 + 10 * number) for number in range(60)]
    assert 13 * 690 < pace(weeks, 13).expected < sum(700 + 10 * later for later in range(13))


@pytest.mark.parametrize(("weeks", "ahead"), [(36, 13), (35, 1), (60, 0)])
def test_three_times_as_many_weeks_are_known_as_are_forecast(weeks: int, ahead: int) -> None:
    assert may_forecast(36, 12)
    assert not may_forecast(weeks, ahead)
    with pytest.raises(ValueError, match="too few to forecast"):
        pace([Fraction(1)] * weeks, ahead)


def test_other_codes_refuse_what_no_interval_can_be_made_of() -> None:
    for other in (forecast_anew, forecast):
        with pytest.raises(ValueError, match="too few to forecast"):
            other([Fraction(1)] * 20, 12, Bound.LOW)
        with pytest.raises(ValueError, match="too few to forecast"):
            other([Fraction(1)] * LEAST_WEEKS, 0, Bound.LOW)
