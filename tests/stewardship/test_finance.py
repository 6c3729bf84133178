"""The measures of finance: the nasty cases first, then the bounds that hold for any accounts."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stewardship.finance_cases import (
    DOLLARS,
    YEAR,
    account,
    contract,
    cost,
    cost_of_days,
    euros,
    stand,
    told,
    value_of,
    worth,
)
from valueplatform.accounts.contracts import Contract
from valueplatform.accounts.costs import KNOWN_EFFORT, Cost, CostKind, effort_in
from valueplatform.core.periods import Period
from valueplatform.stewardship.finance import SAYS, Reason
from valueplatform.stewardship.finance_definitions import HORIZON, LEAST_COHORT, Metric
from valueplatform.stewardship.finance_positions import (
    FinanceAccount,
    MissingRate,
    distributed,
    first_paid,
    months_in,
    position,
)

EARLY, JUNE = date(2024, 3, 1), date(2025, 6, 1)
FIVE = [account(contract("100", EARLY), key=f"a{number}") for number in range(LEAST_COHORT)]


def test_without_accounts_nothing_is_told_and_every_reason_is_said() -> None:
    for metric in Metric:
        figure = told(metric)
        if metric in {Metric.RECURRING, Metric.VALUE, Metric.REVENUE}:
            assert figure.value == 0
        else:
            assert figure.value is None
            assert figure.reason is not None
            assert SAYS[figure.reason].endswith(".")


def test_prospects_and_accounts_that_were_won_are_in_no_retention() -> None:
    prospect, new = account(key="prospect"), account(contract("500", JUNE), key="new")
    assert told(Metric.NRR, prospect, new).reason is Reason.NO_COHORT
    assert value_of(Metric.NRR, prospect, new, account(contract("100", EARLY))) == 1


@given(
    st.lists(st.tuples(st.integers(1, 12), st.decimals(0, 10**8, places=9), st.sampled_from(CostKind)), max_size=8),
    st.integers(0, 300),
    st.integers(1, 400),
)
def test_what_customers_put_in_beside_contracts_is_the_known_effort_that_their_stories_tell(
    given: list[tuple[int, Decimal, CostKind]], first: int, days: int
) -> None:
    costs = [
        Cost(cost_id=f"k{at}", account_id=1, kind=kind, month=date(2025, month, 1), amount=amount, currency="USD")
        for at, (month, amount, kind) in enumerate(given)
    ]
    start = date(2025, 1, 1) + timedelta(days=first)
    window = Period(start, start + timedelta(days=days))
    held = FinanceAccount(account_id=1, key="a", name="A", segment="", currency="USD", costs=costs)
    parts = position(held, window, DOLLARS).parts
    assert sum(parts[kind] for kind in KNOWN_EFFORT) == effort_in(costs, window, "USD")


def test_an_account_whose_contract_starts_with_the_window_is_new_in_it() -> None:
    assert told(Metric.NRR, account(contract("100", YEAR.start))).reason is Reason.NO_COHORT
    assert told(Metric.CAC, account(contract("100", YEAR.start))).parts["won"] == 1
    assert value_of(Metric.NRR, account(contract("100", YEAR.start - timedelta(days=1)))) == 1


def test_a_contract_that_ends_with_the_window_was_still_paid_on_its_last_day() -> None:
    assert value_of(Metric.GRR, account(contract("100", EARLY, YEAR.end))) == 1
    assert value_of(Metric.GRR, account(contract("100", EARLY, YEAR.end - timedelta(days=1)))) == 0


def test_an_account_that_left_and_came_back_within_the_window_stayed() -> None:
    back = account(contract("100", EARLY, JUNE), contract("80", date(2025, 9, 1), name="again"))
    assert value_of(Metric.LOGO_CHURN, back) == 0
    assert value_of(Metric.GRR, back) == Decimal("0.8000")


def test_an_account_that_left_before_the_window_and_came_back_is_neither_kept_nor_won() -> None:
    back = account(contract("100", EARLY, date(2024, 9, 1)), contract("100", JUNE, name="again"))
    assert told(Metric.NRR, back).reason is Reason.NO_COHORT
    assert told(Metric.CAC, back).parts["won"] == 0
    assert value_of(Metric.RECURRING, back) == 100


def test_one_that_grows_does_not_make_up_in_gross_retention_for_one_that_shrinks() -> None:
    grows = account(contract("100", EARLY), contract("50", JUNE, name="more"), key="grows")
    shrinks = account(contract("100", EARLY), contract("-40", JUNE, name="less"), key="shrinks")
    assert value_of(Metric.NRR, grows, shrinks) == Decimal("1.0500")
    assert value_of(Metric.GRR, grows, shrinks) == Decimal("0.8000")
    assert value_of(Metric.EXPANSION, grows, shrinks) == Decimal("0.2500")
    assert value_of(Metric.REVENUE_CHURN, grows, shrinks) == Decimal("0.2000")


def test_a_contraction_below_zero_is_a_loss_of_more_than_all() -> None:
    credit = account(contract("100", EARLY), contract("-130", JUNE, name="credit"))
    assert value_of(Metric.NRR, credit) == Decimal("-0.3000")
    assert value_of(Metric.LOGO_CHURN, credit) == 1


def test_a_free_contract_is_no_account_until_it_pays() -> None:
    pilot = account(contract("0", EARLY), contract("100", JUNE, name="paid"))
    assert told(Metric.CAC, pilot).parts["won"] == 1
    assert first_paid(pilot.own) == JUNE
    assert told(Metric.NRR, pilot).reason is Reason.NO_COHORT


def test_a_partner_s_contract_is_the_customer_s_investment_and_none_of_our_revenue() -> None:
    through = account(
        contract("100", EARLY), contract("20", EARLY, name="p", provider="tessera"), values=[worth("2880")]
    )
    figure = told(Metric.VALUE_PER_DOLLAR, through)
    assert [figure.parts[name] for name in ("revenue", "partner_fees")] == [1200, 240]
    assert figure.value == 2
    assert value_of(Metric.RECURRING, through) == 100


def test_the_customer_s_dollar_holds_all_known_effort_and_ours_what_we_spent() -> None:
    month = date(2025, 2, 1)
    one = account(
        contract("100", EARLY),
        costs=[cost(kind, month, "300") for kind in ("acquisition", "service", "implementation", "internal")],
        values=[worth("9000")],
    )
    assert value_of(Metric.VALUE_PER_DOLLAR, one) == 5  # 1200 + 300 + 300
    assert value_of(Metric.OWN_VALUE_PER_DOLLAR, one) == 10  # 3 times 300


def test_value_of_who_put_nothing_in_is_in_no_ratio_to_what_others_paid() -> None:
    payer, guest = account(contract("100", EARLY), values=[worth("2400")]), account(values=[worth("5000")], key="guest")
    assert value_of(Metric.VALUE_PER_DOLLAR, payer, guest) == 2
    assert value_of(Metric.VALUE, payer, guest) == 7400


def test_shared_cost_is_in_margin_and_in_acquisition() -> None:
    shared = [cost("service", date(2025, 3, 1), "600", None), cost("acquisition", date(2025, 3, 1), "900", None)]
    new = account(contract("100", YEAR.start), costs=[cost("acquisition", date(2025, 1, 1), "100")])
    assert told(Metric.GROSS_MARGIN, new, shared=shared).value == Decimal("0.5000")
    assert told(Metric.CAC, new, shared=shared).value == 1000
    assert told(Metric.CAC_PAYBACK, new, shared=shared).value == 20  # 1000 over 100 a month at half


def test_a_month_of_cost_that_the_window_cuts_counts_by_its_days() -> None:
    half = Period(date(2025, 6, 1), date(2025, 6, 16))
    figure = told(
        Metric.GROSS_MARGIN, account(contract("100", EARLY), costs=[cost("service", JUNE, "30")]), period=half
    )
    assert [figure.parts[name] for name in ("revenue", "service")] == [50, 15]


def test_too_few_accounts_tell_no_lifetime() -> None:
    assert told(Metric.LTV, *FIVE[:-1]).reason is Reason.SMALL_COHORT
    assert told(Metric.LTV_CAC, *FIVE[:-1]).reason is Reason.SMALL_COHORT


def test_where_nobody_is_lost_the_lifetime_is_the_stated_horizon_and_says_so() -> None:
    figure = told(Metric.LTV, *FIVE)
    assert figure.value == 100 * HORIZON
    assert figure.bounded


def test_a_lifetime_shorter_than_the_horizon_is_one_over_the_monthly_churn() -> None:
    leaver = account(contract("100", EARLY, JUNE), key="leaver")
    figure = told(Metric.LIFETIME, *FIVE[:-1], leaver)
    assert figure.value == 60
    assert not figure.bounded  # 12 months, one of five: exactly the horizon, not bounded
    figure = told(Metric.LIFETIME, *FIVE[:-2], leaver, account(contract("1", EARLY, JUNE), key="other"))
    assert figure.value == 30
    assert not figure.bounded


def test_who_costs_more_than_it_pays_is_told_as_it_is_and_never_pays_back() -> None:
    dear = [
        account(contract("100", EARLY), key=f"a{n}", costs=[cost("service", JUNE, "2400")]) for n in range(LEAST_COHORT)
    ]
    assert value_of(Metric.LTV, *dear) == -100 * HORIZON
    new = account(contract("100", YEAR.start), costs=[cost("acquisition", JUNE, "1"), cost("service", JUNE, "2400")])
    assert told(Metric.CAC_PAYBACK, new).reason is Reason.NO_MARGIN


def test_cost_of_winning_is_told_only_where_somebody_was_won_and_something_spent() -> None:
    spent = [cost("acquisition", JUNE, "100", None)]
    assert told(Metric.CAC, *FIVE, shared=spent).reason is Reason.NONE_WON
    assert told(Metric.CAC, account(contract("1", JUNE))).reason is Reason.NO_ACQUISITION_COST


def test_both_ends_go_by_the_rate_of_the_window_s_first_day_so_that_rates_are_no_expansion() -> None:
    rates = euros((date(2024, 1, 1), "1.00"), (JUNE, "1.50"))
    abroad = account(contract("100", EARLY, currency="EUR"))
    assert told(Metric.NRR, abroad, rates=rates).value == 1
    assert told(Metric.RECURRING, abroad, rates=rates).value == 150


def test_what_is_paid_and_spent_goes_by_the_rate_of_its_month_and_value_by_that_of_its_day() -> None:
    rates = euros((date(2024, 1, 1), "1.00"), (date(2025, 6, 15), "2.00"))
    abroad = account(
        contract("100", EARLY, currency="EUR"),
        costs=[cost("service", JUNE, "10", currency="EUR"), cost("service", date(2025, 7, 1), "10", currency="EUR")],
        values=[
            worth("50", unit="EUR", rate_day=date(2024, 1, 1)),
            worth("50", unit="EUR", rate_day=date(2025, 6, 15)),
        ],
    )
    (one,) = stand(abroad, rates=rates)
    assert one.parts["revenue"] == 6 * 100 + 6 * 200
    assert one.parts["service"] == 30
    assert one.parts["value"] == 150


def test_an_account_without_a_rate_is_in_no_total_and_named_with_the_day() -> None:
    rates = euros((JUNE, "1.1"))
    abroad = account(contract("100", EARLY, currency="EUR"), key="abroad", values=[worth("9")])
    home = account(contract("100", EARLY))
    assert told(Metric.RECURRING, abroad, home, rates=rates).value == 100
    (one,) = stand(abroad, rates=rates)
    assert one.missing[0] == MissingRate("EUR", YEAR.start)
    (later,) = stand(account(contract("100", date(2025, 7, 1), currency="EUR")), rates=rates)
    assert later.missing == []  # every rate that it needs is there
    (nothing,) = stand(account(contract("0", EARLY, currency="EUR")), rates=DOLLARS)
    assert nothing.missing == []


def test_contracts_in_two_currencies_of_one_account_add_up_converted() -> None:
    both = account(contract("100", EARLY), contract("100", EARLY, name="e", currency="EUR"))
    assert told(Metric.RECURRING, both, rates=euros((EARLY, "1.25"))).value == 225


@pytest.mark.parametrize(
    ("period", "months"),
    [
        (YEAR, Fraction(12)),
        (Period(date(2024, 2, 15), date(2024, 3, 1)), Fraction(15, 29)),
        (Period(date(2025, 1, 16), date(2025, 2, 15)), Fraction(16, 31) + Fraction(1, 2)),
    ],
)
def test_a_window_is_as_many_months_as_its_days_are(period: Period, months: Fraction) -> None:
    assert months_in(period) == months


def test_revenue_is_split_to_the_last_unit_and_nothing_goes_to_a_driver_below_zero() -> None:
    given = distributed(Decimal("100.0000"), {"a": Decimal(1), "b": Decimal(1), "c": Decimal(1), "d": Decimal(-5)})
    assert given == {"a": Decimal("33.3334"), "b": Decimal("33.3333"), "c": Decimal("33.3333")}
    assert distributed(Decimal(5), {"a": Decimal(0), "b": Decimal(-1)}) == {}
    assert distributed(Decimal("-0.0001"), {"a": Decimal(1), "b": Decimal(2)}) == {"a": 0, "b": Decimal("-0.0001")}


def test_revenue_of_more_than_28_digits_is_distributed_to_the_last_unit() -> None:
    revenue = Decimal("1234567890123456789012345678901234.5678")
    weights = {"a": Decimal("9999999999999999999999999999999.9999"), "b": Decimal("0.0001")}
    given = distributed(revenue, weights)
    assert sum(map(Fraction, given.values())) == Fraction(revenue)
    assert given["b"] == Decimal("0.0123")


AMOUNTS = st.decimals(-(10**6), 10**6, places=4)
DAYS = st.dates(date(2023, 1, 1), date(2026, 12, 31))


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    start, length = draw(DAYS), draw(st.none() | st.integers(0, 900))
    end = None if length is None else start + timedelta(days=length)
    amount = str(draw(AMOUNTS))
    return contract(
        amount, start, end, name=draw(st.text("abc", min_size=3)), period=draw(st.sampled_from(["month", "year"]))
    )


@given(st.lists(st.lists(contracts(), max_size=3), max_size=6))
def test_gross_retention_is_never_above_one_nor_above_net(held: list[list[Contract]]) -> None:
    accounts = [account(*each, key=f"a{n}") for n, each in enumerate(held)]
    nrr, grr = told(Metric.NRR, *accounts), told(Metric.GRR, *accounts)
    assert (nrr.value is None) == (grr.value is None)
    if nrr.value is not None and grr.value is not None:
        assert grr.value <= 1
        assert nrr.value >= grr.value
        churn, expansion = told(Metric.REVENUE_CHURN, *accounts).value, told(Metric.EXPANSION, *accounts).value
        assert churn is not None
        assert expansion is not None
        assert abs(nrr.value - (1 + expansion - churn)) <= Decimal("0.0001")


@given(contracts(), DAYS, st.integers(0, 400), st.integers(0, 400))
def test_what_is_paid_in_two_windows_that_meet_is_what_is_paid_in_both(
    one: Contract, start: date, first: int, second: int
) -> None:
    cut, end = start + timedelta(days=first), start + timedelta(days=first + second)
    parts = [stand(account(one), period=p)[0].parts["revenue"] for p in (Period(start, cut), Period(cut, end))]
    (whole,) = stand(account(one), period=Period(start, end))
    assert sum(parts) == whole.parts["revenue"]
    exact = cost_of_days(one, Period(start, end))
    assert abs(Fraction(whole.parts["revenue"]) - exact) <= Fraction(1, 10_000)


@given(AMOUNTS, st.dictionaries(st.text("abcdef", min_size=1), AMOUNTS, max_size=8))
def test_distributed_revenue_is_the_whole_of_it_and_each_part_within_a_unit_of_its_share(
    amount: Decimal, weights: dict[str, Decimal]
) -> None:
    given = distributed(amount, weights)
    positive = {name: weight for name, weight in weights.items() if weight > 0}
    assert set(given) == set(positive)
    if positive:
        assert sum(given.values()) == amount
        whole = Fraction(sum(positive.values()))
        for name, part in given.items():
            assert abs(Fraction(part) - Fraction(amount) * Fraction(positive[name]) / whole) < Fraction(1, 10_000)
