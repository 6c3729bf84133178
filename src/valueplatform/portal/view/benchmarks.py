"""How an account compares with others."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Link


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One figure of a cohort. `own` and `percentile` are '' where the account has none; `place` is where it stands from
    0 to 1; `how` opens the figure."""

    per: str
    own: str
    value: str
    lower: str
    median: str
    upper: str
    percentile: str
    cohort: str
    place: float | None
    label: str
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HabitRow:
    order: str
    feature: str
    top: str
    rest: str
    difference: str
    interval: str


@dataclass(frozen=True, slots=True)
class PracticeView:
    """`says` what is known; `rows` in the order of adoption."""

    says: str
    rows: tuple[HabitRow, ...]


@dataclass(frozen=True, slots=True)
class ComparedDriver:
    anchor: str
    title: str
    meta: str
    says: str
    rows: tuple[ComparedRow, ...]
    practice: PracticeView | None


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """`drivers` in the order of the model."""

    headline: str
    lead: str
    drivers: tuple[ComparedDriver, ...]
    method: tuple[str, ...]
    back: Link
