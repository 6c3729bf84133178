"""The written cast on absolute days."""

from datetime import date, timedelta

from valueplatform.sample.cast import settle, written_cast
from valueplatform.sample.fieldnote import model
from valueplatform.sample.season import WEEK

TODAY = date(2026, 11, 22)


def test_thirty_six_accounts_are_written_and_each_has_its_own_key() -> None:
    keys = [spec.key for spec in written_cast()]
    assert len(keys) == len(set(keys)) == 36
    assert keys[0] == "harbor-logistics"


def test_what_the_cast_names_is_in_the_model() -> None:
    features = {entry["slug"] for entry in model()["feature"]}
    segments = {entry["slug"] for entry in model()["segment"]}
    drivers = {entry["slug"] for entry in model()["driver"]}
    assert segments == WEEK.keys()
    for spec in written_cast():
        assert spec.segment in segments
        assert spec.features.keys() <= features
        assert {episode.subject for episode in spec.episode} <= drivers
        assert set(spec.lagging) <= set(spec.teams)
        assert spec.objectives.keys() <= drivers


def test_who_went_live_before_the_sample_goes_live_in_its_first_days() -> None:
    for spec in written_cast():
        account = settle(spec, TODAY, 90)
        if account.live is not None:
            assert TODAY - timedelta(days=90) < account.live < TODAY
            assert all(account.live <= day <= TODAY for day in account.features.values())


def test_what_happened_before_the_first_day_is_left_out() -> None:
    northline = next(spec for spec in written_cast() if spec.key == "northline-elevators")
    assert [episode.kind for episode in settle(northline, TODAY, 548).episodes] == ["level_shift_down"]
    assert settle(northline, TODAY, 90).episodes == ()


def test_nobody_goes_live_on_a_day_off() -> None:
    for offset in range(7):
        for spec in written_cast():
            live = settle(spec, TODAY + timedelta(days=offset), 548).live
            assert live is None or live.weekday() < 5
