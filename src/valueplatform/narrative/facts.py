"""What the engine reads about one account. Plain values: no SQL here, and nothing that changes while it is read.

Days are the account's local days, `[start, end)`. Amounts are exact. `daily` holds realized value as it is shown:
accruals of open months and postings of closed ones by the day they are shown on; rows without an amount are gaps.
Joint drivers are in it by party, as agreed; what is not agreed is of the provider `joint`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import polars as pl

from valueplatform.accounts.costs import Cost
from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.commitments import Commitments
from valueplatform.narrative.ledger import Ledger
from valueplatform.value.model import Evidence, weakest
from valueplatform.value.states import State

P = ParamSpec("P")
T = TypeVar("T")
SUPPLIER: Final = "supplier"
STRATEGIC: Final = "strategic"

DAILY_SCHEMA: Final = pl.Schema(
    {
        "driver": pl.String(),
        "provider": pl.String(),
        "day": pl.Date(),
        "low": pl.Decimal(38, 4),
        "expected": pl.Decimal(38, 4),
        "high": pl.Decimal(38, 4),
        "counted": pl.Boolean(),
        "state": pl.String(),
        "evidence": pl.String(),
        "benefit_class": pl.String(),
        "unit": pl.String(),
    }
)
METER_SCHEMA: Final = pl.Schema({"meter": pl.String(), "day": pl.Date(), "total": pl.Decimal(38, 9)})


@dataclass(frozen=True, slots=True)
class Gap:
    """A day on which a driver had events and no amount; `reason` is a `NoValue` text."""

    driver: str
    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Target:
    """Committed value of one driver and month, in the driver's unit, of the plan in force."""

    objective: str
    driver: str
    month: date
    low: Decimal
    expected: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Contract:
    """`end` is exclusive, None = open. `amount` is the price of one `period` ('month' or 'year')."""

    contract_id: str
    start: date
    end: date | None
    amount: Decimal
    currency: str
    period: str
    kind: str
    provider: str = SUPPLIER

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Milestone:
    milestone_id: str
    kind: str
    day: date
    title: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a closed month turned out to differ by, shown on `shown_day`. `cause` is a comma list of change causes."""

    driver: str
    month: date
    shown_day: date
    expected: Decimal
    cause: str


@dataclass(frozen=True, slots=True)
class ClosedAmount:
    """What was posted for a driver's month when it was closed."""

    driver: str
    month: date
    expected: Decimal


