"""How a joint driver is shared (value rule 19): with each partner by a line of its own, which the customer's validator,
the supplier and that partner agree on; what is not agreed stays joint.

A line says the partner's share and the supplier's, so each partner agrees to all that it sees, and sees no other's. It
holds from the day on which the third party agreed, and replaces the partner's line before.

A partner's part is cut off toward zero from the whole alone: were it rounded along with other parties' parts, its last
unit would tell of theirs. What is left over is the supplier's where nothing is joint, else joint; so parts add up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.authorization import Side
from valueplatform.core.numbers import AMOUNT_PLACES, amount_units, scaled_decimal
from valueplatform.core.periods import Period
from valueplatform.value.model import JOINT, SUPPLIER
from valueplatform.value.shown import ShownValue

PARTIES: Final = frozenset(Side)


class Act(StrEnum):
    PROPOSE = "propose"
    AGREE = "agree"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class SplitState(StrEnum):
    PROPOSED = "proposed"
    IN_FORCE = "in-force"
    REPLACED = "replaced"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said. Shares are there for proposals alone; `day` is the account's local day."""

    entry_id: int
    driver: str
    provider: str
    action: Act
    answers: int | None
    share: Decimal | None
    supplier_share: Decimal | None
    author: str
    side: Side
    reason: str
    day: date
    known_at: datetime


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal and what came of it. In force from `since` until `until` (exclusive; None = still); `said` is the
    proposal and its answers, which name who agreed and when."""

    split_id: int
    driver: str
    provider: str
    share: Decimal
    supplier_share: Decimal
    state: SplitState
    since: date | None
    until: date | None
    said: tuple[Entry, ...]

    @property
    def agreed(self) -> frozenset[Side]:
        return frozenset(entry.side for entry in self.said if entry.action in {Act.PROPOSE, Act.AGREE})

    def holds_on(self, day: date) -> bool:
        return self.since is not None and self.since <= day and (self.until is None or day < self.until)


def splits_of(entries: Iterable[Entry]) -> list[Split]:
    """Every proposal, oldest first. Of a driver and a partner only the newest proposal can be agreed to; a proposal
    that is not settled is replaced by the next."""
    found: dict[int, Split] = {}
    newest: dict[tuple[str, str], int] = {}
    holding: dict[tuple[str, str], int] = {}
    last: defaultdict[str, date] = defaultdict(lambda: date.min)
    for entry in entries:
        place = entry.driver, entry.provider
        if entry.answers is None:
            held = found.get(newest.get(place, 0))
            if held is not None and held.state is SplitState.PROPOSED:
                found[held.split_id] = msgspec.structs.replace(held, state=SplitState.REPLACED)
            newest[place] = entry.entry_id
            found[entry.entry_id] = Split(
                split_id=entry.entry_id, driver=entry.driver, provider=entry.provider,
                share=entry.share or Decimal(0), supplier_share=entry.supplier_share or Decimal(0),
                state=SplitState.PROPOSED, since=None, until=None, said=(entry,),
            )  # fmt: skip
            continue
        one = msgspec.structs.replace(found[entry.answers], said=(*found[entry.answers].said, entry))
        if entry.action is not Act.AGREE:
            ended = SplitState.REFUSED if entry.action is Act.REFUSE else SplitState.WITHDRAWN
            one = msgspec.structs.replace(one, state=ended)
        elif one.agreed == PARTIES:
            # Days never go back, whatever becomes of the account's zone, so that no day sums what never held together.
            since = last[entry.driver] = max(entry.day, last[entry.driver])
            one = msgspec.structs.replace(one, state=SplitState.IN_FORCE, since=since)
            before = found.get(holding.get(place, 0))
            if before is not None:
                found[before.split_id] = msgspec.structs.replace(before, state=SplitState.REPLACED, until=since)
            holding[place] = one.split_id
        found[one.split_id] = one
    return list(found.values())


def declared(splits: Iterable[Split], driver: str, *, without: str) -> Decimal:
    """The most that lines of a driver with other partners than `without` may come to: of each what holds, or what the
    supplier has agreed to already, whichever is more. Only the supplier, who sees all of them, is held to it: whoever
    else were refused for it could find out by trying what others have."""
    most: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in splits:
        pledged = one.state is SplitState.PROPOSED and Side.SUPPLIER in one.agreed
        if one.driver == driver and one.provider != without and (pledged or one.state is SplitState.IN_FORCE):
            most[one.provider] = max(most[one.provider], one.share + one.supplier_share)
    return sum(most.values(), Decimal(0))


class Part(msgspec.Struct, frozen=True):
    """A party's part of a joint amount; `known_to` are the partners who can tell the whole from their own part."""

    value: ShownValue
    known_to: frozenset[str]


def parts_of(value: ShownValue, earned: date, splits: Iterable[Split]) -> list[Part]:
    """A joint amount among the parties of the day that it was earned on."""
    shares, supplier = shares_on(earned, [one for one in splits if one.driver == value.driver])
    cuts = [cut_amount(amount, shares, supplier) for amount in (value.low, value.expected, value.high)]
    known = frozenset(shares)
    return [
        Part(msgspec.structs.replace(value, provider=party, low=low, expected=expected, high=high), known)
        for party in cuts[0]
        for low, expected, high in [[cut[party] for cut in cuts]]
        if party in shares or low or expected or high
    ]


def shares_on(day: date, splits: Iterable[Split]) -> tuple[dict[str, Fraction], Fraction]:
    """The shares of partners that have one, and the supplier's, by the lines of one driver that hold on a day."""
    lines = [one for one in splits if one.holds_on(day)]
    shares = {one.provider: Fraction(one.share) for one in lines if one.share}
    return shares, sum((Fraction(one.supplier_share) for one in lines), Fraction(0))


def cut_on(amount: Decimal, earned: date, splits: Iterable[Split]) -> dict[str, Decimal]:
    """An amount of one driver by party, as its lines held on the day that it was earned on."""
    return cut_amount(amount, *shares_on(earned, splits))


def cut_amount(amount: Decimal, shares: Mapping[str, Fraction], supplier: Fraction) -> dict[str, Decimal]:
    """By party; the parts add up to the amount, which has at most 4 places."""
    units = amount_units(amount)
    parts = {party: int(units * share) for party, share in sorted(shares.items())}  # int() cuts off toward zero
    whole = sum(shares.values(), supplier) == 1
    rest = units - sum(parts.values())
    parts[SUPPLIER] = 0 if not supplier else rest if whole else int(units * supplier)
    parts[JOINT] = rest - parts[SUPPLIER]
    return {party: scaled_decimal(part, AMOUNT_PLACES) for party, part in parts.items()}


def days_shared(splits: Sequence[Split], provider: str, period: Period) -> list[tuple[str, Period]]:
    """The drivers in which a partner has a share, each with the days of the period on which it has."""
    found = []
    for one in splits:
        if one.provider == provider and one.share and one.since is not None:
            end = period.end if one.until is None else one.until
            shared = Period(one.since, end).intersect(period) if one.since < end else None
            if shared is not None:
                found.append((one.driver, shared))
    return found
