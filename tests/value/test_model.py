import msgspec
import pytest
from hypothesis import given

from tests.value.model_strategies import FIXED, MODELS
from valueplatform.value.model import (
    BenefitClass,
    Driver,
    Evidence,
    ValueModel,
    from_document,
    to_document,
    weakest,
)


@given(MODELS)
def test_a_document_is_read_back_to_the_same_model(model: ValueModel) -> None:
    assert from_document(to_document(model)) == model
    assert from_document(to_document(model).decode()) == model


def test_numbers_in_a_document_are_texts_not_floats() -> None:
    plain = msgspec.json.decode(to_document(FIXED))
    assert plain["baselines"][0]["default"] == {"low": "11", "expected": "14", "high": "16"}


def test_a_model_is_one_value_that_can_be_a_key() -> None:
    assert len({FIXED, from_document(to_document(FIXED))}) == 1


def test_a_segment_s_rate_goes_before_the_default() -> None:
    cost = FIXED.assumptions[0]
    assert [cost.for_segment(segment) for segment in ("large", "small", None)] == [
        cost.segments[0].value,
        cost.default,
        cost.default,
    ]


@pytest.mark.parametrize(
    ("unit", "benefit_class", "monetized"),
    [
        ("USD", BenefitClass.CAPACITY, True),
        ("USD", BenefitClass.STRATEGIC, False),
        ("hour", BenefitClass.CAPACITY, False),
        ("usd", BenefitClass.CASHABLE, False),
    ],
)
def test_only_money_that_may_be_summed_is_monetized(unit: str, benefit_class: BenefitClass, *, monetized: bool) -> None:
    driver = Driver(slug="d", unit=unit, formula="m", benefit_class=benefit_class)
    assert driver.monetized is monetized


def test_the_evidence_of_a_whole_is_that_of_its_weakest_part() -> None:
    assert weakest([Evidence.MEASURED, Evidence.BENCHMARK, Evidence.CUSTOMER_VALIDATED]) is Evidence.BENCHMARK
    assert weakest([Evidence.MEASURED]) is Evidence.MEASURED
    assert weakest([]) is Evidence.VENDOR_ESTIMATE


def test_definitions_are_found_by_their_slug() -> None:
    assert FIXED.meter("jobs") is FIXED.meters[0]
    assert FIXED.rate("before") is FIXED.baselines[0]
    assert FIXED.rate("cost") is FIXED.assumptions[0]
    assert FIXED.driver("time") is FIXED.drivers[0]
    nothing: list[object] = [FIXED.rate("jobs"), FIXED.driver("cost"), FIXED.feature("time"), FIXED.meter("x")]
    assert nothing == [None] * 4
    assert FIXED.of_kind("driver") == FIXED.drivers


def test_a_definition_without_a_title_is_called_by_its_slug_in_words() -> None:
    assert FIXED.drivers[0].label == "Time saved"
    assert Driver(slug="dispatch_time-saved", unit="USD", formula="m").label == "Dispatch time saved"
