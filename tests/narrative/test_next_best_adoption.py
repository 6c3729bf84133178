from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from tests.narrative.next_best_worlds import TODAY, world
from valueplatform.core.periods import months_between
from valueplatform.narrative.next_best_adoption import (
    SIGNS,
    Lesson,
    crowd_of,
    fit_adoption,
    learn,
    lesson_of,
    moment_at,
    peers_at,
    signs_of,
)
from valueplatform.narrative.next_best_panel import (
    ACCOUNT_SCHEMA,
    USAGE_SCHEMA,
    VALUE_SCHEMA,
    Floats,
    Grid,
    Panel,
    grid_of,
)


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


def all_signs(grid: Grid) -> tuple[Floats, ...]:
    """Of the newest month."""
    moment = moment_at(grid, grid.months - 1)
    return signs_of(moment, crowd_of(moment))


def test_an_account_is_not_its_own_peer() -> None:
    start = date(2025, 1, 1)
    grid = grid_from(
        [(1, "a", start), (2, "a", start), (3, "b", start), (1, "b", start)],
        {1: "north", 2: "north", 3: "south"},
        ("a", "b"),
    )
    signs = dict(zip(SIGNS, all_signs(grid), strict=True))
    # Account 2 does not use b: of its one peer in the north one does; of the two others overall both do.
    assert signs["in_segment"][1, 1] == pytest.approx(np.log(2 / 3))
    assert signs["overall"][1, 1] == pytest.approx(np.log(3 / 4))
    # Account 3 does not use a: it has no peer in the south, and both of the others use it.
    assert signs["in_segment"][2, 0] == pytest.approx(np.log(1 / 2))
    assert signs["overall"][2, 0] == pytest.approx(np.log(3 / 4))


def test_one_account_alone_has_the_same_signs_as_among_all() -> None:
    simulated = world(11, (0.0, 0.0, 0.0, 0.0), accounts=30)
    features = [feature.slug for feature in simulated.features]
    whole = grid_of(simulated.panel, features)
    peers = peers_at(whole, whole.months - 1)
    among = all_signs(whole)
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
        signs = signs_of(moment_at(alone, alone.months - 1), peers.crowd())
        for mine_alone, of_all in zip(signs, among, strict=True):
            np.testing.assert_allclose(mine_alone[0][unused], of_all[account - 1][unused], atol=1e-12)


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
    chances = fitted.chances(all_signs(grid))
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
    moment = moment_at(grid, month)
    stated = fitted.chances(signs_of(moment, crowd_of(moment)))[at_risk].mean()
    assert stated == pytest.approx(later, abs=0.08)


def test_too_few_adoptions_teach_nothing() -> None:
    simulated = world(13, (0.0,), accounts=6)
    grid = grid_of(simulated.panel, ["f0"])
    assert fit_adoption(grid, np.ones((6, 1), dtype=np.bool_)) is None


def test_what_an_account_may_not_have_is_no_lesson() -> None:
    simulated = world(14, (0.0, 0.0), accounts=80)
    grid = grid_of(simulated.panel, ["f0", "f1"])
    assert fit_adoption(grid, np.zeros((80, 2), dtype=np.bool_)) is None


def test_pairs_that_are_left_out_do_not_make_adoption_seem_likelier() -> None:
    rng = np.random.default_rng(15)
    sign = rng.normal(0, 1, (400, 500))
    later = rng.random(sign.shape) < 1 / (1 + np.exp(6 - sign))
    lesson = lesson_of([sign], np.ones(sign.shape, dtype=np.bool_), later)
    assert len(lesson.adopted) < later.size / 4
    assert len(lesson.adopted) + lesson.left_out == later.size
    fitted = learn([lesson])
    assert fitted is not None
    assert fitted.at_risk == later.size
    assert fitted.chances([sign]).mean() == pytest.approx(later.mean(), rel=0.1)


def test_what_each_sign_adds_comes_to_the_log_odds() -> None:
    rng = np.random.default_rng(16)
    given = rng.normal(0, 1, (300, len(SIGNS)))
    fitted = learn([Lesson(given, given[:, 0] + rng.normal(0, 1, 300) > 0, 0)])
    assert fitted is not None
    signs = list(given.T)
    total = sum(fitted.contributions(signs)) + fitted.intercept
    np.testing.assert_allclose(1 / (1 + np.exp(-total)), fitted.chances(signs))


def test_a_moment_knows_nothing_of_what_came_after_it() -> None:
    grid = grid_from([(1, "a", date(2026, 1, 1)), (2, "a", date(2025, 3, 1))], {1: "n", 2: "n"}, ("a",))
    before = moment_at(grid, grid.months - 3)
    assert before.ever.tolist() == [[False], [True]]
    assert before.present.tolist() == [False, True]
