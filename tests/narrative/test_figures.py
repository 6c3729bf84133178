from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.factories import account, admitted, assumption, contract, driver, harbor, rows, steady, targets
from valueplatform.core.periods import Period, month_of
from valueplatform.narrative import figures
from valueplatform.narrative.insight import Standing
from valueplatform.value.derivation import Realized
from valueplatform.value.states import State

JANUARY = month_of(date(2026, 1, 1))
days = st.dates(date(2024, 1, 1), date(2027, 12, 31))


def test_realized_value_without_drivers_is_zero_and_says_so() -> None:
    assert figures.realized(account(), JANUARY, ()).value == 0


def test_a_month_that_the_period_cuts_is_committed_by_its_days() -> None:
    facts = account(targets=tuple(targets("o", "a", JANUARY.start, JANUARY.end, 3100)), drivers=(driver("a"),))
    assert figures.committed(facts, Period(date(2026, 1, 1), date(2026, 1, 11)), ("a",)).value == 1000


@pytest.mark.parametrize(
    ("price", "start", "end", "cost"),
    [
        (contract(date(2026, 1, 1), None, 3100, period="month"), date(2026, 1, 1), date(2026, 2, 1), 3100),
        (contract(date(2026, 1, 1), None, 3100, period="month"), date(2026, 1, 31), date(2026, 2, 1), 100),
        (contract(date(2026, 1, 1), date(2026, 1, 6), 3100, period="month"), date(2025, 1, 1), date(2027, 1, 1), 500),
        (contract(date(2026, 3, 1), None, 36500), date(2026, 3, 1), date(2026, 3, 11), 1000),
        (contract(date(2024, 2, 29), None, 36600), date(2024, 2, 29), date(2025, 2, 28), 36600),
        (contract(date(2026, 3, 1), None, 36500), date(2026, 1, 1), date(2026, 3, 1), 0),
    ],
)
def test_what_was_paid_goes_by_the_day(price: object, start: date, end: date, cost: int) -> None:
    assert figures.paid(account(contracts=(price,)), Period(start, end)).value == cost


def test_a_contract_in_another_currency_is_not_added() -> None:
    facts = account(contracts=(contract(JANUARY.start, None, 100, currency="EUR"),))
    assert figures.paid(facts, JANUARY).value == 0


@given(days, st.integers(0, 800), st.integers(0, 800), st.sampled_from(["month", "year"]), st.integers(1, 10**9))
def test_what_was_paid_in_two_stretches_is_what_was_paid_in_both(
    start: date, first: int, second: int, period: str, amount: int
) -> None:
    facts = account(contracts=(contract(start, None, amount, period=period),))
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    parts = figures.paid(facts, Period(start, middle)).value + figures.paid(facts, Period(middle, end)).value
    assert parts == figures.paid(facts, Period(start, end)).value


def test_a_ratio_is_rounded_once_and_half_to_even() -> None:
    half = figures.ratio(figures.constant("0.00005"), figures.constant("1"))
    assert half.value == 0
    assert figures.ratio(figures.constant("0.00015"), figures.constant("1")).value == Fraction(2, 10**4)


def test_a_small_stated_input_keeps_all_its_digits() -> None:
    facts = account(inputs=(assumption("rate", "0.00031", "incident/hour"),))
    assert figures.number("input", figures.held(facts, "rate"), "incident/hour").value == Decimal("0.00031")


def test_a_question_multiplies_one_driver_and_touches_a_sum() -> None:
    facts = harbor()
    window = Period(date(2026, 1, 1), date(2026, 2, 1))
    assert figures.standing_of(facts, window, ("repeat_visits",)) is Standing.UNDER_REVIEW
    assert figures.standing_of(facts, window, ("dispatch_time", "repeat_visits")) is Standing.TOUCHED
    assert figures.standing_of(facts, window, ("dispatch_time",)) is Standing.VALIDATED


def test_what_does_not_count_is_called_by_its_state() -> None:
    facts = account(rows("a", steady(JANUARY.start, JANUARY.end, 1), state=State.PROPOSED), drivers=(driver("a"),))
    assert figures.standing_of(facts, JANUARY, ("a",), counted=False) is Standing.PROPOSED


def test_a_vendors_own_word_is_an_estimate_though_its_inputs_are_validated() -> None:
    daily = [row | {"counted": False} for row in rows("a", steady(JANUARY.start, JANUARY.end, 1))]
    facts = account(daily, drivers=(driver("a"),))
    assert figures.standing_of(facts, JANUARY, ("a",), counted=False) is Standing.ESTIMATED
    assert {a.insight.kind for a in admitted(facts)} >= {"estimated"}


def test_an_account_of_one_provider_asks_for_its_rows_alone() -> None:
    facts = account(rows("a", {JANUARY.start: 5}, provider="tessera"), drivers=(driver("a"),), providers=("tessera",))
    figure = figures.realized(facts, JANUARY, ("a",))
    assert isinstance(figure.derivation, Realized)
    assert figure.derivation.providers == ("tessera",)


def test_a_sum_of_one_part_is_that_part() -> None:
    one = figures.constant("5")
    assert figures.plus([one]) is one


def test_every_number_of_a_rich_account_follows_from_its_record() -> None:
    assert len(admitted(harbor())) > 30
