from tests.value.three_parties import THREE_PARTIES
from valueplatform.value.feeding import drivers_by_meter


def test_a_meter_feeds_the_drivers_whose_formula_names_it() -> None:
    fed = drivers_by_meter(THREE_PARTIES)
    assert fed["syncs"] == ["invoices_synced"]
    assert fed["etas"] == ["arrivals_told"]
    assert "per_sync" not in fed


def test_without_a_model_nothing_is_fed() -> None:
    assert not drivers_by_meter(None)
