import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative import significance

stats = pytest.importorskip("scipy.stats")
values = st.lists(st.integers(-1000, 1000), min_size=8, max_size=40)


def test_a_series_without_change_is_never_a_trend() -> None:
    assert significance.mann_kendall_p([5.0] * 20) == 1.0
    assert significance.mann_whitney_p([5.0] * 20, [5.0] * 20) == 1.0


def test_the_slope_of_a_line_is_its_step_exactly() -> None:
    assert significance.theil_sen_slope([Fraction(i, 3) for i in range(9)]) == Fraction(1, 3)


def test_one_wild_value_does_not_make_a_trend() -> None:
    series = [Fraction(100)] * 12
    series[5] = Fraction(10**9)
    assert significance.theil_sen_slope(series) == 0


@given(values)
def test_the_slope_is_the_one_of_scipy(series: list[int]) -> None:
    ours = significance.theil_sen_slope([Fraction(v) for v in series])
    assert float(ours) == pytest.approx(stats.theilslopes(series).slope, rel=1e-12, abs=1e-12)


@given(values, values)
def test_the_two_sample_test_is_the_one_of_scipy(first: list[int], second: list[int]) -> None:
    if len({*first, *second}) == 1:
        return
    theirs = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=True).pvalue
    ours = significance.mann_whitney_p([float(v) for v in first], [float(v) for v in second])
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_the_trend_test_gives_the_textbook_value() -> None:
    """Ten rising values: S = 45, Var(S) = 125, Z = 44 / sqrt(125) (Gilbert 1987, ch. 16)."""
    expected = 2 * stats.norm.sf(44 / 125**0.5)
    assert significance.mann_kendall_p([float(i) for i in range(10)]) == pytest.approx(expected)


def test_ties_are_taken_into_account() -> None:
    """S = 6 + … of 1 1 1 1 2 2 2 2: 16 rising pairs, 12 tied; Var = (8*7*21 - 2*4*3*13) / 18 = 48."""
    expected = 2 * stats.norm.sf(15 / ((8 * 7 * 21 - 2 * 4 * 3 * 13) / 18) ** 0.5)
    assert significance.mann_kendall_p([1.0] * 4 + [2.0] * 4) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 0.2))
def test_discoveries_are_those_of_scipy(p_values: list[float], rate: float) -> None:
    adjusted = stats.false_discovery_control(p_values)
    clear = [abs(value - rate) > 1e-12 for value in adjusted]
    ours = significance.discoveries(p_values, rate)
    assert [o for o, c in zip(ours, clear, strict=True) if c] == [
        bool(a <= rate) for a, c in zip(adjusted, clear, strict=True) if c
    ]


def test_no_tests_make_no_discoveries() -> None:
    assert significance.discoveries([], 0.05) == []


@given(st.floats(-40, 40), st.integers(2, 80))
def test_tails_of_student_t_are_those_of_scipy(t: float, freedom: int) -> None:
    assert significance.student_p(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-6, abs=1e-12)


def test_a_value_amid_its_sample_is_no_news() -> None:
    assert significance.new_observation_p([1.0, 2.0, 3.0], 2.0) == 1.0
    assert significance.new_observation_p([2.0, 2.0, 2.0], 9.0) == 1.0, "nothing to measure by"


def test_comovement_of_independent_series_is_as_rare_as_it_says() -> None:
    rng = random.Random(7)
    pairs = [[[Fraction(rng.randint(0, 999)) for _ in range(26)] for _ in range(2)] for _ in range(2000)]
    found = [significance.comovement_p(*pair) for pair in pairs]
    assert sum(p <= 0.05 for p in found) / 2000 <= 0.06
    assert sum(p <= 0.01 for p in found) / 2000 <= 0.015
