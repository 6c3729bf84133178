"""Accounts beyond the written ones."""

from zoneinfo import ZoneInfo

from valueplatform.sample.fieldnote import model
from valueplatform.sample.invented import invented


def test_the_same_number_and_seed_give_the_same_account() -> None:
    assert invented(40, 7) == invented(40, 7)
    assert invented(40, 7) != invented(40, 8)


def test_keys_never_repeat() -> None:
    assert len({invented(number, 7).key for number in range(36, 536)}) == 500


def test_features_are_offered_to_the_segment_and_taken_after_go_live() -> None:
    features = {entry["slug"]: entry for entry in model()["feature"]}
    for number in range(36, 236):
        spec = invented(number, 7)
        ZoneInfo(spec.timezone)
        assert spec.live is not None
        for feature, back in spec.features.items():
            assert spec.segment in features[feature].get("eligible_segments", (spec.segment,))
            assert back <= spec.live
        assert "erp-connector" not in spec.features or "same-day-invoicing" in spec.features
        assert {"sponsor", "validator"} <= {person.role for person in spec.people}
