"""What each feature of the product is worth: its share of the value of the drivers that it serves. Pure and exact.

A driver that one feature serves is its own, whole. One that several serve is divided over the values of the dimension
`feature` of its meters, as a bridge divides value (`value.bridge`): by the driver's formula on each one's readings, to
the last unit. What no feature's readings carry stays *not attributed*, so that shares and rest add up to the driver
(value rule 5). Amounts are those of the days that earned them, as computed now; adjustments of closed months stand
elsewhere.

*Unrealized* is an estimate: what accounts that may use a feature and do not would have if they had what comparable
users have (value rule 20). Users chose to use it and may differ in other ways: no cause is claimed (value rule 6).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import AMOUNT_PLACES, round_half_even
from valueplatform.value.bridge_cells import Day, Side, added
from valueplatform.value.bridge_division import divided
from valueplatform.value.cohorts import COHORT, Spread, is_masked, quantile
from valueplatform.value.model import CURRENCIES, BenefitClass, Driver, Evidence, Feature, weakest
from valueplatform.value.states import State

DIMENSION: Final = "feature"
"""The dimension of meters whose values are slugs of features."""
NOT_ATTRIBUTED: Final = ""
_SOME_DAY: Final = date(2000, 1, 1)


class Part(StrEnum):
    """The four parts of a value hypothesis."""

    OUTCOME = "outcome"
    DRIVER = "driver"
    METER = "meter"
    BASELINE = "baseline"


def missing_parts(feature: Feature) -> tuple[Part, ...]:
    """What the feature's hypothesis does not say."""
    said = (feature.hypothesis, feature.driver, feature.meter, feature.baseline)
    return tuple(part for part, given in zip(Part, said, strict=True) if given is None)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an amount is, who may count it, and how well it is known. Amounts of one standing are divided together."""

    account_id: int
    driver: str
    provider: str
    unit: str
    benefit_class: BenefitClass
    state: State
    evidence: Evidence
    counted: bool


@dataclass(frozen=True, slots=True)
class Earned:
    """Days of one standing that rest on one basis. `readings` are sums of the days, by feature (None: those that carry
    none) and meter, and `uncapped` is the amount before a benefit pool's cap; both matter only for what is divided."""

    standing: Standing
    low: Decimal
    expected: Decimal
    high: Decimal
    uncapped: Decimal
    formula: str = ""
    inputs: Mapping[str, Fraction] = field(default_factory=dict)
    readings: Mapping[str | None, Mapping[str, Fraction]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """What one feature has of one standing; `feature` is `NOT_ATTRIBUTED` for the rest. A part of a driver has no
    range: ranges of parts do not add up to that of the whole."""

    feature: str
    standing: Standing
    expected: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


def shares(
    earned: Iterable[Earned],
    drivers: Mapping[str, Driver],
    uncut: Mapping[str, str],
    meters: Mapping[str, Sequence[str]],
) -> list[Share]:
    """All of what was earned, by feature. `uncut` are the drivers that cannot be divided, `meters` those that a
    driver's formula reads."""
    groups: defaultdict[Standing, list[Earned]] = defaultdict(list)
    for one in earned:
        groups[one.standing].append(one)
    return [
        share
        for standing, own in groups.items()
        for share in _shares_of(standing, own, drivers[standing.driver].features, uncut, meters)
    ]


def _shares_of(
    standing: Standing,
    own: Sequence[Earned],
    features: Sequence[str],
    uncut: Mapping[str, str],
    meters: Mapping[str, Sequence[str]],
) -> list[Share]:
    low, expected, high = (added(getattr(one, bound) for one in own) for bound in ("low", "expected", "high"))
    if len(features) == 1:
        return [Share(features[0], standing, expected, low, high)]
    if standing.driver in uncut:
        return [Share(NOT_ATTRIBUTED, standing, expected, low, high)]
    found: defaultdict[str, list[Decimal]] = defaultdict(list)
    for member, amount in divided(_side(own, meters[standing.driver], expected)).items():
        feature = member[0] if member[0] in features else None
        found[feature or NOT_ATTRIBUTED].append(amount)
    return [Share(feature, standing, added(amounts)) for feature, amounts in found.items()]


def _side(own: Sequence[Earned], meters: Sequence[str], expected: Decimal) -> Side:
    """Formulas here add, so the days of one basis are as good as one day with the sums of their readings."""
    members: defaultdict[tuple[str | None, ...], list[Day]] = defaultdict(list)
    for one in own:
        for feature, read in one.readings.items():
            values = {name: read.get(name, Fraction(0)) for name in meters}
            members[(feature,)].append(Day(_SOME_DAY, one.formula, one.inputs, values))
    if not members:
        members[(None,)] = []
    uncapped = added(one.uncapped for one in own)
    return Side(expected, members=members, uncapped=None if uncapped == expected else uncapped)


# ---------------------------------------------------------------- what is told of a feature


class FeatureAmount(msgspec.Struct, frozen=True):
    """Realized value of one driver in one unit, class and state, over `accounts`; `counted` is what value rule
    10 counts. `evidence` is the weakest in it. `divided`: the driver serves several features, and this is the feature's
    share, which has no range of its own."""

    driver: str
    unit: str
    benefit_class: BenefitClass
    state: State
    evidence: Evidence
    accounts: int
    divided: bool
    low: Decimal | None
    expected: Decimal
    high: Decimal | None
    counted: Decimal


class PerUse(msgspec.Struct, frozen=True):
    """Value over uses, rounded once; null where there was no use. `uses` (4 places) are those of the accounts whose
    currency is the unit, or that have value in it; of a unit that is no currency, all."""

    unit: str
    benefit_class: BenefitClass
    uses: Decimal
    expected: Decimal | None
    counted: Decimal | None


class Unrealized(msgspec.Struct, frozen=True):
    """An estimate over the whole window, never part of a realized value: `accounts` may use the feature, do not, and
    are compared with users of their segment, or of all (`cohorts`). Quartiles and median of what users realized,
    summed; null where no account can be compared. `not_compared`: accounts without comparable users; `says` why."""

    unit: str
    benefit_class: BenefitClass
    accounts: int
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    cohorts: Sequence["UserCohort"]
    not_compared: int
    says: str


class UserCohort(msgspec.Struct, frozen=True):
    """The users that accounts are compared with: of a segment, or ('') of all; what the middle half of them realized in
    the window, in the unit of the estimate."""

    segment: str
    users: int
    accounts: int
    low: Decimal
    expected: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Present:
    """An account that sent something in the window."""

    account_id: int
    segment: str
    currency: str


_Cell = tuple[str, BenefitClass]
"""Unit and class: what may be added up (value rule 4)."""


def amounts(own: Sequence[Share], divided_drivers: Iterable[str] = ()) -> list[FeatureAmount]:
    """Of one feature (or of none), by driver, unit, class and state."""
    groups: defaultdict[tuple[str, str, BenefitClass, State], list[Share]] = defaultdict(list)
    for share in own:
        at = share.standing
        groups[at.driver, at.unit, at.benefit_class, at.state].append(share)
    cut = frozenset(divided_drivers)
    return [_amount(key, groups[key], is_cut=key[0] in cut) for key in sorted(groups)]


def _amount(key: tuple[str, str, BenefitClass, State], own: Sequence[Share], *, is_cut: bool) -> FeatureAmount:
    driver, unit, benefit_class, state = key
    lows, highs = [one.low for one in own], [one.high for one in own]
    return FeatureAmount(
        driver=driver,
        unit=unit,
        benefit_class=benefit_class,
        state=state,
        evidence=weakest(one.standing.evidence for one in own),
        accounts=len({one.standing.account_id for one in own}),
        divided=is_cut,
        low=added(low for low in lows if low is not None) if None not in lows else None,
        expected=added(one.expected for one in own),
        high=added(high for high in highs if high is not None) if None not in highs else None,
        counted=added(one.expected for one in own if one.standing.counted),
    )


def per_use(own: Sequence[Share], uses: Mapping[int, Fraction], currencies: Mapping[int, str]) -> list[PerUse]:
    """Of one feature, over `uses` as its measure counts them; `currencies` by account."""
    cells: defaultdict[_Cell, list[Share]] = defaultdict(list)
    for share in own:
        cells[share.standing.unit, share.standing.benefit_class].append(share)
    found = []
    for (unit, benefit_class), held in sorted(cells.items()):
        valued = {share.standing.account_id for share in own if share.standing.unit == unit}
        number = sum(
            (
                count
                for account, count in uses.items()
                if unit not in CURRENCIES or account in valued or currencies.get(account) == unit
            ),
            Fraction(0),
        )
        expected = added(one.expected for one in held)
        counted = added(one.expected for one in held if one.standing.counted)
        found.append(PerUse(unit, benefit_class, _rounded(number), over(expected, number), over(counted, number)))
    return found


def over(amount: Decimal, number: int | Fraction) -> Decimal | None:
    """The quotient, rounded once; None over nothing, and over less than nothing."""
    return _rounded(Fraction(amount) / number) if number > 0 else None


def eligible(feature: Feature, accounts: Iterable[Present]) -> list[Present]:
    """Those whose segment may have the feature."""
    return [one for one in accounts if not feature.eligible_segments or one.segment in feature.eligible_segments]


def unrealized(
    feature: Feature, own: Sequence[Share], uses: Mapping[int, int], accounts: Sequence[Present]
) -> list[Unrealized]:
    """What the accounts that may use the feature and do not would have, as comparable users have; by unit and class."""
    able = eligible(feature, accounts)
    users = [one for one in able if uses.get(one.account_id)]
    others = [one for one in able if not uses.get(one.account_id)]
    values: defaultdict[_Cell, defaultdict[int, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for share in own:
        at = share.standing
        values[at.unit, at.benefit_class][at.account_id].append(share.expected)
    found = []
    for (unit, benefit_class), held in sorted(values.items()):
        same = [one for one in others if unit not in CURRENCIES or one.currency == unit]
        if same:
            peers = [one for one in users if unit not in CURRENCIES or one.currency == unit or one.account_id in held]
            worth = {one.account_id: Fraction(added(held.get(one.account_id, ()))) for one in peers}
            found.append(_estimate(unit, benefit_class, same, peers, worth))
    return found


def _estimate(
    unit: str,
    benefit_class: BenefitClass,
    others: Sequence[Present],
    peers: Sequence[Present],
    worth: Mapping[int, Fraction],
) -> Unrealized:
    by_segment: defaultdict[str, list[Fraction]] = defaultdict(list)
    for one in peers:
        by_segment[one.segment].append(worth[one.account_id])
    everybody = list(worth.values())
    compared: defaultdict[str, int] = defaultdict(int)
    lost = 0
    for one in others:
        if one.segment and not is_masked(by_segment.get(one.segment, ())):
            compared[one.segment] += 1
        elif not is_masked(everybody):
            compared[""] += 1
        else:
            lost += 1
    spreads = {segment: _quartiles(by_segment[segment] if segment else everybody) for segment in sorted(compared)}
    total = [
        _rounded(sum((getattr(spreads[segment], bound) * number for segment, number in compared.items()), Fraction(0)))
        for bound in ("low", "expected", "high")
    ]
    low, expected, high = total if compared else (None, None, None)
    return Unrealized(
        unit=unit,
        benefit_class=benefit_class,
        accounts=sum(compared.values()),
        low=low,
        expected=expected,
        high=high,
        cohorts=[
            UserCohort(
                segment,
                len(by_segment[segment] if segment else everybody),
                compared[segment],
                *(_rounded(getattr(spread, bound)) for bound in ("low", "expected", "high")),
            )
            for segment, spread in spreads.items()
        ],
        not_compared=lost,
        says=_why_not(everybody) if lost else "",
    )


def _quartiles(values: Sequence[Fraction]) -> Spread:
    return Spread(*(quantile(values, Fraction(number, 4)) for number in (1, 2, 3)))


def _why_not(values: Sequence[Fraction]) -> str:
    if len(values) < COHORT:
        return f"Insufficient data: fewer than {COHORT} comparable accounts use it."
    return "Insufficient data: one account makes more than half of what its users realize."


def _rounded(value: Fraction) -> Decimal:
    return round_half_even(value.numerator, value.denominator, AMOUNT_PLACES)
