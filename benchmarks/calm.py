"""J6: accounts of steady noise with a weekly season that are told of a change within a year of daily looking.

Noise of eight kinds (normal, Poisson of many and of few, negative binomial, log-normal, Student's t, mostly zero, with
gaps), each account with one to four drivers of its kind. All looks of a year count: an account is alarmed if on any
day any shift or unusual day of a driver holds at a false discovery rate of 1 % among all of its tests (Benjamini and
Hochberg 1995). The p-values are corrected for a year of looks, so that what is counted here, the least p-value of each
test over the year held to that rate, is no less than what daily looking would tell. The baseline tests the last four
weeks against the eight before once a week, each at 1 % (Mann and Whitney 1947), as one would without regard to looks.
The share of planted shifts that are found says that calm is not deafness. J6-year is of noise that swings over the
year: accounts told of a new level on any of 26 looks of a year, beside the share without comparing with the year before
(`judgment.yearly`), and planted shifts in such noise that are still told after four weeks, beside those without.

The first figure, J6, is of the whole engine (`calm_engine`): accounts of the same noise that are told of any change on
any look of a year, with a look every five days (quick: seven), and the share by kind of change. What presence tells of
pauses has no test and is counted beside it. Run: `python -m benchmarks.calm [--quick]`.
"""

import argparse
import multiprocessing
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks import calm_holidays
from benchmarks.calm_engine import CHANGES, PRESENCE, told_within_a_year
from benchmarks.figures import Measured, figure
from valueplatform.narrative.judgment.numbers import Floats
from valueplatform.narrative.judgment.shifts import LOOKS, looks, shifts
from valueplatform.narrative.judgment.unusual import unusual_days
from valueplatform.narrative.judgment.yearly import YEAR as SEASON_YEAR
from valueplatform.narrative.judgment.yearly import differs_from_last_year
from valueplatform.narrative.significance import discoveries, mann_whitney_p

RATE = 0.01
YEAR = 365
DAYS = YEAR + 183
WEEKDAYS = np.array([1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.2])

Noise = Callable[[np.random.Generator, Floats], Floats]


def _gaps(rng: np.random.Generator, usual: Floats) -> Floats:
    days = 200 * usual * rng.normal(1, 0.2, usual.size)
    days[rng.random(usual.size) < 0.05] = np.nan
    start = int(rng.integers(usual.size - 20))
    days[start : start + int(rng.integers(2, 15))] = np.nan
    return days


NOISE: dict[str, Noise] = {
    "normal": lambda rng, usual: np.maximum(0, 200 * usual * rng.normal(1, rng.choice([0.05, 0.15, 0.3]), usual.size)),
    "Poisson": lambda rng, usual: rng.poisson(rng.choice([2, 10, 100]) * usual).astype(np.float64),
    "Poisson near zero": lambda rng, usual: rng.poisson(rng.choice([0.05, 0.2, 0.6]) * usual).astype(np.float64),
    "negative binomial": lambda rng, usual: rng.negative_binomial(1, 1 / (1 + 5 * usual)).astype(np.float64),
    "log-normal": lambda rng, usual: 100 * usual * np.exp(rng.normal(0, 0.7, usual.size)),
    "Student's t": lambda rng, usual: 100 * usual * (5 + rng.standard_t(3, usual.size)),
    "mostly zero": lambda rng, usual: (
        (rng.random(usual.size) < rng.choice([0.1, 0.3, 0.6])) * rng.gamma(2, 50, usual.size)
    ),
    "with gaps": _gaps,
}


def account(rng: np.random.Generator, noise: Noise) -> list[Floats]:
    season = np.resize(np.roll(WEEKDAYS, int(rng.integers(7))), DAYS)
    return [noise(rng, season) for _ in range(int(rng.integers(1, 5)))]


def alarmed(drivers: Sequence[Floats]) -> bool:
    """Whether any day of the last year tells of any change."""
    p_values = []
    for days in drivers:
        corrected, _ = looks(days)
        due = [corrected[row, days.size - YEAR - length + 1 :].min() for row, length in enumerate(LOOKS)]
        p_values.append(float(min(due)))
        p_values.append(min((each.p_value for each in unusual_days(days, days.size - YEAR)), default=1.0))
    return any(discoveries(p_values, RATE))


def alarmed_without_regard(drivers: Sequence[Floats]) -> bool:
    """The same with a plain test a week, at 1 %."""
    for days in drivers:
        for end in range(days.size - YEAR, days.size, 7):
            before, after = days[end - 84 : end - 28], days[end - 28 : end]
            before, after = before[~np.isnan(before)], after[~np.isnan(after)]
            if mann_whitney_p(before.tolist(), after.tolist()) <= RATE:
                return True
    return False


def found(factor: float, accounts: int) -> float:
    """The share of planted shifts of the level by `factor`, four weeks ago, told within a week of where they are. Noise
    of 20 % a day."""
    rng = np.random.default_rng(23)
    hits = 0
    for _ in range(accounts):
        days = 200 * np.resize(WEEKDAYS, YEAR) * rng.normal(1, 0.2, YEAR)
        days[-28:] *= factor
        told = [each for each in shifts(days) if each.holds and each.p_value <= RATE]
        hits += any(abs(each.day - (YEAR - 28)) <= 7 for each in told)
    return hits / accounts


