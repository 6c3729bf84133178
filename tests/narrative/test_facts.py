from datetime import date

from tests.narrative.factories import TODAY, account, driver, harbor, rows
from valueplatform.narrative.facts import for_provider
from valueplatform.value.model import Evidence
from valueplatform.value.states import State


def test_a_partner_sees_its_own_rows_and_nothing_of_the_customers_affairs() -> None:
    own = for_provider(harbor(), "tessera")
    assert set(own.daily["provider"]) == {"tessera"}
    assert [given.slug for given in own.drivers] == ["invoicing"]
    withheld = (
        own.contracts, own.targets, own.inputs, own.people, own.adjustments, own.closings, own.milestones, own.gaps,
    )  # fmt: skip
    assert not any(withheld)
    assert own.meters.is_empty()
    assert own.steward is None


def test_a_partner_is_not_told_that_something_is_disputed() -> None:
    facts = account(rows("a", {TODAY: 1}, state=State.UNDER_REVIEW, provider="tessera"), drivers=(driver("a"),))
    assert set(for_provider(facts, "tessera").daily["state"]) == {"estimated"}


def test_strategic_value_and_other_units_are_not_money() -> None:
    drivers = (driver("a"), driver("b", benefit_class="strategic"), driver("c", unit="EUR"), driver("d", unit="job"))
    assert account(drivers=drivers).money_drivers == ("a",)


def test_the_evidence_of_a_driver_is_the_weakest_beneath_its_amounts() -> None:
    weak = rows("a", {date(2026, 1, 1): 1})
    weak[0]["evidence"] = "benchmark"
    facts = account([*rows("a", {date(2026, 1, 2): 1}), *weak], drivers=(driver("a"), driver("b")))
    assert facts.evidence_of("a") is Evidence.BENCHMARK
    assert facts.evidence_of("b") is Evidence.MEASURED


def test_an_open_dispute_questions_what_rests_on_it() -> None:
    facts = harbor()
    assert facts.questioned("repeat_visits")
    assert not facts.questioned("dispatch_time")


def test_of_several_people_the_first_by_name_is_taken() -> None:
    assert harbor().person("validator") == "Priya Nair"
    assert harbor().person("sponsor") is None
