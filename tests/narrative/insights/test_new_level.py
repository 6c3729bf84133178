import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from tests.narrative.factories import TODAY, account, driver, record_of, rows
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Adjustment, Doubt
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights import discover
from valueplatform.narrative.insights.new_level import LEAST_DAYS, new_levels
from valueplatform.narrative.wording import render

START = TODAY - timedelta(days=330)
SEASON = (1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.2)
SHIFT = TODAY - timedelta(days=40)


def _days(
    seed: int, factors: Mapping[date, float], start: date = START, level: float = 1000, spread: float = 0.1
) -> dict[date, Decimal]:
    """Noise of `spread` with a weekly season; from each day on its factor holds."""
    rng = random.Random(seed)
    found = {}
    for i in range((TODAY - start).days + 1):
        day = start + timedelta(days=i)
        factor = next((f for since, f in sorted(factors.items(), reverse=True) if since <= day), 1.0)
        found[day] = Decimal(str(round(level * factor * SEASON[day.weekday()] * rng.gauss(1, spread), 2)))
    return found


def _facts(days: Mapping[date, Decimal], **given: object) -> AccountFacts:
    options: dict[str, object] = {"drivers": (driver("a", "Dispatch hours saved"),)}
    return account(rows("a", days), **(options | given))


def _told(facts: AccountFacts) -> list[Insight]:
    return [insight for insight in discover(facts) if insight.kind == "change-point"]


def test_a_level_that_fell_is_told_from_its_day_with_exact_amounts_a_day() -> None:
    days = _days(1, {SHIFT: 0.6})
    (found,) = _told(_facts(days))
    since = date.fromisoformat(found.terms["since_day"])
    assert abs((since - SHIFT).days) <= 1
    assert found.period_to - found.period_from == timedelta(days=28), "the longest planned look that has passed"
    after = sum(days[since + timedelta(days=i)] for i in range(28)) / 28
    before = sum(days[since - timedelta(days=i + 1)] for i in range(56)) / 56
    assert found.number("after").value == round(after, 4)
    assert found.number("before").value == round(before, 4)
    assert found.number("change").value == found.number("after").value - found.number("before").value
    assert (found.terms["direction"], found.favorable) == ("down", False)


def test_it_reads_as_what_it_is_now_against_what_it_was() -> None:
    facts = _facts(_days(1, {SHIFT: 0.6}))
    found = _told(facts)
    ((admitted,), refused) = admit(found, rederive_from(record_of(facts), found))
    assert refused == []
    text = "".join(span.text for span in render(admitted, Audience.CUSTOMER).spans)
    assert text.startswith("Dispatch hours saved fell to a new level on 11 Jul 2026: ")
    assert text.endswith(" a\N{NO-BREAK SPACE}day before.")


def test_a_summer_that_comes_every_year_is_no_new_level() -> None:
    first = TODAY - timedelta(days=760)
    winter = SHIFT - timedelta(days=364 - 95)
    every_year = {SHIFT: 0.6, winter: 1.0, SHIFT - timedelta(days=364): 0.6}
    assert _told(_facts(_days(1, every_year, first))) == []
    assert len(_told(_facts(_days(1, {SHIFT: 0.6}, first)))) == 1, "last year there was none"
    assert len(_told(_facts(_days(1, every_year | {SHIFT: 0.3}, first)))) == 1, "this year it is deeper"


def test_a_level_that_came_back_is_withdrawn() -> None:
    back = SHIFT + timedelta(days=21)
    assert _told(_facts(_days(1, {SHIFT: 0.6, back: 1.0}))) == []


def test_a_level_that_the_last_two_weeks_left_again_is_told_no_more() -> None:
    back = TODAY - timedelta(days=14)
    days = _days(1, {TODAY - timedelta(days=75): 0.6, back: 1.0})
    assert _told(_facts(days)) == []


def test_of_two_shifts_the_newest_is_told() -> None:
    first = TODAY - timedelta(days=100)
    (found,) = _told(_facts(_days(2, {first: 1.6, SHIFT: 0.7})))
    assert abs((date.fromisoformat(found.terms["since_day"]) - SHIFT).days) <= 1


