from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.value.factories import NOW
from tests.value.test_values import SPRING, d, shown
from valueplatform.core.authorization import Side
from valueplatform.core.periods import Period
from valueplatform.value.splits import (
    Act,
    Entry,
    Split,
    SplitState,
    cut_amount,
    days_shared,
    declared,
    parts_of,
    splits_of,
)

DAY = date(2026, 3, 2)
PROPOSE, AGREE, REFUSE, WITHDRAW = Act
CUSTOMER, SUPPLIER, PARTNER = Side.CUSTOMER, Side.SUPPLIER, Side.PARTNER


def entries(*said: tuple[Act, Side, Any, date], provider: str = "tessera", first: int = 1) -> list[Entry]:
    """Each an act, a side, and the share or what it answers."""
    return [
        Entry(
            entry_id=number, driver="joint_one", provider=provider, action=act,
            answers=None if act is PROPOSE else given, share=Decimal(given) if act is PROPOSE else None,
            supplier_share=Decimal("0.2") if act is PROPOSE else None, author=str(side), side=side, reason="r", day=day,
            known_at=NOW,
        )
        for number, (act, side, given, day) in enumerate(said, first)
    ]  # fmt: skip


def agreed(share: str, day: date = DAY, provider: str = "tessera", first: int = 1) -> list[Entry]:
    said = (PROPOSE, SUPPLIER, share, day), (AGREE, PARTNER, first, day), (AGREE, CUSTOMER, first, day)
    return entries(*said, provider=provider, first=first)


def standing(said: list[Entry]) -> list[tuple[SplitState, date | None, date | None]]:
    return [(one.state, one.since, one.until) for one in splits_of(said)]


def test_it_is_in_force_from_the_day_on_which_the_third_party_agreed() -> None:
    later = DAY + timedelta(days=3)
    said = entries((PROPOSE, PARTNER, "0.3", DAY), (AGREE, SUPPLIER, 1, DAY), (AGREE, CUSTOMER, 1, later))
    assert standing(said[:2]) == [(SplitState.PROPOSED, None, None)]
    assert standing(said) == [(SplitState.IN_FORCE, later, None)]
    assert [one.side for one in splits_of(said)[0].said] == [PARTNER, SUPPLIER, CUSTOMER]


def test_two_who_agree_on_one_side_are_one_party() -> None:
    said = entries((PROPOSE, PARTNER, "0.3", DAY), (AGREE, CUSTOMER, 1, DAY), (AGREE, CUSTOMER, 1, DAY))
    assert standing(said) == [(SplitState.PROPOSED, None, None)]


def test_a_refusal_or_withdrawal_ends_it_and_what_held_goes_on() -> None:
    held = agreed("0.3")
    refused = held + entries((PROPOSE, PARTNER, "0.9", DAY), (REFUSE, CUSTOMER, 4, DAY), first=4)
    withdrawn = held + entries((PROPOSE, PARTNER, "0.9", DAY), (WITHDRAW, PARTNER, 4, DAY), first=4)
    assert standing(refused) == [(SplitState.IN_FORCE, DAY, None), (SplitState.REFUSED, None, None)]
    assert standing(withdrawn) == [(SplitState.IN_FORCE, DAY, None), (SplitState.WITHDRAWN, None, None)]


def test_a_new_line_replaces_the_one_before_from_its_day_on() -> None:
    later = DAY + timedelta(days=5)
    assert standing(agreed("0.3") + agreed("0.4", later, first=4)) == [
        (SplitState.REPLACED, DAY, later),
        (SplitState.IN_FORCE, later, None),
    ]


def test_a_newer_proposal_replaces_one_that_is_open() -> None:
    said = entries((PROPOSE, PARTNER, "0.3", DAY), (PROPOSE, SUPPLIER, "0.1", DAY))
    assert [one.state for one in splits_of(said)] == [SplitState.REPLACED, SplitState.PROPOSED]


def test_days_of_a_driver_never_go_back() -> None:
    earlier = DAY - timedelta(days=1)
    said = agreed("0.3") + agreed("0.4", earlier, "waypoint", first=4)
    assert [one.since for one in splits_of(said)] == [DAY, DAY]


def test_declared_is_what_holds_or_what_the_supplier_has_agreed_to() -> None:
    splits = splits_of(agreed("0.3") + entries((PROPOSE, SUPPLIER, "0.4", DAY), first=4))
    assert declared(splits, "joint_one", without="waypoint") == Decimal("0.6")
    assert declared(splits, "joint_one", without="tessera") == 0
    assert declared(splits, "another", without="waypoint") == 0
    wished = splits_of(entries((PROPOSE, PARTNER, "0.8", DAY)))
    assert declared(wished, "joint_one", without="waypoint") == 0


def named(parts: list[Any]) -> dict[str, Decimal]:
    return {part.value.provider: part.value.expected for part in parts}


def test_amounts_are_cut_by_what_held_on_the_day_that_they_were_earned_on() -> None:
    splits = splits_of(agreed("0.3"))
    value = shown(DAY, 100, "joint_one", provider="joint")
    assert named(parts_of(value, DAY, splits)) == {"tessera": d(30), "supplier": d(20), "joint": d(50)}
    # An adjustment of a day before the agreement, shown after it.
    assert named(parts_of(value, DAY - timedelta(days=1), splits)) == {"joint": d(100)}
    assert parts_of(value, DAY, splits)[0].known_to == {"tessera"}


def test_another_driver_is_not_cut() -> None:
    assert named(parts_of(shown(DAY, 9, "another", provider="joint"), DAY, splits_of(agreed("0.3")))) == {"joint": d(9)}


def test_days_shared_are_those_with_a_share() -> None:
    later = DAY + timedelta(days=5)
    splits = splits_of(agreed("0.3") + agreed("0", later, first=4))
    assert days_shared(splits, "tessera", SPRING) == [("joint_one", Period(DAY, later))]
    assert days_shared(splits, "waypoint", SPRING) == []


SHARES = st.lists(st.integers(0, 10**9), min_size=1, max_size=5).filter(any)


@given(st.decimals(-(10**30), 10**30, places=4), SHARES, st.booleans())
def test_parts_add_up_to_the_last_unit_and_never_turn_around(
    amount: Decimal,
    weights: list[int],
    everything: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    whole = sum(weights) + (0 if everything else 7)
    shares = {f"p{n}": Fraction(weight, whole) for n, weight in enumerate(weights[1:])}
    parts = cut_amount(amount, shares, Fraction(weights[0], whole))
    assert sum(map(Fraction, parts.values())) == Fraction(amount)
    for party, share in shares.items():
        short = abs(Fraction(amount) * share) - abs(Fraction(parts[party]))
        assert 0 <= short < Fraction(1, 10**4)
        assert Fraction(parts[party]) * Fraction(amount) >= 0
    if everything and weights[0]:
        assert parts["joint"] == 0


@given(st.decimals(-(10**9), 10**9, places=4), st.integers(0, 10), st.integers(0, 10))
def test_a_partner_s_part_tells_nothing_of_others(amount: Decimal, own: int, other: int) -> None:
    alone = cut_amount(amount, {"p": Fraction(own, 20)}, Fraction(0))
    beside = cut_amount(amount, {"a": Fraction(other, 20), "p": Fraction(own, 20)}, Fraction(0))
    assert alone["p"] == beside["p"]


def test_splits_name_who_spoke() -> None:
    (one,) = splits_of(agreed("0.3"))
    assert isinstance(one, Split)
    assert one.agreed == {CUSTOMER, SUPPLIER, PARTNER}
