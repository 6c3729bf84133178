"""Finance read from a real database, opened, and recomputed by code of its own."""

import ast
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.conftest import Databases, Server
from tests.stewardship.finance_world import MODEL, a_world, put_account, put_contracts, put_rates
from tests.value.factories import a_model, put_model
from valueplatform.accounts.contracts import recurring
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, InvalidInputError, NotFoundError
from valueplatform.core.periods import Period, Window
from valueplatform.stewardship import finance_positions
from valueplatform.stewardship.finance_definitions import DEFINITIONS, METRIC_OF_NAME, PARTS, Metric, document
from valueplatform.stewardship.finance_ground import Question, period_of
from valueplatform.stewardship.finance_opened import opened_measure, verify_finance
from valueplatform.stewardship.finance_read import Finance, read_finance, steps_of
from valueplatform.value.models import NoModelError

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DOCS = Path(__file__).parents[2] / "docs" / "finance.md"


@pytest.fixture
async def web(server: Server) -> AsyncIterator[Transaction]:
    """What a request of somebody sees who may see all."""
    name = "valueplatform_finance"
    await server.template(name, a_world)
    async with server.clone(name) as databases, databases.web.transaction(operator_scope(), steady=True) as tx:
        yield tx


async def finance(tx: Transaction, **asked: object) -> Finance:
    return await read_finance(tx, Question(**asked), NOW)  # type: ignore[arg-type]  # tests say what is asked by name


