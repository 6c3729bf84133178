"""Whether segment and scale go with what compared accounts realize; each answer is computed again by other code."""

import random
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueplatform.value.benchmark import Member
from valueplatform.value.cohort_traits import Told, cohort_traits
from valueplatform.value.proof_traits import trait_differences


def member(account: int, total: str, *, segment: str | None = "north", scale: str | None = None, **more: str) -> Member:
    held = {"driver": "time", "unit": "USD", "benefit_class": "capacity"} | more
    return Member(
        account, held["driver"], held["unit"], held["benefit_class"], segment, Decimal(total),
        None if scale is None else Decimal(scale),
    )  # fmt: skip


def grown(accounts: int = 40, *, follows: bool = True, seed: int = 1) -> list[Member]:
    """Of two segments that make no difference; amounts follow the scale, or nothing."""
    draw = random.Random(seed)
    sizes = [draw.randint(5, 200) for _ in range(accounts)]
    return [
        member(at, str(round((size if follows else 50) * draw.uniform(0.5, 1.5), 2)), scale=str(size),
               segment=("north", "south")[draw.randrange(2)])
        for at, size in enumerate(sizes)
    ]  # fmt: skip


def told(members: Sequence[Member]) -> dict[str, Told]:
    found = cohort_traits(members, "seats")
    document = msgspec.to_builtins({"scale": "seats", "traits": found})
    assert all(wrong is None for _, wrong in trait_differences(document, members)), "other code says the same"
    return {one.attribute: one for one in found}


def test_scale_that_value_follows_holds_and_a_segment_that_makes_no_difference_does_not() -> None:
    found = told(grown())
    assert found["seats"].holds
    assert found["seats"].strength > Decimal("0.5")
    assert (found["segment"].holds, found["segment"].accounts) == (False, 40)


def test_noise_holds_nothing_but_for_one_time_in_twenty() -> None:
    worlds = [told(grown(follows=False, seed=seed)) for seed in range(60)]
    assert sum(any(one.holds for one in found.values()) for found in worlds) <= 6


def test_nineteen_accounts_tell_nothing() -> None:
    assert told(grown(19)) == {}
    assert set(told(grown(20))) == {"seats", "segment"}


def test_strategic_value_and_what_is_no_money_are_in_no_sum() -> None:
    plain = grown()
    beside = [member(one.account_id, str(9999 - one.account_id), scale=None, driver="x", benefit_class="strategic")
              for one in plain]  # fmt: skip
    counted = [member(one.account_id, str(9999 - one.account_id), driver="y", unit="incident") for one in plain]
    assert told([*plain, *beside, *counted]) == told(plain)


def test_drivers_of_an_account_are_summed_and_currencies_kept_apart() -> None:
    plain = grown()
    halves = [member(one.account_id, str(one.total / 2), segment=one.segment,
              scale=str(one.scale), driver=driver) for one in plain for driver in ("time", "calls")]  # fmt: skip
    assert told(halves) == told(plain)
    yen = [member(100 + one.account_id, str(one.total * 150), segment=one.segment, scale=str(one.scale), unit="JPY")
           for one in plain]  # fmt: skip
    assert told([*plain, *yen])["seats"].accounts == 80
    assert told([*plain, *yen])["seats"].strength == pytest.approx(told(plain)["seats"].strength, abs=Decimal("0.01"))


def test_a_currency_of_four_accounts_and_an_account_of_two_currencies_are_left_out() -> None:
    few = [member(200 + at, str(at), scale=str(at + 1), unit="EUR") for at in range(4)]
    both = [member(0, "5", scale="7", unit="JPY")]
    assert told([*grown(), *few])["seats"].accounts == 40
    assert told([*grown(), *both])["seats"].accounts == 39


def test_segments_that_nearly_every_account_has_for_itself_are_names() -> None:
    members = [member(at, str(at), segment=f"s{at}", scale="3") for at in range(30)]
    assert told(members) == {}, "and a scale that is the same everywhere tells nothing"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-50, 50), st.sampled_from([None, "a", "b"]), st.one_of(st.none(), st.integers(1, 9))),
        max_size=45,
    )
)
def test_two_ways_of_reckoning_agree(given_: list[tuple[int, str | None, int | None]]) -> None:
    told([
        member(at, str(total), segment=segment, scale=None if scale is None else str(scale))
        for at, (total, segment, scale) in enumerate(given_)
    ])  # fmt: skip


@pytest.mark.parametrize("change", [{"holds": False}, {"strength": "0.1"}, {"p_value": "0.5"}, {"accounts": 7}])
def test_a_number_that_was_changed_by_hand_is_found(change: dict[str, object]) -> None:
    members = grown()
    traits = msgspec.to_builtins(cohort_traits(members, "seats"))
    traits = [one | change if one["attribute"] == "seats" else one for one in traits]
    found = dict(trait_differences({"scale": "seats", "traits": traits}, members))
    assert [place for place, wrong in found.items() if wrong] == ["whether seats goes with value"]
    others = [one for one in traits if one["attribute"] != "seats"]
    missing = dict(trait_differences({"scale": "seats", "traits": others}, members))
    assert missing["whether seats goes with value"] == ("none", "told")
