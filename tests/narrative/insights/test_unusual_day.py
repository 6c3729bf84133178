from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import msgspec
import pytest

from tests.narrative.factories import TODAY, account, driver, record_of, rows
from tests.narrative.insights.test_new_level import START, _days
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Adjustment, Doubt
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights import discover
from valueplatform.narrative.insights.unusual_day import unusual_values
from valueplatform.narrative.wording import render

TUESDAY = date(2026, 8, 18)


def _facts(days: Mapping[date, Decimal], **given: object) -> AccountFacts:
    options: dict[str, object] = {"drivers": (driver("a", "Dispatch hours saved"),)}
    return account(rows("a", days), **(options | given))


def _with(value: str, day: date = TUESDAY, seed: int = 1) -> dict[date, Decimal]:
    return _days(seed, {}) | {day: Decimal(value)}


def _told(facts: AccountFacts) -> list[Insight]:
    return [insight for insight in discover(facts) if insight.kind == "unusual-day"]


def test_a_day_far_above_its_weekday_is_told_with_what_is_usual() -> None:
    days = _with("6000")
    facts = _facts(days)
    (found,) = _told(facts)
    usual = median(days[TUESDAY - timedelta(weeks=i)] for i in range(1, 9))
    assert found.number("brought").value == 6000
    assert found.number("usual").value == usual
    assert (found.period_from, found.terms["weekday"]) == (TUESDAY, "1")
    ((admitted,), refused) = admit([found], rederive_from(record_of(facts), [found]))
    assert refused == []
    text = "".join(span.text for span in render(admitted, Audience.CUSTOMER).spans)
    assert text.startswith("On 18 Aug 2026, dispatch hours saved came to $6.00K; $1.")
    assert text.endswith("is usual for a Tuesday.")


def test_a_day_far_below_is_told_as_bad_news() -> None:
    (found,) = _told(_facts(_days(1, {}, spread=0.03) | {TUESDAY: Decimal(60)}))
    assert (found.terms["direction"], found.favorable) == ("down", False)


def test_a_day_at_rest_around_a_holiday_is_not_unusual_and_hides_no_other() -> None:
    steady = _days(1, {}, spread=0.03)
    holidays = {TUESDAY - timedelta(days=7 * n): Decimal(60) for n in range(0, 40, 5)}
    assert _told(_facts(steady | holidays, at_rest=frozenset(holidays))) == []
    outage = TUESDAY + timedelta(days=1)
    (found,) = _told(_facts(steady | holidays | {outage: Decimal(60)}, at_rest=frozenset(holidays)))
    assert found.terms["unusual_day"] == outage.isoformat()


@pytest.mark.parametrize("seed", range(12))
def test_noise_has_no_unusual_day(seed: int) -> None:
    assert _told(_facts(_days(seed, {}))) == []


def test_what_is_usual_on_a_weekday_is_not_unusual_on_a_sunday() -> None:
    sunday = date(2026, 8, 16)
    assert len(_told(_facts(_with("1100", sunday)))) == 1
    assert _told(_facts(_with("1100", TUESDAY))) == []


def test_a_day_of_the_week_before_is_no_news_any_more() -> None:
    assert _told(_facts(_with("6000", TODAY - timedelta(days=7)))) != []
    assert _told(_facts(_with("6000", TODAY - timedelta(days=8)))) == []


def test_the_day_that_is_running_is_not_judged() -> None:
    assert _told(_facts(_with("0", TODAY))) == []


def test_what_adjustments_or_a_source_in_doubt_made_of_a_day_is_not_unusual() -> None:
    late = Adjustment("a", date(2026, 3, 1), TUESDAY, Decimal(5000), "late-events")
    assert _told(_facts(_with("6000"), adjustments=(late,))) == []
    doubt = Doubt("app", is_silent=False, since=TUESDAY, through=TUESDAY, drivers=("a",))
    assert _told(_facts(_with("60"), doubts=(doubt,))) == []


def test_a_hundred_days_are_too_few() -> None:
    young = {day: value for day, value in _with("6000").items() if day >= TODAY - timedelta(days=100)}
    assert list(unusual_values(_facts(young))) == []


def test_the_total_is_told_only_where_no_driver_says_it() -> None:
    quiet = {START + timedelta(days=i): Decimal(20 + i % 3) for i in range((TODAY - START).days + 1)}
    both = [*rows("a", _with("9000")), *rows("b", quiet)]
    assert [i.subject for i in _told(account(both, drivers=(driver("a"), driver("b"))))] == ["a"]


def test_another_weekday_or_record_is_refused() -> None:
    facts = _facts(_with("6000"))
    (found,) = _told(facts)
    other = record_of(_facts(_with("6100")))
    named = msgspec.structs.replace(found, terms=found.terms | {"weekday": "2"})
    assert admit([named], rederive_from(record_of(facts), [named]))[0] == []
    assert admit([found], rederive_from(other, [found]))[0] == []
