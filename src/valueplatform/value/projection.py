"""What an account without value may expect, from comparable accounts: a projection, never a value.

Expected is the median of a cohort, low and high are between which one further account of it falls in one case of two
(`benchmark`). The cohort is its segment where that is large enough, else all; in its currency alone. Whether amounts
are taken per unit of scale, times the account's own, or per account, the observed profile decides (`cohort_traits`;
decision 0043): where value grows with scale, all accounts per unit of it go before the segment per account; where it
does not, among thirty accounts or more, scale is left out. Each is of one driver: a range of a sum is not the sum of
ranges, and classes are never added (value rule 4). It stands beside realized value, in no total of it, and there is
none once the account has any value of its own.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import exact_decimal, round_half_even
from valueplatform.value.benchmark import Figure, Per, Withheld
from valueplatform.value.benchmark_read import segment_title
from valueplatform.value.benchmark_store import Stored, newest_benchmarks
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.cohort_traits import Told
from valueplatform.value.model import Driver, Evidence, ValueModel

PROJECTION: Final = "projection"
METHOD: Final = (
    "The median of the cohort, and the range that one further company of it falls into in one case of two (quartiles "
    "of type 6, Hyndman and Fan, 1996), each times the scale where there is one, rounded once. Scale is used where "
    "value grows with it: Spearman's rank correlation with the place by realized value, at a false discovery rate of "
    "5%. It is what companies like this one realized in these months, and in no realized and no counted value."
)
_HAS_VALUE: Final = text("""
    SELECT EXISTS (SELECT FROM accrual WHERE account_id = :account AND expected IS NOT NULL)
        OR EXISTS (SELECT FROM posting WHERE account_id = :account)
""")


class Projected(msgspec.Struct, frozen=True):
    """One driver, a month, in `unit`. `median` is the cohort's, and one further account of it falls from `lower` to
    `upper` in one case of two; `scale` is what they were multiplied by, null where they are per account."""

    driver: str
    title: str
    unit: str
    benefit_class: str
    low: Decimal
    expected: Decimal
    high: Decimal
    per: Per
    cohort: str
    cohort_title: str
    accounts: int
    lower: Decimal
    median: Decimal
    upper: Decimal
    scale: Decimal | None
    evidence: Evidence = Evidence.BENCHMARK
    state: str = PROJECTION


class NotProjected(msgspec.Struct, frozen=True):
    """A driver that no cohort has in this currency or unit, and why."""

    driver: str
    title: str
    reason: Withheld


class Projection(msgspec.Struct, frozen=True):
    """`scale` names the attribute that scale is told by; `profile` tells whether it and the segment go with what
    accounts realize, and `says` what follows for the projection. `as_of` null: accounts have not been compared yet."""

    as_of: datetime | None
    months: tuple[date, ...]
    scale: str | None
    drivers: Sequence[Projected]
    not_projected: Sequence[NotProjected]
    profile: Sequence[Told] = ()
    says: str = ""
    state: str = PROJECTION
    method: str = METHOD


class Prospect(msgspec.Struct, frozen=True):
    """Of whom something is projected; `scale` None = not known."""

    segment: str | None
    currency: str
    scale: Decimal | None = None


async def read_projection(
    tx: Transaction, account: Account, model: ValueModel, *, provider: str | None = None
) -> Projection | None:
    """None where the account has value; `provider` keeps a partner to its own drivers."""
    if await tx.scalar(_HAS_VALUE, {"account": account.account_id}):
        return None
    stored = await newest_benchmarks(tx)
    prospect = Prospect(account.segment, account.currency, scale_of(account, model))
    drivers = [driver for driver in model.drivers if provider is None or driver.provider == provider]
    return projection(stored, model, prospect, drivers)


def scale_of(account: Account, model: ValueModel) -> Decimal | None:
    """The account's scale, as its attributes say it; None where they do not, or it is no positive number."""
    given = account.attributes.get(model.benchmark.scale or "")
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        return None
    try:
        found = exact_decimal(str(given))
    except InvalidInputError:
        return None
    return found if found > 0 else None


def projection(stored: Stored | None, model: ValueModel, prospect: Prospect, drivers: Iterable[Driver]) -> Projection:
    """Of `drivers`, in their order."""
    made = stored.benchmarks if stored else Benchmarks((), model.benchmark.scale)
    found = [project(made, model, prospect, driver) for driver in drivers]
    return Projection(
        as_of=stored.as_of if stored else None,
        months=made.months,
        scale=made.scale,
        drivers=[one for one in found if isinstance(one, Projected)],
        not_projected=[one for one in found if isinstance(one, NotProjected)],
        profile=made.traits,
        says=_says(made, prospect),
    )


def _says(made: Benchmarks, prospect: Prospect) -> str:
    """What the observed profile made of the scale; '' where that was not compared, or is not known of the account."""
    told = next((one for one in made.traits if one.attribute == made.scale), None)
    if told is None or made.scale_tells is None or prospect.scale is None:
        return ""
    name = told.attribute.replace("_", " ")
    found = f"(rank correlation {told.strength:.2f} over {told.accounts:,} companies)"
    if made.scale_tells:
        return f"Realized value grows with {name} {found}, so companies are compared by their {name}."
    return f"Realized value does not grow with {name} beyond chance {found}, so companies are compared as a whole."


def project(made: Benchmarks, model: ValueModel, prospect: Prospect, driver: Driver) -> Projected | NotProjected:
    unit = prospect.currency if driver.currency else driver.unit
    figure = _figure(made, prospect, driver, unit)
    if figure is None or figure.accounts is None:
        return NotProjected(driver.slug, driver.label, made.why_not(driver.slug, unit, Per.ACCOUNT))
    lower, median, upper = (one or Decimal(0) for one in (figure.low, figure.median, figure.high))
    scale = prospect.scale if figure.per is Per.SCALE else None
    low, expected, high = (times(one, scale) for one in (lower, median, upper))
    return Projected(
        driver=driver.slug,
        title=driver.label,
        unit=unit,
        benefit_class=driver.benefit_class,
        low=low,
        expected=expected,
        high=high,
        per=figure.per,
        cohort=figure.segment,
        cohort_title=segment_title(model, figure.segment),
        accounts=figure.accounts,
        lower=lower,
        median=median,
        upper=upper,
        scale=scale,
    )


def _figure(made: Benchmarks, prospect: Prospect, driver: Driver, unit: str) -> Figure | None:
    """Of its own segment before all, since kinds of companies differ; but all per unit of a scale that goes with value
    before its own segment without."""
    by_scale = prospect.scale is not None and made.scale_tells is not False
    pers = (Per.SCALE, Per.ACCOUNT) if by_scale else (Per.ACCOUNT,)
    found = [one for per in pers if (one := made.figure(prospect.segment, driver.slug, unit, per)) is not None]
    own = [] if made.scale_tells else [one for one in found if one.segment == prospect.segment]
    return next(iter([*own, *found]), None)


def times(rate: Decimal, scale: Decimal | None) -> Decimal:
    value = Fraction(rate) * Fraction(1 if scale is None else scale)
    return round_half_even(value.numerator, value.denominator)
