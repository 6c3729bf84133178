"""Courses of days as sources have them, made from plain numbers."""

import math
import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from valueplatform.telemetry.intake_sums import IntakeDay

MONDAY = date(2026, 1, 5)
TODAY = date(2026, 6, 12)  # a Friday


def before(days: int, today: date = TODAY) -> date:
    return today - timedelta(days=days)


def course(counts: Iterable[int], first: date = MONDAY) -> dict[date, int]:
    return {first + timedelta(days=number): count for number, count in enumerate(counts)}


def steady(days: int, count: int = 100, weekend: int = 0, **given: Any) -> list[IntakeDay]:
    """So many whole days up to yesterday, each with so much; every event came in on its day, at once."""
    found = []
    for number in range(days, 0, -1):
        day = before(number)
        events = weekend if day.weekday() > 4 else count
        if events:
            fields = {"happened": events, "stored": events, "behind": 1, "lead": -2} | given
            found.append(IntakeDay(day, **fields))
    return found


def changed(days: list[IntakeDay], changes: Mapping[int, Mapping[str, Any]]) -> list[IntakeDay]:
    """The same with changes, by how many days ago; a day that is not there is made, one without counts is taken
    away."""
    by_day: dict[date, dict[str, Any]] = {one.day: msgspec.structs.asdict(one) for one in days}
    for ago, change in changes.items():
        by_day[before(ago)] = {"day": before(ago), **by_day.get(before(ago), {}), **change}
    made = [IntakeDay(**fields) for _, fields in sorted(by_day.items())]
    return [one for one in made if one.happened or one.stored or one.rejected or one.duplicates or one.conflicts]


def poisson(draw: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(draw.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), draw.random(), 0
    while product > limit:
        product *= draw.random()
        count += 1
    return count


NOISES = ("counts", "gamma", "lognormal")


def noisy(draw: random.Random, days: int, noise: str) -> dict[date, int]:
    """A source of a level from 1 to 5,000 a day with a weekly season, some of them growing or shrinking steadily.
    Beyond the noise of counts its days may differ by a third ('gamma') or a quarter ('lognormal') at random."""
    level = math.exp(draw.uniform(0, math.log(5000)))
    weekend = draw.choice([0, 0.05, 0.3, 1])
    season = [*(draw.uniform(0.8, 1.2) for _ in range(5)), weekend, weekend * draw.uniform(0.5, 1)]
    growth = draw.choice([0, 0, 0.002, -0.002])
    counts = []
    for number in range(days):
        mean = level * season[number % 7] * math.exp(growth * number)
        if noise == "gamma":
            mean *= draw.gammavariate(8, 1 / 8)
        elif noise == "lognormal":
            mean *= math.exp(draw.gauss(0, 0.25))
        counts.append(poisson(draw, mean))
    return course(counts)
