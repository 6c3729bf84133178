from datetime import date

from tests.narrative.factories import TODAY, account, contract, driver, harbor, rows, steady, targets
from valueplatform.core.periods import Period
from valueplatform.narrative.series import series

START = date(2025, 9, 1)
PERIOD = Period(START, date(2026, 8, 22))


def test_the_course_begins_at_nothing_and_reaches_what_the_headline_says() -> None:
    facts = harbor()
    points = series(facts, PERIOD, ("dispatch_time", "invoicing", "penalties", "repeat_visits"), counted=True)
    assert (points[0].end, str(points[0].realized)) == (date(2025, 8, 31), "0")
    now = next(point for point in points if point.end == TODAY)
    assert str(now.realized) == "1660502.0135"
    assert str(now.expected) == "1878896.7742"


def test_nothing_is_realized_after_today_and_the_commitment_goes_on() -> None:
    points = series(harbor(), PERIOD, ("dispatch_time",), counted=True)
    ahead = [point for point in points if point.end > TODAY]
    assert ahead
    assert all(point.realized is None and point.expected is not None for point in ahead)


def test_the_commitment_never_reaches_past_the_story() -> None:
    plan = tuple(targets("o", "a", START, date(2028, 1, 1), 100))
    facts = account(drivers=(driver("a"),), targets=plan, contracts=(contract(START, None, 1),))
    assert max(point.end for point in series(facts, PERIOD, ("a",), counted=True)) == date(2026, 8, 31)


def test_without_a_plan_there_is_only_what_happened() -> None:
    facts = account(rows("a", steady(date(2026, 7, 30), date(2026, 8, 22), 10)), drivers=(driver("a"),))
    points = series(facts, Period(date(2026, 7, 30), date(2026, 8, 22)), (), counted=True)
    assert [(str(p.end), str(p.realized), p.expected) for p in points] == [
        ("2026-07-29", "0", None),
        ("2026-07-31", "20.0000", None),
        ("2026-08-21", "230.0000", None),
    ]
