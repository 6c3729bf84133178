from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from tests.narrative.factories import TODAY, admitted, contract, record_of, rows, targets
from tests.narrative.further_accounts import cascade
from valueplatform.core.periods import Period
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Adjustment, for_provider
from valueplatform.narrative.faithful import Admitted, admit, rederive_from
from valueplatform.narrative.figures import realized
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.pace import paces
from valueplatform.narrative.wording import render
from valueplatform.value.derivation import Forecast, Realized
from valueplatform.value.states import State

LAST = "2026-12-31"


def _admitted(facts: AccountFacts, given: Insight) -> list[Admitted]:
    return admit([given], rederive_from(record_of(facts), [given]))[0]


def _said(facts: AccountFacts, to: Audience = Audience.CUSTOMER) -> str:
    (found,) = [a for a in admitted(facts) if a.insight.kind == "pace"]
    return render(found, to).text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("facts", "status", "favorable", "ending"),
    [
        (cascade(fade="0.2"), "behind", False, "less than the $616K committed by then."),
        (cascade(fade="0.68"), "open", None, "$585K to $646K committed by then is open."),
        (cascade(fade="0.85"), "on-plan", True, "That is in line with the $585K to $646K committed by then."),
        (cascade(planned=30000), "ahead", True, "more than the $355K committed by then."),
    ],
    ids=["behind", "open", "on plan", "ahead"],
)
def test_the_pace_of_late_is_set_against_what_is_committed_by_the_end(
    facts: AccountFacts, status: str, favorable: object, ending: str
) -> None:
    (found,) = paces(facts)
    assert (found.terms["status"], found.terms["target_day"], found.favorable) == (status, LAST, favorable)
    assert _said(facts).endswith(ending)


def test_the_interval_is_said_with_what_is_expected() -> None:
    assert _said(cascade()).startswith(
        "At your pace of late, you would come to $561K by 31 Dec 2026 (90% interval: $540K to $583K). "
    )
    assert _said(cascade(), Audience.STEWARD).startswith("At its pace of late, Cascade Elevators would come to $561K")


def test_what_is_known_and_what_is_forecast_meet_on_one_day_and_reach_the_end() -> None:
    facts = cascade()
    (found,) = paces(facts)
    so_far, whole = found.number("realized").derivation, found.number("projected").derivation
    ahead = whole.parts[1]  # type: ignore[union-attr]  # what is realized and what is ahead
    assert isinstance(so_far, Realized)
    assert isinstance(ahead, Forecast)
    assert ahead.past.end == so_far.end <= TODAY
    assert ahead.past.end + timedelta(weeks=ahead.ahead) == date(2027, 1, 1)
    assert (
        found.number("realized").value
        == realized(facts, Period(date(2026, 1, 6), so_far.end), facts.money_drivers).value
    )


@pytest.mark.parametrize("days", range(7))
def test_it_moves_once_a_week(days: int) -> None:
    """Weeks are counted back from the end: the days of one week tell the same."""
    monday = date(2026, 8, 14)
    numbers = [paces(cascade(monday + timedelta(days=later)))[0].numbers for later in (0, days)]
    assert numbers[0] == numbers[1]


def test_a_plan_that_ends_in_less_than_four_weeks_is_left_to_its_standing() -> None:
    assert paces(cascade(date(2026, 12, 11))) == [] != paces(cascade(date(2026, 12, 10)))


def test_a_contract_year_that_ends_before_the_plan_is_the_end() -> None:
    facts = cascade()
    plan = (*facts.targets, *targets("Drive less", "routing", date(2027, 1, 1), date(2027, 6, 1), 30000))
    (found,) = paces(replace(facts, targets=plan))
    assert found.terms["target_day"] == "2027-01-05"


def test_too_few_weeks_give_no_pace() -> None:
    """19 weeks are ahead on that day, and 57 must be known."""
    facts = cascade()
    for first, told in ((date(2025, 7, 18), 1), (date(2025, 7, 19), 0)):
        daily = facts.daily.filter(facts.daily["day"] >= first)
        assert len(paces(replace(facts, daily=daily))) == told


@pytest.mark.parametrize(
    "given",
    [
        {"targets": ()},
        {"adjustments": (Adjustment("routing", date(2026, 3, 1), date(2026, 5, 4), Decimal(100), "late-events"),)},
        {"contracts": (contract(date(2025, 1, 6), date(2026, 9, 4), 1000),), "targets": cascade().targets[:8]},
    ],
    ids=["no plan", "an adjustment", "no plan beyond this month"],
)
def test_without_a_comparable_past_or_a_plan_ahead_there_is_none(given: dict[str, object]) -> None:
    assert paces(replace(cascade(), **given)) == []  # type: ignore[arg-type]  # fields of the facts


def test_value_that_came_to_count_on_the_way_is_no_pace() -> None:
    facts = cascade()
    more = rows("routing", {date(2026, 2, 3): 50}, state=State.ESTIMATED)
    daily = facts.daily.extend(facts.daily.clear().vstack(type(facts.daily)(more, schema=facts.daily.schema)))
    assert paces(replace(facts, daily=daily)) == []


def test_an_account_that_fell_silent_is_told_of_no_pace() -> None:
    facts = cascade()
    assert paces(replace(facts, daily=facts.daily.filter(facts.daily["day"] < date(2026, 8, 7)))) == []


def test_a_partner_is_told_of_no_pace() -> None:
    assert paces(for_provider(cascade(), "supplier")) == []


@pytest.mark.parametrize("terms", [{"status": "on-plan"}, {"target_day": "2026-12-30"}])
def test_a_false_word_about_it_is_refused(terms: dict[str, str]) -> None:
    facts = cascade()
    (found,) = paces(facts)
    assert _admitted(facts, found)
    assert not _admitted(facts, msgspec.structs.replace(found, terms=found.terms | terms))


def test_a_forecast_of_fewer_weeks_than_are_left_is_refused() -> None:
    facts = cascade()
    (found,) = paces(facts)
    (other,) = paces(cascade(TODAY + timedelta(days=7)))
    mixed = tuple(
        theirs if own.name == "projected" else own for own, theirs in zip(found.numbers, other.numbers, strict=True)
    )
    assert not _admitted(facts, msgspec.structs.replace(found, numbers=mixed))
