"""Shown value divided over members: what they have adds up to the last unit, and follows the formula."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.bridge_cells import Member
from valueplatform.value.model import Evidence
from valueplatform.value.shown import ShownValue
from valueplatform.value.slices import rate_of, sliced, weights
from valueplatform.value.states import State

NOBODY: Member = (None,)
FORMULA = "(jobs * 14 - minutes) / 60 * cost"
RATE = rate_of(FORMULA, {"cost": Fraction(45)}, ["jobs", "minutes"])


def shown(expected: str, provider: str = "supplier") -> ShownValue:
    amount = Decimal(expected)
    return ShownValue(
        driver="d", provider=provider, day=date(2026, 5, 4), unit="USD", benefit_class="capacity",
        evidence=Evidence.MEASURED, state=State.VALIDATED, counted=True, low=amount, expected=amount, high=amount,
    )  # fmt: skip


def read(jobs: int, minutes: int) -> dict[str, Fraction]:
    return {"jobs": Fraction(jobs), "minutes": Fraction(minutes)}


def divided(amount: str, held: Mapping[Member, Mapping[str, Fraction]], *more: str) -> dict[str, Decimal]:
    weighed = weights([(Decimal(each), RATE) for each in (amount, *more)], held, NOBODY)
    whole = sum((Decimal(each) for each in more), Decimal(amount))
    return {one.members["team"]: one.expected for one in sliced([shown(str(whole))], whole, weighed, ["team"])}


TEAMS: dict[Member, Mapping[str, Fraction]] = {("north",): read(10, 20), ("south",): read(2, 10)}
"""Worth 90 and 13.5."""


def test_an_amount_is_divided_as_the_formula_values_each_ones_readings() -> None:
    assert divided("103.5000", TEAMS) == {"north": Decimal(90), "south": Decimal("13.5")}


def test_what_a_cap_leaves_is_divided_in_proportion() -> None:
    assert divided("51.7500", TEAMS) == {"north": Decimal(45), "south": Decimal("6.75")}


def test_what_is_taken_back_is_taken_from_each() -> None:
    assert divided("-103.5000", TEAMS) == {"north": Decimal(-90), "south": Decimal("-13.5")}
    assert divided("103.5000", TEAMS, "-103.5000") == {}


def test_what_is_beyond_the_readings_belongs_to_nobody() -> None:
    assert divided("113.5000", TEAMS) == {"": Decimal(10), "north": Decimal(90), "south": Decimal("13.5")}
    assert divided("7.0000", {}) == {"": Decimal(7)}


def test_a_member_may_have_less_than_nothing() -> None:
    assert divided("75.0000", {("north",): read(10, 20), ("south",): read(0, 20)}) == {
        "north": Decimal(90), "south": Decimal(-15),
    }  # fmt: skip


def test_the_parts_of_parties_are_divided_alike_and_each_adds_up() -> None:
    weighed = weights([(Decimal("103.5000"), RATE)], TEAMS, NOBODY)
    found = sliced([shown("34.4999", "tessera"), shown("69.0001", "joint")], Decimal("103.5000"), weighed, ["team"])
    by = {(one.provider, one.members["team"]): one.expected for one in found}
    assert by["tessera", "north"] + by["tessera", "south"] == Decimal("34.4999")
    assert by["joint", "north"] + by["joint", "south"] == Decimal("69.0001")
    assert by["tessera", "north"] == Decimal("29.9999")


@given(
    amounts=st.lists(st.integers(-(10**36), 10**36), min_size=1, max_size=3),
    teams=st.dictionaries(
        st.sampled_from(["north", "south", "west", None]), st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))
    ),
)
def test_members_add_up_to_what_is_shown(amounts: list[int], teams: dict[str | None, tuple[int, int]]) -> None:
    held: dict[Member, Mapping[str, Fraction]] = {(name,): read(*pair) for name, pair in teams.items()}
    given_ = [Decimal(f"{amount}E-4") for amount in amounts]
    weighed = weights([(each, RATE) for each in given_], held, NOBODY)
    assert sum(weighed.values()) - sum(map(Fraction, given_)) <= Fraction(len(amounts), 5000)
    total = Fraction(sum(amounts), 10**4)
    whole = Decimal(f"{sum(amounts)}E-4")
    parts = sliced([shown(str(whole))], whole, weighed, ["team"])
    assert sum((Fraction(one.expected) for one in parts), Fraction(0)) == total
