"""How a stated number follows from the record: a small typed tree that other code can evaluate again.

Every number of an insight carries one. `narrative` computes the number from frames, `narrative.faithful` evaluates
the derivation from accruals and rollups, and `value.proof` evaluates it from raw events; the three share only
these types. Periods are [start, end) in the account's local days. Amounts round half-even to 4 places once per
accrual; ratios round half-even once to `places`.
"""

from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise, product
from typing import Final

import msgspec


class Bound(StrEnum):
    """Which end of the range."""

    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"


class _Node(msgspec.Struct, frozen=True, tag=True):
    pass


class Realized(_Node, frozen=True):
    """Realized value shown in the period: accruals of open months, postings of closed ones (by the day they are
    shown). Empty `drivers` = every driver whose unit is `unit`. `counted` keeps what value rule 10 counts."""

    start: date
    end: date
    unit: str
    drivers: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    counted: bool = True
    bound: Bound = Bound.EXPECTED


class Committed(_Node, frozen=True):
    """Committed value of the plan in force; a month that the period cuts counts by its days."""

    start: date
    end: date
    drivers: tuple[str, ...] = ()
    bound: Bound = Bound.EXPECTED


class Paid(_Node, frozen=True):
    """What the contracts cost the customer in the period, by the day."""

    start: date
    end: date


class Effort(_Node, frozen=True):
    """What the customer is known to have put in beside what it paid, implementation and its own work, in the period: a
    month that it cuts counts by its days (value rule 7)."""

    start: date
    end: date


class Metered(_Node, frozen=True):
    """A meter's value over the period (COUNT, SUM: sum of days; UNIQUE_COUNT: distinct members of the period; AVG, MIN,
    MAX, LATEST: of all its events, and none where there are none)."""

    meter: str
    start: date
    end: date


class Sent(_Node, frozen=True):
    """How many events of a source happened in the period: those that are stored, metered or not."""

    source: str
    start: date
    end: date


class Input(_Node, frozen=True):
    """An assumption or baseline as it was in force on a day."""

    slug: str
    day: date
    bound: Bound = Bound.EXPECTED


class Adjusted(_Node, frozen=True):
    """Adjustments shown in the period, of days in the month that starts on `month` (or of all months)."""

    start: date
    end: date
    drivers: tuple[str, ...] = ()
    month: date | None = None


class Closed(_Node, frozen=True):
    """What was posted for a month when it was closed, before any adjustment."""

    month: date
    drivers: tuple[str, ...] = ()


class Days(_Node, frozen=True):
    """How many calendar days lie in [start, end); that the days are the right ones is for claims to say."""

    start: date
    end: date


class Benchmark(_Node, frozen=True):
    """How accounts compare, as a run over the whole months [start, end) has it (value rule 20): in the cohort of a
    driver, unit, segment ('' = all) and measure ('account' or 'scale').

    `what` of the account: 'accounts' of its cohort, its 'percentile'; of a `feature`: how many of the 'top' are
    'top_using' it, of the 'rest' 'rest_using', and whether the account 'uses' it (0 or 1).
    """

    run: int
    start: date
    end: date
    driver: str
    unit: str
    segment: str
    per: str
    what: str
    feature: str = ""


class Graded(_Node, frozen=True):
    """What came of an accepted suggestion in the `horizon` days [start, end) from its first use, as one version of its
    grade has it. `what` is 'expected', 'low', 'high' (of the promise), 'range_low', 'range_high' (where a measurement
    falls if it holds), 'realized' (against comparable accounts), or 'compared' (how many of these)."""

    suggestion: str
    feature: str
    horizon: int
    version: int
    start: date
    end: date
    what: str


class Part(_Node, frozen=True):
    """What one member of a dimension has of the value of one driver that is shown on [start, end). `counted` keeps what
    value rule 10 counts. Members whose events name fewer than five persons on [told_from, told_to) have no part of
    their own (value rule 18)."""

    start: date
    end: date
    driver: str
    unit: str
    dimension: str
    member: str
    counted: bool
    told_from: date
    told_to: date


class Constant(_Node, frozen=True):
    """A number that the definition of the insight fixes, such as the length of a window."""

    value: str


class Difference(_Node, frozen=True):
    minuend: "Derivation"
    subtrahend: "Derivation"


class Total(_Node, frozen=True):
    parts: "tuple[Derivation, ...]"


class Ratio(_Node, frozen=True):
    """Numerator over denominator, rounded once to `places`."""

    numerator: "Derivation"
    denominator: "Derivation"
    places: int = 4


class Tally(_Node, frozen=True):
    """How many of `items` compare to `threshold` as stated: 'above' or 'below' (strictly), or 'nonzero'."""

    items: "tuple[Derivation, ...]"
    comparison: str
    threshold: "Derivation | None" = None


class Statistic(_Node, frozen=True):
    """A statistic of equally spaced values, by a named method ('theil-sen-slope', 'median', 'same-direction', …).

    Recomputed within a relative tolerance of 1e-9, since it is not a sum.
    """

    method: str
    values: "tuple[Derivation, ...]"
    places: int = 4


class Forecast(_Node, frozen=True):
    """What the `ahead` weeks after `past` will bring together, from its weeks: seven days each, from its start.

    Exponential smoothing with an additive damped trend (Gardner and McKenzie 1985): level l and trend b, from the first
    week's value v and nothing. Each further week errs by e = v - l - p*b; then l becomes l + p*b + s*e, b becomes
    p*b + s*t*e. Level step s, trend step t and damping p are those of DAMPED_TRENDS, in its order, whose squared errors
    from the ninth week on come to least. Expected is ahead*l + b*(p + (p + p^2) + ... + (p + ... + p^ahead)).

    Low and high lie as far below and above as sums have erred: as the error of rank ceil(95 % of n + 1), at most n, by
    size, of the n sums of as many weeks that were forecast the same way after the eighth week and later, and are known.
    Where no week is negative, no forecast is below nothing; where all these forecasts are then above nothing, errors
    are parts of what was forecast. Rounded half-even once to `places`.
    """

    past: Realized
    ahead: int
    bound: Bound = Bound.EXPECTED
    places: int = 4

    @property
    def weeks(self) -> tuple[Realized, ...]:
        return weeks_of(self.past)


def weeks_of(past: Realized) -> tuple[Realized, ...]:
    """Its whole weeks, from its first day."""
    count = (past.end - past.start).days // 7
    days = [past.start + timedelta(days=7 * number) for number in range(count + 1)]
    return tuple(msgspec.structs.replace(past, start=start, end=end) for start, end in pairwise(days))


DAMPED_TRENDS: Final = tuple(
    (level, trend, damping)
    for level in ("0.1", "0.2", "0.35", "0.5", "0.7", "1")
    for trend, damping in (("0", "0.8"), *product(("0.05", "0.15", "0.4"), ("0.8", "0.9", "0.98")))
)
"""Level step, trend step and damping that a forecast chooses from: within the bounds of Hyndman and Athanasopoulos
(2021, ch. 8). Measured by `python -m benchmarks.forecast`."""

Derivation = (
    Realized
    | Committed
    | Paid
    | Effort
    | Metered
    | Sent
    | Input
    | Adjusted
    | Closed
    | Days
    | Benchmark
    | Graded
    | Part
    | Constant
    | Difference
    | Total
    | Ratio
    | Tally
    | Statistic
    | Forecast
)
