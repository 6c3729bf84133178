"""What reaches many accounts at once."""

from collections import defaultdict
from datetime import date, timedelta

import pytest

from valueplatform.sample.cast import written_cast
from valueplatform.sample.season import day_weight
from valueplatform.sample.shared import shared_episodes

SPECS = {spec.key: spec for spec in written_cast()}


@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2027, 3, 1), date(2028, 2, 29)])
def test_an_outage_falls_on_a_workday_in_its_part_of_the_world(today: date) -> None:
    regions: dict[int, set[str]] = defaultdict(set)
    for spec in SPECS.values():
        for episode in shared_episodes(spec, today, 548):
            if episode.quantity == "outage":
                assert (today - timedelta(days=episode.first)).weekday() < 5
                assert episode.first == episode.last
                regions[int(episode.factor)].add(spec.timezone.split("/")[0])
    assert regions == {170: {"America"}, 95: {"America"}, 140: {"Europe"}, 120: {"Asia", "Australia"}}


def test_the_launch_reaches_those_who_had_the_feature() -> None:
    def reached(key: str) -> bool:
        return any(e.kind == "product_launch" for e in shared_episodes(SPECS[key], date(2026, 11, 22), 548))

    assert reached("calder-water")
    assert not reached("kestrel-rail")
    assert not reached("redwood-property")


@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2027, 3, 1), date(2027, 1, 31)])
def test_the_record_month_is_busier_than_any_before(today: date) -> None:
    spec = SPECS["aster-medical"]
    surge = next(e for e in shared_episodes(spec, today, 548) if e.kind == "surge")
    first, last = today - timedelta(days=surge.first), today - timedelta(days=surge.last)
    assert first.day == 1
    assert (last + timedelta(days=1)).day == 1
    totals: dict[date, float] = defaultdict(float)
    for back in range(surge.last, 500):
        day = today - timedelta(days=back)
        totals[day.replace(day=1)] += day_weight(spec.segment, day, spec.timezone)
    assert totals.pop(first) * surge.factor > 1.05 * max(totals.values())


def test_nobody_who_is_not_live_is_reached() -> None:
    assert shared_episodes(SPECS["lakeshore-hvac"], date(2026, 11, 22), 548) == ()
