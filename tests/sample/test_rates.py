"""What a day may be expected to bring, and what features and episodes do to it."""

from datetime import date, timedelta

import msgspec
import pytest

from valueplatform.sample.cast import Account, Episode, settle, written_cast
from valueplatform.sample.inputs import expected_inputs
from valueplatform.sample.rates import AccountDay, Expectation

TODAY = date(2026, 11, 22)
TUESDAY = date(2026, 11, 17)
SPECS = {spec.key: spec for spec in written_cast()}


def account(key: str) -> Account:
    return settle(SPECS[key], TODAY, 548)


def on(found: Account, day: date, *extra: str) -> AccountDay:
    expected = Expectation(found, expected_inputs(found, 7), frozenset(extra)).on(day)
    assert expected is not None
    return expected


def repeat_rate(day: AccountDay) -> float:
    return sum(team.visits * team.repeat_rate for team in day.teams) / day.visits


def test_nothing_is_expected_before_go_live_on_days_off_and_in_a_silence() -> None:
    summit, mueller = account("summit-facilities"), account("mueller-aufzuege")
    assert summit.live is not None
    expectation = Expectation(summit, expected_inputs(summit, 7))
    assert expectation.on(summit.live - timedelta(days=1)) is None
    assert expectation.on(date(2026, 11, 21)) is None
    assert Expectation(mueller, expected_inputs(mueller, 7)).on(mueller.silent[0].first) is None


def test_checklists_and_parts_check_help_each_other_where_equipment_is_complex() -> None:
    bare = account("cascade-elevator")
    bare = msgspec.structs.replace(bare, features={"auto-dispatch": bare.live, "job-reports": bare.live})
    none, checklists = repeat_rate(on(bare, TUESDAY)), repeat_rate(on(bare, TUESDAY, "guided-checklists"))
    parts, both = (
        repeat_rate(on(bare, TUESDAY, "parts-check")),
        repeat_rate(on(bare, TUESDAY, "guided-checklists", "parts-check")),
    )
    assert both < checklists < parts < none
    assert none - both > 1.3 * ((none - checklists) + (none - parts))


def test_in_simple_trades_the_two_only_add_up() -> None:
    bare = account("quayside-freight")
    bare = msgspec.structs.replace(bare, features={"auto-dispatch": bare.live, "job-reports": bare.live})
    none = repeat_rate(on(bare, TUESDAY))
    alone = sum(none - repeat_rate(on(bare, TUESDAY, f)) for f in ("guided-checklists", "parts-check"))
    assert none - repeat_rate(on(bare, TUESDAY, "guided-checklists", "parts-check")) == pytest.approx(alone)


def test_teams_without_checklists_are_sent_back_more_often_than_before() -> None:
    harbor = account("harbor-logistics")
    baseline = expected_inputs(harbor, 7)["baseline_repeat_rate"]
    rates = {team.team: team.repeat_rate for team in on(harbor, TUESDAY).teams}
    assert rates["Savannah"] == rates["Tacoma"] == rates["Mobile"] > baseline
    assert rates["Reno"] < rates["Dallas"] == rates["Newark"] < baseline


def test_a_team_that_opens_adds_jobs_and_takes_none_from_the_others() -> None:
    harbor = account("harbor-logistics")
    opened = harbor.opened["Reno"]
    before, after = on(harbor, opened - timedelta(days=7)), on(harbor, opened + timedelta(days=7))
    assert "Reno" not in {team.team for team in before.teams}
    newark = [next(t.jobs for t in day.teams if t.team == "Newark") for day in (before, after)]
    assert newark[1] == pytest.approx(newark[0], rel=0.03)


def test_an_episode_multiplies_its_quantity_on_its_days_alone() -> None:
    plain = msgspec.structs.replace(account("tidewater-terminals"), episodes=())
    halved = Episode("slump", "dispatch_time", "jobs", TUESDAY, TUESDAY, 0.5, "")
    hurt = msgspec.structs.replace(plain, episodes=(halved,))
    assert on(hurt, TUESDAY).visits == pytest.approx(on(plain, TUESDAY).visits / 2)
    assert on(hurt, TUESDAY + timedelta(days=1)) == on(plain, TUESDAY + timedelta(days=1))


def test_dispatching_gets_faster_with_practice() -> None:
    calder = account("calder-water")
    assert calder.live is not None
    first, now = on(calder, calder.live), on(calder, TUESDAY)
    assert first.teams[0].minutes > 9
    assert now.teams[0].minutes < 5.5
