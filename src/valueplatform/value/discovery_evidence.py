"""What is known of an event type: how many send it, how steadily, and what it goes with. Pure.

**Stability.** The median absolute deviation of the weekly volumes from their median, times 1.4826, over that median: a
coefficient of variation that a few odd weeks do not move (Rousseeuw and Croux 1993). Minimum: 8 whole weeks.

**Relation.** Events a week in the 13 weeks before an account renewed (or let its contract go), and before it expanded;
an account that did not expand is looked at before the median day of those that did. Both groups are compared by the
test of Mann and Whitney (1947), and the shares that used it at all by Newcombe's (1998, method 10) interval. Minimum:
8 accounts in each group that sent anything in their weeks. Told is what holds at a false discovery rate of 5 % among
all that were compared (Benjamini and Hochberg 1995). It says what goes with the outcome, never what brings it about:
accounts differ in other ways too, their size among them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.value.cohorts import median
from valueplatform.value.discovery import Coverage, Finding, Outcome, Relation, Stability
from valueplatform.value.intervals import Share, difference
from valueplatform.value.significance import discoveries, mann_whitney_p

LEAST_WEEKS: Final = 8
LEAST_COMPARED: Final = 8
WEEKS: Final = 13
"""Of use before an outcome, and of coverage."""
FALSE_CLAIMS: Final = 0.05
_NORMAL_MAD: Final = Fraction(14826, 10000)
_PLACES: Final = 4


class Turn(msgspec.Struct, frozen=True):
    """A moment in an account's contract: it renewed or expanded (`happened`), or did not. Use counts before it."""

    account_id: int
    outcome: Outcome
    day: date
    happened: bool


class Deal(msgspec.Struct, frozen=True):
    """A row of an account's contracts."""

    account_id: int
    kind: str
    start: date
    end: date | None


Uses = Mapping[tuple[int, Outcome, str], int]
"""Events of a type in the 13 weeks before an account's turn; '' as the type: events of all types."""


def turns(deals: Iterable[Deal], since: date, today: date) -> list[Turn]:
    """The newest turn of each account and outcome from `since` to before `today`."""
    by_account: dict[int, list[Deal]] = {}
    for deal in deals:
        by_account.setdefault(deal.account_id, []).append(deal)
    found = [turn for held in by_account.values() if (turn := _renewal(held, since, today)) is not None]
    expanded = {
        account_id: max(days)
        for account_id, held in by_account.items()
        if (days := [one.start for one in held if one.kind == "expansion" and since <= one.start < today])
    }
    if expanded:
        usual = sorted(expanded.values())[len(expanded) // 2]
        for account_id, held in by_account.items():
            if account_id in expanded:
                found.append(Turn(account_id, Outcome.EXPANSION, expanded[account_id], happened=True))
            elif any(one.start < usual and (one.end is None or one.end > usual) for one in held):
                found.append(Turn(account_id, Outcome.EXPANSION, usual, happened=False))
    return sorted(found, key=lambda one: (one.account_id, one.outcome))


def _renewal(held: Sequence[Deal], since: date, today: date) -> Turn | None:
    """It renewed, or a contract of it ended and nothing followed, or it said that it leaves."""
    renewed = [one.start for one in held if one.kind == "renewal" and since <= one.start < today]
    left = [one.start for one in held if one.kind == "churn" and since <= one.start < today]
    runs = any(one.kind != "churn" and (one.end is None or one.end > today) and one.start <= today for one in held)
    ended = [one.end for one in held if one.end is not None and since <= one.end < today and not runs]
    lost = max((*left, *ended), default=None)
    if lost is not None and (not renewed or lost >= max(renewed)):
        return Turn(held[0].account_id, Outcome.RENEWAL, lost, happened=False)
    if renewed:
        return Turn(held[0].account_id, Outcome.RENEWAL, max(renewed), happened=True)
    return None


def relations(kinds: Sequence[str], made: Sequence[Turn], uses: Uses) -> Mapping[str, tuple[Relation, ...]]:
    """Of each type and outcome; all of them are one family of comparisons."""
    found: list[tuple[str, Relation, float | None]] = []
    for outcome in Outcome:
        own = [one for one in made if one.outcome is outcome and uses.get((one.account_id, outcome, ""), 0)]
        having = [one.account_id for one in own if one.happened]
        lacking = [one.account_id for one in own if not one.happened]
        for kind in kinds:
            with_it = [uses.get((one, outcome, kind), 0) for one in having]
            without = [uses.get((one, outcome, kind), 0) for one in lacking]
            found.append((kind, *_compared(outcome, with_it, without)))
    tested = [at for at, (_, _, p_value) in enumerate(found) if p_value is not None]
    kept = discoveries([p_value for _, _, p_value in found if p_value is not None], FALSE_CLAIMS)
    told = {at for at, holds in zip(tested, kept, strict=True) if holds}
    by_kind: dict[str, list[Relation]] = {kind: [] for kind in kinds}
    for at, (kind, relation, _) in enumerate(found):
        by_kind[kind].append(_claimed(relation) if at in told else relation)
    return {kind: tuple(held) for kind, held in by_kind.items()}


def _compared(outcome: Outcome, having: Sequence[int], lacking: Sequence[int]) -> tuple[Relation, float | None]:
    relation = Relation(outcome, Finding.TOO_FEW, len(having), len(lacking))
    if min(len(having), len(lacking)) < LEAST_COMPARED:
        return relation, None
    used, other = Share(sum(n > 0 for n in having), len(having)), Share(sum(n > 0 for n in lacking), len(lacking))
    p_value = mann_whitney_p([float(n) for n in having], [float(n) for n in lacking])
    shares = difference(used, other)
    return (
        Relation(
            outcome,
            Finding.NOT_CLEAR,
            len(having),
            len(lacking),
            used.count,
            other.count,
            _rounded(median([Fraction(n, WEEKS) for n in having])),
            _rounded(median([Fraction(n, WEEKS) for n in lacking])),
            shares.value,
            shares.low,
            shares.high,
            Decimal(f"{p_value:.6f}"),
        ),
        p_value,
    )


def _claimed(relation: Relation) -> Relation:
    """The direction is that of the medians, else that of the shares; without one, nothing is claimed."""
    more = (relation.median_having or 0) - (relation.median_lacking or 0) or (relation.difference or 0)
    finding = Finding.MORE if more > 0 else Finding.LESS if more < 0 else Finding.NOT_CLEAR
    return msgspec.structs.replace(relation, finding=finding)


def stability(weekly: Sequence[int]) -> Stability:
    """Of the volumes of whole weeks since the type was first sent."""
    if not weekly:
        return Stability(0, Decimal(0), None)
    middle = median([Fraction(n) for n in weekly])
    variation = None
    if len(weekly) >= LEAST_WEEKS and middle > 0:
        spread = median([abs(n - middle) for n in weekly])
        variation = _rounded(_NORMAL_MAD * spread / middle)
    return Stability(len(weekly), _rounded(middle), variation)


def coverage(days_of: Sequence[int], events: int, senders: int) -> Coverage:
    """`days_of`: on how many of the last 91 days each account that sent it did."""
    share = median([Fraction(days, WEEKS * 7) for days in days_of]) if days_of else Fraction(0)
    return Coverage(len(days_of), max(senders, len(days_of)), _rounded(share), events)


def _rounded(value: Fraction) -> Decimal:
    return round_half_even(value.numerator, value.denominator, _PLACES)
