"""The whole engine on accounts of steady noise: of which changes it tells them within a year, kind by kind.

Noise of the eight kinds of `benchmarks.calm`, as money a day of one to four drivers. On every look the account's facts
are what they would have been on that day, and all families of insights are asked together. Looks fall on other days
of a month from look to look; what is told of the last seven days is seen by a look a week.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from valueplatform.narrative.facts import DAILY_SCHEMA, AccountFacts, DriverFacts
from valueplatform.narrative.insights import discover
from valueplatform.narrative.judgment.numbers import Floats

CHANGES: Final = frozenset(
    {
        "period-over-period", "month-so-far", "change-contributors", "trend", "record-month", "unusual-record",
        "mix-shift", "correlated-drivers", "change-point", "unusual-day", "disruption",
    }
)  # fmt: skip
PRESENCE: Final = frozenset({"stalled-driver", "lost-driver", "silent-account", "missing-days", "new-driver"})
"""What is told of pauses, by rules without a test."""
FIRST: Final = date(2025, 1, 6)
YEAR: Final = 365


def told_within_a_year(drivers: Sequence[Floats], every: int) -> Counter[str]:
    """The kinds of changes told on any look at the last year, and on how many looks."""
    on = steady_account(drivers)
    found: Counter[str] = Counter()
    days = drivers[0].size
    for day in range(days - YEAR, days, every):
        facts = on(day, frozenset())
        found.update({insight.kind for insight in discover(facts) if insight.kind in CHANGES | PRESENCE})
    return found


def steady_account(drivers: Sequence[Floats]) -> Callable[[int, frozenset[date]], AccountFacts]:
    """The account's facts on a day, counted from the first, with its days at rest."""
    slugs = tuple(f"driver_{place}" for place in range(len(drivers)))
    daily = _daily(dict(zip(slugs, drivers, strict=True)))
    return lambda day, at_rest: replace(_on(FIRST + timedelta(days=day), daily, slugs), at_rest=at_rest)


def _daily(drivers: dict[str, Floats]) -> pl.DataFrame:
    rows = [
        (slug, "supplier", FIRST + timedelta(days=day), value, value, value, True, "validated", "measured", "cashable")
        for slug, values in drivers.items()
        for day, value in enumerate(np.round(values, 2).tolist())
        if not np.isnan(value)
    ]
    names = [name for name in DAILY_SCHEMA if name != "unit"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(pl.lit("USD").alias("unit")).select(list(DAILY_SCHEMA)).cast(DAILY_SCHEMA)


def _on(today: date, daily: pl.DataFrame, slugs: Sequence[str]) -> AccountFacts:
    return AccountFacts(
        key="steady",
        name="Steady",
        currency="USD",
        timezone="UTC",
        supplier="Fieldnote",
        now=datetime(today.year, today.month, today.day, 12, tzinfo=UTC),
        today=today,
        daily=daily.filter(pl.col("day") <= today),
        drivers=tuple(DriverFacts(slug, slug, "cashable", "USD", "measured", "", 1) for slug in slugs),
    )
