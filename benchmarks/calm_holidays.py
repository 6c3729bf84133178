"""J6-holidays: accounts of steady noise that rest on public holidays, and are told of a change in the weeks around New
Year, with the calendar of their country and (baseline) without.

On a holiday a tenth of a usual day is done, on the day before and between holidays a half; nothing else happens. Noise
of 5, 10 and 20 % a day; six countries. A look every four days from the middle of December to the end of February.
Beside it, a day of an outage in February, at a tenth: the share of accounts that are still told of it.
"""

import multiprocessing
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np

from benchmarks.calm_engine import CHANGES, FIRST, PRESENCE, steady_account
from benchmarks.figures import Measured, figure
from valueplatform.accounts.holidays import days_at_rest, public_holidays
from valueplatform.core.periods import Period
from valueplatform.narrative.insights import discover

COUNTRIES = ("US", "DE", "GB", "JP", "AU", "FR")
NOISE = (0.05, 0.1, 0.2)
WEEKDAYS = np.array([1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.2])
DAYS = 430
LOOKS = range((date(2025, 12, 15) - FIRST).days, (date(2026, 3, 1) - FIRST).days, 4)
OUTAGE = (date(2026, 2, 5) - FIRST).days


def _told(job: tuple[int, bool, bool]) -> bool:
    """Whether an account is told of a change; of the outage, where there is one."""
    seed, knows, has_outage = job
    country, noise = COUNTRIES[seed % len(COUNTRIES)], NOISE[seed // len(COUNTRIES) % len(NOISE)]
    rng, period = np.random.default_rng([31, seed]), Period(FIRST, FIRST + timedelta(days=DAYS))
    off, rests = public_holidays(country, period), days_at_rest(country, period)
    share = np.array([0.1 if day in off else 0.5 if day in rests else 1.0 for day in period])
    if has_outage:
        share[OUTAGE] = 0.1
    usual = 200 * np.resize(WEEKDAYS, DAYS) * share
    on = steady_account([np.maximum(0, usual * rng.normal(1, noise, DAYS)) for _ in range(2)])
    looks: Iterable[int] = (OUTAGE + 2,) if has_outage else LOOKS
    kinds = {"unusual-day"} if has_outage else CHANGES | PRESENCE
    found = (one for look in looks for one in discover(on(look, rests if knows else frozenset())))
    return any(one.kind in kinds for one in found)


def main(*, quick: bool) -> None:
    accounts = 36 if quick else 180
    for has_outage, name in (
        (False, "accounts told of a change around their holidays (baseline: without a calendar)"),
        (True, "accounts told of a day of outage (baseline: without a calendar)"),
    ):
        with multiprocessing.get_context("spawn").Pool() as pool:
            jobs = [(seed, knows, has_outage) for knows in (True, False) for seed in range(accounts)]
            told = pool.map(_told, jobs, chunksize=4)
        shares = Measured(sum(told[:accounts]) / accounts, sum(told[accounts:]) / accounts)
        figure("J6-holidays", name, shares, target=0.9 if has_outage else 0.05, unit="share", n=accounts)
