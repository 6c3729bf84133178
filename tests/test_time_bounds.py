"""R7 in one zone; `python -m benchmarks.faults --only R7` takes twelve."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.time_bounds import changes_of_clocks, moments, tried
from tests.conftest import Databases
from valueplatform.commands.context import connect
from valueplatform.core.settings import Settings


async def test_events_at_the_bounds_of_time_count_where_they_belong_and_stories_restate(databases: Databases) -> None:
    connected = connect(Settings(None, Path()), databases.url)
    found = await tried(connected, ["Australia/Lord_Howe"])
    await connected.dispose()
    assert (found.wrong_verdicts, found.differences, found.untold) == (0, 0, 0)
    assert found.events > 300
    assert found.restated > 12
    assert min(found.control_verdicts, found.control_differences, found.control_untold) > 0


def test_a_change_of_clocks_is_found_to_the_second_with_what_it_repeats() -> None:
    lord_howe = list(changes_of_clocks(ZoneInfo("Australia/Lord_Howe")))
    assert len(lord_howe) == 4 * 5
    assert lord_howe[2] == datetime(2024, 10, 5, 15, 30, tzinfo=UTC)
    assert list(changes_of_clocks(ZoneInfo("Asia/Tokyo"))) == []


def test_moments_stand_on_both_sides_of_a_bound() -> None:
    midnight = datetime(2026, 2, 28, 13, tzinfo=UTC)
    around = {
        time - midnight for time in moments("Australia/Lord_Howe") if abs(time - midnight) <= timedelta(seconds=1)
    }
    assert {round(offset.total_seconds(), 6) for offset in around} == {-1, -0.000001, 0, 0.000001, 1}