@dataclass(frozen=True, slots=True)
class DriverFacts:
    """A driver of the model in force. `unit` is what its amounts carry in this account; `meters` (those whose days add)
    and `inputs` are the names in its formula, in order of appearance."""

    slug: str
    title: str
    benefit_class: str
    unit: str
    evidence: str
    formula: str
    version: int
    meters: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stated value that waits for a validator."""

    entry_id: int
    author: str
    side: str
    expected: Decimal
    effective_from: date
    on: date
    reason: str


@dataclass(frozen=True, slots=True)
class InputFacts:
    """An assumption or baseline as it holds today. `unit` is the one that it is stated in ("USD/hour"). Days are local;
    `disputed_*` is an open question, also one that a fallback to the last validated value answers to."""

    slug: str
    title: str
    unit: str
    state: State
    low: Decimal
    expected: Decimal
    high: Decimal
    author: str | None = None
    validated_by: str | None = None
    validated_on: date | None = None
    disputed_by: str | None = None
    disputed_on: date | None = None
    proposals: tuple[Proposal, ...] = ()

    @property
    def is_questioned(self) -> bool:
        return self.state is State.UNDER_REVIEW or self.disputed_on is not None


@dataclass(frozen=True, slots=True)
class InputChange:
    """A day from which another value of an assumption or baseline holds than before, both agreed, in one unit."""

    slug: str
    day: date
    before: Decimal
    now: Decimal


@dataclass(frozen=True, slots=True)
class Expiry:
    """The day from which a baseline (`slug` of an input) or a driver that is only probable (`slug` None) is an
    estimate again, with the drivers that rest on it."""

    slug: str | None
    day: date
    drivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of a suggestion that was accepted on the local day `accepted`, in the `horizon` days [start, end) from
    its first use: amounts as `grades.Grade` has them, in the account's currency."""

    suggestion: str
    feature: str
    title: str
    horizon: int
    version: int
    accepted: date
    start: date
    end: date
    low: Decimal
    expected: Decimal
    high: Decimal
    range_low: Decimal
    range_high: Decimal
    realized: Decimal
    compared: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where the account stands in a cohort of `accounts` (itself among them), over whole months: the percentage of the
    others that have less. `segment` '' = all; `per` 'account' or 'scale'."""

    run: int
    start: date
    end: date
    driver: str
    unit: str
    segment: str
    per: str
    accounts: int
    percentile: Decimal


@dataclass(frozen=True, slots=True)
class PracticeGap:
    """A feature that the top quarter of a cohort uses more than the rest beyond chance, and the account does not."""

    run: int
    start: date
    end: date
    driver: str
    unit: str
    segment: str
    per: str
    feature: str
    feature_title: str
    top_using: int
    top: int
    rest_using: int
    rest: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """An open finding of weight on a source: silent since a day, or far fewer events up to `through`. `drivers` are
    those that are fed by what it sends."""

    source: str
    is_silent: bool
    since: date
    through: date
    drivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: str


@dataclass(frozen=True)
class AccountFacts:
    """`today` is `now` in the account's zone. `providers` non-empty keeps everything to those providers' rows.

    `closed` are the months that are closed; `meters` are daily totals over all providers and dimensions; `sent` counts
    the events of sources that are in doubt, by day. `at_rest` are days around public holidays (`accounts.holidays`).
    """

    key: str
    name: str
    currency: str
    timezone: str
    supplier: str
    now: datetime
    today: date
    daily: pl.DataFrame
    segment: str | None = None
    stage: str | None = None
    meters: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=METER_SCHEMA))
    meter_titles: dict[str, str] = field(default_factory=dict)
    provider_names: dict[str, str] = field(default_factory=dict)
    drivers: tuple[DriverFacts, ...] = ()
    inputs: tuple[InputFacts, ...] = ()
    targets: tuple[Target, ...] = ()
    contracts: tuple[Contract, ...] = ()
    efforts: tuple[Cost, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    closings: tuple[ClosedAmount, ...] = ()
    closed: frozenset[date] = frozenset()
    gaps: tuple[Gap, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    input_changes: tuple[InputChange, ...] = ()
    expiries: tuple[Expiry, ...] = ()
    places: tuple[Place, ...] = ()
    practice_gaps: tuple[PracticeGap, ...] = ()
    followed: tuple[Followed, ...] = ()
    sent: dict[tuple[str, date], int] = field(default_factory=dict)
    at_rest: frozenset[date] = frozenset()
    people: tuple[Person, ...] = ()
    steward: str | None = None
    providers: tuple[str, ...] = ()

    @property
    def tomorrow(self) -> date:
        """The end of everything 'to date'."""
        return self.today + ONE_DAY

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.daily)

    @cached_property
    def commitments(self) -> Commitments:
        return Commitments(self.targets)

    @cached_property
    def meter_ledger(self) -> dict[str, tuple[tuple[date, Decimal], ...]]:
        """Daily totals by meter, oldest first."""
        parts = self.meters.sort("meter", "day").partition_by("meter", as_dict=True)
        return {str(key[0]): tuple(part.select("day", "total").iter_rows()) for key, part in parts.items()}

    def driver(self, slug: str) -> DriverFacts:
        return next(driver for driver in self.drivers if driver.slug == slug)

    @cached_property
    def money_drivers(self) -> tuple[str, ...]:
        """Drivers that may enter a total: priced in the account's currency, and not strategic (value rule 4)."""
        return tuple(sorted(d.slug for d in self.drivers if self.is_money(d)))

    def is_money(self, driver: DriverFacts) -> bool:
        return driver.unit == self.currency and driver.benefit_class != STRATEGIC

    @cached_property
    def _grades(self) -> dict[str, Evidence]:
        pairs = self.daily.select("driver", "evidence").unique().iter_rows()
        found: dict[str, list[Evidence]] = {}
        for driver, evidence in pairs:
            found.setdefault(driver, []).append(Evidence(evidence))
        return {driver: weakest(grades) for driver, grades in found.items()}

    def evidence_of(self, driver: str) -> Evidence:
        """The weakest evidence beneath the driver's amounts; what the model allows where it has none."""
        return self._grades.get(driver) or Evidence(self.driver(driver).evidence)

    def resting_on(self, slug: str) -> tuple[str, ...]:
        """Drivers whose formula takes an input."""
        return tuple(sorted(driver.slug for driver in self.drivers if slug in driver.inputs))

    def questioned(self, driver: str) -> bool:
        """Whether an input of the driver is under review."""
        needed = self.driver(driver).inputs
        return any(given.is_questioned for given in self.inputs if given.slug in needed)

    def person(self, role: str) -> str | None:
        """The first person of a role, by name."""
        return min((person.name for person in self.people if person.role == role), default=None)


def once(compute: Callable[Concatenate[AccountFacts, P], T]) -> Callable[Concatenate[AccountFacts, P], T]:
    """What follows from facts alone (and few names), computed once for each: callers leave it as it is."""
    name = f"{compute.__module__}.{compute.__qualname__}"

    @wraps(compute)
    def known(facts: AccountFacts, /, *args: P.args, **options: P.kwargs) -> T:
        held: dict[Any, Any] = facts.__dict__.setdefault(name, {})
        if args not in held:
            held[args] = compute(facts, *args, **options)
        found: T = held[args]
        return found

    return known


def for_provider(facts: AccountFacts, provider: str) -> AccountFacts:
    """What a partner may see (value rule 19): its own rows; no contracts, disputes, people or commitments of others."""
    own = facts.daily.filter(pl.col("provider") == provider)
    own = own.with_columns(pl.col("state").replace({State.UNDER_REVIEW.value: State.ESTIMATED.value}))
    driven = set(own["driver"].to_list())
    return replace(
        facts,
        daily=own,
        drivers=tuple(driver for driver in facts.drivers if driver.slug in driven),
        meters=facts.meters.clear(),
        inputs=(),
        targets=(),
        contracts=(),
        milestones=(),
        adjustments=(),
        closings=(),
        gaps=(),
        input_changes=(),
        expiries=(),
        places=(),
        practice_gaps=(),
        followed=(),
        people=(),
        steward=None,
        providers=(provider,),
    )
