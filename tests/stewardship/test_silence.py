"""Accounts whose events have stopped, or never came."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.narrative.factories import account, contract
from tests.stewardship.situations import START, TODAY, plain
from valueplatform.narrative.facts import AccountFacts
from valueplatform.stewardship.silence import EVENTS_STOPPED, NO_EVENTS_YET, pulse, silence


def with_days(days: Iterable[date]) -> AccountFacts:
    return account(meters=[("jobs", day, Decimal(1)) for day in days])


def every(step: int, until: date, count: int) -> list[date]:
    """`count` days, `step` apart, the last of them `until`."""
    return [until - timedelta(days=step * place) for place in range(count)]


def test_an_account_without_anything_is_not_said_to_be_silent() -> None:
    assert silence(account()) == []


def test_a_prospect_is_not_silent_either() -> None:
    assert silence(account(contracts=(contract(TODAY + timedelta(days=5), None, 100),))) == []


@pytest.mark.parametrize(("days", "told"), [(13, 0), (14, 1)])
def test_no_event_since_the_contract_began_is_told_after_two_weeks(days: int, told: int) -> None:
    facts = account(contracts=(contract(TODAY - timedelta(days=days), None, 36500),))
    assert [insight.kind for insight in silence(facts)] == [NO_EVENTS_YET] * told


def test_at_stake_without_any_event_is_what_has_been_paid() -> None:
    (insight,) = silence(account(contracts=(contract(TODAY - timedelta(days=19), None, 36500),)))
    assert insight.number("paid").value == Decimal(2000)


@pytest.mark.parametrize(("pause", "told"), [(7, 0), (8, 1)])
def test_a_daily_sender_is_silent_after_more_than_a_week(pause: int, told: int) -> None:
    facts = with_days(every(1, TODAY - timedelta(days=pause + 1), 60))
    assert len(silence(facts)) == told


@pytest.mark.parametrize(("pause", "told"), [(26, 0), (27, 1)])
def test_who_sends_every_two_weeks_is_silent_after_twice_that(pause: int, told: int) -> None:
    facts = with_days(every(14, TODAY - timedelta(days=pause + 1), 20))
    assert len(silence(facts)) == told


@pytest.mark.parametrize(("pause", "told"), [(14, 0), (15, 1)])
def test_an_account_whose_rhythm_is_not_known_yet_has_two_weeks(pause: int, told: int) -> None:
    facts = with_days(every(1, TODAY - timedelta(days=pause + 1), 3))
    assert len(silence(facts)) == told


def test_days_to_come_are_no_events_that_have_come() -> None:
    facts = with_days([*every(1, TODAY - timedelta(days=20), 60), TODAY + timedelta(days=1)])
    assert pulse(facts).days[-1] == TODAY - timedelta(days=20)
    assert [insight.kind for insight in silence(facts)] == [EVENTS_STOPPED]


def test_at_stake_is_what_the_28_days_to_the_last_event_brought() -> None:
    last = TODAY - timedelta(days=30)
    days = [day for day in every(1, last, 300) if day >= START]
    (insight,) = silence(plain(amount=-50, meters=[("jobs", day, Decimal(1)) for day in days]))
    assert insight.number("before").value == Decimal(-1400)
    assert (insight.period_from, insight.period_to) == (last - timedelta(days=27), last + timedelta(days=1))
    assert insight.terms["last_day"] == last.isoformat()
