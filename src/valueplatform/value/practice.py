"""What the top quartile of a cohort does that others do not, and in what order. Pure.

**Who.** The top are the accounts at or above the upper quartile of a driver, per unit of scale where that is known of a
cohort; the rest are the others of the same cohort. Accounts of several currencies are ranked apart, each among its own,
and only then counted together: no amount is compared with one in another currency.

**What.** The share of each that uses a feature, of those that may (`eligible_segments`). A feature is told of only
where both groups are five or more, and the share of the top is higher beyond chance: Newcombe's interval of the
difference (`intervals`) leaves out zero, widened by Bonferroni for all features that were compared.

**In what order.** The place of its first use among the first uses of all features in the same account, features that
began on one day sharing the mean of their places; the median over the top that use it, where these are five or more.

It says what goes with a high value. Accounts chose what they use, so it is never what causes it (value rule 6).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.value.benchmark import Cohort, Member, Per
from valueplatform.value.cohorts import COHORT, median, quantile
from valueplatform.value.intervals import Share, difference
from valueplatform.value.model import Feature

TOP: Final = Fraction(3, 4)
POSITION_PLACES: Final = 1


class Use(msgspec.Struct, frozen=True):
    """Of one feature by one account: the first day, and whether it was in use in the months."""

    account_id: int
    feature: str
    first: date
    is_used: bool


class Habit(msgspec.Struct, frozen=True):
    """A feature that the top use more than the rest. `position`: its usual place in the order of adoption, 1 = first;
    None where fewer than five of the top use it."""

    feature: str
    top_using: int
    top: int
    rest_using: int
    rest: int
    difference: Decimal
    low: Decimal
    high: Decimal
    position: Decimal | None


class Practice(msgspec.Struct, frozen=True):
    """Of one driver in one segment ('' = all): how many features were compared, and those beyond chance in the order of
    adoption."""

    segment: str
    driver: str
    per: Per
    top: int
    rest: int
    compared: int
    habits: tuple[Habit, ...]


Uses = Mapping[int, Mapping[str, Use]]
"""By account and feature."""


def by_account(uses: Iterable[Use]) -> Uses:
    found: defaultdict[int, dict[str, Use]] = defaultdict(dict)
    for use in uses:
        found[use.account_id][use.feature] = use
    return dict(found)


def practices(made: Sequence[Cohort], features: Sequence[Feature], uses: Uses) -> list[Practice]:
    """Of the cohorts of one driver; a segment whose groups are too small is left out."""
    found = []
    for segment in sorted({cohort.segment for cohort in made}):
        own = [cohort for cohort in made if cohort.segment == segment and cohort.withheld is None]
        per = Per.SCALE if any(cohort.per is Per.SCALE for cohort in own) else Per.ACCOUNT
        top, rest = split([cohort for cohort in own if cohort.per is per])
        if min(len(top), len(rest)) >= COHORT:
            compared, habits = _habits(top, rest, features, uses)
            driver = top[0].driver
            found.append(Practice(segment, driver, per, len(top), len(rest), compared, tuple(habits)))
    return found


def split(made: Iterable[Cohort]) -> tuple[list[Member], list[Member]]:
    """The top and the rest, each cohort cut at its own upper quartile."""
    top: list[Member] = []
    rest: list[Member] = []
    for cohort in made:
        cut = quantile(cohort.values, TOP)
        for member, value in cohort.members:
            (top if value >= cut else rest).append(member)
    return top, rest


def _habits(
    top: Sequence[Member], rest: Sequence[Member], features: Sequence[Feature], uses: Uses
) -> tuple[int, list[Habit]]:
    compared = [(feature, *_able(feature, top, rest)) for feature in features]
    compared = [one for one in compared if min(len(one[1]), len(one[2])) >= COHORT]
    habits = []
    for feature, first, second in compared:
        of, over = _using(feature.slug, first, uses), _using(feature.slug, second, uses)
        apart = difference(of, over, len(compared))
        if apart.is_positive:
            position = usual_position(feature.slug, first, uses)
            shares = (of.count, of.of, over.count, over.of)
            habits.append(Habit(feature.slug, *shares, apart.value, apart.low, apart.high, position))
    return len(compared), sorted(habits, key=lambda one: (one.position is None, one.position or 0, one.feature))


def _able(feature: Feature, *groups: Sequence[Member]) -> tuple[list[int], list[int]]:
    top, rest = ([one.account_id for one in group if may_use(feature, one)] for group in groups)
    return top, rest


def may_use(feature: Feature, member: Member) -> bool:
    return not feature.eligible_segments or member.segment in feature.eligible_segments


def _using(slug: str, group: Sequence[int], uses: Uses) -> Share:
    used = [uses.get(account_id, {}).get(slug) for account_id in group]
    return Share(sum(use is not None and use.is_used for use in used), len(group))


def usual_position(slug: str, group: Sequence[int], uses: Uses) -> Decimal | None:
    """The median place among the accounts of the group that use the feature."""
    own = [uses[account_id] for account_id in group if account_id in uses]
    places = [place_of(slug, each) for each in own if slug in each and each[slug].is_used]
    if len(places) < COHORT:
        return None
    middle = median(places)
    return round_half_even(middle.numerator, middle.denominator, POSITION_PLACES)


def place_of(slug: str, own: Mapping[str, Use]) -> Fraction:
    """From 1; features that began on one day share the mean of their places."""
    earlier = sum(use.first < own[slug].first for use in own.values())
    same = sum(use.first == own[slug].first for use in own.values()) - 1
    return 1 + earlier + Fraction(same, 2)
