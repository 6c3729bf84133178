"""What an account without value may expect: from whom, how far, and until when."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.value.benchmark_worlds import NOW, PROSPECT, compared, model
from tests.value.worth_worlds import jobs, put_sent, work
from valueplatform.accounts.accounts import Account, account_by_key
from valueplatform.core.authorization import accounts_or_all
from valueplatform.value.answer import value_answer
from valueplatform.value.benchmark import Figure, Per, Withheld
from valueplatform.value.benchmark_store import Stored
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.cohort_traits import Told
from valueplatform.value.projection import (
    NotProjected,
    Projected,
    Projection,
    Prospect,
    project,
    projection,
    read_projection,
    scale_of,
)
from valueplatform.value.reading import Question, read_value

TIME = next(driver for driver in model().drivers if driver.slug == "time")
SAFETY = next(driver for driver in model().drivers if driver.slug == "safety")


def figure(
    segment: str, per: Per, *quartiles: str, unit: str = "USD", driver: str = "time", accounts: int = 7
) -> Figure:
    lower, median, upper = map(Decimal, quartiles)
    inner = (median - (median - lower) / 2, median, median + (upper - median) / 2)
    return Figure(segment, driver, unit, "capacity", per, accounts, *inner, low=lower, high=upper)


def of(
    figures: list[Figure],
    *,
    segment: str | None = "big",
    scale: str | None = None,
    currency: str = "USD",
    traits: tuple[Told, ...] = (),
) -> object:
    prospect = Prospect(segment, currency, None if scale is None else Decimal(scale))
    made = Benchmarks((date(2026, 5, 1),), "seats", tuple(figures), traits=traits)
    return project(made, model(), prospect, TIME)


ALL, BIG = figure("", Per.ACCOUNT, "1", "2", "4"), figure("big", Per.ACCOUNT, "10", "20", "40")
BY_SEAT, ALL_BY_SEAT = figure("big", Per.SCALE, "0.3", "0.5", "0.7"), figure("", Per.SCALE, "3", "5", "7")


def profile(*, holds: bool, strength: str = "0.6", accounts: int = 40) -> tuple[Told, ...]:
    return (Told("seats", accounts, Decimal(strength), Decimal("0.01"), holds),)


def test_the_range_of_its_segment_about_its_median_is_low_expected_and_high() -> None:
    found = of([ALL, BIG])
    assert isinstance(found, Projected)
    assert (found.low, found.expected, found.high, found.cohort, found.accounts) == (
        Decimal(10),
        Decimal(20),
        Decimal(40),
        "big",
        7,
    )
    assert (found.state, found.evidence) == ("projection", "benchmark")


def test_where_its_scale_is_known_they_are_per_unit_of_it() -> None:
    found = of([ALL, BIG, BY_SEAT, ALL_BY_SEAT], scale="12.5")
    assert isinstance(found, Projected)
    assert (found.low, found.expected, found.high) == (Decimal("3.7500"), Decimal("6.2500"), Decimal("8.7500"))
    assert (found.per, found.scale, found.median) == (Per.SCALE, Decimal("12.5"), Decimal("0.5"))


@pytest.mark.parametrize("segment", ["small", None, "nobody knows it"])
def test_of_a_segment_that_is_no_cohort_all_are_taken_and_named(segment: str | None) -> None:
    found = of([ALL, BIG], segment=segment)
    assert isinstance(found, Projected)
    assert (found.expected, found.cohort, found.cohort_title) == (Decimal(2), "", "All companies")


def test_its_own_segment_per_account_goes_before_all_per_unit_of_scale() -> None:
    found = of([ALL, BIG, ALL_BY_SEAT], scale="10")
    assert isinstance(found, Projected)
    assert (found.per, found.cohort) == (Per.ACCOUNT, "big")


def test_where_value_grows_with_scale_all_by_scale_go_before_the_segment_without() -> None:
    found = of([ALL, BIG, ALL_BY_SEAT], scale="10", traits=profile(holds=True))
    assert isinstance(found, Projected)
    assert (found.per, found.cohort, found.expected) == (Per.SCALE, "", Decimal(50))
    own = of([ALL, BIG, BY_SEAT, ALL_BY_SEAT], scale="10", traits=profile(holds=True))
    assert isinstance(own, Projected)
    assert (own.per, own.cohort) == (Per.SCALE, "big")


@pytest.mark.parametrize("traits", [profile(holds=False), profile(holds=True, strength="-0.6")])
def test_where_value_does_not_grow_with_scale_it_is_left_out(traits: tuple[Told, ...]) -> None:
    found = of([ALL, BIG, BY_SEAT, ALL_BY_SEAT], scale="10", traits=traits)
    assert isinstance(found, Projected)
    assert (found.per, found.cohort, found.scale) == (Per.ACCOUNT, "big", None)


def test_a_few_accounts_do_not_tell_that_value_does_not_grow_with_scale() -> None:
    found = of([ALL, BIG, BY_SEAT], scale="10", traits=profile(holds=False, accounts=29))
    assert isinstance(found, Projected)
    assert found.per is Per.SCALE


@pytest.mark.parametrize(
    ("traits", "scale", "says"),
    [
        (profile(holds=True), "10", "Realized value grows with seats (rank correlation 0.60 over 40 companies)"),
        (profile(holds=False), "10", "Realized value does not grow with seats beyond chance"),
        (profile(holds=False, accounts=29), "10", ""),
        (profile(holds=True), None, ""),
        ((), "10", ""),
    ],
)
def test_it_says_what_the_observed_profile_made_of_the_scale(
    traits: tuple[Told, ...], scale: str | None, says: str
) -> None:
    made = Stored(1, NOW, Benchmarks((date(2026, 5, 1),), "seats", (ALL,), traits=traits))
    found = projection(made, model(), Prospect("big", "USD", None if scale is None else Decimal(scale)), [TIME])
    assert found.says.startswith(says)
    assert bool(found.says) is bool(says)
    assert found.profile == traits


def test_in_another_currency_nothing_is_projected() -> None:
    assert of([ALL, BIG], currency="JPY") == NotProjected("time", "Time", Withheld.FEW)


def test_a_cohort_that_is_withheld_projects_nothing_and_says_why() -> None:
    hidden = Figure("", "time", "USD", "capacity", Per.ACCOUNT, withheld=Withheld.DOMINATED)
    assert of([hidden]) == NotProjected("time", "Time", Withheld.DOMINATED)


def test_a_driver_that_is_not_money_is_projected_in_its_unit_whatever_the_currency() -> None:
    counted = figure("", Per.ACCOUNT, "1", "2", "3", unit="incident", driver="safety")
    made = Benchmarks((date(2026, 5, 1),), None, (counted,))
    found = project(made, model(), Prospect(None, "JPY"), SAFETY)
    assert isinstance(found, Projected)
    assert (found.unit, found.expected) == ("incident", Decimal(2))


def test_losses_are_projected_as_losses() -> None:
    found = of([figure("", Per.ACCOUNT, "-9", "-5", "-1")])
    assert isinstance(found, Projected)
    assert (found.low, found.expected, found.high) == (Decimal(-9), Decimal(-5), Decimal(-1))


@given(
    st.lists(st.decimals(-(10**6), 10**6, places=3), min_size=3, max_size=3).map(sorted),
    st.decimals("0.001", 10**6, places=3),
)
def test_a_range_is_never_upside_down(quartiles: list[Decimal], scale: Decimal) -> None:
    found = of([figure("", Per.SCALE, *map(str, quartiles))], scale=str(scale))
    assert isinstance(found, Projected)
    assert found.low <= found.expected <= found.high


def account(**attributes: object) -> Account:
    return Account(account_id=1, key="a", name="A", timezone="UTC", currencies=((NOW.date(), "USD"),),
                   attributes=attributes)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "scale"),
    [("12", "12"), (12, "12"), (Decimal("1.5"), "1.5"), ("0", None), (-3, None), ("many", None), (None, None),
     (True, None), ([3], None), ("9" * 30, None)],
)  # fmt: skip
def test_a_scale_is_a_positive_number_or_its_text(given: object, scale: str | None) -> None:
    assert scale_of(account(seats=given), model()) == (None if scale is None else Decimal(scale))


def test_before_accounts_were_compared_nothing_is_projected() -> None:
    found = projection(None, model(), Prospect(None, "USD"), model().drivers)
    assert (found.as_of, found.drivers, len(found.not_projected)) == (None, [], 3)
    assert isinstance(Stored(1, NOW, Benchmarks((), None)), Stored)


async def projected(databases: Databases, key: str) -> Projection | None:
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        return await read_projection(tx, await account_by_key(tx, key), model())


async def test_a_prospect_is_projected_from_its_segment_and_size_until_it_has_value(databases: Databases) -> None:
    ids = await compared(databases)
    found = await projected(databases, PROSPECT)
    assert found is not None
    (time, _calls) = found.drivers
    assert (time.per, time.cohort, time.accounts, time.scale) == (Per.SCALE, "big", 15, Decimal(11))
    assert time.expected == time.median * 11
    assert await projected(databases, "a05") is None
    await put_sent(databases, ids[PROSPECT], jobs(3, [NOW.date()]))
    await work(databases, [ids[PROSPECT]])
    assert await projected(databases, PROSPECT) is None


async def test_the_value_read_holds_a_projection_apart_from_every_total(databases: Databases) -> None:
    await compared(databases)
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        prospect, other = await account_by_key(tx, PROSPECT), await account_by_key(tx, "a05")
        answer = msgspec.to_builtins(value_answer(await read_value(tx, prospect, Question(), NOW)))
        valued = msgspec.to_builtins(value_answer(await read_value(tx, other, Question(), NOW)))
    assert answer["projection"]["state"] == "projection"
    assert [one["driver"] for one in answer["projection"]["drivers"]] == ["time", "calls"]
    assert (answer["rows"], answer["totals"]["realized"], answer["totals"]["counted"]) == ((), "0.0000", "0.0000")
    assert "projection" not in valued


async def test_a_past_that_is_read_holds_no_projection(databases: Databases) -> None:
    await compared(databases)
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        prospect = await account_by_key(tx, PROSPECT)
        answer = value_answer(await read_value(tx, prospect, Question(as_of=date(2026, 5, 1)), NOW))
    assert "projection" not in msgspec.to_builtins(answer)