@pytest.mark.parametrize("seed", range(12))
def test_noise_has_no_new_level(seed: int) -> None:
    assert _told(_facts(_days(seed, {}))) == []


def test_a_shift_of_less_than_a_tenth_is_not_worth_telling() -> None:
    exact = {START + timedelta(days=i): Decimal(1000 + i % 5) for i in range((TODAY - START).days + 1)}
    shifted = {day: value * (Decimal("1.08") if day >= SHIFT else 1) for day, value in exact.items()}
    (candidate,) = new_levels(_facts(shifted))
    assert candidate.insights == ()
    assert candidate.p_value < 0.01


def test_a_driver_that_stopped_is_not_told_of_a_new_level_of_nothing() -> None:
    days = {day: value for day, value in _days(1, {}).items() if day < SHIFT}
    assert _told(_facts(days)) == []


def test_days_that_an_outage_took_are_no_new_level() -> None:
    out = {SHIFT + timedelta(days=i) for i in range(35)}
    days = {day: value for day, value in _days(1, {}).items() if day not in out}
    assert _told(_facts(days)) == []


def test_days_of_a_source_in_doubt_are_no_new_level() -> None:
    facts = _facts(_days(1, {SHIFT: 0.5}))
    assert len(_told(facts)) == 1
    doubt = Doubt("app", is_silent=False, since=SHIFT, through=TODAY, drivers=("a",))
    assert _told(_facts(_days(1, {SHIFT: 0.5}), doubts=(doubt,))) == []


def test_what_adjustments_showed_on_a_day_is_left_out_of_both_levels() -> None:
    late = SHIFT + timedelta(days=5)
    days = _days(1, {SHIFT: 0.6})
    plain = _told(_facts(days))[0]
    shown = days | {late: days[late] + 90000}
    adjusted = Adjustment("a", date(2026, 3, 1), late, Decimal(90000), "late-events")
    (found,) = _told(_facts(shown, adjustments=(adjusted,)))
    assert abs(found.number("after").value - plain.number("after").value) < 30


def test_less_than_two_hundred_days_are_too_few() -> None:
    short = TODAY - timedelta(days=LEAST_DAYS - 1)
    assert list(new_levels(_facts(_days(1, {SHIFT: 0.6}, short)))) == []
    assert len(list(new_levels(_facts(_days(1, {SHIFT: 0.6}, short - timedelta(days=1)))))) == 1


def test_a_series_without_a_shift_is_one_more_test() -> None:
    (candidate,) = new_levels(_facts(_days(3, {})))
    assert (candidate.insights, candidate.p_value) == ((), 1.0)


def test_the_total_is_told_only_where_no_driver_says_it() -> None:
    drivers = (driver("a"), driver("b"))
    one = [*rows("a", _days(1, {SHIFT: 0.4}, level=5000)), *rows("b", _days(2, {}, level=100))]
    assert [i.subject for i in _told(account(one, drivers=drivers))] == ["a"]


def test_the_meter_that_moved_with_it_is_told_beside_it() -> None:
    days = _days(1, {SHIFT: 0.6})
    meters = [("visits", day, value / 10) for day, value in days.items()]
    own = (driver("a", meters=("visits",)),)
    (found,) = _told(_facts(days, drivers=own, meters=meters, meter_titles={"visits": "Visits"}))
    assert found.terms["cause"] == "volume"
    assert found.number("volume").value < found.number("volume_before").value
    still = [("visits", day, Decimal(100)) for day in days]
    (found,) = _told(_facts(days, drivers=own, meters=still, meter_titles={"visits": "Visits"}))
    assert found.terms["cause"] == "none"


def test_a_level_of_other_days_or_of_another_record_is_refused() -> None:
    facts = _facts(_days(1, {SHIFT: 0.6}))
    (found,) = _told(facts)
    later = date.fromisoformat(found.terms["since_day"]) - timedelta(days=56)
    moved = msgspec.structs.replace(found, terms=found.terms | {"since_day": later.isoformat()})
    other = record_of(_facts(_days(4, {SHIFT: 0.6})))
    assert admit([moved], rederive_from(record_of(facts), [moved]))[0] == []
    assert admit([found], rederive_from(other, [found]))[0] == []
