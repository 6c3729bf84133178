"""J3: forecasts of the M4 competition's weekly series, 13 weeks ahead.

sMAPE, MASE and OWA as in the competition (Makridakis, Spiliotis and Assimakopoulos 2020), against Naive 2, which is
the last value for weekly data (there is no season to take out), and against simple damped trend smoothing; then how
many of the actual values the stated 90 % intervals hold. Beside them the same for sums of daily values, made here. Run:
`python -m benchmarks.forecast --data DIR [--quick]`, DIR with `Weekly-train.csv.gz` and `Weekly-test.csv.gz`.
"""

import argparse
import csv
import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.figures import Measured, figure
from benchmarks.shared import data_folder, lines
from valueplatform.narrative.judgment.forecast import Forecast, forecast, forecast_sum
from valueplatform.narrative.judgment.forecasters import damped_trend
from valueplatform.narrative.judgment.numbers import Floats
from valueplatform.narrative.judgment.pace import MOST_WEEKS, pace

SEASON = 52
WEEKDAYS = (1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.2)
COVERAGE = 0.90


class Errors(NamedTuple):
    smape: float
    mase: float

    def relative_to(self, other: "Errors") -> float:
        """Overall weighted average."""
        return (self.smape / other.smape + self.mase / other.mase) / 2


def read(folder: Path, part: str) -> dict[str, Floats]:
    _, *rows = csv.reader(lines(folder / f"Weekly-{part}.csv"))
    return {row[0]: np.array([float(each) for each in row[1:] if each not in {"", "NA"}]) for row in rows}


def errors(train: dict[str, Floats], test: dict[str, Floats], ahead: dict[str, Floats]) -> Errors:
    smape, mase = [], []
    for name, given in ahead.items():
        missed = np.abs(test[name] - given)
        smape.append(200 * np.mean(missed / (np.abs(test[name]) + np.abs(given))))
        mase.append(missed.mean() / np.abs(np.diff(train[name])).mean())
    return Errors(float(np.mean(smape)), float(np.mean(mase)))


def stated(values: Floats, horizon: int) -> Forecast:
    """Where there is too little to go by, the last value with no interval at all: that counts as a miss."""
    last = (float(values[-1]),) * horizon
    return forecast(values, horizon, season=SEASON) or Forecast(last, last, last, COVERAGE)


def told_sums(train: dict[str, Floats], test: dict[str, Floats], names: Sequence[str]) -> tuple[float, float]:
    """Of the forecast that stories tell: how far its sums of 13 weeks missed, over those of damped trend smoothing as
    usual, and the share of them that the interval holds. Negative-free series, the last two years of each."""
    ours, usual, held = [], [], 0
    for name in names:
        weeks, actual = train[name][-MOST_WEEKS:], float(test[name].sum())
        given = pace([Fraction(str(value)) for value in weeks], test[name].size)
        smoothed = damped_trend(train[name], train[name].size, test[name].size, 1)[-1]
        ours.append(abs(actual - float(given.expected)) / actual)
        usual.append(abs(actual - float(smoothed.sum())) / actual)
        held += given.low <= Fraction(actual) <= given.high
    return float(np.mean(ours) / np.mean(usual)), held / len(names)


def told_held(kind: str, weeks: int, ahead: int, repeats: int) -> float:
    """The share of sums of weeks, made of daily values, that the interval of the told forecast holds."""
    rng = random.Random(12)
    held = 0
    for _ in range(repeats):
        days = [_day(rng, kind, i) for i in range(7 * (weeks + ahead))]
        sums = [Fraction(sum(days[start : start + 7])).limit_denominator(10**4) for start in range(0, len(days), 7)]
        given = pace(sums[:weeks], ahead)
        held += given.low <= sum(sums[weeks:]) <= given.high
    return held / repeats


def sums_held(kind: str, repeats: int) -> float:
    """The share of three-week sums of daily values, with a year known, that the stated interval holds."""
    rng = random.Random(11)
    held = 0
    for _ in range(repeats):
        days = [_day(rng, kind, i) for i in range(365 + 21)]
        given = forecast_sum(days[:365], 21)
        held += given is not None and given.low <= sum(days[365:]) <= given.high
    return held / repeats


def _day(rng: random.Random, kind: str, index: int) -> float:
    usual = WEEKDAYS[index % 7]
    if kind == "with a season":
        return 100 * usual * rng.gauss(1, 0.2)
    if kind == "mostly zero":
        return rng.gammavariate(2, 50) if rng.random() < 0.3 else 0.0
    return (100 + index / 2) * usual * rng.gauss(1, 0.1)


def main(folder: Path, *, quick: bool) -> None:
    train, test = read(folder, "train"), read(folder, "test")
    names = list(test)[:: 10 if quick else 1]
    given = {name: stated(train[name], test[name].size) for name in names}
    ours = errors(train, test, {name: np.array(each.expected) for name, each in given.items()})
    naive = errors(train, test, {name: np.repeat(train[name][-1], test[name].size) for name in names})
    smoothed = {name: damped_trend(train[name], train[name].size, test[name].size, 1)[-1] for name in names}
    damped = errors(train, test, smoothed).relative_to(naive)
    n = len(names)
    owa = Measured(ours.relative_to(naive), damped)
    figure("J3", "M4 weekly OWA (baseline: damped trend; Naive 2 is 1)", owa, target=0.917, unit="OWA", n=n)
    figure("J3", "M4 weekly sMAPE (baseline: Naive 2)", Measured(ours.smape, naive.smape), target=8.87, unit="%", n=n)
    figure("J3", "M4 weekly MASE (baseline: Naive 2)", Measured(ours.mase, naive.mase), target=2.40, unit="MASE", n=n)
    hits = [(np.array(each.low) <= test[name]) & (test[name] <= np.array(each.high)) for name, each in given.items()]
    held = float(np.mean(np.concatenate(hits)))
    figure(
        "J3", "actual values in 90 % intervals (87 to 93 %)", Measured(held, COVERAGE), target=0.90, unit="share", n=n
    )
    repeats = 20 if quick else 200
    for kind in ("with a season", "mostly zero", "growing"):
        held_sums = Measured(sums_held(kind, repeats), COVERAGE)
        name = f"three-week sums of days in 90 % intervals, {kind}"
        figure("J3-pace", name, held_sums, target=0.90, unit="share", n=repeats)
    missed, within = told_sums(train, test, names)
    name = "error of told sums of 13 weeks over that of damped trend smoothing"
    figure("J3-told", name, Measured(missed, 1.0), target=1.0, unit="ratio", n=n)
    name = "told sums of 13 weeks in 90 % intervals (87 to 93 %)"
    figure("J3-told", name, Measured(within, COVERAGE), target=0.90, unit="share", n=n)
    for weeks, ahead in ((36, 12), (52, 13), (78, 26), (104, 26)):
        for kind in ("with a season", "mostly zero", "growing"):
            told = Measured(told_held(kind, weeks, ahead, repeats), COVERAGE)
            name = f"told sums of {ahead} weeks from {weeks} in 90 % intervals, {kind}"
            figure("J3-told", name, told, target=0.90, unit="share", n=repeats)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every tenth series")
    parser.add_argument("--data", type=Path, help="the folder of the weekly series")
    arguments = parser.parse_args()
    main(data_folder(arguments.data, "m4-weekly"), quick=arguments.quick)
