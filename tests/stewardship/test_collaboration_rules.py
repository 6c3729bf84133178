"""Who should talk to whom, about what, by when: nobody known, one person in two roles, everything at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.narrative.factories import assumption, contract, driver, rows, steady
from tests.stewardship.situations import RENEWAL, START, TODAY, admitted, plain, situation, suggested
from valueplatform.core.authorization import PersonRole, Side
from valueplatform.narrative.facts import AccountFacts, Person, Proposal
from valueplatform.narrative.next_best_store import State, StoredSuggestion
from valueplatform.stewardship.collaboration import (
    AboutKind,
    Collaboration,
    DueRule,
    Occasion,
    Party,
    due_on,
    last_day_before_close,
    working_days_after,
)
from valueplatform.stewardship.collaboration_rules import Ending, Ground, Waiting, collaborations
from valueplatform.stewardship.collaboration_words import CollaborationWords
from valueplatform.stewardship.standing import worded
from valueplatform.value.states import State as InputState


def party(name: str, role: PersonRole, email: str | None = None) -> Party:
    return Party(name, email or f"{name.split(maxsplit=1)[0].lower()}@harbor.example", role.value, Side.CUSTOMER)


ANA = party("Ana Brandt", PersonRole.VALIDATOR)
LENA = party("Lena Whitfield", PersonRole.CHAMPION)
DANIEL = party("Daniel Reyes", PersonRole.SPONSOR)
MARCUS = party("Marcus Boyd", PersonRole.USER)
EVERYBODY = (ANA, LENA, DANIEL, MARCUS)
MAYA = Party("Maya Okafor", "maya@fieldnote.example", "steward", Side.SUPPLIER)


def unvalidated(**given: Any) -> AccountFacts:
    """A driver that rests on an estimated cost."""
    cost = assumption("hourly_cost", "40", "USD/hour", InputState.ESTIMATED)
    return plain(
        drivers=(driver("visits", "Repeat visits avoided", inputs=("hourly_cost",)),),
        inputs=(cost,),
        daily=rows("visits", steady(START, TODAY, 1000), state=InputState.ESTIMATED),
        targets=(),
        **given,
    )


def prompts(
    facts: AccountFacts,
    people: Sequence[Party] = EVERYBODY,
    steward: Party | None = MAYA,
    suggestions: tuple[StoredSuggestion, ...] = (),
    **given: Any,
) -> list[Collaboration]:
    """With their words, as the worker finds them."""
    known = replace(facts, people=tuple(Person(p.name, p.role) for p in people))
    held = admitted(known)
    looked = situation(known, held=held, suggestions=suggestions)
    ground = Ground(looked, worded(looked, held), people, steward, **given)
    found = [CollaborationWords().worded(one, ground, held) for one in collaborations(ground)]
    assert None not in found, "every prompt must find faithful words"
    return [one for one in found if one is not None]


def of(found: Sequence[Collaboration], occasion: Occasion, side: Side) -> Collaboration:
    (one,) = [p for p in found if (p.occasion, p.side) == (occasion, side)]
    return one


def talks(found: Sequence[Collaboration]) -> set[tuple[str, str, str]]:
    return {(p.occasion.value, p.sender.name, p.receiver.name) for p in found}


def said(prompt: Collaboration) -> str:
    return "".join(span.text for span in prompt.why)


def test_a_champion_is_prompted_to_ask_the_validator_for_what_waits() -> None:
    found = of(prompts(unvalidated()), Occasion.VALIDATION, Side.CUSTOMER)

    assert (found.sender, found.receiver) == (LENA, ANA)
    assert found.title == "Ask Ana Brandt to validate the hourly cost"
    assert found.stake is not None
    assert (found.stake.amount, found.stake.number) == (Decimal("354000.0000"), "carried")
    assert found.due == date(2026, 9, 9), "the day before August closes"
    assert "$354K rests on it" in said(found)
    assert (found.about.kind, found.about.id) == (AboutKind.ASSUMPTION, "hourly_cost")


def test_a_draft_greets_quotes_asks_for_one_thing_by_a_day_and_signs() -> None:
    found = of(prompts(unvalidated()), Occasion.VALIDATION, Side.CUSTOMER)

    assert found.draft_by(LENA.name) == (
        "Hello Ana Brandt,\n\n"
        "Our value story says: “Hourly cost is estimated at $40 per\N{NO-BREAK SPACE}hour; $354K rests on it. "
        "Ana Brandt can validate it.”\n\n"
        "Could you look at the hourly cost and validate it, or say what speaks against it, by 9 Sep 2026?\n\n"
        "Thank you,\nLena Whitfield"
    )
    assert {span.name for span in found.draft if span.name} == {"input", "carried"}


def test_the_steward_is_prompted_about_the_same_and_may_send_it_under_another_name() -> None:
    found = of(prompts(unvalidated()), Occasion.VALIDATION, Side.SUPPLIER)

    assert (found.sender, found.receiver) == (MAYA, ANA)
    assert found.draft_by("Tom Lindqvist").endswith("Thank you,\nTom Lindqvist")
    assert found.signal is not None


def test_whoever_proposed_a_value_is_not_asked_to_validate_it() -> None:
    proposed = Proposal(7, "Ana Brandt", "customer", Decimal(44), START, date(2026, 8, 3), "payroll")
    facts = unvalidated()
    facts = replace(facts, inputs=(replace(facts.inputs[0], state=InputState.PROPOSED, proposals=(proposed,)),))

    assert talks(prompts(facts)) >= {
        ("no-validator", "Lena Whitfield", "Daniel Reyes"),
        ("no-validator", "Maya Okafor", "Lena Whitfield"),
    }
    other = party("Bo Ek", PersonRole.VALIDATOR)
    assert ("validation", "Lena Whitfield", "Bo Ek") in talks(prompts(facts, (*EVERYBODY, other)))


def test_nobody_known_prompts_nobody() -> None:
    assert prompts(unvalidated(), ()) == []


def test_without_a_steward_only_the_customers_own_people_talk() -> None:
    assert {p.receiver.side for p in prompts(unvalidated(), steward=None)} == {Side.CUSTOMER}


@pytest.mark.parametrize("email", ["ana@harbor.example", "ana.b@other.example"])
def test_nobody_is_prompted_to_talk_to_themselves(email: str) -> None:
    """One person in two roles, under one address or two; the full width of a letter does not make another person."""
    twice = (ANA, party("Ana \N{FULLWIDTH LATIN CAPITAL LETTER B}randt", PersonRole.CHAMPION, email))
    found = prompts(unvalidated(), twice)

    assert not [p for p in found if p.sender.side is Side.CUSTOMER and p.receiver.side is Side.CUSTOMER]
    assert of(found, Occasion.VALIDATION, Side.SUPPLIER).receiver == ANA


def test_a_steward_who_is_also_the_customers_person_does_not_write_to_themselves() -> None:
    both = Party("Ana Brandt", "ana@harbor.example", "steward", Side.SUPPLIER)
    assert all(p.sender.email != p.receiver.email for p in prompts(unvalidated(), steward=both))


@pytest.mark.parametrize(
    "name", ["Ñandú Øre-Þórsdóttir", "李 小龍", "O'Neil {name} %s", "R2 D2 the 3rd", "Half Million"]
)
def test_any_name_is_written_as_it_is(name: str) -> None:
    found = prompts(unvalidated(), (replace_name(ANA, name), LENA))
    assert of(found, Occasion.VALIDATION, Side.CUSTOMER).draft_by("x").startswith(f"Hello {name},")


def replace_name(one: Party, name: str) -> Party:
    return Party(name, one.email, one.role, one.side)


def test_an_account_that_has_ended_prompts_nobody() -> None:
    ended = unvalidated(contracts=(contract(START, date(2026, 8, 1), 240000),))
    assert prompts(ended, waiting=[Waiting(Occasion.PLAN, "case", "Case", Side.CUSTOMER, TODAY)]) == []


def calm() -> AccountFacts:
    """On plan, with a contract that runs on."""
    return plain(contracts=(contract(START, None, 240000),))


def test_an_account_that_does_as_planned_has_nothing_to_say() -> None:
    assert prompts(calm()) == []


def test_an_account_that_is_behind_is_talked_about_within_two_working_days() -> None:
    found = prompts(plain(amount=500))
    assert {("behind", "Maya Okafor", "Lena Whitfield"), ("behind", "Lena Whitfield", "Maya Okafor")} <= talks(found)
    assert of(found, Occasion.BEHIND, Side.SUPPLIER).due == date(2026, 8, 25), "from Friday 21 August on"


def test_bad_news_is_due_from_when_it_was_first_found() -> None:
    first = of(prompts(plain(amount=500)), Occasion.BEHIND, Side.SUPPLIER)
    facts = plain(amount=500)
    raised = {(first.id(facts.key), first.matter): TODAY - timedelta(days=1)}
    assert of(prompts(facts, raised=raised), Occasion.BEHIND, Side.SUPPLIER).due == date(2026, 8, 24)


def stopped() -> AccountFacts:
    """One of two drivers brings nothing any more."""
    other = steady(START, TODAY, 1000)
    return plain(
        daily=[*rows("visits", steady(START, date(2026, 7, 20), 1000)), *rows("calls", other)],
        drivers=(driver("visits", "Repeat visits avoided"), driver("calls", "Calls avoided")),
        targets=(),
    )


def test_whoever_leads_the_objective_talks_to_the_steward_about_a_driver_that_stopped() -> None:
    found = prompts(stopped(), leads={"visits": "MARCUS@harbor.example"})
    assert talks(found) >= {
        ("stalled-driver", "Marcus Boyd", "Maya Okafor"),
        ("stalled-driver", "Maya Okafor", "Marcus Boyd"),
    }
    assert of(prompts(stopped()), Occasion.STALLED, Side.CUSTOMER).sender == LENA, "else the champion"


def questioned() -> AccountFacts:
    facts = unvalidated()
    asked = replace(
        facts.inputs[0], state=InputState.UNDER_REVIEW, disputed_by="Ana Brandt", disputed_on=TODAY - timedelta(days=3)
    )
    return replace(facts, inputs=(asked,))


def test_whoever_questioned_a_value_asks_the_steward_who_settles_it_with_them() -> None:
    first = party("Aa Aas", PersonRole.VALIDATOR)
    found = prompts(questioned(), (first, *EVERYBODY))
    assert of(found, Occasion.UNDER_REVIEW, Side.CUSTOMER).sender == ANA
    assert of(found, Occasion.UNDER_REVIEW, Side.SUPPLIER).receiver == ANA


def ending() -> AccountFacts:
    return plain(contracts=(contract(START, TODAY + timedelta(days=90), 240000),))


def test_sponsor_and_steward_talk_sixty_days_before_the_contract_ends() -> None:
    found = prompts(ending())
    assert talks(found) == {("renewal", "Daniel Reyes", "Maya Okafor"), ("renewal", "Maya Okafor", "Daniel Reyes")}
    assert of(found, Occasion.RENEWAL, Side.CUSTOMER).due == TODAY + timedelta(days=30)


def test_nobody_without_the_right_to_read_contracts_is_prompted_about_one() -> None:
    assert prompts(ending(), (ANA, LENA, MARCUS)) == []


def plan_waits(side: Side) -> list[Waiting]:
    return [Waiting(Occasion.PLAN, "case", "Case for 2027", side, date(2026, 8, 20), "Maya Okafor")]


def test_a_plan_that_one_side_signed_prompts_the_other() -> None:
    found = prompts(calm(), waiting=plan_waits(Side.CUSTOMER))
    assert talks(found) == {("plan", "Maya Okafor", "Daniel Reyes"), ("plan", "Lena Whitfield", "Daniel Reyes")}
    assert (
        said(found[0])
        == "“Case for 2027” waits for the signature of Harbor Logistics; Maya Okafor signed on 20 Aug 2026."
    )
    ours = prompts(calm(), waiting=plan_waits(Side.SUPPLIER))
    assert talks(ours) == {("plan", "Daniel Reyes", "Maya Okafor")}


def test_what_a_partner_asks_prompts_the_steward_and_the_champion_with_a_day_and_a_draft() -> None:
    noor = party("Noor Haddad", PersonRole.ADMIN)
    asked = Waiting(Occasion.CONSENT, "tessera", "Tessera Integrations", Side.CUSTOMER, date(2026, 8, 20), newest=1)
    found = prompts(calm(), people=(*EVERYBODY, noor), waiting=[asked])

    assert talks(found) == {("consent", "Maya Okafor", "Noor Haddad"), ("consent", "Lena Whitfield", "Noor Haddad")}
    theirs = of(found, Occasion.CONSENT, Side.CUSTOMER)
    assert theirs.title == "Ask Noor Haddad whether Tessera Integrations may report"
    assert said(theirs) == "Tessera Integrations asked on 20 Aug 2026 to be let report value to Harbor Logistics."
    assert theirs.due == date(2026, 8, 27), "five working days after it asked"
    assert theirs.draft_by("Lena Whitfield") == (
        "Hello Noor Haddad,\n\n"
        "Tessera Integrations asked on 20 Aug 2026 to be let report value to Harbor Logistics.\n\n"
        "Could you give consent on the page of partners, or say why not, by 27 Aug 2026?\n\n"
        "Thank you,\nLena Whitfield"
    )


def test_what_a_partner_reported_prompts_both_sides_to_speak_to_the_validator() -> None:
    reported = Waiting(
        Occasion.CONTRIBUTION, "tessera", "Tessera Integrations", Side.CUSTOMER, date(2026, 8, 20), newest=7
    )
    found = prompts(calm(), waiting=[reported])
    assert talks(found) == {
        ("contribution", "Maya Okafor", "Ana Brandt"), ("contribution", "Lena Whitfield", "Ana Brandt"),
    }  # fmt: skip
    ours = of(found, Occasion.CONTRIBUTION, Side.SUPPLIER)
    assert (
        said(ours) == "What Tessera Integrations reported waits for the answer of Harbor Logistics since 20 Aug 2026."
    )
    assert "corroborate it, or dispute it, by 27 Aug 2026?" in ours.draft_by("Maya Okafor")
    more = of(prompts(calm(), waiting=[replace(reported, newest=8)]), Occasion.CONTRIBUTION, Side.SUPPLIER)
    assert (more.id("harbor"), more.matter != ours.matter) == (ours.id("harbor"), True), "more of it is another matter"


def test_what_ends_soon_is_talked_about_and_what_ends_later_is_not() -> None:
    soon = Ending(Occasion.PLAN_ENDS, "case", "case", TODAY + timedelta(days=60))
    stale = Ending(Occasion.BASELINE, "hourly_cost", "Hourly cost", TODAY + timedelta(days=61))
    found = prompts(calm(), ending=[soon, stale])
    assert {p.occasion for p in found} == {Occasion.PLAN_ENDS}
    assert found[0].stake is not None, "what is committed to date"
    assert found[0].stake.number == "expected"


def test_what_the_customer_accepted_prompts_both_sides_and_what_is_open_only_the_steward() -> None:
    accepted = prompts(calm(), suggestions=(suggested("9000", state=State.ACCEPTED),))
    assert talks(accepted) == {
        ("suggestion-accepted", "Maya Okafor", "Lena Whitfield"),
        ("suggestion-accepted", "Lena Whitfield", "Maya Okafor"),
    }
    proposed = prompts(calm(), suggestions=(suggested("9000"),))
    assert talks(proposed) == {("suggestion", "Maya Okafor", "Lena Whitfield")}


def test_what_is_talked_about_already_prompts_nobody() -> None:
    assert prompts(unvalidated(), talked=frozenset({"hourly_cost"})) == []


def test_everything_at_once_is_ranked_by_what_is_at_stake_and_says_each_thing_once() -> None:
    facts = replace(questioned(), contracts=(contract(START, TODAY + timedelta(days=70), 240000),))
    found = prompts(
        facts,
        suggestions=(suggested("9000", state=State.ACCEPTED),),
        waiting=[*plan_waits(Side.CUSTOMER), Waiting(Occasion.SPLIT, "4", "Calls 24/7", Side.CUSTOMER, TODAY)],
        ending=[Ending(Occasion.BASELINE, "hourly_cost", "Hourly cost", TODAY + timedelta(days=9))],
    )
    amounts = [p.amount for p in found]
    assert amounts == sorted(amounts, reverse=True)
    topics = [(p.side, p.subject) for p in found]
    assert len(set(topics)) == len(topics)
    assert {p.occasion for p in found if p.side is Side.CUSTOMER} >= {
        Occasion.UNDER_REVIEW, Occasion.STARTING, Occasion.PLAN, Occasion.SPLIT,
    }  # fmt: skip


def test_the_matter_changes_with_the_value_and_not_with_another_day() -> None:
    facts = unvalidated()
    first = of(prompts(facts), Occasion.VALIDATION, Side.CUSTOMER)
    dearer = replace(facts, inputs=(replace(facts.inputs[0], expected=Decimal(60)),))
    again = of(prompts(dearer), Occasion.VALIDATION, Side.CUSTOMER)
    assert first.id(facts.key) == again.id(facts.key)
    assert first.matter != again.matter
    tomorrow = unvalidated(today=TODAY + timedelta(days=1))
    assert of(prompts(tomorrow), Occasion.VALIDATION, Side.CUSTOMER).matter == first.matter


@pytest.mark.parametrize(
    ("rule", "since", "end", "day"),
    [
        (DueRule.BAD_NEWS, date(2026, 8, 21), None, date(2026, 8, 25)),
        (DueRule.BAD_NEWS, date(2026, 8, 1), None, TODAY),
        (DueRule.ANSWER, date(2026, 8, 21), None, date(2026, 8, 28)),
        (DueRule.BEFORE_END, TODAY, TODAY + timedelta(days=90), TODAY + timedelta(days=30)),
        (DueRule.BEFORE_END, TODAY, TODAY + timedelta(days=10), date(2026, 8, 25)),
        (DueRule.BEFORE_END, TODAY, TODAY + timedelta(days=1), TODAY),
        (DueRule.EXPIRY, TODAY, TODAY + timedelta(days=5), TODAY + timedelta(days=4)),
    ],
)
def test_a_day_follows_its_rule_and_is_never_past(rule: DueRule, since: date, end: date | None, day: date) -> None:
    assert due_on(rule, TODAY, since, end) == day


def test_months_close_on_the_tenth_and_working_days_skip_weekends() -> None:
    assert last_day_before_close(date(2026, 12, 10)) == date(2027, 1, 9)
    assert last_day_before_close(date(2026, 12, 9)) == date(2026, 12, 9)
    assert working_days_after(date(2026, 8, 22), 1) == date(2026, 8, 24)
    assert datetime(2026, 8, 22, tzinfo=UTC).weekday() == 5
    assert RENEWAL > TODAY