def _swinging(rng: np.random.Generator, days: int) -> Floats:
    """Noise of 15 % a day, with a year that swings by 30 % to either side; its highest day is drawn."""
    year = np.sin(2 * np.pi * (np.arange(days) / SEASON_YEAR + rng.random()))
    return np.asarray(200 * np.resize(WEEKDAYS, days) * (1 + 0.3 * year) * rng.normal(1, 0.15, days))


def _levels(days: Floats, planted: int | None = None) -> tuple[bool, bool]:
    """Whether a new level (within a week of the planted day, if any) is told, and whether it would be without the year
    before."""
    holding = [each for each in shifts(days) if each.holds]
    if not holding or (planted is not None and abs(holding[-1].day - planted) > 7):
        return False, False
    day = holding[-1].day
    length = max((look for look in LOOKS if day + look <= days.size), default=LOOKS[0])
    return differs_from_last_year(days, day, length) is not False, True


def over_the_year(accounts: int) -> tuple[Measured, Measured]:
    """Accounts told of a level that is but the season, and planted shifts to 0.7 that are told."""
    rng = np.random.default_rng(24)
    alarms, hits = [], []
    for _ in range(accounts):
        days = _swinging(rng, 3 * SEASON_YEAR)
        told = [_levels(days[:end]) for end in range(2 * SEASON_YEAR + 14, days.size + 1, 14)]
        alarms.append(np.any(told, axis=0))
        days[-28:] *= 0.7
        hits.append(_levels(days, days.size - 28))
    return Measured(*np.mean(alarms, axis=0).tolist()), Measured(*np.mean(hits, axis=0).tolist())


def _looked_at(job: tuple[int, int]) -> tuple[str, frozenset[str]]:
    """The noise of an account, and the kinds of insights that it is told of within a year."""
    seed, every = job
    kind = list(NOISE)[seed % len(NOISE)]
    rng = np.random.default_rng([2039, seed])
    return kind, frozenset(told_within_a_year(account(rng, NOISE[kind]), every))


def _engine(*, quick: bool) -> None:
    accounts, every = (100, 7) if quick else (1000, 5)
    with multiprocessing.get_context("spawn").Pool() as pool:
        looked = pool.map(_looked_at, [(seed, every) for seed in range(accounts)], chunksize=4)
    alarms = [bool(told & CHANGES) for _, told in looked]
    name = f"steady accounts that the whole engine tells of any change, a look every {every} days for a year"
    figure("J6", name, Measured(sum(alarms) / accounts, 0), target=0.05, unit="share", n=accounts)
    for noise in NOISE:
        own = [alarm for alarm, (kind, _) in zip(alarms, looked, strict=True) if kind == noise]
        figure("J6-noise", noise, Measured(sum(own) / len(own), 0), target=0.05, unit="share", n=len(own))
    for change in sorted(CHANGES | PRESENCE):
        share = sum(change in told for _, told in looked) / accounts
        series = "J6-told" if change in CHANGES else "J6-pauses"
        figure(series, change, Measured(share, 0), target=0.05, unit="share", n=accounts)


def main(*, quick: bool) -> None:
    _engine(quick=quick)
    accounts = 80 if quick else 1000
    rng = np.random.default_rng(20)
    kinds = list(NOISE)
    told: defaultdict[str, list[bool]] = defaultdict(list)
    plain = []
    for index in range(accounts):
        kind = kinds[index % len(kinds)]
        drivers = account(rng, NOISE[kind])
        told[kind].append(alarmed(drivers))
        if index < accounts // 10:
            plain.append(alarmed_without_regard(drivers))
    baseline = sum(plain) / len(plain)
    every = [each for kind in kinds for each in told[kind]]
    name = "steady accounts told of a change within a year (baseline: a plain test a week)"
    figure("J6-detectors", name, Measured(sum(every) / accounts, baseline), target=0.05, unit="share", n=accounts)
    for kind in kinds:
        share = Measured(sum(told[kind]) / len(told[kind]), baseline)
        figure("J6-kind", f"of these, {kind}", share, target=0.05, unit="share", n=len(told[kind]))
    planted = 20 if quick else 200
    for factor in (0.7, 1.5):
        hits = Measured(found(factor, planted), 0)
        name = f"shifts to {factor} of the level told after four weeks"
        figure("J6-power", name, hits, target=0.9, unit="share", n=planted)
    season, kept = over_the_year(planted)
    name = "accounts of a yearly season told of a new level (baseline: without the year before)"
    figure("J6-year", name, season, target=0.05, unit="share", n=planted)
    name = "shifts to 0.7 in a yearly season told after four weeks (baseline: without the year before)"
    figure("J6-year", name, kept, target=0.6, unit="share", n=planted)
    calm_holidays.main(quick=quick)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 accounts, fewer looks")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    main(quick=parser.parse_args().quick)
