from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from tests.narrative.next_best_worlds import TODAY, world
from valueplatform.core.periods import months_between
from valueplatform.narrative.next_best_adoption import SIGNS, fit_adoption, peers_at, signs_of
from valueplatform.narrative.next_best_panel import ACCOUNT_SCHEMA, USAGE_SCHEMA, VALUE_SCHEMA, Grid, Panel, grid_of


def grid_from(usage: list[tuple[int, str, date]], segments: dict[int, str], features: tuple[str, ...]) -> Grid:
    """Each use lasts from its month to today."""
    rows = [
        (account, feature, month.start, 3, month.start)
        for account, feature, since in usage
        for month in months_between(since, TODAY.replace(day=1))
    ]
    accounts = [(account, segment, TODAY) for account, segment in segments.items()]
    return grid_of(
        Panel(
            pl.DataFrame(accounts, schema=ACCOUNT_SCHEMA, orient="row"),
            pl.DataFrame(schema=VALUE_SCHEMA),
            pl.DataFrame(rows, schema=USAGE_SCHEMA, orient="row"),
        ),
        features,
    )


def test_an_account_is_not_its_own_peer() -> None:
    start = date(2025, 1, 1)
    grid = grid_from(
        [(1, "a", start), (2, "a", start), (3, "b", start), (1, "b", start)],
        {1: "north", 2: "north", 3: "south"},
        ("a", "b"),
    )
    signs = signs_of(grid, grid.months - 1, peers_at(grid, grid.months - 1))
    sign = {name: number for number, name in enumerate(SIGNS)}
    # Account 2 does not use b: of its one peer in the north one does; of the two others overall both do.
    assert signs[1, 1, sign["in_segment"]] == 1
    assert signs[1, 1, sign["overall"]] == 1
    # Account 3 does not use a: it has no peer in the south, and both of the others use it.
    assert signs[2, 0, sign["in_segment"]] == 0
    assert signs[2, 0, sign["overall"]] == 1


def test_one_account_alone_has_the_same_signs_as_among_all() -> None:
    simulated = world(11, (0.0, 0.0, 0.0, 0.0), accounts=30)
    features = [feature.slug for feature in simulated.features]
    whole = grid_of(simulated.panel, features)
    peers = peers_at(whole, whole.months - 1)
    among = signs_of(whole, whole.months - 1, peers)
    for account in (1, 17, 30):
        mine = pl.col("account_id") == account
        panel = replace(
            simulated.panel,
            accounts=simulated.panel.accounts.filter(mine),
            usage=simulated.panel.usage.filter(mine),
            values=simulated.panel.values.filter(mine),
        )
        alone = grid_of(panel, features)
        unused = ~whole.active[account - 1, :, -1]
        np.testing.assert_allclose(
            signs_of(alone, alone.months - 1, peers)[0][unused], among[account - 1][unused], atol=1e-12
        )


def test_what_most_of_a_segment_uses_is_more_likely_to_be_taken_up() -> None:
    rng = np.random.default_rng(5)
    usage, segments = [], {}
    for account in range(1, 121):
        segments[account] = ("north", "south")[account % 2]
        usage.append((account, "base", date(2024, 1, 1)))
        likely = ("a", "b")[account % 2]
        taken = [feature for feature in ("a", "b") if rng.random() < (0.8 if feature == likely else 0.05)]
        days = [date(2024, 1, 1) + timedelta(days=int(rng.integers(0, 750))) for _ in taken]
        usage += [(account, feature, day.replace(day=1)) for feature, day in zip(taken, days, strict=True)]
    grid = grid_from(usage, segments, ("base", "a", "b"))
    fitted = fit_adoption(grid, np.ones((120, 3), dtype=np.bool_))
    assert fitted is not None
    now = grid.months - 1
    chances = fitted.chances(signs_of(grid, now, peers_at(grid, now)))
    open_to_it = ~grid.active[:, :, now]
    north = np.arange(120) % 2 == 1
    of_a, open_to_a = chances[:, 1], open_to_it[:, 1]
    assert of_a[north & open_to_a].mean() > 5 * of_a[~north & open_to_a].mean()
    assert ((chances > 0) & (chances < 1)).all()


def test_the_chance_is_calibrated_on_what_it_learned_from() -> None:
    simulated = world(12, (0.0,) * 8, accounts=150)
    grid = grid_of(simulated.panel, [feature.slug for feature in simulated.features])
    fitted = fit_adoption(grid, np.ones((150, 8), dtype=np.bool_))
    assert fitted is not None
    month = grid.months - 7
    begun = np.asarray(grid.used[:, :, : month + 1].any(axis=(1, 2)))[:, None]
    at_risk = ~grid.active[:, :, month] & begun
    later = np.asarray(grid.used[:, :, month + 1 :].any(axis=2))[at_risk].mean()
    stated = fitted.chances(signs_of(grid, month, peers_at(grid, month)))[at_risk].mean()
    assert stated == pytest.approx(later, abs=0.08)


def test_too_few_adoptions_teach_nothing() -> None:
    simulated = world(13, (0.0,), accounts=6)
    grid = grid_of(simulated.panel, ["f0"])
    assert fit_adoption(grid, np.ones((6, 1), dtype=np.bool_)) is None


def test_what_an_account_may_not_have_is_no_lesson() -> None:
    simulated = world(14, (0.0, 0.0), accounts=80)
    grid = grid_of(simulated.panel, ["f0", "f1"])
    assert fit_adoption(grid, np.zeros((80, 2), dtype=np.bool_)) is None
