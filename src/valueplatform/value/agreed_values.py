"""What accounts validated of an assumption or a baseline: the median of a cohort, with its interval. Pure and exact.

The expected value that holds in an account today, where a validator of the account agreed to it; told of a cohort
(value rule 20) of one segment or of all, in one unit, which names the currency where there is one. The interval is that
of the sign test between two of the ordered values (`intervals`); it covers 90 % at least, and how much is said. All is
told to three significant digits, so that no account's own value stands in it.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.value.benchmark import EVERYBODY, Withheld, published
from valueplatform.value.cohorts import COHORT, is_masked, median
from valueplatform.value.intervals import interval_of_median

COVERAGE_PLACES = 4


class Validated(msgspec.Struct, frozen=True):
    """What holds of one input in one account, by a validator's word."""

    account_id: int
    slug: str
    unit: str
    segment: str | None
    value: Decimal


class Agreed(msgspec.Struct, frozen=True):
    """Of one input, segment ('' = all) and unit. Without numbers it is withheld, and then `accounts` is not told."""

    slug: str
    segment: str
    unit: str
    accounts: int | None = None
    low: Decimal | None = None
    median: Decimal | None = None
    high: Decimal | None = None
    coverage: Decimal | None = None
    withheld: Withheld | None = None


def agreed_values(validated: Iterable[Validated]) -> list[Agreed]:
    """By input, unit and segment, in this order."""
    found: defaultdict[tuple[str, str, str], list[Fraction]] = defaultdict(list)
    for one in validated:
        for segment in {EVERYBODY, one.segment or EVERYBODY}:
            found[one.slug, one.unit, segment].append(Fraction(one.value))
    return [_agreed(Agreed(slug, segment, unit), found[slug, unit, segment]) for slug, unit, segment in sorted(found)]


def _agreed(what: Agreed, values: list[Fraction]) -> Agreed:
    interval = interval_of_median(values)
    if is_masked(values) or interval is None:
        reason = Withheld.FEW if len(values) < COHORT else Withheld.DOMINATED
        return msgspec.structs.replace(what, withheld=reason)
    low, high, coverage = interval
    return msgspec.structs.replace(
        what,
        accounts=len(values),
        low=published(low),
        median=published(median(values)),
        high=published(high),
        coverage=round_half_even(coverage.numerator, coverage.denominator, COVERAGE_PLACES),
    )
