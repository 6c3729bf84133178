from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.next_best_worlds import TODAY, feature, model_of
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best import (
    Emptiness,
    Ground,
    Pricing,
    Situation,
    Suggestion,
    pricing_of,
    suggest,
    suggestion_id,
    why_none,
)
from valueplatform.narrative.next_best_adoption import AdoptionFit, Peers
from valueplatform.narrative.next_best_effect import Effect
from valueplatform.narrative.next_best_model import FeatureFit, Fit, Verdict
from valueplatform.narrative.next_best_panel import USAGE_SCHEMA, VALUE_SCHEMA
from valueplatform.value.model import Feature

EVEN = Effect(
    log_effect=0.0953101798,  # 10 %
    error=0.02,
    spread=0.0,
    freedom=20.0,
    p=0.0001,
    adopters=12,
    without=30,
    heaviest=0.1,
    segments={},
)


def a_fit(
    verdicts: dict[str, Verdict | Effect],
    *,
    users: dict[str, int] | None = None,
    accounts: int = 20,
    adoption: AdoptionFit | None = None,
    weights: tuple[tuple[float, ...], ...] | None = None,
) -> Fit:
    """All accounts are in the north; a feature given by its effect is priced."""
    features = tuple(verdicts)
    counts = tuple((users or {}).get(name, 10) for name in features)
    return Fit(
        accounts=40,
        excluded=0,
        first=date(2024, 10, 1),
        last=date(2026, 2, 1),
        features=tuple(
            FeatureFit(name, Verdict.PRICED, 12, given)
            if isinstance(given, Effect)
            else FeatureFit(name, given, 3, None)
            for name, given in verdicts.items()
        ),
        peers=Peers(
            features=features,
            present={"north": accounts},
            users={"north": counts},
            lately=(0,) * len(features),
            weights=weights or tuple((0.0,) * len(features) for _ in features),
        ),
        adoption=adoption,
    )


