"""What a use of a feature is: one of its hypothesis's meter, where that is a quantity."""

from typing import Any

import msgspec
import pytest

from tests.value.test_feature_worth_read import MODEL
from valueplatform.value.feature_measure import measure_of, metered
from valueplatform.value.model import Feature, ValueModel


def feature(slug: str = "reports", **fields: Any) -> Feature:
    (own,) = [one for one in MODEL.features if one.slug == slug]
    return msgspec.structs.replace(own, **fields)


def serving(*features: str) -> ValueModel:
    """The model with drivers that these features alone serve."""
    return msgspec.structs.replace(
        MODEL, drivers=tuple(msgspec.structs.replace(one, features=features) for one in MODEL.drivers)
    )


def test_of_a_shared_driver_it_is_what_carries_the_feature() -> None:
    measure = measure_of(MODEL, feature())
    assert (measure.meter, measure.carried) == ("visits", True)
    assert measure.says == (
        "By the meter that its hypothesis names, as far as its readings carry this feature: Visits."
    )
    found = metered(MODEL, measure)
    assert found is not None
    assert (found[0].slug, found[1]) == ("visits", 2)


def test_of_a_driver_of_its_own_it_is_all_that_the_meter_counts() -> None:
    model = serving("reports")
    measure = measure_of(model, feature())
    assert (measure.meter, measure.carried) == ("visits", False)
    assert measure.says == "By the meter that its hypothesis names: Visits."
    found = metered(model, measure)
    assert found is not None
    assert found[1] == 0


def test_a_meter_without_the_dimension_counts_whole_though_the_driver_is_shared() -> None:
    measure = measure_of(MODEL, feature(meter="won"))
    assert (measure.meter, measure.carried) == ("won", False)


@pytest.mark.parametrize(
    ("meter", "why"), [(None, "names no meter"), ("teams", "do not add up (UNIQUE_COUNT)"), ("gone", "names no meter")]
)
def test_otherwise_it_is_an_event_and_why_is_said(meter: str | None, why: str) -> None:
    measure = measure_of(MODEL, feature(meter=meter))
    assert (measure.meter, measure.unit, measure.carried) == (None, "event", False)
    assert why in measure.says
    assert metered(MODEL, measure) is None
