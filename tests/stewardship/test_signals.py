"""What calls for the steward, and what is at stake."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.narrative.factories import account, assumption, contract, driver, harbor, rows, steady, targets
from tests.stewardship import factories
from tests.stewardship.situations import RENEWAL, START, TODAY, of_kind, plain, situation, suggested
from valueplatform.narrative.document import Span, Status
from valueplatform.narrative.facts import AccountFacts, Person, Proposal
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best_store import State
from valueplatform.stewardship.attachments import Attached
from valueplatform.stewardship.signal import Signal, SignalKind, Stake, TargetKind, Urgency, in_order
from valueplatform.stewardship.signals import RULES, Question, concerns, signals
from valueplatform.value.states import State as InputState

ASKED = datetime(2026, 8, 19, 9, tzinfo=UTC)


def kinds(facts: AccountFacts, **given: Any) -> list[SignalKind]:
    return [signal.kind for signal in signals(situation(facts, **given))]


def only(facts: AccountFacts, kind: SignalKind, **given: Any) -> Signal:
    (signal,) = of_kind(situation(facts, **given), kind)
    return signal


def priced(signal: Signal) -> Stake:
    assert signal.stake is not None
    return signal.stake


def test_an_account_without_anything_calls_for_nothing() -> None:
    assert kinds(account()) == []


def test_an_account_on_plan_calls_for_nothing() -> None:
    assert kinds(plain(amount=1000, planned=30000)) == []


def test_a_commitment_of_zero_is_neither_met_nor_missed() -> None:
    assert kinds(plain(planned=0)) == []


def test_behind_puts_the_distance_from_the_expected_commitment_at_stake() -> None:
    facts = plain(amount=500, people=(Person("Ana Brandt", "sponsor"), Person("Daniel Reyes", "champion")))
    signal = only(facts, SignalKind.BEHIND)
    given = situation(facts)
    (whole,) = (i for i in given.of_kind("attainment") if i.subject == "account")
    assert whole.number("gap").value < 0
    assert priced(signal) == Stake(-whole.number("gap").value, "USD", Standing.VALIDATED, "gap", given.id(whole))
    assert (signal.urgency, signal.act.text) == (Urgency.TODAY, "Plan with Daniel Reyes")


def test_value_below_zero_is_behind_by_more_than_the_commitment() -> None:
    stake = priced(only(plain(amount=-500), SignalKind.BEHIND))
    assert stake.amount > Decimal(500) * (TODAY - START).days


def test_nobody_to_plan_with_is_no_reason_for_an_empty_name() -> None:
    assert only(plain(amount=500), SignalKind.BEHIND).act.text == "Plan with them"


def two_drivers(behind: int, ahead: int, **given: Any) -> AccountFacts:
    days = (START, TODAY)
    return plain(
        daily=[*rows("visits", steady(*days, behind)), *rows("hours", steady(*days, ahead))],
        drivers=(driver("visits", "Repeat visits avoided"), driver("hours", "Hours saved")),
        targets=tuple(t for d in ("visits", "hours") for t in targets(d, d, START, date(2027, 1, 1), 30000)),
        **given,
    )


def test_a_driver_behind_calls_within_the_week_where_the_others_make_up_for_it() -> None:
    signal = only(two_drivers(500, 1500), SignalKind.BEHIND)
    assert (signal.subject, signal.urgency) == ("visits", Urgency.THIS_WEEK)


def test_drivers_do_not_call_again_where_the_whole_account_is_behind() -> None:
    assert [s.subject for s in of_kind(situation(two_drivers(500, 600)), SignalKind.BEHIND)] == ["account"]


def test_a_stalled_driver_puts_the_four_weeks_before_it_stopped_at_stake() -> None:
    facts = plain(
        daily=[*rows("visits", steady(START, TODAY, 900)), *rows("hours", steady(START, date(2026, 8, 1), 100))],
        drivers=(driver("visits"), driver("hours", "Hours saved")),
    )
    signal = only(facts, SignalKind.STALLED)
    assert (priced(signal).amount, priced(signal).number) == (Decimal(2800), "before")
    assert signal.act.text == "Check the events of Hours saved"


def test_a_stalled_driver_that_is_not_priced_calls_with_nothing_at_stake() -> None:
    facts = plain(
        daily=[
            *rows("visits", steady(START, TODAY, 1000)),
            *rows("incidents", steady(START, date(2026, 8, 1), 1), unit="incident"),
        ],
        drivers=(driver("visits"), driver("incidents", unit="incident", benefit_class="strategic")),
    )
    signal = only(facts, SignalKind.STALLED)
    assert signal.stake is None
    assert signal.amount == 0


def silent(**given: Any) -> AccountFacts:
    last = date(2026, 8, 1)
    days = steady(START, last, 1000)
    return plain(daily=rows("visits", days), meters=[("jobs", day, Decimal(1)) for day in days], **given)


def test_an_account_that_sends_nothing_calls_once_and_not_for_each_driver() -> None:
    facts = silent()
    assert SignalKind.STALLED not in kinds(facts)
    signal = only(facts, SignalKind.NO_DATA)
    assert (priced(signal).amount, signal.act.text) == (Decimal(28000), "Restore the feed")


def test_an_account_that_never_sent_anything_is_told_from_one_that_stopped() -> None:
    facts = account(contracts=(contract(TODAY - timedelta(days=364), None, 36500),))
    signal = only(facts, SignalKind.NO_DATA)
    assert (priced(signal).amount, signal.act.text) == (Decimal(36500), "Bring in the first events")


def test_a_renewal_calls_only_while_the_account_is_behind_or_unclear() -> None:
    soon = (contract(START, TODAY + timedelta(days=60), 240000),)
    assert SignalKind.RENEWAL not in kinds(plain(contracts=soon))
    stake = priced(only(plain(amount=500, contracts=soon), SignalKind.RENEWAL))
    assert (stake.amount, stake.number) == (Decimal(240000), "yearly")
    assert SignalKind.RENEWAL in kinds(plain(contracts=soon), status=Status.INSUFFICIENT)
    assert SignalKind.RENEWAL not in kinds(plain(amount=500, contracts=(contract(START, RENEWAL, 240000),)))


def test_the_renewal_asks_for_whoever_decides_on_money() -> None:
    soon = (contract(START, TODAY + timedelta(days=60), 240000),)
    people = (Person("Ana Brandt", "sponsor"), Person("Émile Ødegård", "economic-buyer"))
    signal = only(plain(amount=500, contracts=soon, people=people), SignalKind.RENEWAL)
    assert signal.act.text == "Prepare the renewal with Émile Ødegård"


def resting(state: InputState, **given: Any) -> AccountFacts:
    """A driver whose value rests on one input; it counts where the input is agreed."""
    return plain(
        daily=rows("visits", steady(START, TODAY, 1000), state=state),
        drivers=(driver("visits", "Repeat visits avoided", inputs=("visit_cost",)),),
        inputs=(assumption("visit_cost", "310", "USD/visit", state, **given),),
        people=(Person("Daniel Reyes", "validator"),),
    )


def test_what_is_under_review_puts_all_that_rests_on_it_at_stake() -> None:
    facts = resting(InputState.UNDER_REVIEW, disputed_by="Priya Nair", disputed_on=date(2026, 8, 18))
    signal = only(facts, SignalKind.UNDER_REVIEW)
    assert priced(signal).amount == Decimal(1000) * (TODAY - START).days
    assert signal.act.text == "Settle the visit cost with Priya Nair"
    assert (signal.act.about, signal.act.target) == (TargetKind.ASSUMPTION, "visit_cost")
    assert SignalKind.NOT_VALIDATED not in kinds(facts)


@pytest.mark.parametrize("state", [InputState.ESTIMATED, InputState.PROPOSED])
def test_what_waits_for_a_validator_puts_all_that_rests_on_it_at_stake(state: InputState) -> None:
    signal = only(resting(state), SignalKind.NOT_VALIDATED)
    assert priced(signal).amount == Decimal(1000) * (TODAY - START).days
    assert (signal.act.text, signal.urgency) == ("Ask Daniel Reyes to validate the visit cost", Urgency.THIS_WEEK)


def test_without_a_validator_the_act_is_to_name_one() -> None:
    facts = replace(resting(InputState.ESTIMATED), people=())
    assert only(facts, SignalKind.NOT_VALIDATED).act.text == "Ask them to name a validator"


def test_a_driver_that_only_the_vendor_asserts_waits_itself_once_its_inputs_are_agreed() -> None:
    facts = replace(
        resting(InputState.VALIDATED),
        daily=account(rows("visits", steady(START, TODAY, 7), state=InputState.ESTIMATED)).daily,
    )
    signal = only(facts, SignalKind.NOT_VALIDATED)
    assert signal.act.text == "Ask Daniel Reyes to validate Repeat visits avoided"
    assert (signal.act.target, priced(signal).number) == ("driver:visits", "estimated")


def test_a_proposal_beside_a_validated_value_puts_nothing_at_stake() -> None:
    proposal = Proposal(7, "Priya Nair", "customer", Decimal(265), TODAY, date(2026, 8, 18), "Travel")
    signal = only(resting(InputState.VALIDATED, proposals=(proposal,)), SignalKind.NOT_VALIDATED)
    assert (signal.stake, signal.act.text) == (None, "Ask Daniel Reyes to validate another visit cost")


def test_value_in_another_currency_has_no_amount_in_ours() -> None:
    facts = plain(
        currency="EUR",
        daily=rows("visits", steady(START, TODAY, 1000), state=InputState.ESTIMATED),
        drivers=(driver("visits", inputs=("visit_cost",)),),
        inputs=(assumption("visit_cost", "310", "USD/visit", InputState.ESTIMATED),),
    )
    assert only(facts, SignalKind.NOT_VALIDATED, status=Status.INSUFFICIENT).stake is None


def asked(about: str | None, unit: str = "USD") -> Question:
    if about is None:
        return Question(7, "Priya Nair", ASKED)
    number = Span("$486K", "realized", "-486080.0000", unit, Standing.ESTIMATED)
    told = msgspec.structs.replace(factories.sentence(), insight_id=about, numbers=(number,))
    return Question(7, "Priya Nair", ASKED, Attached(1, told))


def test_a_question_about_no_insight_calls_with_nothing_at_stake() -> None:
    signal = only(account(), SignalKind.QUESTION, questions=[asked(None)])
    assert (signal.stake, signal.since, signal.urgency) == (None, ASKED, Urgency.TODAY)
    assert (signal.act.text, signal.act.about, signal.act.target) == ("Answer Priya Nair", TargetKind.CONVERSATION, "7")


def test_a_question_puts_at_stake_what_the_insight_says_now() -> None:
    facts = plain()
    given = situation(facts)
    (whole,) = (i for i in given.of_kind("attainment") if i.subject == "account")
    signal = only(facts, SignalKind.QUESTION, questions=[asked(given.id(whole))])
    assert priced(signal).amount == whole.number("realized").value


def test_a_question_about_what_no_longer_holds_puts_at_stake_what_it_said_then() -> None:
    signal = only(plain(), SignalKind.QUESTION, questions=[asked("ins_gone")])
    assert priced(signal) == Stake(Decimal("486080.0000"), "USD", Standing.ESTIMATED, "realized", "ins_gone")


def test_what_it_said_then_in_another_currency_is_no_amount_of_ours() -> None:
    assert only(plain(), SignalKind.QUESTION, questions=[asked("ins_gone", "EUR")]).stake is None


def test_only_answers_are_asked_of_the_steward_once_every_contract_has_ended() -> None:
    facts = silent(contracts=(contract(START, date(2026, 8, 2), 240000),))
    assert concerns(facts) == []
    assert kinds(facts, questions=[asked(None)], suggestions=[suggested("100")]) == [SignalKind.QUESTION]


@pytest.mark.parametrize(
    "stored",
    [
        suggested(None),
        suggested("0"),
        suggested("-5"),
        suggested("100", state=State.DISMISSED),
        suggested("100", state=State.DONE),
    ],
)
def test_suggestions_without_value_or_already_settled_do_not_call(stored: Any) -> None:
    assert kinds(plain(), suggestions=[stored]) == []


def test_the_best_suggestion_calls_with_its_prediction() -> None:
    stored = [suggested("900", rank=2, name="b"), suggested("100", rank=1, name="a"), suggested(None, rank=3, name="c")]
    signal = only(plain(), SignalKind.SUGGESTION, suggestions=stored)
    assert priced(signal) == Stake(Decimal(100), "USD", Standing.PREDICTED, "expected")
    assert (signal.act.text, signal.act.target, signal.urgency) == ("Propose A", "sug_a", Urgency.THIS_WEEK)


def test_what_the_customer_accepted_goes_before_what_could_be_proposed() -> None:
    stored = [suggested("900", rank=1, name="a"), suggested("100", rank=2, name="b", state=State.ACCEPTED)]
    signal = only(plain(), SignalKind.SUGGESTION, suggestions=stored)
    assert (signal.act.text, signal.urgency) == ("Start B with them", Urgency.TODAY)


def test_a_suggestion_in_another_currency_has_no_amount() -> None:
    assert only(plain(), SignalKind.SUGGESTION, suggestions=[suggested("9", unit="EUR")]).stake is None


def test_an_account_ahead_is_worth_a_reference() -> None:
    signal = only(plain(amount=2000, people=(Person("Ana Brandt", "sponsor"),)), SignalKind.AHEAD)
    assert (signal.act.text, signal.urgency, priced(signal).number) == (
        "Ask Ana Brandt for a reference",
        Urgency.THIS_WEEK,
        "gap",
    )


def test_an_account_ahead_for_a_short_time_is_not_asked_yet() -> None:
    late = date(2026, 7, 1)
    short = plain(amount=2000, targets=tuple(targets("Fewer visits", "visits", late, date(2027, 1, 1), 30000)))
    assert kinds(short) == []


def test_an_account_ahead_under_a_question_is_not_asked_for_a_reference() -> None:
    facts = plain(
        amount=2000,
        drivers=(driver("visits", inputs=("visit_cost",)),),
        inputs=(assumption("visit_cost", "310", "USD/visit", disputed_by="Priya Nair", disputed_on=date(2026, 8, 18)),),
    )
    assert kinds(facts) == [SignalKind.UNDER_REVIEW]


def test_what_cannot_wait_speaks_before_what_is_worth_more() -> None:
    facts = plain(amount=2000)
    found = signals(situation(facts, questions=[asked(None)], suggestions=[suggested("9000000")]))
    assert [signal.kind for signal in found] == [SignalKind.QUESTION, SignalKind.SUGGESTION, SignalKind.AHEAD]


def test_a_rich_account_calls_in_order_with_each_amount_borne_out_by_an_insight() -> None:
    given = situation(harbor(), questions=[asked(None)], suggestions=[suggested("310000")])
    found = signals(given)
    assert [*found] == sorted(found, key=in_order)
    assert len({signal.id("harbor") for signal in found}) == len(found)
    numbers = {(given.id(i), n.name): n for i in given.insights for n in i.numbers}
    for signal in found:
        if signal.stake is not None and signal.stake.insight_id is not None:
            number = numbers[signal.stake.insight_id, signal.stake.number]
            assert signal.stake.amount == abs(number.value)
            assert signal.stake.unit == number.unit == "USD"


def test_every_kind_of_signal_has_a_rule_that_can_raise_it() -> None:
    soon = (contract(START, TODAY + timedelta(days=60), 240000),)
    situations = [
        situation(harbor(), questions=[asked(None)], suggestions=[suggested("1")]),
        situation(plain(amount=500, contracts=soon)),
        situation(silent()),
        situation(plain(amount=2000)),
    ]
    assert {signal.kind for given in situations for signal in signals(given)} == set(SignalKind)
    assert len(RULES) == len(SignalKind)


def test_a_signal_keeps_its_id_when_its_amount_moves_and_shares_it_with_no_other_account() -> None:
    early, late = only(plain(amount=500), SignalKind.BEHIND), only(plain(amount=400), SignalKind.BEHIND)
    assert early.id("harbor") == late.id("harbor") != late.id("northline")