async def test_before_a_model_there_is_no_finance_and_without_accounts_nothing_to_tell(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        with pytest.raises(NoModelError):
            await finance(tx)
    await put_model(databases, a_model(MODEL))
    async with databases.web.transaction(operator_scope()) as tx:
        found = await finance(tx)
        assert (found.accounts, found.left_out, found.segments, found.next_dollar) == (0, [], [], [])
        assert all(rows == [] for rows in found.revenue.values())
        assert (await verify_finance(tx, NOW))[1] == []


async def test_part_of_the_accounts_makes_no_total(server: Server, web: Transaction) -> None:
    async with (
        server.clone("valueplatform_finance") as databases,
        databases.web.transaction(accounts_or_all([1])) as tx,
    ):
        with pytest.raises(ForbiddenError, match="all accounts"):
            await finance(tx)


async def test_the_last_twelve_whole_months_over_all_accounts_with_known_rates(web: Transaction) -> None:
    found = await finance(web)
    assert (found.start, found.end, found.currency, found.accounts) == (date(2025, 6, 1), date(2026, 6, 1), "USD", 9)
    parts = found.figure(Metric.NRR).parts
    assert parts["opening"] == Decimal("2277.7590")  # 400 + 777.77 + 999.99 in euros at 1.1
    assert (parts["expansion"], parts["contraction"], parts["churned"]) == (
        Decimal("30.0000"),
        Decimal("33.3333"),
        Decimal("777.7700"),
    )
    assert found.figure(Metric.LOGO_CHURN).value == Decimal("0.1667")
    assert found.figure(Metric.CAC).value == Decimal("2083.3300")  # what was spent on the prospect is in it
    assert found.figure(Metric.LIFETIME).value == 60


async def test_value_is_counted_by_the_day_it_is_shown_on_and_converted_by_the_rate_of_that_day(
    web: Transaction,
) -> None:
    found = await finance(web)
    # a1: July is closed, so 1,999.9999 of it was never posted, and 500 is shown in a month to come.
    euro = Decimal("110.0001") + Decimal("123.4501")  # 100.0001 at 1.1, and at 1.2345
    assert found.figure(Metric.VALUE).value == 4000 + 100 + Decimal("-12.5") + 60 + euro
    assert found.classes["cashable"] == 100
    assert sum(found.classes.values()) == found.figure(Metric.VALUE).value
    assert found.figure(Metric.VALUE_PER_DOLLAR).parts["value_paid_for"] == found.classes["capacity"] + 100 - 60


async def test_who_has_no_rate_is_in_no_total_and_named_with_the_day_that_lacks_it(web: Transaction) -> None:
    (left,) = (await finance(web)).left_out
    assert (left.account, left.currency, left.day) == ("yen", "JPY", date(2025, 6, 1))


async def test_with_a_rate_the_account_is_in_the_totals_and_before_it_is_not(server: Server, web: Transaction) -> None:
    async with server.clone("valueplatform_finance") as databases:
        await put_rates(databases, "JPY 2025-07-01 0.0067")
        async with databases.web.transaction(operator_scope()) as tx:
            assert [one.day for one in (await finance(tx)).left_out] == [date(2025, 6, 1)]
            late = await finance(tx, start=date(2025, 8, 1), end=date(2026, 6, 1))
            assert late.left_out == []
            assert late.figure(Metric.RECURRING).parts["recurring"] > 2000


async def test_without_any_rate_the_accounts_at_home_are_totalled_and_the_others_listed(databases: Databases) -> None:
    await put_model(databases, a_model(MODEL))
    for key, currency in (("home", "USD"), ("euro", "EUR"), ("idle", "GBP")):
        await put_account(databases, key, currency=currency)
    await put_contracts(databases, "home c 2025-01-01 - 10 month", "euro c 2025-01-01 - 10 month")
    async with databases.web.transaction(operator_scope()) as tx:
        found = await finance(tx)
        assert found.figure(Metric.RECURRING).value == 10
        assert [(one.account, one.currency) for one in found.left_out] == [("euro", "EUR")]
        assert (await verify_finance(tx, NOW))[1] == []


async def test_revenue_is_attributed_whole_in_every_cut(web: Transaction) -> None:
    found = await finance(web)
    revenue = found.figure(Metric.REVENUE).value
    for cut, rows in found.revenue.items():
        assert sum(row.revenue for row in rows) == revenue, cut
        assert rows[-1].title == "Not attributed: no counted value"
        assert not rows[-1].attributed
    titles = {cut: [row.title for row in rows[:-1]] for cut, rows in found.revenue.items()}
    assert titles["driver"] == ["Calls avoided", "Time saved"] or titles["driver"] == ["Time saved", "Calls avoided"]
    assert "Dispatch + Reports" in titles["feature"]
    assert titles["product"] == ["Core"]
    assert set(titles["provider"]) == {"supplier", "tessera"}


async def test_segments_carry_no_shared_cost_and_are_ranked_only_where_there_are_enough(web: Transaction) -> None:
    found = await finance(web)
    assert [(row.segment, row.accounts) for row in found.segments] == [("", 3), ("rail", 6)]
    ranked = [(one.rank, one.segment) for one in found.next_dollar]
    assert ranked == [(1, "rail"), (None, "")]
    rail = await finance(web, segment="rail")
    assert rail.segments == []
    assert rail.figure(Metric.GROSS_MARGIN).parts["shared_service"] == 0
    assert rail.figure(Metric.NRR).value == found.figure(Metric.NRR).value
    with pytest.raises(NotFoundError, match="No account is in segment"):
        await finance(web, segment="space")


async def test_the_trend_has_the_whole_steps_and_its_last_year_is_that_of_the_window(web: Transaction) -> None:
    found = await finance(web)
    assert len(found.trend) == 12
    last = {one.metric: one.value for one in found.trend[-1].figures}
    assert last[Metric.NRR] == found.figure(Metric.NRR).value
    assert last[Metric.LTV_CAC] == found.figure(Metric.LTV_CAC).value
    value = sum(
        each.parts["value"] for p in found.trend for each in p.figures if each.metric is Metric.OWN_VALUE_PER_DOLLAR
    )
    assert value == found.figure(Metric.VALUE).value
    assert {point.left_out for point in found.trend} == {1}
    quarters = await finance(web, steps=Window.QUARTER)
    assert [point.start for point in quarters.trend] == [date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1)]
    with pytest.raises(InvalidInputError, match="MONTH or QUARTER"):
        await finance(web, steps=Window.WEEK)


def test_steps_that_the_window_cuts_are_not_in_the_trend() -> None:
    cut = Period(date(2026, 1, 2), date(2026, 4, 15))
    assert steps_of(cut, Window.MONTH) == [
        Period(date(2026, 2, 1), date(2026, 3, 1)),
        Period(date(2026, 3, 1), date(2026, 4, 1)),
    ]
    assert steps_of(cut, Window.QUARTER) == []


@pytest.mark.parametrize(
    "question",
    [
        Question(end=date(2026, 6, 17)),
        Question(start=date(2026, 6, 1), end=date(2026, 6, 1)),
        Question(start=date(2016, 5, 31), end=date(2026, 6, 1)),
        Question(end=date(9999, 1, 1)),
        Question(end=date(1, 1, 1)),
    ],
)
def test_a_window_of_nothing_of_the_future_or_of_more_than_ten_years_is_refused(question: Question) -> None:
    with pytest.raises(InvalidInputError, match=r"`(to|from)`"):
        period_of(question, date(2026, 6, 15))


