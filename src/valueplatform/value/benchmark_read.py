"""Where one account stands: each driver beside the cohort, with what the figures are made of. Read in scope."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.value.benchmark import EVERYBODY, Figure, Per, Withheld
from valueplatform.value.benchmark_store import Own, Stored, newest_benchmarks, own_rows
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.model import Driver, Evidence, ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.practice import Habit, Practice

METHOD: Final = (
    "The mean of these whole months, of accounts with an amount in each of them, in one currency. Quartiles of type 7 "
    "(Hyndman and Fan, 1996), to three significant digits. A percentile is the share of the other accounts that have "
    "less; the same counts half. Cohorts are five accounts or more, none of them more than half of the total."
)
PRACTICE_METHOD: Final = (
    "The accounts at or above the upper quartile against the others of their cohort; five or more in each. Shares with "
    "the interval of their difference after Newcombe (1998, method 10), widened by Bonferroni for all features "
    "compared, so that all hold together at 95%. The order is the median place of the first use. It says what goes "
    "with a high value, not what causes it."
)


class Compared(msgspec.Struct, frozen=True):
    """One figure of a cohort, and where the account stands in it: its own `value` and `percentile`, null where it has
    no amount in every month, or no scale. `cohort` is the segment, "" for all accounts."""

    per: Per
    cohort: str
    cohort_title: str
    accounts: int
    lower: Decimal
    median: Decimal
    upper: Decimal
    value: Decimal | None
    percentile: Decimal | None


class NamedHabit(msgspec.Struct, frozen=True):
    title: str
    habit: Habit


class NamedPractice(msgspec.Struct, frozen=True):
    """What the top quartile does that others do not."""

    cohort: str
    cohort_title: str
    practice: Practice
    habits: Sequence[NamedHabit]


class DriverStanding(msgspec.Struct, frozen=True):
    """One driver. `withheld` says why there is no figure. The grade of what is told of others is a benchmark's."""

    driver: str
    title: str
    unit: str
    benefit_class: str
    total: Decimal | None
    scale: Decimal | None
    compared: Sequence[Compared]
    withheld: Withheld | None
    practice: NamedPractice | None
    evidence: Evidence = Evidence.BENCHMARK


class AccountBenchmarks(msgspec.Struct, frozen=True):
    """`as_of` None: accounts have not been compared yet."""

    account: str
    as_of: datetime | None
    months: tuple[date, ...]
    scale: str | None
    drivers: Sequence[DriverStanding]
    method: str = METHOD
    practice_method: str = PRACTICE_METHOD


async def read_benchmarks(tx: Transaction, account: Account, *, provider: str | None = None) -> AccountBenchmarks:
    """Of the drivers that the account has amounts of, or that cohorts have in its currency; `provider` keeps a partner
    to its own (value rule 19). Raises NoModelError."""
    model = await newest_model(tx)
    stored = await newest_benchmarks(tx)
    if stored is None:
        return AccountBenchmarks(account.key, None, (), model.benchmark.scale, [])
    own = {
        row.driver: row for row in await own_rows(tx, stored.run, account.account_id) if _is_own(row, account, model)
    }
    view = _View(model, stored, account)
    drivers = [one for one in model.drivers if provider is None or one.provider == provider]
    found = [view.standing(driver, own.get(driver.slug)) for driver in drivers]
    return AccountBenchmarks(
        account=account.key,
        as_of=stored.as_of,
        months=stored.benchmarks.months,
        scale=stored.benchmarks.scale,
        drivers=[one for one in found if one.compared or one.total is not None],
    )


def _is_own(row: Own, account: Account, model: ValueModel) -> bool:
    """An account that changed its currency has amounts in both; those in its present one are compared."""
    driver = model.driver(row.driver)
    return driver is not None and row.unit in {unit_of(driver, account), driver.unit}


def unit_of(driver: Driver, account: Account) -> str:
    """What the driver's amounts are in, for this account."""
    return account.currency if driver.currency else driver.unit


def segment_title(model: ValueModel, segment: str) -> str:
    """What a person calls the cohort."""
    if segment == EVERYBODY:
        return "All companies"
    return next((one.label for one in model.segments if one.slug == segment), segment)


class _View:
    def __init__(self, model: ValueModel, stored: Stored, account: Account) -> None:
        self.model = model
        self.made: Benchmarks = stored.benchmarks
        self.account = account

    def standing(self, driver: Driver, own: Own | None) -> DriverStanding:
        unit = own.unit if own else unit_of(driver, self.account)
        compared = [each for per in Per if (each := self._compared(driver, unit, per, own)) is not None]
        return DriverStanding(
            driver=driver.slug,
            title=driver.label,
            unit=unit,
            benefit_class=driver.benefit_class,
            total=own.total if own else None,
            scale=own.scale if own else None,
            compared=compared,
            withheld=None if compared else self.made.why_not(driver.slug, unit, Per.ACCOUNT),
            practice=self._practice(driver),
        )

    def _compared(self, driver: Driver, unit: str, per: Per, own: Own | None) -> Compared | None:
        segment = own.segment if own else self.account.segment
        figure = self.made.figure(segment, driver.slug, unit, per)
        if figure is None:
            return None
        stands = (one for one in (own.standings if own else ()) if (one.segment, one.per) == (figure.segment, per))
        standing = next(stands, None)
        return compared_of(figure, self.model, standing.value if standing else None,
                           standing.percentile if standing else None)  # fmt: skip

    def _practice(self, driver: Driver) -> NamedPractice | None:
        practice = self.made.practice(self.account.segment, driver.slug)
        if practice is None:
            return None
        titles = {one.slug: one.label for one in self.model.features}
        habits = [NamedHabit(titles.get(habit.feature, habit.feature), habit) for habit in practice.habits]
        return NamedPractice(practice.segment, segment_title(self.model, practice.segment), practice, habits)


def compared_of(
    figure: Figure, model: ValueModel, value: Decimal | None, percentile: Decimal | None
) -> Compared | None:
    """None of a figure that is withheld."""
    if figure.accounts is None or figure.lower is None or figure.median is None or figure.upper is None:
        return None
    return Compared(
        per=figure.per,
        cohort=figure.segment,
        cohort_title=segment_title(model, figure.segment),
        accounts=figure.accounts,
        lower=figure.lower,
        median=figure.median,
        upper=figure.upper,
        value=value,
        percentile=percentile,
    )
