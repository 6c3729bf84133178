"""What the next-best-value model is fitted on: who used which feature in which month, and what each month brought.

Frames come in as the record has them (exact amounts, account-local days); `Grid` is their shape for statistics. Floats
begin here, and what leaves the model again is an estimate, marked as such.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

HISTORY: Final = 36
"""Months that are looked at; older ones tell of another product."""

_SOME_MONTH: Final = 2000 * 12
"""Stands for today where there is no account."""

ADOPTION_MONTHS: Final = 3
"""A feature is in use for three months after each month with events (some 90 days), and in full use from its third
month on; in the first two it counts one and two thirds."""

ACCOUNT_SCHEMA: Final = pl.Schema({"account_id": pl.Int64(), "segment": pl.String(), "today": pl.Date()})
"""`today` is the account's local day; months before the one that holds it are whole."""

VALUE_SCHEMA: Final = pl.Schema({"account_id": pl.Int64(), "month": pl.Date(), "value": pl.Decimal(38, 4)})
"""Realized value of a whole month (expected, monetized, every state), in one currency an account: the account's."""

USAGE_SCHEMA: Final = pl.Schema(
    {
        "account_id": pl.Int64(),
        "feature": pl.String(),
        "month": pl.Date(),
        "events": pl.Int64(),
        "last_day": pl.Date(),
    }
)
"""Events of a feature by account-local month; months without events have no row."""


@dataclass(frozen=True, slots=True)
class Panel:
    """`excluded` counts accounts some of whose value is in a currency that is not theirs: that value is not in
    `values`, since no rate is on record to convert it by."""

    accounts: pl.DataFrame
    values: pl.DataFrame
    usage: pl.DataFrame
    excluded: int = 0


def month_number(day: date) -> int:
    """Months since year 0; consecutive months differ by one."""
    return day.year * 12 + day.month - 1


@dataclass(frozen=True)
class Grid:
    """Accounts by features by months. `first` is the number of the first month; the last is the newest whole month.

    `events` (A, K, M) counts; `value` (A, M) is nan where a month has no value on record.
    """

    account_ids: tuple[int, ...]
    segments: tuple[str, ...]
    features: tuple[str, ...]
    first: int
    events: Floats
    value: Floats

    @property
    def months(self) -> int:
        return int(self.value.shape[1])

    @cached_property
    def used(self) -> Flags:
        """(A, K, M): events in this month."""
        return np.asarray(self.events > 0, dtype=np.bool_)

    @cached_property
    def active(self) -> Flags:
        """(A, K, M): events in this month or the two before it."""
        active = self.used.copy()
        for lag in range(1, ADOPTION_MONTHS):
            active[:, :, lag:] |= self.used[:, :, :-lag]
        return active

    @cached_property
    def intensity(self) -> Floats:
        """(A, K, M): 0 without the feature, 1 in full use, in between while it is being taken up."""
        run = np.zeros(self.active.shape[:2])
        found = np.zeros(self.active.shape)
        for month in range(self.months):
            run = np.where(self.active[:, :, month], run + 1, 0)
            found[:, :, month] = np.minimum(1, run / ADOPTION_MONTHS)
        return found


def grid_of(panel: Panel, features: Iterable[str]) -> Grid:
    """The panel as arrays; accounts in order of id. An account without a segment is in segment ''."""
    accounts = panel.accounts.sort("account_id")
    ids, names = tuple(accounts["account_id"].to_list()), tuple(features)
    ends = [month_number(day) for day in accounts["today"].to_list()]
    last = max(ends, default=_SOME_MONTH) - 1
    first = last - HISTORY - ADOPTION_MONTHS + 1
    shape = (len(ids), len(names), last - first + 1)
    grid = Grid(
        account_ids=ids,
        segments=tuple(accounts["segment"].fill_null("").to_list()),
        features=names,
        first=first,
        events=np.zeros(shape),
        value=np.full((shape[0], shape[2]), np.nan),
    )
    rows = {account: row for row, account in enumerate(ids)}
    _place_events(grid, panel.usage, rows)
    _place_values(grid, panel.values, rows, ends)
    return grid


def _month(first: int) -> pl.Expr:
    month = pl.col("month")
    return (month.dt.year().cast(pl.Int64) * 12 + month.dt.month().cast(pl.Int64) - 1 - first).alias("at")


def _place_events(grid: Grid, usage: pl.DataFrame, rows: dict[int, int]) -> None:
    columns = {feature: column for column, feature in enumerate(grid.features)}
    frame = usage.select("account_id", "feature", "events", _month(grid.first))
    for account, feature, events, at in frame.iter_rows():
        if account in rows and feature in columns and 0 <= at < grid.months:
            grid.events[rows[account], columns[feature], at] += events


def _place_values(grid: Grid, values: pl.DataFrame, rows: dict[int, int], ends: list[int]) -> None:
    frame = values.select("account_id", pl.col("value").cast(pl.Float64), _month(grid.first))
    for account, value, at in frame.iter_rows():
        if account in rows and ADOPTION_MONTHS <= at < ends[rows[account]] - grid.first:
            grid.value[rows[account], at] = value
