import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.contribution import ours, read
from valueplatform.narrative.judgment.root_cause import Direction, Row, causes

SITES, PLANS, DEVICES = ("Hamburg", "Köln", "東京"), ("basic", "pro"), ("phone", "desk", "van")
DIMENSIONS = ("site", "plan", "device")


def _rows(faulty: dict[str, str], *, factor: float = 4.0, seed: int = 1) -> list[Row]:
    """Eight periods at a rate of 2 %; in the last the faulty slice is at `factor` times that."""
    rng = np.random.default_rng(seed)
    rows = []
    for period in range(9):
        for labels in ((s, p, d) for s in SITES for p in PLANS for d in DEVICES):
            weight = float(rng.integers(200, 2000))
            hit = period == 8 and all(dict(zip(DIMENSIONS, labels, strict=True))[k] == v for k, v in faulty.items())
            rows.append(Row(period, labels, float(rng.poisson(weight * 0.02 * (factor if hit else 1))), weight))
    return rows


@pytest.mark.parametrize(
    "faulty",
    [
        {"site": "東京"},
        {"plan": "pro"},
        {"site": "Köln", "device": "van"},
        {"site": "Hamburg", "plan": "pro", "device": "phone"},
    ],
)
def test_the_slice_that_changed_comes_first(faulty: dict[str, str]) -> None:
    assert dict(causes(DIMENSIONS, _rows(faulty), 8)[0].slice) == faulty


def test_a_drop_is_found_when_asked_for_and_not_as_a_rise() -> None:
    rows = _rows({"site": "Köln"}, factor=0.1)
    first = causes(DIMENSIONS, rows, 8, direction=Direction.DOWN)[0]
    assert dict(first.slice) == {"site": "Köln"}
    assert first.actual < first.expected
    assert first.share > 0
    assert all(each.actual > each.expected for each in causes(DIMENSIONS, rows, 8))


def test_a_bad_period_before_does_not_become_the_usual() -> None:
    rows = _rows({"site": "東京"})
    rows = [
        Row(row.period, row.labels, row.value * 5, row.weight) if row.period == 7 and row.labels[0] == "東京" else row
        for row in rows
    ]
    assert dict(causes(DIMENSIONS, rows, 8)[0].slice) == {"site": "東京"}


def test_nothing_is_said_without_a_past_or_a_present() -> None:
    assert causes(DIMENSIONS, [], 0) == ()
    assert causes(("site",), [Row(5, ("Köln",), 3.0)], 5) == ()
    assert causes(("site",), [Row(4, ("Köln",), 3.0)], 5) == ()
    assert causes(("site",), [Row(4, ("Köln",), 3.0, 0.0), Row(5, ("Köln",), 3.0, 0.0)], 5) == ()
    assert causes((), [Row(4, (), 3.0), Row(5, (), 9.0)], 5) == ()


def test_what_did_not_move_has_no_cause() -> None:
    rows = [Row(period, (site,), 10.0, 100.0) for period in range(5) for site in SITES]
    assert causes(("site",), rows, 4) == ()


def test_all_zero_has_no_cause() -> None:
    assert causes(("site",), [Row(period, (site,), 0.0, 5.0) for period in range(5) for site in SITES], 4) == ()


def test_what_comes_after_the_period_is_not_read() -> None:
    rows = _rows({"site": "東京"})
    later = [Row(9, row.labels, row.value * 1000, row.weight) for row in rows if row.period == 0]
    assert causes(DIMENSIONS, rows + later, 8) == causes(DIMENSIONS, rows, 8)


def test_slices_of_the_same_rows_are_told_once_by_the_fewest_dimensions() -> None:
    rows = [
        Row(period, labels, 100.0 if period == 4 and labels[0] == "東京" else 10.0, 1000.0)
        for period in range(5)
        for labels in (("東京", "van"), ("Köln", "desk"))
    ]
    found = causes(("site", "device"), rows, 4)
    assert [len(each.slice) for each in found] == [1]


def test_a_value_that_is_new_is_a_cause() -> None:
    rows = [Row(period, ("Köln",), 10.0, 1000.0) for period in range(5)] + [Row(4, ("東京",), 400.0, 1000.0)]
    first = causes(("site",), rows, 4)[0]
    assert first.slice == (("site", "東京"),)
    assert first.share == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf])
def test_an_amount_that_is_not_known_or_negative_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="value and weight"):
        causes(("site",), [Row(0, ("Köln",), bad)], 0)
    with pytest.raises(ValueError, match="value and weight"):
        causes(("site",), [Row(0, ("Köln",), 1.0, bad)], 0)


def test_labels_that_do_not_fit_the_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="2 labels for 1 dimensions"):
        causes(("site",), [Row(0, ("Köln", "van"), 1.0)], 0)


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 1000))
def test_the_order_of_rows_and_their_division_do_not_matter(rng: object, seed: int) -> None:
    rows = _rows({"plan": "pro"}, seed=seed)
    split = [
        part
        for row in rows
        for part in (
            Row(row.period, row.labels, row.value / 2, row.weight / 2),
            Row(row.period, row.labels, row.value / 2, row.weight / 2),
        )
    ]
    assert hasattr(rng, "shuffle")
    rng.shuffle(split)
    assert [each.slice for each in causes(DIMENSIONS, split, 8)] == [each.slice for each in causes(DIMENSIONS, rows, 8)]


def test_of_real_incidents_the_true_cause_is_found(shared: Path) -> None:
    incidents = list(read(shared / "data" / "contribution-incidents"))
    answers = [(each.cause, ours(each)) for each in incidents]
    assert np.mean([cause in found[:1] for cause, found in answers]) >= 0.75
    assert np.mean([cause in found for cause, found in answers]) >= 0.92
