import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl

from tests.narrative.next_best_worlds import World, feature, model_of, world
from valueplatform.narrative.next_best import suggest
from valueplatform.narrative.next_best_effect import student_quantile
from valueplatform.narrative.next_best_model import COVERAGE, Fit, Verdict, fit, from_document, to_document
from valueplatform.narrative.next_best_panel import ACCOUNT_SCHEMA, USAGE_SCHEMA, VALUE_SCHEMA, Panel

PLANTED = (0.0, 0.0, 0.2, 0.0, 0.0, 0.0)
WORLDS = 50


def fitted(simulated: World) -> Fit:
    return fit(simulated.panel, simulated.features)


def priced(found: Fit) -> dict[str, float]:
    return {
        one.feature: one.effect.log_effect for one in found.features if one.verdict is Verdict.PRICED and one.effect
    }


def test_the_planted_feature_comes_first_wherever_an_account_may_take_it_up() -> None:
    simulated = world(21, PLANTED)
    model, found = model_of(simulated.features), fitted(simulated)
    open_to_it = [number + 1 for number, users in enumerate(simulated.users[:, 2]) if not users]
    assert len(open_to_it) > 10
    for account in open_to_it:
        best = suggest(found, model, simulated.situation(account))[0]
        assert (best.feature, best.rank) == ("f2", 1)
        assert best.expected is not None
        assert best.expected > 0


def test_the_interval_of_an_account_holds_its_own_truth_about_nine_times_in_ten() -> None:
    """With effects that differ between accounts, which the interval of a mean would miss half the time."""
    held, widths = [], []
    for seed in range(WORLDS):
        simulated = world(seed, PLANTED, spread=0.1)
        one = fitted(simulated).feature("f2")
        assert one is not None
        assert one.effect is not None
        reach = student_quantile(COVERAGE, one.effect.freedom - 1) * np.hypot(one.effect.error, one.effect.spread)
        own = simulated.own[~simulated.users[:, 2], 2]
        held.append(float(np.mean(np.abs(own - one.effect.log_effect) <= reach)))
        widths.append(reach)
    assert 0.82 <= np.mean(held) <= 0.97
    assert np.median(widths) < 0.35


def test_the_interval_holds_a_truth_that_all_accounts_share() -> None:
    held = []
    for seed in range(WORLDS):
        one = fitted(world(seed, PLANTED)).feature("f2")
        assert one is not None
        assert one.effect is not None
        reach = student_quantile(COVERAGE, one.effect.freedom - 1) * np.hypot(one.effect.error, one.effect.spread)
        held.append(abs(one.effect.log_effect - 0.2) <= reach)
    assert 0.84 <= np.mean(held) <= 1.0


def test_where_nothing_brings_anything_hardly_anything_is_claimed() -> None:
    """Accounts that grow anyway take up more, as in life: the growth must not be laid to the features."""
    claims = [priced(fitted(world(seed, (0.0,) * 6))) for seed in range(WORLDS)]
    assert sum(bool(claim) for claim in claims) <= WORLDS * 0.10


def test_a_feature_that_went_with_less_value_is_adverse() -> None:
    assert fitted(world(22, (-0.3, 0.0))).features[0].verdict is Verdict.ADVERSE


def test_the_same_panel_gives_the_same_fit_whatever_the_order_of_its_rows() -> None:
    simulated = world(23, PLANTED)
    shuffled = replace(
        simulated.panel,
        values=simulated.panel.values.sample(fraction=1, shuffle=True, seed=1),
        usage=simulated.panel.usage.sample(fraction=1, shuffle=True, seed=2),
        accounts=simulated.panel.accounts.sample(fraction=1, shuffle=True, seed=3),
    )
    assert to_document(fit(shuffled, simulated.features)) == to_document(fitted(simulated))


def test_a_fit_is_plain_json_and_comes_back_equal() -> None:
    found = fitted(world(24, PLANTED))
    document = to_document(found)
    assert document.startswith(b"{")
    assert from_document(document) == found


def test_few_accounts_price_nothing() -> None:
    found = fitted(world(25, (0.4, 0.0), accounts=7))
    assert {one.verdict for one in found.features} == {Verdict.FEW_ACCOUNTS}


def test_few_adopters_price_nothing_however_large_the_effect() -> None:
    simulated = world(26, (0.8,), accounts=40, uptake=0.0)
    usage = simulated.panel.usage.with_columns(pl.col("feature"))
    adopters = usage["account_id"].unique().sort().to_list()[:4]
    panel = replace(simulated.panel, usage=usage.filter(pl.col("account_id").is_in(adopters)))
    one = fit(panel, simulated.features).features[0]
    assert one.verdict is Verdict.FEW_ADOPTERS
    assert one.adopters <= 4


def test_no_accounts_make_a_fit_that_says_nothing() -> None:
    empty = Panel(
        pl.DataFrame(schema=ACCOUNT_SCHEMA), pl.DataFrame(schema=VALUE_SCHEMA), pl.DataFrame(schema=USAGE_SCHEMA)
    )
    found = fit(empty, (feature("f0"),))
    assert found.accounts == 0
    assert found.features[0].verdict is Verdict.FEW_ACCOUNTS
    assert found.popularity("f0", "north") is None
    assert from_document(to_document(found)) == found


def test_accounts_without_any_value_leave_use_as_the_only_thing_known() -> None:
    simulated = world(27, (0.2, 0.0))
    found = fit(replace(simulated.panel, values=simulated.panel.values.clear()), simulated.features)
    assert found.accounts == 0
    popularity = found.popularity("f0", "north")
    assert popularity is not None
    assert 0 < popularity.users < popularity.accounts


def test_features_without_events_are_not_seen_in_use() -> None:
    simulated = world(28, (0.2,))
    found = fit(simulated.panel, (*simulated.features, feature("invisible", event_types=())))
    assert [one.feature for one in found.features] == ["f0"]


def test_a_segment_that_is_no_cohort_is_compared_with_all_accounts() -> None:
    accounts = [(number, "rare" if number <= 4 else "usual", date(2026, 3, 10)) for number in range(1, 21)]
    usage = [(number, "f0", date(2026, 2, 1), 3, date(2026, 2, 20)) for number in range(1, 21)]
    panel = Panel(
        pl.DataFrame(accounts, schema=ACCOUNT_SCHEMA, orient="row"),
        pl.DataFrame([(1, date(2026, 2, 1), Decimal(3))], schema=VALUE_SCHEMA, orient="row"),
        pl.DataFrame(usage, schema=USAGE_SCHEMA, orient="row"),
    )
    found = fit(panel, (feature("f0"),))
    rare, usual = found.popularity("f0", "rare"), found.popularity("f0", "usual")
    assert rare is not None
    assert usual is not None
    assert (rare.segment, rare.accounts) == (None, 20)
    assert (usual.segment, usual.accounts) == ("usual", 16)


def test_five_hundred_accounts_and_fifty_features_are_fitted_within_five_seconds() -> None:
    simulated = world(29, (0.2, 0.1) + (0.0,) * 48, accounts=500, uptake=0.4)
    started = time.perf_counter()
    found = fitted(simulated)
    assert time.perf_counter() - started < 5
    assert found.accounts > 400
    assert {"f0", "f1"} <= set(priced(found))
