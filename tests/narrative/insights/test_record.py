from datetime import date, timedelta

from tests.narrative.factories import Wave, account, driver, rows
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.record import records
from valueplatform.value.derivation import Tally
from valueplatform.value.states import State

JULY = date(2026, 7, 1)
TODAY = date(2026, 8, 6)
TOMORROW = TODAY + timedelta(days=1)


def _told(facts: AccountFacts) -> dict[str, Insight]:
    return {i.subject: i for candidate in records(facts) for i in candidate.insights}


def _best_july(start: date, factor: str = "1.4") -> list[dict[str, object]]:
    wave = Wave(1000)
    return rows("a", wave.days(start, JULY) | {d: v * type(v)(factor) for d, v in wave.days(JULY, TOMORROW).items()})


def test_a_clearly_best_month_is_a_record_and_counts_that_none_was_higher() -> None:
    found = _told(account(_best_july(date(2025, 11, 15)), drivers=(driver("a"),), today=TODAY))["a"]
    assert found.terms["month"] == "2026-07-01"
    higher = found.number("higher_months")
    assert higher.value == 0
    assert isinstance(higher.derivation, Tally)
    assert len(higher.derivation.items) == 7  # December to June: November was not whole


def test_five_earlier_months_are_too_few() -> None:
    assert list(records(account(_best_july(date(2026, 2, 1)), drivers=(driver("a"),), today=TODAY))) == []


def test_a_month_that_is_barely_best_is_no_record() -> None:
    assert _told(account(_best_july(date(2025, 11, 1), "1.04"), drivers=(driver("a"),), today=TODAY)) == {}


def test_a_month_made_by_one_wild_day_is_no_record() -> None:
    wave = Wave(1000).days(date(2025, 11, 1), TOMORROW)
    wave[date(2026, 7, 14)] *= 40
    assert _told(account(rows("a", wave), drivers=(driver("a"),), today=TODAY)) == {}


def test_what_began_to_count_only_lately_has_no_record() -> None:
    wave = Wave(1000)
    daily = [
        *rows("a", wave.days(date(2025, 11, 1), JULY), state=State.ESTIMATED),
        *rows("a", {d: v * 2 for d, v in wave.days(JULY, TOMORROW).items()}),
    ]
    assert _told(account(daily, drivers=(driver("a"),), today=TODAY)) == {}


def test_a_loss_that_is_smaller_than_ever_is_no_record() -> None:
    daily = rows("a", {d: -v for d, v in Wave(1000, -0.003).days(date(2025, 11, 1), TOMORROW).items()})
    assert _told(account(daily, drivers=(driver("a"),), today=TODAY)) == {}
