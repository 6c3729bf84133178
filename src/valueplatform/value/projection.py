"""What an account without value may expect, from comparable accounts: a projection, never a value.

Low, expected and high are the quartiles of the cohort (`benchmark`): of its segment where that is large enough, else of
all; per unit of scale, times the account's own, where both are known, else per account. In its currency alone.
Each is of one driver: a range of a sum is not the sum of ranges, and classes are never added (value rule 4). It stands
beside realized value, in no total of it, and there is none once the account has any value of its own.
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
from valueplatform.value.model import Driver, Evidence, ValueModel

PROJECTION: Final = "projection"
METHOD: Final = (
    "The quartiles of the cohort, each times the scale where there is one, rounded once. What companies like this one "
    "realized in these months; it is in no realized and no counted value."
)
_HAS_VALUE: Final = text("""
    SELECT EXISTS (SELECT FROM accrual WHERE account_id = :account AND expected IS NOT NULL)
        OR EXISTS (SELECT FROM posting WHERE account_id = :account)
""")


class Projected(msgspec.Struct, frozen=True):
    """One driver, a month, in `unit`. `lower`, `median` and `upper` are the cohort's; `scale` is what they were
    multiplied by, null where they are per account."""

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
    """`scale` names the attribute that scale is told by. `as_of` null: accounts have not been compared yet."""

    as_of: datetime | None
    months: tuple[date, ...]
    scale: str | None
    drivers: Sequence[Projected]
    not_projected: Sequence[NotProjected]
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
    )


def project(made: Benchmarks, model: ValueModel, prospect: Prospect, driver: Driver) -> Projected | NotProjected:
    unit = prospect.currency if driver.currency else driver.unit
    figure = _figure(made, prospect, driver, unit)
    quartiles = None if figure is None else (figure.lower, figure.median, figure.upper)
    if figure is None or figure.accounts is None or quartiles is None:
        return NotProjected(driver.slug, driver.label, made.why_not(driver.slug, unit, Per.ACCOUNT))
    lower, median, upper = (one or Decimal(0) for one in quartiles)
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
    """Per unit of scale where that is known; of its own segment before all, since kinds of companies differ more."""
    pers = (Per.SCALE, Per.ACCOUNT) if prospect.scale is not None else (Per.ACCOUNT,)
    found = [one for per in pers if (one := made.figure(prospect.segment, driver.slug, unit, per)) is not None]
    own = [one for one in found if one.segment == prospect.segment]
    return next(iter([*own, *found]), None)


def times(rate: Decimal, scale: Decimal | None) -> Decimal:
    value = Fraction(rate) * Fraction(1 if scale is None else scale)
    return round_half_even(value.numerator, value.denominator)
