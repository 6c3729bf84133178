import tomllib
from datetime import date

import msgspec
from hypothesis import given

from tests.value.model_strategies import FIXED, MODELS
from valueplatform.value.model import Feature, Release, SegmentRate, ValueModel
from valueplatform.value.model_export import export_model
from valueplatform.value.model_file import read_model


@given(MODELS)
def test_an_exported_model_is_read_back_as_the_same_model(model: ValueModel) -> None:
    assert read_model(export_model(model), "model.toml") == model


def test_the_file_speaks_in_the_contract_s_keys() -> None:
    plain = tomllib.loads(export_model(FIXED))
    assert plain["supplier"] == {"name": "Fieldnote", "currency": "USD", "timezone": "America/New_York"}
    assert plain["meter"][1]["event"] == "job.dispatched"
    assert plain["baseline"][0]["default"] == {"low": "11", "expected": "14", "high": "16"}
    assert plain["assumption"][0]["segment"]["large"] == {"low": "60", "expected": "60", "high": "60"}
    assert plain["driver"][0]["evidence"] == "vendor-estimate"


def test_versions_belong_to_the_installation_and_are_not_exported() -> None:
    revised = msgspec.structs.replace(FIXED.drivers[0], version=7)
    assert read_model(export_model(msgspec.structs.replace(FIXED, drivers=(revised,))), "x") == FIXED


def test_names_of_segments_need_no_care() -> None:
    odd = SegmentRate('mid "market" & co.', FIXED.assumptions[0].segments[0].value)
    assumption = msgspec.structs.replace(FIXED.assumptions[0], segments=(odd,))
    model = msgspec.structs.replace(FIXED, assumptions=(assumption,))
    assert read_model(export_model(model), "x") == model


def test_a_whole_hypothesis_and_a_release_are_read_back() -> None:
    driver = msgspec.structs.replace(FIXED.drivers[0], features=("f",))
    feature = Feature(
        slug="f", event_types=("job",), hypothesis="Less to do", driver="time", meter="jobs", baseline="before"
    )
    release = Release(slug="two", title="Two", day=date(2026, 6, 1), features=("f",))
    model = msgspec.structs.replace(FIXED, drivers=(driver,), features=(feature,), releases=(release,))
    assert read_model(export_model(model), "x") == model
    assert tomllib.loads(export_model(model))["release"][0] == {
        "slug": "two",
        "title": "Two",
        "day": date(2026, 6, 1),
        "feature": "f",
    }
