"""The sample's value model is one that the platform takes without a word."""

import tomllib

from valueplatform.sample import SampleSupplier
from valueplatform.sample.events import Event
from valueplatform.sample.fieldnote import driver_inputs, input_definitions, model, model_toml
from valueplatform.value.feature_worth import Part, missing_parts
from valueplatform.value.model import BenefitClass
from valueplatform.value.model_file import read_model, warnings_of


def test_the_platform_reads_it_and_has_nothing_to_warn_of() -> None:
    read = read_model(model_toml(), "fieldnote.toml")
    assert warnings_of(read, model_toml(), "fieldnote.toml") == []
    assert len(read.drivers) == 9
    assert len(read.features) == 10
    assert len(read.products) == 3


def test_value_of_many_classes_one_loss_one_not_priced_and_two_partners() -> None:
    read = read_model(model_toml(), "fieldnote.toml")
    wanted = {BenefitClass.CASHABLE, BenefitClass.CAPACITY, BenefitClass.AVOIDANCE, BenefitClass.REVENUE}
    assert wanted <= {driver.benefit_class for driver in read.drivers}
    assert [driver.slug for driver in read.drivers if not driver.monetized] == ["incidents_avoided"]
    assert {driver.provider for driver in read.drivers} == {"supplier", "event", "waypoint", "joint"}
    assert [feature.slug for feature in read.features if feature.included is False] == [
        "route-planning",
        "on-site-quotes",
        "erp-connector",
    ]


def test_only_counts_sums_and_unique_counts_are_asked_for() -> None:
    assert {meter["aggregation"] for meter in model()["meter"]} == {"COUNT", "SUM", "UNIQUE_COUNT"}


def test_every_event_type_and_property_of_a_meter_is_sent(events: list[Event]) -> None:
    sent: dict[str, set[str]] = {}
    for event in events:
        data = event["data"]
        assert isinstance(data, dict)
        sent.setdefault(str(event["type"]), set()).update(data)
    for meter in model()["meter"]:
        assert meter.get("property") is None or meter["property"] in sent[meter["event"]]
        assert set(meter.get("dimensions", ())) <= sent[meter["event"]]
    assert {entry["type"] for entry in model()["event_type"]} == sent.keys()


def test_inputs_of_a_driver_are_found_in_its_formula() -> None:
    assert driver_inputs("repeat_visits_avoided") == ("baseline_repeat_rate", "cost_per_repeat_visit")
    assert all(driver_inputs(entry["slug"]) for entry in model()["driver"])
    assert {slug for entry in model()["driver"] for slug in driver_inputs(entry["slug"])} == input_definitions().keys()


def test_the_text_is_the_file_with_releases_of_late(sample: SampleSupplier) -> None:
    told = tomllib.loads(sample.model_toml())
    releases = told.pop("release")
    assert told == model()
    assert max(one["day"] for one in releases) < sample.until.date()
    read = read_model(sample.model_toml(), "fieldnote.toml")
    assert len(read.releases) == len(releases)
    assert warnings_of(read, sample.model_toml(), "fieldnote.toml") == []


def test_hypotheses_are_whole_but_for_the_one_that_has_no_baseline() -> None:
    features = read_model(model_toml(), "fieldnote.toml").features
    lacking = {feature.slug: missing_parts(feature) for feature in features if missing_parts(feature)}
    assert lacking == {"arrival-tracking": (Part.BASELINE,)}
