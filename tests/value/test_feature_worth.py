from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.feature_worth import (
    NOT_ATTRIBUTED,
    Earned,
    Part,
    Present,
    Share,
    Standing,
    amounts,
    missing_parts,
    per_use,
    shares,
    unrealized,
)
from valueplatform.value.model import BenefitClass, Driver, Evidence, Feature
from valueplatform.value.states import State

FORMULA = "(jobs * before - minutes) * price"
DRIVERS = {
    "shared": Driver(slug="shared", unit="USD", formula=FORMULA, features=("a", "b")),
    "own": Driver(slug="own", unit="USD", formula=FORMULA, features=("a",)),
    "odd": Driver(slug="odd", unit="USD", formula=FORMULA, features=("a", "b")),
}
METERS = dict.fromkeys(DRIVERS, ("jobs", "minutes"))
UNCUT = {"odd": "its formula does not add"}
UNITS = st.integers(-(10**9), 10**12).map(lambda units: Decimal(units).scaleb(-4))
ZERO = Decimal(0)
Bounds = tuple[Decimal, Decimal, Decimal, Decimal]
READINGS = st.fractions(0, 10**6, max_denominator=1000)


def at(driver: str = "own", account: int = 1, unit: str = "USD", *, counted: bool = False) -> Standing:
    state = State.VALIDATED if counted else State.ESTIMATED
    return Standing(account, driver, "supplier", unit, BenefitClass.CAPACITY, state, Evidence.MEASURED, counted)


def share(feature: str, expected: str, **standing: object) -> Share:
    amount = Decimal(expected)
    return Share(feature, at(**standing), amount, amount, amount)  # type: ignore[arg-type]  # of `at`


def bounded(low: Decimal, expected: Decimal, high: Decimal, *, cap: Decimal = ZERO) -> Bounds:
    """As `Earned` takes them: with what it was before a cap took `cap`."""
    return low, expected, high, expected + cap


EARNED = st.builds(
    lambda standing, bounds, cap, readings: Earned(
        standing,
        *bounded(*sorted(bounds), cap=cap),
        formula=FORMULA,
        inputs={"before": Fraction(14), "price": Fraction(3, 4)},
        readings=readings,
    ),
    standing=st.builds(at, st.sampled_from(sorted(DRIVERS)), st.integers(1, 2), counted=st.booleans()),
    bounds=st.lists(UNITS, min_size=3, max_size=3),
    cap=st.sampled_from([Decimal(0), Decimal(7), Decimal("1234.5678")]),
    readings=st.dictionaries(
        st.sampled_from([None, "a", "b", "c"]), st.dictionaries(st.sampled_from(["jobs", "minutes"]), READINGS)
    ),
)


@given(st.lists(EARNED, max_size=6))
def test_shares_of_features_and_the_rest_add_up_to_their_driver(earned: list[Earned]) -> None:
    whole: defaultdict[Standing, Decimal] = defaultdict(Decimal)
    parts: defaultdict[Standing, Decimal] = defaultdict(Decimal)
    for one in earned:
        whole[one.standing] += one.expected
    for part in shares(earned, DRIVERS, UNCUT, METERS):
        parts[part.standing] += part.expected
        assert part.feature in {*DRIVERS[part.standing.driver].features, NOT_ATTRIBUTED}
    assert parts == whole


def test_a_driver_of_several_features_is_divided_by_its_formula_on_each_one_s_readings() -> None:
    earned = Earned(
        at("shared"),
        *bounded(Decimal(50), Decimal("100.0001"), Decimal(200)),
        formula=FORMULA,
        inputs={"before": Fraction(10), "price": Fraction(1)},
        readings={
            "a": {"jobs": Fraction(6), "minutes": Fraction(30)},
            "b": {"jobs": Fraction(5)},
            "gone": {"jobs": Fraction(1), "minutes": Fraction(2)},
            None: {"jobs": Fraction(2), "minutes": Fraction(8)},
        },
    )
    found = {one.feature: one.expected for one in shares([earned], DRIVERS, UNCUT, METERS)}
    assert found == {"a": Decimal("30.0000"), "b": Decimal("50.0001"), NOT_ATTRIBUTED: Decimal("20.0000")}


def test_what_cannot_be_divided_is_attributed_to_nobody() -> None:
    earned = Earned(at("odd"), *bounded(Decimal(1), Decimal(2), Decimal(3)), readings={"a": {"jobs": Fraction(1)}})
    (only,) = shares([earned], DRIVERS, UNCUT, METERS)
    assert (only.feature, only.expected) == (NOT_ATTRIBUTED, Decimal("2.0000"))


