from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from tests.narrative.next_best_worlds import TODAY, feature, model_of
from tests.narrative.test_next_best import EVEN, a_fit, an_account, use
from valueplatform.narrative.next_best import Ground, Pricing, Suggestion, suggest
from valueplatform.narrative.next_best_log import candidates_of
from valueplatform.narrative.next_best_model import Fit, Verdict
from valueplatform.narrative.next_best_words import SuggestionWords
from valueplatform.narrative.offers import PRODUCT, features_in, is_part, offer, offers_of
from valueplatform.value.model import Feature, OfferKind, Product, ValueModel
from valueplatform.value.practice import Habit

PLUS = Product(slug="plus", title="Plus", price=Decimal(20), effort_cost=Decimal(100))


def supplier(*features: Feature, plus: Product = PLUS) -> ValueModel:
    return msgspec.structs.replace(model_of(features), products=(Product(slug="core"), plus))


PARTS = (feature("a", product="plus"), feature("b", product="plus"), feature("c", product="core"))
FITTED = a_fit({"a": Verdict.PART, "b": Verdict.PART, "c": EVEN, f"{PRODUCT}plus": EVEN})


def suggested(fitted: Fit, model: ValueModel, *used: str, stage: str | None = None) -> tuple[Suggestion, ...]:
    return suggest(fitted, model, an_account(*(use(TODAY, slug) for slug in used), stage=stage))


def test_a_product_with_a_price_is_one_step_and_its_features_are_none() -> None:
    found = {one.feature: one for one in suggested(FITTED, supplier(*PARTS))}
    assert set(found) == {"c", f"{PRODUCT}plus"}
    whole = found[f"{PRODUCT}plus"]
    assert (whole.title, whole.offer, whole.pricing) == ("Plus", OfferKind.PRODUCT, Pricing.COSTS_EXTRA)
    assert {cost.kind: cost.amount for cost in whole.costs} == {"price": Decimal(240), "effort": Decimal(100)}
    assert SuggestionWords().what(whole) == "Take Plus on."


def test_who_uses_a_part_of_the_product_has_it_and_is_suggested_the_other_parts() -> None:
    found = {one.feature: one for one in suggested(FITTED, supplier(*PARTS), "a", f"{PRODUCT}plus")}
    assert set(found) == {"b", "c"}
    assert (found["b"].ground, found["b"].expected) == (Ground.PART, None)
    reason = "".join(span.text for span in SuggestionWords().reason(found["b"]))
    assert "counted with the product that it is part of" in reason


def test_a_product_that_is_included_is_no_step() -> None:
    model = supplier(*PARTS, plus=Product(slug="plus", included=True))
    assert [one.slug for one in offers_of(model)] == ["a", "b", "c"]
    assert not any(map(is_part, offers_of(model)))


def test_a_product_is_shown_by_the_events_of_its_features() -> None:
    model = supplier(*PARTS)
    whole = offer(model, f"{PRODUCT}plus")
    assert whole is not None
    assert whole.event_types == ("a", "b")
    assert [one.slug for one in features_in(whole, model.features)] == ["a", "b"]
    assert offer(model, "nothing") is None


def test_what_requires_another_feature_waits_for_it() -> None:
    model = model_of((feature("a"), feature("b", requires=("a",))))
    fitted = a_fit({"a": EVEN, "b": EVEN})
    assert [one.feature for one in suggested(fitted, model)] == ["a"]
    assert [one.feature for one in suggested(fitted, model, "a")] == ["b"]


@pytest.mark.parametrize(("stage", "told"), [("live", 1), ("onboarding", 0), (None, 0)])
def test_what_is_for_a_stage_is_suggested_to_no_other(stage: str | None, told: int) -> None:
    model = model_of((feature("a", eligible_stages=("live",)),))
    assert len(suggested(a_fit({"a": EVEN}), model, stage=stage)) == told


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (None, "Start to use A."),
        (OfferKind.SERVICE, "Have A done."),
        (OfferKind.PRACTICE, "Make A a practice."),
    ],
)
def test_services_and_practices_are_called_so(kind: OfferKind | None, what: str) -> None:
    (one,) = suggested(a_fit({"a": EVEN}), model_of((feature("a", title="A", offer=kind),)))
    assert SuggestionWords().what(one) == what


def test_what_goes_with_a_feature_in_use_says_so() -> None:
    fitted = a_fit({"a": EVEN, "b": EVEN}, weights=((0.0, 0.4), (0.0, 0.0)))
    last_month = an_account(use(TODAY - timedelta(days=20), "a"))
    (one,) = suggest(fitted, model_of((feature("a", title="Reports"), feature("b"))), last_month)
    assert one.goes_with == ("Reports",)
    assert "often goes with Reports, which you use." in "".join(s.text for s in SuggestionWords().reason(one))


def test_every_candidate_is_logged_with_the_place_it_was_shown_in() -> None:
    model, situation = model_of((feature("a"), feature("b"), feature("c"))), an_account()
    fitted = a_fit({"a": EVEN, "b": Verdict.ADVERSE, "c": Verdict.UNCLEAR})
    found = suggest(fitted, model, situation)
    logged = candidates_of(fitted, model, situation, found)
    assert [(one.feature, one.rank) for one in logged] == [("a", 1), ("c", 2), ("b", None)]
    assert logged[0].expected == found[0].expected


def test_what_the_top_does_more_than_the_rest_is_told_as_a_practice() -> None:
    shares = (Decimal("0.6"), Decimal("0.2"), Decimal("0.9"))
    habit = Habit("a", 9, 10, 6, 30, *shares, Decimal(2))
    account = an_account(habits={"a": ("Dispatch time", habit)})
    (one,) = suggest(a_fit({"a": EVEN}), model_of((feature("a"),)), account)
    reason = "".join(span.text for span in SuggestionWords().reason(one))
    assert "Of the 10 accounts that realize most of Dispatch time, 9 use it; of the 30 others, 6." in reason
