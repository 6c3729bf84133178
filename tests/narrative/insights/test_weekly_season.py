import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import msgspec
import pytest

from tests.narrative.factories import TODAY, account, driver, record_of, rows
from tests.narrative.insights.test_new_level import START, _days
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insights.weekly_season import weekly_seasons
from valueplatform.narrative.wording import english


def _facts(*days: Mapping[date, Decimal], **given: object) -> AccountFacts:
    slugs = [f"d{i}" for i in range(len(days))]
    daily = [row for slug, own in zip(slugs, days, strict=True) for row in rows(slug, own)]
    return account(daily, drivers=tuple(driver(slug, f"Driver of {slug}") for slug in slugs), **given)


def _flat(seed: int) -> dict[date, Decimal]:
    rng = random.Random(seed)
    return {
        START + timedelta(days=i): Decimal(round(rng.gauss(1000, 200), 2)).quantize(Decimal("0.01")) for i in range(331)
    }


def test_the_best_and_the_least_day_of_the_week_are_told_with_what_is_usual_on_them() -> None:
    days = _days(1, {})
    facts = _facts(days)
    (found,) = weekly_seasons(facts)
    assert (found.terms["high_weekday"], found.terms["low_weekday"]) == ("1", "6")
    tuesdays = [day for day in sorted(days) if day.weekday() == 1 and day < TODAY][-8:]
    assert found.number("high").value == median(days[day] for day in tuesdays)
    ((admitted,), refused) = admit([found], rederive_from(record_of(facts), [found]))
    assert refused == []
    text = "".join(span.text for span in english().note(admitted, Audience.CUSTOMER, "context").spans)
    assert text.startswith("For driver of d0, a usual Tuesday brings $1.")
    assert ", a usual Sunday $199. " in text


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_no_weekly_season(seed: int) -> None:
    assert weekly_seasons(_facts(_flat(seed))) == []


def test_it_is_told_once_of_the_total() -> None:
    assert [i.subject for i in weekly_seasons(_facts(_days(1, {}), _days(2, {})))] == ["account"]


def test_where_the_total_has_none_the_driver_that_has_one_is_told() -> None:
    small = {day: value / 50 for day, value in _days(1, {}).items()}
    assert [i.subject for i in weekly_seasons(_facts(_flat(1), small))] == ["d1"]


def test_seven_weeks_are_too_few() -> None:
    young = {day: value for day, value in _days(1, {}).items() if day >= TODAY - timedelta(days=49)}
    assert weekly_seasons(_facts(young)) == []


def test_days_of_another_name_are_refused() -> None:
    facts = _facts(_days(1, {}))
    (found,) = weekly_seasons(facts)
    wrong = msgspec.structs.replace(found, terms=found.terms | {"high_weekday": "6"})
    assert admit([wrong], rederive_from(record_of(facts), [wrong]))[0] == []