def test_states_stand_apart_and_counted_stands_beside_realized() -> None:
    own = [share("a", "5", counted=True), share("a", "7"), share("a", "1", account=2)]
    first, second = amounts(own)
    assert (first.state, first.expected, first.counted, first.accounts) == (State.ESTIMATED, Decimal(8), Decimal(0), 2)
    assert (second.state, second.expected, second.counted) == (State.VALIDATED, Decimal(5), Decimal(5))


def test_value_per_use_is_of_each_currency_s_own_uses() -> None:
    own = [share("a", "10"), share("a", "9", account=2, unit="EUR")]
    uses = {1: Fraction(3), 2: Fraction(2), 3: Fraction(4)}
    euro, dollar = per_use(own, uses, {1: "USD", 2: "EUR", 3: "USD"})
    assert (euro.uses, euro.expected) == (Decimal(2), Decimal("4.5000"))
    assert (dollar.uses, dollar.expected) == (Decimal(7), Decimal("1.4286"))


@pytest.mark.parametrize(("used", "told"), [("0", None), ("-2", None), ("2.5", "4.0000"), ("0.0003", "33333.3333")])
def test_value_per_use_is_over_any_quantity_above_zero_and_rounded_once(used: str, told: str | None) -> None:
    (rate,) = per_use([share("a", "10")], {1: Fraction(used)}, {1: "USD"})
    assert rate.uses == Decimal(used)
    assert rate.expected == (None if told is None else Decimal(told))


def test_a_hypothesis_says_what_it_lacks() -> None:
    assert missing_parts(Feature(slug="f", event_types=("e",))) == tuple(Part)
    whole = Feature(slug="f", event_types=("e",), hypothesis="h", driver="d", meter="m", baseline="b")
    assert missing_parts(whole) == ()


FEATURE = Feature(slug="a", event_types=("e",), eligible_segments=("big", "small"))


def people(*groups: tuple[int, str, str]) -> list[Present]:
    """So many accounts of a segment and currency, each."""
    found: list[Present] = []
    for number, segment, currency in groups:
        found += [Present(len(found) + n + 1, segment, currency) for n in range(number)]
    return found


def test_unrealized_value_is_what_comparable_users_have_times_those_who_do_not_use_it() -> None:
    accounts = people((5, "big", "USD"), (2, "big", "USD"), (1, "small", "USD"), (3, "other", "USD"))
    values = {1: "10", 2: "20", 3: "30", 4: "40", 5: "50"}
    own = [share("a", amount, account=account) for account, amount in values.items()]
    (found,) = unrealized(FEATURE, own, dict.fromkeys(values, 1), accounts)
    assert (found.accounts, found.not_compared, found.says) == (3, 0, "")
    assert (found.low, found.expected, found.high) == (Decimal(60), Decimal(90), Decimal(120))
    assert [(one.segment, one.users, one.accounts) for one in found.cohorts] == [("", 5, 1), ("big", 5, 2)]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["10"] * 4, "Insufficient data: fewer than 5 comparable accounts use it."),
        (["10"] * 4 + ["41"], "Insufficient data: one account makes more than half of what its users realize."),
    ],
)
def test_too_few_users_or_one_that_outweighs_all_are_no_comparison(values: list[str], says: str) -> None:
    own = [share("a", amount, account=number) for number, amount in enumerate(values, 1)]
    accounts = people((len(values) + 2, "big", "USD"))
    (found,) = unrealized(FEATURE, own, dict.fromkeys(range(1, len(values) + 1), 1), accounts)
    assert (found.accounts, found.expected, found.cohorts, found.not_compared, found.says) == (0, None, [], 2, says)


def test_accounts_are_compared_with_users_of_their_currency() -> None:
    accounts = people((5, "big", "USD"), (2, "big", "EUR"))
    own = [share("a", "10", account=number) for number in range(1, 6)]
    assert unrealized(FEATURE, own, dict.fromkeys(range(1, 6), 1), accounts) == []


def test_a_user_without_value_counts_as_one_that_has_none() -> None:
    accounts = people((7, "big", "USD"))
    own = [share("a", "10", account=number) for number in range(1, 6)]
    (found,) = unrealized(FEATURE, own, dict.fromkeys(range(1, 7), 1), accounts)
    assert (found.cohorts[0].users, found.low, found.expected) == (6, Decimal(10), Decimal(10))
