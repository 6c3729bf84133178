from datetime import date, timedelta

from tests.narrative.factories import Wave, account, driver, rows
from valueplatform.narrative.facts import AccountFacts, Adjustment
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights import discover
from valueplatform.narrative.insights.change import changes
from valueplatform.value.states import State

START = date(2026, 3, 1)
JULY = date(2026, 7, 1)
TODAY = date(2026, 8, 6)


def _slump(slug: str, factor: str = "0.5", level: float = 1000) -> list[dict[str, object]]:
    """Steady until July, then less."""
    end = TODAY + timedelta(days=1)
    return rows(
        slug, Wave(level).days(START, JULY) | {d: v * type(v)(factor) for d, v in Wave(level).days(JULY, end).items()}
    )


def _told(facts: AccountFacts, kind: str = "period-over-period") -> dict[str, Insight]:
    return {i.subject: i for c in changes(facts) for i in c.insights if i.kind == kind}


def test_a_slump_is_told_for_the_last_full_month() -> None:
    found = _told(account(_slump("a"), drivers=(driver("a"),), today=TODAY))["a"]
    assert (found.terms["direction"], found.terms["month"]) == ("down", "2026-07-01")
    assert found.number("change").value == found.number("current").value - found.number("previous").value
    assert found.strength is Strength.STRONG
    assert found.favorable is False


def test_a_month_that_only_its_holidays_made_smaller_is_no_change() -> None:
    rest = {JULY + timedelta(days=i) for i in range(2, 25)}
    daily = Wave(1000).days(START, TODAY + timedelta(days=1))
    closed = rows("a", {d: v / 20 if d in rest else v for d, v in daily.items()})
    asked = {"drivers": (driver("a"),), "today": TODAY}
    assert "a" in _told(account(closed, **asked))
    assert _told(account(closed, at_rest=frozenset(rest), **asked)) == {}


def test_ordinary_noise_is_no_change() -> None:
    daily = rows("a", Wave(1000).days(START, TODAY + timedelta(days=1)))
    assert _told(account(daily, drivers=(driver("a"),), today=TODAY)) == {}


def test_a_certain_change_of_less_than_five_percent_is_not_worth_telling() -> None:
    found = list(changes(account(_slump("a", "0.97"), drivers=(driver("a"),), today=TODAY)))
    assert [c.insights for c in found] == [()]


def test_a_change_of_state_does_not_look_like_a_change_of_value() -> None:
    wave = Wave(1000)
    daily = [
        *rows("a", wave.days(START, JULY), state=State.ESTIMATED),
        *rows("a", wave.days(JULY, TODAY + timedelta(days=1))),
    ]
    assert _told(account(daily, drivers=(driver("a"),), today=TODAY)) == {}


def test_a_month_that_shows_an_adjustment_is_not_compared() -> None:
    late = (Adjustment("a", date(2026, 3, 1), date(2026, 7, 15), JULY.day * type(Wave(1).on(JULY))(1), "events"),)
    assert _told(account(_slump("a"), drivers=(driver("a"),), adjustments=late, today=TODAY)) == {}


def test_a_driver_that_began_in_the_month_before_is_not_compared() -> None:
    daily = rows("a", Wave(1000).days(date(2026, 6, 20), TODAY))
    assert _told(account(daily, drivers=(driver("a"),), today=TODAY)) == {}


def test_the_drivers_behind_a_change_of_the_total_are_named_largest_first() -> None:
    steady = rows("b", Wave(400).days(START, TODAY + timedelta(days=1)))
    facts = account(
        [*_slump("a"), *_slump("c", "1.6", 300), *steady], drivers=(driver("a"), driver("b"), driver("c")), today=TODAY
    )
    found = _told(facts, "change-contributors")["account"]
    assert [found.terms["first_name"], found.terms["second_name"]] == ["A", "C"]
    assert found.number("first").value < 0 < found.number("second").value
    assert found.favorable is False


def test_the_meter_that_moved_with_the_driver_is_told_as_the_cause() -> None:
    end = TODAY + timedelta(days=1)
    jobs = Wave(90).days(START, JULY) | {d: v / 2 for d, v in Wave(90).days(JULY, end).items()}
    facts = account(
        _slump("a"),
        drivers=(driver("a", meters=("jobs",)),),
        meters=[("jobs", day, value) for day, value in jobs.items()],
        meter_titles={"jobs": "Jobs"},
        today=TODAY,
    )
    found = _told(facts)["a"]
    assert (found.terms["cause"], found.terms["volume_name"]) == ("volume", "Jobs")
    assert found.number("volume").value < found.number("volume_before").value


def test_a_meter_that_did_not_move_is_no_cause() -> None:
    facts = account(
        _slump("a"),
        drivers=(driver("a", meters=("jobs",)),),
        meters=[("jobs", d, v) for d, v in Wave(90).days(START, TODAY).items()],
        meter_titles={"jobs": "Jobs"},
        today=TODAY,
    )
    assert _told(facts)["a"].terms["cause"] == "none"


def test_the_running_month_is_compared_with_the_same_days_after_ten_of_them() -> None:
    august = date(2026, 8, 1)
    wave = Wave(1000)
    values = wave.days(START, august) | {d: v / 3 for d, v in wave.days(august, date(2026, 8, 22)).items()}
    facts = account(rows("a", values), drivers=(driver("a"),), today=date(2026, 8, 21))
    found = _told(facts, "month-so-far")["a"]
    assert found.period_to == date(2026, 8, 21)
    early = account(rows("a", values), drivers=(driver("a"),), today=date(2026, 8, 9))
    assert _told(early, "month-so-far") == {}


def test_only_what_holds_among_all_tests_is_discovered() -> None:
    facts = account(_slump("a"), drivers=(driver("a"),), today=TODAY)
    assert "period-over-period" in {insight.kind for insight in discover(facts)}
