from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.narrative.next_best_worlds import World, world
from valueplatform.narrative.next_best_effect import (
    COHORT,
    Effect,
    claimed,
    effects_of,
    series_of,
    student_quantile,
    two_sided,
)
from valueplatform.narrative.next_best_panel import Grid, grid_of


def grid(simulated: World) -> Grid:
    return grid_of(simulated.panel, [feature.slug for feature in simulated.features])


def effects(simulated: World) -> dict[str, Effect]:
    whole = grid(simulated)
    return effects_of(whole, series_of(whole))


# Tables of Student's t, two-sided: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
@pytest.mark.parametrize(
    ("coverage", "freedom", "quantile"),
    [(0.90, 1, 6.314), (0.90, 5, 2.015), (0.95, 10, 2.228), (0.99, 30, 2.750), (0.90, 100, 1.660)],
)
def test_students_t_is_that_of_the_tables(coverage: float, freedom: float, quantile: float) -> None:
    assert student_quantile(coverage, freedom) == pytest.approx(quantile, abs=2e-3)
    assert two_sided(quantile, freedom) == pytest.approx(1 - coverage, abs=2e-4)


def test_a_planted_effect_is_found_and_told_from_features_without_one() -> None:
    found = effects(world(3, (0.0, 0.25, 0.0)))
    assert found["f1"].log_effect == pytest.approx(0.25, abs=0.08)
    assert found["f1"].p < 0.001
    assert abs(found["f0"].log_effect) < 0.08


def test_effects_do_not_depend_on_size_currency_or_price() -> None:
    simulated = world(4, (0.2, 0.0))
    factor = pl.when(pl.col("account_id") % 3 == 0).then(150).otherwise(1)
    scaled = simulated.panel.values.with_columns((pl.col("value") * factor).cast(pl.Decimal(38, 4)))
    before = effects(simulated)["f0"]
    after = effects(replace(simulated, panel=replace(simulated.panel, values=scaled)))["f0"]
    assert after.log_effect == pytest.approx(before.log_effect, abs=1e-6)
    assert after.error == pytest.approx(before.error, rel=1e-4)


def test_accounts_that_differ_in_what_a_feature_brings_show_a_spread() -> None:
    same = [effects(world(seed, (0.2, 0.0), accounts=120))["f0"].spread for seed in range(6)]
    different = [effects(world(seed, (0.2, 0.0), accounts=120, spread=0.25))["f0"].spread for seed in range(6)]
    # Not all that own effects scatter by may be taken for noise.
    assert np.mean(same) < 0.1
    assert np.mean(different) == pytest.approx(0.25, abs=0.07)


def test_features_that_always_come_together_are_not_told_apart() -> None:
    simulated = world(5, (0.25,))
    twin = simulated.panel.usage.with_columns(pl.lit("twin").alias("feature"))
    panel = replace(simulated.panel, usage=pl.concat([simulated.panel.usage, twin]))
    whole = grid_of(panel, ["f0", "twin"])
    found = effects_of(whole, series_of(whole))
    assert found["f0"].log_effect == pytest.approx(found["twin"].log_effect, abs=1e-3)
    assert found["f0"].log_effect == pytest.approx(0.125, abs=0.05)


def test_a_feature_that_everybody_always_used_has_no_effect_to_show() -> None:
    simulated = world(6, (0.2,))
    everywhere = simulated.panel.values.select(
        "account_id",
        pl.lit("always").alias("feature"),
        "month",
        pl.lit(5, pl.Int64).alias("events"),
        pl.col("month").alias("last_day"),
    )
    whole = grid_of(replace(simulated.panel, usage=everywhere), ["always"])
    assert effects_of(whole, series_of(whole)) == {}


def test_fewer_accounts_than_a_cohort_are_not_compared() -> None:
    assert effects(world(7, (0.2,), accounts=COHORT - 1)) == {}


def test_parts_of_months_and_months_without_value_are_left_out() -> None:
    simulated = world(8, (0.0,), accounts=8)
    first = simulated.panel.values.filter(pl.col("account_id") == 1)["month"].sort()
    silent = pl.col("month") >= first[-4]
    zero = pl.col("month") == first[3]
    mine = pl.col("account_id") == 1
    values = simulated.panel.values.filter(~(mine & silent)).with_columns(
        pl.when(mine & zero).then(0).otherwise(pl.col("value")).cast(pl.Decimal(38, 4)).alias("value")
    )
    whole = grid_of(replace(simulated.panel, values=values), ["f0"])
    one = next(series for series in series_of(whole) if series.row == 0)
    # Of all months but the last four: not the first, not the one at zero, not the last before the silence.
    assert len(one.months) == len(first) - 4 - 3
    assert (np.isfinite(one.log_value)).all()


def test_claims_hold_the_rate_of_false_ones() -> None:
    plain = Effect(0.1, 0.1, 0.0, 10.0, 0.0, 9, 9, 0.2, {})
    tested = {name: replace(plain, p=p) for name, p in {"a": 0.001, "b": 0.04, "c": 0.08, "d": 0.5}.items()}
    assert claimed(tested, lambda _: True, 0.10) == {"a", "b"}
    assert claimed(tested, lambda effect: effect.p > 0.05, 0.10) == frozenset()
    assert claimed({}, lambda _: True, 0.10) == frozenset()
