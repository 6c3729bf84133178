"""A quick form of figure J6: steady accounts are left alone."""

import random
from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, account, driver, rows
from valueplatform.narrative.insights import discover

ACCOUNTS = 60
CHANGES = {
    "period-over-period", "month-so-far", "change-contributors", "trend", "record-month", "stalled-driver",
    "missing-days", "new-driver", "lost-driver", "streak", "mix-shift", "unusual-record",
    "correlated-drivers", "disruption", "change-point", "unusual-day",
}  # fmt: skip
SEASON = (1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.2)


def _noise(rng: random.Random, start: date) -> dict[date, Decimal]:
    level, spread = rng.choice([20, 200, 5000]), rng.choice([0.05, 0.15, 0.3])
    days = (TODAY - start).days + 1
    return {
        day: Decimal(str(round(level * SEASON[day.weekday()] * max(0.01, rng.gauss(1, spread)), 2)))
        for day in (start + timedelta(days=i) for i in range(days))
    }


def test_at_most_one_in_twenty_steady_accounts_is_told_of_a_change() -> None:
    alarmed = 0
    for seed in range(ACCOUNTS):
        rng = random.Random(seed)
        slugs = [f"d{i}" for i in range(rng.randint(2, 5))]
        daily = [row for slug in slugs for row in rows(slug, _noise(rng, date(2025, 9, 1)))]
        facts = account(daily, drivers=tuple(driver(slug) for slug in slugs))
        alarmed += bool({insight.kind for insight in discover(facts)} & CHANGES)
    assert alarmed <= ACCOUNTS / 20
