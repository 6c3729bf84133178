from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from tests.narrative.factories import TODAY, account, admitted, contract, driver, record_of, rows, steady
from valueplatform.accounts.costs import Cost, CostKind
from valueplatform.narrative.document import Audience, Language
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insights.paid import returns
from valueplatform.narrative.wording import render
from valueplatform.narrative.wording.engine import wording_in
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _facts(amount: int, start: date = START, state: State = State.VALIDATED, currency: str = "USD") -> AccountFacts:
    return account(
        rows("a", steady(START, TOMORROW, 100), state=state),
        drivers=(driver("a"),),
        contracts=(contract(start, None, amount, currency=currency),),
    )


def test_the_return_is_counted_value_for_each_unit_paid() -> None:
    found = returns(_facts(36500))[0]
    assert found.number("times_paid").value == 1
    assert found.favorable is True


def test_getting_back_less_than_was_paid_is_bad_news() -> None:
    assert returns(_facts(73000))[0].favorable is False


def test_estimates_return_nothing() -> None:
    assert returns(_facts(36500, state=State.ESTIMATED)) == []


def test_a_free_contract_or_another_currency_has_no_return() -> None:
    assert returns(_facts(0)) == []
    assert returns(_facts(36500, currency="EUR")) == []


def test_four_weeks_must_have_been_paid_for() -> None:
    assert returns(_facts(36500, start=TODAY - timedelta(days=26))) == []
    assert returns(_facts(36500, start=TODAY - timedelta(days=27))) != []


def test_a_contract_that_has_not_begun_is_not_paid() -> None:
    assert returns(_facts(36500, start=TOMORROW)) == []


def test_less_than_what_was_paid_is_said_as_a_share_of_it() -> None:
    daily = rows("a", steady(START, TOMORROW, 1))
    facts = account(daily, drivers=(driver("a"),), contracts=(contract(START, None, 36500),))
    found = next(a for a in admitted(facts) if a.insight.kind == "return-on-paid")
    assert found.insight.number("times_paid").unit == "share"
    text = render(found, Audience.CUSTOMER).text
    assert text == "You have realized 1% of the $23.3K that you paid since 1 Jan 2026, counting only contracts."


def _effort(month: date, amount: str, kind: CostKind = CostKind.INTERNAL, currency: str = "USD") -> Cost:
    name = f"{month}-{kind}-{amount}"
    return Cost(cost_id=name, account_id=1, kind=kind, month=month, amount=Decimal(amount), currency=currency)


def _with_effort(*efforts: Cost, amount: int = 36500) -> AccountFacts:
    return replace(_facts(amount), efforts=efforts)


def test_known_effort_is_put_in_beside_what_was_paid() -> None:
    """23,300 realized in 233 days over as much paid, and 4,660 of effort: 1 / 1.2."""
    efforts = _effort(START, "4000"), _effort(date(2026, 2, 1), "660", CostKind.IMPLEMENTATION)
    (found,) = returns(_with_effort(*efforts))
    assert [found.number(name).value for name in ("paid", "effort", "put_in")] == [23300, 4660, 27960]
    assert found.number("times_paid").value == Decimal("0.8333")
    assert (found.terms["counts"], found.favorable) == ("contracts-and-effort", False)


def test_a_month_that_the_days_cut_counts_by_its_days_and_other_currencies_not_at_all() -> None:
    """Twenty-one of August's days are past; what costs us is none of the customer's."""
    efforts = (
        _effort(date(2026, 8, 1), "310"),
        _effort(date(2026, 9, 1), "900"),
        _effort(date(2025, 12, 1), "900"),
        _effort(date(2026, 3, 1), "900", currency="EUR"),
        _effort(date(2026, 3, 1), "900", CostKind.SERVICE),
        _effort(date(2026, 3, 1), "900", CostKind.ACQUISITION),
    )
    (found,) = returns(_with_effort(*efforts))
    assert found.number("effort").value == 210


def test_effort_alone_returns_on_a_free_contract() -> None:
    (found,) = returns(_with_effort(_effort(START, "2330"), amount=0))
    assert found.number("times_paid").value == 10


def test_without_any_effort_on_record_only_contracts_are_counted_and_it_is_said() -> None:
    (found,) = returns(_facts(36500))
    assert found.terms["counts"] == "contracts"
    assert found.number("effort").value == 0
    assert "put_in" not in [number.name for number in found.numbers]


@pytest.mark.parametrize(
    ("language", "with_effort", "without"),
    [
        (Language.ENGLISH, "put in since 1 Jan 2026, payments and known effort.", "counting only contracts."),
        (Language.GERMAN, "realisiert, Zahlungen und bekannter Aufwand zusammen.", "nur Verträge gerechnet."),
    ],
)
def test_the_sentence_says_what_is_counted(language: Language, with_effort: str, without: str) -> None:
    for facts, said in ((_with_effort(_effort(START, "2330")), with_effort), (_facts(36500), without)):
        (found,) = [one for one in admitted(facts) if one.insight.kind == "return-on-paid"]
        assert render(found, Audience.CUSTOMER, wording_in(language)).text.endswith(said)


def test_the_record_is_held_to_effort_that_a_sentence_leaves_out_or_makes_up() -> None:
    told, silent = _with_effort(_effort(START, "2330")), _facts(36500)
    for facts, record in ((told, silent), (silent, told)):
        found = returns(facts)
        assert admit(found, rederive_from(record_of(facts), found))[0]
        assert admit(found, rederive_from(record_of(record), found))[0] == []


def test_what_is_said_to_be_counted_must_be() -> None:
    facts = _with_effort(_effort(START, "2330"))
    (found,) = returns(facts)
    lied = msgspec.structs.replace(found, terms={**found.terms, "counts": "contracts"})
    assert admit([lied], rederive_from(record_of(facts), [lied]))[0] == []
