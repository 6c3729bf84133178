from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import Wave, account, driver, rows, steady
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.trend import MOST_WEEKS, trends
from valueplatform.value.derivation import Statistic

TODAY = date(2026, 8, 21)
TOMORROW = TODAY + timedelta(days=1)


def _told(facts: AccountFacts) -> dict[str, Insight]:
    return {i.subject: i for candidate in trends(facts) for i in candidate.insights}


def test_steady_growth_is_a_trend_with_its_slope_a_week() -> None:
    start = date(2026, 1, 5)
    daily = {start + timedelta(days=i): Decimal(100 + i) for i in range((TOMORROW - start).days)}
    found = _told(account(rows("a", daily), drivers=(driver("a"),)))["a"]
    assert found.number("slope").value == 49
    assert found.number("slope").unit == "USD/week"
    assert found.terms["direction"] == "up"


def test_at_most_half_a_year_is_looked_at() -> None:
    daily = rows("a", Wave(100, 0.01, date(2024, 1, 1)).days(date(2024, 1, 1), TOMORROW))
    slope = _told(account(daily, drivers=(driver("a"),)))["a"].number("slope").derivation
    assert isinstance(slope, Statistic)
    assert len(slope.values) == MOST_WEEKS


def test_seven_weeks_are_too_few() -> None:
    start = date(2026, 6, 29)
    daily = {start + timedelta(days=i): Decimal(100 + 10 * i) for i in range((TOMORROW - start).days)}
    assert list(trends(account(rows("a", daily), drivers=(driver("a"),)))) == []


def test_the_weekly_season_is_no_trend() -> None:
    assert _told(account(rows("a", Wave(500).days(date(2026, 1, 1), TOMORROW)), drivers=(driver("a"),))) == {}


def test_a_perfectly_flat_series_is_no_trend() -> None:
    assert _told(account(rows("a", steady(date(2026, 1, 1), TOMORROW, 5)), drivers=(driver("a"),))) == {}


def test_a_sure_trend_that_moves_little_is_not_told_and_still_counts_as_a_test() -> None:
    start = date(2026, 1, 5)
    daily = {start + timedelta(days=i): Decimal(100_000 + i) for i in range((TOMORROW - start).days)}
    found = list(trends(account(rows("a", daily), drivers=(driver("a"),))))
    assert [candidate.insights for candidate in found] == [()]


def test_the_id_stays_while_the_trend_goes_on() -> None:
    daily = rows("a", Wave(100, 0.01).days(date(2025, 9, 1), TOMORROW))
    now = _told(account(daily, drivers=(driver("a"),)))["a"]
    later = _told(account(daily, drivers=(driver("a"),), today=TODAY + timedelta(days=7)))["a"]
    assert now.period_from != later.period_from
    assert now.id("harbor") == later.id("harbor")