def months(count: int, value: str = "1000") -> pl.DataFrame:
    """So many whole months up to TODAY after a first part of one, each of the same value, and the running month."""
    start = TODAY.year * 12 + TODAY.month - 1 - count - 1
    rows = [(1, date((start + n) // 12, (start + n) % 12 + 1, 1), Decimal(value)) for n in range(count + 2)]
    return pl.DataFrame(rows, schema=VALUE_SCHEMA, orient="row")


def use(last_day: date, slug: str = "used") -> tuple[int, str, date, int, date]:
    return (1, slug, last_day.replace(day=1), 5, last_day)


def an_account(*uses: tuple[int, str, date, int, date], **given: Any) -> Situation:
    plain = Situation(
        account_key="harbor",
        account_id=1,
        segment="north",
        currency="USD",
        today=TODAY,
        values=months(14),
        usage=pl.DataFrame(list(uses), schema=USAGE_SCHEMA, orient="row"),
    )
    return replace(plain, **given)


def suggested(fitted: Fit, *features: Feature, account: Situation | None = None) -> tuple[Suggestion, ...]:
    return suggest(fitted, model_of(features), account or an_account())


def test_expected_value_is_the_accounts_own_year_times_the_effect_while_it_is_taken_up() -> None:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a"))
    # 12,000 a year, 10 %, of which the first twelve months of use bring 11/12.
    assert one.expected == Decimal("1100.0000")
    assert one.low is not None
    assert one.high is not None
    assert one.low < one.expected < one.high
    assert (one.unit, one.standing) == ("USD", Standing.PREDICTED)


def test_price_and_effort_are_taken_off_the_whole_range() -> None:
    free, paid = feature("a"), feature("a", included=False, price=Decimal(20), effort_cost=Decimal("100.50"))
    (gross,), (net,) = suggested(a_fit({"a": EVEN}), free), suggested(a_fit({"a": EVEN}), paid)
    costs = Decimal("340.50")
    assert net.net
    assert [net.low, net.expected, net.high] == [
        bound - costs for bound in (gross.low, gross.expected, gross.high) if bound is not None
    ]
    assert {(cost.kind, cost.amount, cost.unit) for cost in net.costs} == {
        ("price", Decimal(240), "USD"),
        ("effort", Decimal("100.50"), "USD"),
    }


def test_what_costs_more_than_it_brings_is_not_suggested() -> None:
    assert suggested(a_fit({"a": EVEN}), feature("a", included=False, price=Decimal(100))) == ()


def test_costs_in_another_currency_stand_beside_the_value_and_are_not_taken_off() -> None:
    paid = feature("a", included=False, price=Decimal(20))
    (one,) = suggested(a_fit({"a": EVEN}), paid, account=an_account(currency="JPY"))
    assert one.expected == Decimal("1100.0000")
    assert one.unit == "JPY"
    assert not one.net
    assert one.costs[0].unit == "USD"


def test_a_price_that_nobody_stated_is_not_taken_for_none() -> None:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a", included=False))
    assert one.pricing is Pricing.COSTS_EXTRA
    assert not one.net


@pytest.mark.parametrize(
    ("said", "pricing"),
    [
        ({"included": True}, Pricing.INCLUDED),
        ({"included": None, "price": Decimal(0)}, Pricing.INCLUDED),
        ({"included": False}, Pricing.COSTS_EXTRA),
        ({"included": None, "price": Decimal(9)}, Pricing.COSTS_EXTRA),
        ({"included": None}, Pricing.NOT_STATED),
    ],
)
def test_included_and_costs_extra_are_told_apart(said: dict[str, Any], pricing: Pricing) -> None:
    assert pricing_of(feature("a", **said)) is pricing


def test_what_is_in_use_is_never_suggested() -> None:
    assert suggested(a_fit({"a": EVEN}), feature("a"), account=an_account(use(TODAY - timedelta(days=89), "a"))) == ()


def test_what_was_last_used_ninety_days_ago_is_suggested_again() -> None:
    last = TODAY - timedelta(days=90)
    (one,) = suggested(a_fit({"a": EVEN}), feature("a"), account=an_account(use(last, "a")))
    assert one.used_until == last


def test_what_was_withheld_or_may_not_be_bought_is_never_suggested() -> None:
    fitted = a_fit({"a": EVEN, "b": EVEN})
    south_only = feature("b", eligible_segments=("south",))
    account = an_account(withheld=frozenset({"a"}))
    assert suggested(fitted, feature("a"), south_only, account=account) == ()
    assert suggested(fitted, feature("a"), account=an_account(may_buy=False)) == ()


def test_an_account_without_a_segment_may_not_have_what_is_for_segments() -> None:
    fitted = a_fit({"a": EVEN})
    assert suggested(fitted, feature("a", eligible_segments=("north",)), account=an_account(segment=None)) == ()


def test_customers_see_most_value_first_whatever_the_chance_of_adoption() -> None:
    likely = AdoptionFit(
        coefficients=(9.0, 9.0, *(0.0,) * 6),
        intercept=20.0,
        means=(0.0,) * 8,
        scales=(1.0,) * 8,
        adopted=50,
        at_risk=100,
    )
    larger = replace(EVEN, log_effect=0.3)
    fitted = a_fit({"popular": EVEN, "rare": larger}, users={"popular": 19, "rare": 1}, adoption=likely)
    first, second = suggested(fitted, feature("popular"), feature("rare"))
    assert (first.feature, second.feature) == ("rare", "popular")
    assert first.chance is not None
    assert second.chance is not None
    assert first.chance < second.chance


def test_an_effect_that_differs_by_segment_counts_for_the_segment() -> None:
    differing = replace(EVEN, segments={"north": (0.1, 0.01), "south": (-0.1, 0.01)})
    (north,) = suggested(a_fit({"a": differing}), feature("a"))
    (other,) = suggested(a_fit({"a": differing}), feature("a"), account=an_account(segment="west"))
    assert north.expected is not None
    assert other.expected is not None
    assert north.expected > other.expected == Decimal("1100.0000")


@pytest.mark.parametrize("verdict", [Verdict.FEW_ACCOUNTS, Verdict.FEW_ADOPTERS, Verdict.ONE_ACCOUNT, Verdict.UNCLEAR])
def test_what_cannot_be_priced_carries_no_value_and_says_why(verdict: Verdict) -> None:
    (one,) = suggested(a_fit({"a": verdict}), feature("a"))
    assert (one.low, one.expected, one.high, one.net) == (None, None, None, False)
    assert one.ground == Ground(verdict.value)


def test_an_effect_is_not_put_on_an_account_whose_own_record_is_short() -> None:
    for values in (months(2), months(0), months(14).clear(), months(14, "-50")):
        (one,) = suggested(a_fit({"a": EVEN}), feature("a"), account=an_account(values=values))
        assert (one.ground, one.expected) == (Ground.SHORT_RECORD, None)


def test_an_effect_that_scatters_from_loss_to_gain_is_not_put_in_figures() -> None:
    (wide,) = suggested(a_fit({"a": replace(EVEN, spread=0.2)}), feature("a"))
    (narrow,) = suggested(a_fit({"a": replace(EVEN, spread=0.08)}), feature("a"))
    assert (wide.ground, wide.low, wide.expected, wide.high) == (Ground.SCATTERED, None, None, None)
    assert narrow.low is not None
    assert narrow.low < 0
    assert narrow.ground is Ground.EFFECT


def test_what_went_with_less_value_is_not_suggested_even_where_it_is_usual() -> None:
    assert suggested(a_fit({"a": Verdict.ADVERSE}, users={"a": 20}), feature("a")) == ()


def test_without_a_price_the_usual_comes_first_and_what_nobody_uses_not_at_all() -> None:
    fitted = a_fit(
        {"some": Verdict.FEW_ADOPTERS, "most": Verdict.FEW_ADOPTERS, "none": Verdict.FEW_ADOPTERS},
        users={"some": 4, "most": 15, "none": 0},
    )
    found = suggested(fitted, feature("some"), feature("most"), feature("none"))
    assert [one.feature for one in found] == ["most", "some"]


def test_what_was_looked_into_in_vain_comes_last() -> None:
    fitted = a_fit({"vain": Verdict.UNCLEAR, "unknown": Verdict.FEW_ADOPTERS}, users={"vain": 19, "unknown": 2})
    assert [one.feature for one in suggested(fitted, feature("vain"), feature("unknown"))] == ["unknown", "vain"]


def test_below_a_cohort_nothing_is_told_of_others() -> None:
    fitted = a_fit({"a": EVEN, "b": Verdict.FEW_ACCOUNTS}, accounts=4)
    (one,) = suggested(fitted, feature("a"), feature("b"))
    assert one.feature == "a"
    assert one.number("users") is None


def test_the_first_three_come_from_different_products() -> None:
    effects = {
        name: replace(EVEN, log_effect=size) for name, size in zip("abcde", (0.5, 0.4, 0.3, 0.2, 0.1), strict=True)
    }
    products = {"a": "core", "b": "core", "c": "core", "d": "plus", "e": "pro"}
    found = suggested(a_fit(dict(effects)), *(feature(name, product=products[name]) for name in effects))
    assert [one.feature for one in found] == ["a", "d", "e", "b", "c"]
    assert [one.rank for one in found] == [1, 2, 3, 4, 5]


def test_one_product_alone_still_fills_the_list() -> None:
    fitted = a_fit({"a": EVEN, "b": replace(EVEN, log_effect=0.3), "c": EVEN})
    assert len(suggested(fitted, *(feature(name, product="core") for name in "abc"))) == 3


def test_features_that_the_fit_has_not_seen_wait_for_the_next() -> None:
    assert suggested(a_fit({"a": EVEN}), feature("new")) == ()


def test_every_number_of_the_reason_follows_from_the_account_and_the_fit() -> None:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a", effort_cost=Decimal(50)))
    numbers = {number.name: (number.value, number.unit) for number in one.numbers}
    assert numbers["users"] == (Decimal(10), "account")
    assert numbers["accounts"] == (Decimal(20), "account")
    assert numbers["adopters"] == (Decimal(12), "account")
    assert numbers["uplift"] == (Decimal("0.1000"), "share")
    assert numbers["year_of_value"] == (Decimal("12000.0000"), "USD")
    assert numbers["gross"] == (Decimal("1100.0000"), "USD")
    assert one.expected == Decimal("1050.0000")


def test_an_id_belongs_to_account_and_feature_and_to_nothing_else() -> None:
    assert suggestion_id("a", "b") == suggestion_id("a", "b")
    assert (
        len({suggestion_id("a", "b"), suggestion_id("b", "a"), suggestion_id("a", "bb"), suggestion_id("ab", "b")}) == 4
    )


def test_a_suggestion_survives_json() -> None:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a", included=False, price=Decimal("0.10")))
    assert msgspec.json.decode(msgspec.json.encode(one), type=Suggestion) == one


@given(
    year=st.decimals(min_value=1, max_value=10**12, places=4),
    effect=st.floats(min_value=0.01, max_value=2),
    error=st.floats(min_value=0.001, max_value=1),
)
def test_low_expected_and_high_are_in_order_and_have_four_places(year: Decimal, effect: float, error: float) -> None:
    sized = replace(EVEN, log_effect=effect, error=error)
    monthly = (year / 12).quantize(Decimal("0.0001"))
    account = an_account(values=months(14, str(monthly)))
    for one in suggested(a_fit({"a": sized}), feature("a"), account=account):
        if one.ground is Ground.SCATTERED:
            continue
        assert one.low is not None
        assert one.expected is not None
        assert one.high is not None
        assert one.low <= one.expected <= one.high
        assert {bound.as_tuple().exponent for bound in (one.low, one.expected, one.high)} == {-4}


@pytest.mark.parametrize(
    ("recorded", "whole", "year"),
    [(14, 12, "12000.0000"), (6, 6, "12000.0000"), (3, 3, "12000.0000"), (2, 2, None), (0, 0, None)],
)
def test_a_year_of_value_is_told_from_three_whole_months_on(recorded: int, whole: int, year: str | None) -> None:
    account = an_account(values=months(recorded))
    assert account.whole_months == whole
    assert account.year_of_value() == (None if year is None else Decimal(year))


def test_months_of_silence_count_as_nothing_in_a_year_of_value() -> None:
    recent = pl.col("month") >= date(2025, 9, 1)
    assert an_account(values=months(14).filter(~recent)).year_of_value() == Decimal("6000.0000")


def test_an_empty_list_says_why() -> None:
    fitted = a_fit({"a": Verdict.ADVERSE})
    model, account = model_of((feature("a"),)), an_account()
    in_use = an_account(use(TODAY, "a"))
    assert why_none(fitted, model_of(()), account) is Emptiness.NO_FEATURES
    assert why_none(None, model, account) is Emptiness.NOT_FITTED
    assert why_none(fitted, model, an_account(may_buy=False)) is Emptiness.CONTRACT_ENDED
    assert why_none(fitted, model, in_use) is Emptiness.NOTHING_LEFT
    assert why_none(fitted, model, account) is Emptiness.NOTHING_IN_FAVOR


def test_an_account_that_just_began_is_told_first_what_brings_its_segment_most() -> None:
    small, large = replace(EVEN, segments={"north": (-0.05, 0.01)}), replace(EVEN, segments={"north": (0.1, 0.01)})
    fitted = a_fit({"usual": small, "rare": large, "unclear": Verdict.UNCLEAR}, users={"usual": 19, "rare": 2})
    young = an_account(values=months(1))
    found = suggested(fitted, feature("usual"), feature("unclear"), feature("rare"), account=young)
    assert [one.feature for one in found] == ["rare", "usual", "unclear"]
    assert {one.ground for one in found[:2]} == {Ground.SHORT_RECORD}
    uplift = found[0].number("uplift")
    assert uplift is not None
    assert uplift.value > Decimal("0.2")
    assert found[0].expected is None