def test_without_a_first_day_a_window_is_a_year_and_without_a_last_it_ends_today() -> None:
    today = date(2024, 2, 29)
    assert period_of(Question(end=date(2024, 3, 1)), today) == Period(date(2023, 3, 1), date(2024, 3, 1))
    assert period_of(Question(start=date(2024, 2, 1)), today) == Period(date(2024, 2, 1), date(2024, 3, 1))


@pytest.mark.parametrize("metric", list(Metric))
async def test_every_measure_opens_to_accounts_that_add_up_to_it_and_agrees_with_separate_code(
    web: Transaction, metric: Metric
) -> None:
    opened = await opened_measure(web, metric, Question(), NOW, 500, None)
    assert opened.agrees
    assert opened.recomputed == opened.figure.value
    told = [one for one in opened.accounts.items if not one.left_out]
    for name, total in opened.figure.parts.items():
        if not PARTS[name].shared:
            assert sum(one.parts[name] for one in told) == total, name
    if metric is Metric.REVENUE:
        assert all(sum(one.revenue_by.values()) in {0, one.parts["revenue"]} for one in told)


async def test_opened_accounts_come_in_pages_with_their_contracts_costs_and_the_rates_used(web: Transaction) -> None:
    first = await opened_measure(web, Metric.GROSS_MARGIN, Question(), NOW, 2, None)
    assert [one.account for one in first.accounts.items] == ["a1", "a2"]
    assert [one.contract_id for one in first.accounts.items[0].contracts] == ["c", "more"]
    rest = await opened_measure(web, Metric.GROSS_MARGIN, Question(), NOW, 500, first.accounts.next_cursor)
    (euro,) = [one for one in rest.accounts.items if one.account == "euro"]
    assert [(one.kind, one.amount) for one in euro.costs] == [("service", Decimal("77.77"))]
    assert [one.day for one in rest.rates if one.currency == "EUR"] == [date(2024, 1, 1), date(2025, 8, 17)]
    assert [one.cost_id for one in rest.shared_costs] == ["5"]
    assert [one.account for one in rest.accounts.items if one.left_out] == ["yen"]
    with pytest.raises(InvalidInputError, match="cursor"):
        await opened_measure(web, Metric.NRR, Question(), NOW, 2, "???")


@pytest.mark.parametrize(
    "asked",
    [
        Question(),
        Question(start=date(2025, 8, 16), end=date(2026, 1, 20)),
        Question(start=date(2024, 2, 29), end=date(2026, 6, 16)),
        Question(segment="rail"),
        Question(start=date(2020, 1, 1), end=date(2020, 2, 1)),
    ],
)
async def test_whatever_the_window_separate_code_comes_to_the_same_numbers(web: Transaction, asked: Question) -> None:
    for metric in (Metric.VALUE_PER_DOLLAR, Metric.LTV_CAC, Metric.CAC_PAYBACK):
        opened = await opened_measure(web, metric, asked, NOW, 500, None)
        assert opened.agrees, (metric, opened.figure, opened.recomputed)


async def test_a_mistake_in_the_arithmetic_is_found(web: Transaction, monkeypatch: pytest.MonkeyPatch) -> None:
    count, wrong = await verify_finance(web, NOW)
    assert wrong == []
    assert count > 100
    wrong_by = Fraction(101, 100)
    monkeypatch.setattr(finance_positions, "recurring", lambda held, day: recurring(held, day) * wrong_by)
    _, wrong = await verify_finance(web, NOW)
    assert {"opening", "recurring", "arpa"} <= {one.what for one in wrong}
    opened = await opened_measure(web, Metric.ARPA, Question(), NOW, 5, None)
    assert not opened.agrees


def test_what_the_documentation_says_is_what_the_code_holds() -> None:
    assert document() in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("metric", list(Metric))
def test_a_written_formula_names_parts_and_measures_alone(metric: Metric) -> None:
    definition = DEFINITIONS[metric]
    for formula in (definition.formula, definition.needs):
        ast.parse(formula, mode="eval")
    assert set(definition.names) <= PARTS.keys() | METRIC_OF_NAME.keys()
    assert definition.says.endswith(".")
