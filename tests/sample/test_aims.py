"""Who answers for what customers want: people that there are, on both sides, but for two gaps."""

from datetime import date

from tests.sample.conftest import TODAY
from valueplatform.sample import SampleSupplier, generate
from valueplatform.sample.aims import NO_OWNER, NO_SUPPLIER_SPONSOR


def test_every_objective_of_the_plans_has_one_and_the_same_sample_says_the_same(sample: SampleSupplier) -> None:
    planned = {(row["account"], row["objective"]) for row in sample.plans}
    said = [(one.account, one.objective) for one in sample.aims]
    assert len(said) == len(set(said))
    assert set(said) == planned
    assert generate(accounts=3, days=200, today=TODAY).aims == generate(accounts=3, days=200, today=TODAY).aims


def test_owner_and_sponsor_are_people_of_the_account_and_the_other_sponsor_is_its_steward(
    sample: SampleSupplier,
) -> None:
    people = {(row["account"], row["name"]) for row in sample.people}
    stewards = {row["key"]: row["steward"] for row in sample.accounts}
    names = dict(sample.stewards)
    for one in sample.aims:
        assert (one.account, one.customer_sponsor) in people
        assert not one.owner or (one.account, one.owner) in people
        assert one.author_email == stewards[one.account]
        assert one.supplier_sponsor in {"", names[one.author_email]}
        assert one.tactics


def test_whoever_leads_the_work_owns_it_and_not_the_sponsor_where_there_is_anybody_else(sample: SampleSupplier) -> None:
    crowded = {row["account"] for row in sample.people if row["role"] != "sponsor"}
    assert all(one.owner != one.customer_sponsor for one in sample.aims if one.account in crowded and one.owner)


def test_two_objectives_show_a_gap_and_no_other(sample: SampleSupplier) -> None:
    ownerless = [one.account for one in sample.aims if not one.owner]
    without_sponsor = [one.account for one in sample.aims if not one.supplier_sponsor]
    assert (ownerless, without_sponsor) == ([NO_OWNER[0]], [NO_SUPPLIER_SPONSOR[0]])


def test_each_is_due_on_the_last_day_of_its_last_target(sample: SampleSupplier) -> None:
    for one in sample.aims:
        months = [
            row["month"] for row in sample.plans if (row["account"], row["objective"]) == (one.account, one.objective)
        ]
        assert f"{one.due:%Y-%m}" == max(months)
        assert (one.due + date.resolution).day == 1
