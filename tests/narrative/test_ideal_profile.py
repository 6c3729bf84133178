"""Which attributes go with value: found where planted, silent in noise, and never made of one account."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueplatform.narrative.ideal_profile import profile, thirds
from valueplatform.value.traits import Kind, Subject, Value, places

SEGMENTS = ("elevators", "medical", "utilities")


def world(count: int = 60, seed: int = 1, *, planted: bool = True, currency: str = "USD") -> list[Subject]:
    """Value grows with crews and is higher in medical where planted; the region says nothing, and ids are names."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        crew, segment = draw.randint(5, 500), draw.choice(SEGMENTS)
        value = crew * (3 if segment == "medical" else 1) * draw.uniform(50, 150) if planted else draw.uniform(1, 900)
        attributes: dict[str, Value] = {
            "crew": Decimal(crew),
            "segment": segment,
            "region": draw.choice(("north", "south")),
            "crm": f"id-{number}",
        }
        found.append(Subject(number, currency, Fraction(round(value)), attributes))
    return found


def test_nobody_to_compare_is_no_profile() -> None:
    empty = profile(())
    assert (empty.accounts, empty.traits, empty.skill, empty.terms) == (0, (), None, ())
    assert empty.fit({"crew": Decimal(4)}) is None


def test_a_few_accounts_are_not_compared() -> None:
    found = profile(world(19))
    assert found.traits == ()
    assert found.skill is None


def test_what_was_planted_is_found_and_a_name_is_left_out() -> None:
    found = profile(world())
    traits = {trait.name: trait for trait in found.traits}
    assert traits["crew"].holds
    assert traits["crew"].strength > 0.5
    assert traits["segment"].holds
    assert traits["segment"].kind is Kind.CHOICE
    assert not traits["region"].holds
    assert found.left_out == ("crm",)
    assert found.skill is not None
    assert found.skill > 0.4


def test_a_fit_follows_what_was_planted_and_its_reasons_say_so() -> None:
    found = profile(world())
    large: dict[str, Value] = {"crew": Decimal(450), "segment": "medical"}
    small: dict[str, Value] = {"crew": Decimal(8), "segment": "utilities"}
    scores = found.fit(large), found.fit(small)
    assert scores[0] is not None
    assert scores[0] > 85
    assert scores[1] is not None
    assert scores[1] < 15
    reasons = found.reasons(large)
    assert {reason.name for reason in reasons} == {"crew", "segment"}
    assert all(reason.points is not None and reason.points > 0 for reason in reasons)


def test_what_is_not_known_of_an_account_is_said_and_adds_nothing() -> None:
    found = profile(world())
    reasons = found.reasons({"crew": Decimal(100)})
    assert [reason.name for reason in reasons if reason.points is None] == ["segment"]
    assert found.fit({"region": "north"}) is None


def test_noise_holds_at_the_stated_rate_only_and_gives_no_fit() -> None:
    worlds = [profile(world(seed=seed, planted=False)) for seed in range(60)]
    assert sum(any(trait.holds for trait in found.traits) for found in worlds) <= 8
    assert sum(bool(found.terms) for found in worlds) <= 3


def test_accounts_are_ranked_within_their_currency() -> None:
    dollars, yen = (
        world(30),
        [Subject(one.account_id + 100, "JPY", one.value * 150, one.attributes) for one in world(30, seed=2)],
    )
    assert profile([*dollars, *yen]).accounts == 60
    assert max(places(dollars)) == max(places([*dollars, *yen])[:30]) == 1.0


def test_a_currency_that_few_have_is_left_out() -> None:
    few = [Subject(900 + n, "CHF", Fraction(10**9), {"crew": Decimal(1)}) for n in range(4)]
    assert profile([*world(), *few]).accounts == 60


def test_equal_values_everywhere_tell_nothing() -> None:
    same = [Subject(n, "USD", Fraction(5), {"crew": Decimal(n)}) for n in range(40)]
    found = profile(same)
    assert not any(trait.holds for trait in found.traits)
    assert found.terms == ()


def test_texts_of_any_script_and_negative_numbers_are_compared() -> None:
    mixed = [
        Subject(n, "USD", Fraction(n), {"länd": "日本" if n % 2 else "Ελλάδα", "debt": Decimal(-n)}) for n in range(40)
    ]
    found = {trait.name: trait for trait in profile(mixed).traits}
    assert found["debt"].holds
    assert found["debt"].strength == pytest.approx(-1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_the_unit_of_value_and_the_order_of_accounts_change_nothing(seed: int, factor: int) -> None:
    subjects = world(40, seed)
    scaled = [Subject(one.account_id, one.currency, one.value * factor, one.attributes) for one in subjects]
    random.Random(seed).shuffle(scaled)
    assert profile(scaled) == profile(subjects)


@given(st.lists(st.integers(-50, 50), max_size=40))
def test_thirds_hold_each_account_once(numbers: list[int]) -> None:
    subjects = [Subject(n, "USD", Fraction(n), {"x": Decimal(value)}) for n, value in enumerate(numbers)]
    inside = [one.account_id for _, _, members in thirds(subjects, "x") for one in members]
    assert sorted(inside) == list(range(len(numbers)))
