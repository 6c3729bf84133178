"""What customers decided about suggestions."""

from datetime import timedelta

from tests.sample.conftest import TODAY
from valueplatform.sample import SampleSupplier, generate
from valueplatform.sample.decisions import ACCEPTED_DAYS, LEAST_HISTORY, decisions


def test_most_accepted_steps_begin_so_soon_that_their_first_ninety_days_have_passed(sample: SampleSupplier) -> None:
    accounts = {account.key: account for account in sample.cast}
    accepted = [one for one in sample.decisions if one.decision == "accept"]
    begun = {one.account: accounts[one.account].features.get(one.feature) for one in accepted}
    taken_up = {key: day for key, day in begun.items() if day is not None}
    assert len(taken_up) >= 8
    assert len(taken_up) < len(accepted), "somebody accepts and never begins"
    assert all(one.at.date() < taken_up[one.account] for one in accepted if one.account in taken_up)
    assert {one.account for one in sample.decisions if one.decision == "done"} == set(taken_up)
    assert max(taken_up.values()) <= TODAY - timedelta(days=95)


def test_what_is_declined_is_not_in_use(sample: SampleSupplier) -> None:
    accounts = {account.key: account for account in sample.cast}
    declined = [one for one in sample.decisions if one.decision == "dismiss"]
    assert len(declined) >= 2
    assert not any(accounts[one.account].uses(one.feature) for one in declined)


def test_people_of_the_customer_decide_after_the_suggestion_and_before_now(sample: SampleSupplier) -> None:
    people = {(row["account"], row["email"]) for row in sample.people}
    for one in sample.decisions:
        assert (one.account, one.author_email) in people
        assert one.suggested_at < one.at <= sample.until


def test_nothing_is_decided_before_its_time_nor_by_an_account_that_was_too_young(sample: SampleSupplier) -> None:
    early = decisions(sample.cast, sample.until - timedelta(days=60))
    assert {one.decision for one in early} == {"accept", "done"}
    lives = {account.key: account.live for account in sample.cast}
    for one in sample.decisions:
        live = lives[one.account]
        assert live is not None
        assert one.suggested_at.date() - live >= LEAST_HISTORY


def test_a_short_sample_has_no_decisions_from_before_its_first_day() -> None:
    short = generate(accounts=12, days=ACCEPTED_DAYS, today=TODAY)
    assert not [one for one in short.decisions if one.decision == "accept"]
