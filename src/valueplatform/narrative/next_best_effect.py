"""How much more accounts realize once they use a feature, against what the others did in the same months.

Why not value per paid dollar across accounts: suppliers price by value, so accounts with and without a feature realize
about the same per dollar. Instead each account is compared with itself, before and after, as a share of its own
value: no currency, no price, and whatever is lasting about the account (size, trade, country, quality) drops out.

Model: log(value of a month) = level of the account + its own growth + calendar month + time since its first month
+ effects of the features in use. The growth of an account is shrunk toward none (a random slope: generalized least
squares), the rest is one scikit-learn `Ridge` with a penalty that only keeps it solvable.

Uncertainty: the jackknife that leaves out one account at a time (CR3: MacKinnon and White 1985, Bell and McCaffrey
2002) with Student's t and as many degrees of freedom as accounts carry the estimate (Carter, Schnepel and Steigerwald
2017), so months of one account need not be independent. Between accounts the effect differs by `spread`: what the
adopters' own effects scatter beyond noise, noise being what the same contrast gives on accounts that did not begin to
use the feature (Conley and Taber 2011), but never all of it (`LEAST_SPREAD`). An interval for one account holds both
(Higgins, Thompson and Spiegelhalter 2009). Segments are pooled partially: as far as their means differ by more than
their error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.linear_model import Ridge

from valueplatform.narrative.next_best_panel import Flags, Floats, Grid, Indices

MIN_MONTHS: Final = 6
"""Fewer months do not show a level and a growth."""

SLOPE_PENALTY: Final = 5.0
"""Variance of a month's noise over variance of growth a month. Low, so that accounts that grow anyway, and take up
features while they grow, are not mistaken for features that bring growth."""

RIDGE_PENALTY: Final = 1e-3
SETTLING_MONTHS: Final = (1.0, 3.0)
"""Value rises while a new account settles in: decays with these time constants stand for it."""

LEAST_SPREAD: Final = 0.35
"""Of the variance of adopters' own effects: the noise to be taken away is an estimate too, from accounts that had
changes of their own, and it may explain all of a real scatter (decision 0031)."""

MIN_MONTHS_EACH_SIDE: Final = 2
CHI_SQUARE_MEDIAN: Final = 0.4549
"""Of the square of a standard normal: makes a variance of a median of squares."""

COHORT: Final = 5
"""Fewer accounts than this are not compared (value rule 20)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """In logarithms of value: `share` = e^`log_effect` - 1.

    `error` is the standard error of the mean effect, `spread` the standard deviation of the effect between accounts,
    `freedom` the degrees of freedom of both, `p` the two-sided chance of such a mean effect without any. `adopters`
    began to use the feature while their value was on record; `without` accounts have months without it; `heaviest` is
    the share of the information that rests on one account. `segments` gives each segment's offset from the mean
    effect and the spread of accounts within it.
    """

    log_effect: float
    error: float
    spread: float
    freedom: float
    p: float
    adopters: int
    without: int
    heaviest: float
    segments: dict[str, tuple[float, float]]

    def of_segment(self, segment: str | None) -> tuple[float, float]:
        """The effect to expect of one account of the segment, and its standard deviation."""
        offset, spread = self.segments.get(segment or "", (0.0, self.spread))
        return self.log_effect + offset, float(np.hypot(self.error, spread))


@dataclass(frozen=True, slots=True)
class Series:
    """One account's months with value: `months` by number in the grid, log value, and intensity (T, K) of use."""

    row: int
    months: tuple[int, ...]
    log_value: Floats
    intensity: Floats

    @property
    def settled(self) -> Floats:
        """Months since its first."""
        return np.asarray(self.months, dtype=np.float64) - self.months[0] + 1

    def weighted(self, values: Floats) -> Floats:
        """Rows without the account's level, and without its growth as far as growth is free."""
        time = np.asarray(self.months, dtype=np.float64)
        time = time - time.mean()
        length = float(time @ time)
        unit = time / np.sqrt(length)
        kept = 1 - np.sqrt(SLOPE_PENALTY / (length + SLOPE_PENALTY))
        centered = values - values.mean(axis=0)
        adjusted: Floats = centered - kept * np.multiply.outer(unit, unit @ centered)
        return adjusted


def series_of(grid: Grid) -> list[Series]:
    """The accounts that can be compared.

    The first month is left out, and the last of an account that has gone silent: they are parts of months. So is a
    month without positive value, which has no logarithm.
    """
    found = []
    for row in range(len(grid.account_ids)):
        known = np.flatnonzero(np.isfinite(grid.value[row]))
        whole = known[1:] if len(known) and known[-1] == grid.months - 1 else known[1:-1]
        months = whole[grid.value[row, whole] > 0]
        if len(months) >= MIN_MONTHS:
            log_value = np.log(grid.value[row, months])
            found.append(Series(row, tuple(int(m) for m in months), log_value, grid.intensity[row][:, months].T))
    return found


def effects_of(grid: Grid, series: list[Series]) -> dict[str, Effect]:
    """The effect of each feature that at least one account began to use; none with fewer accounts than a cohort."""
    if len(series) < COHORT:
        return {}
    fitted = _Fitted(grid, series)
    return {name: fitted.effect(at) for at, name in enumerate(grid.features) if fitted.began[:, at].any()}


class _Fitted:
    """The regression over all accounts, and what each account says about each feature.

    `own` (n, K): by how much an account's effect differs from that of the model fitted without it;
    `information` (n, K): how much it can say; `began` (n, K): it has months before and after it began.
    """

    def __init__(self, grid: Grid, series: list[Series]) -> None:
        self._series = series
        self._segments = [grid.segments[one.row] for one in series]
        designs = [_design(one, grid.months) for one in series]
        rows = [one.weighted(design) for one, design in zip(series, designs, strict=True)]
        targets = [one.weighted(one.log_value) for one in series]
        whole = np.vstack(rows)
        ridge = Ridge(alpha=RIDGE_PENALTY, fit_intercept=False).fit(whole, np.concatenate(targets))
        self.coefficients: Floats = np.asarray(ridge.coef_, dtype=np.float64)
        inverse: Floats = np.linalg.inv(whole.T @ whole + RIDGE_PENALTY * np.eye(whole.shape[1])).astype(np.float64)
        features = len(grid.features)
        direction = inverse[:, :features] / np.diag(inverse)[:features]
        self._directions = [row @ direction for row in rows]
        left_out = [
            _left_out(row, target, self.coefficients, inverse) for row, target in zip(rows, targets, strict=True)
        ]
        deltas = [inverse[:features] @ row.T @ rest for row, rest in zip(rows, left_out, strict=True)]
        self._errors = np.sqrt((np.asarray(deltas) ** 2).sum(axis=0))
        self.information = np.asarray([(d**2).sum(axis=0) for d in self._directions])
        sums = np.asarray([d.T @ rest for d, rest in zip(self._directions, left_out, strict=True)])
        self.own = np.divide(sums, self.information, out=np.zeros_like(sums), where=self.information > 0)
        self.without = np.asarray([_months_at(one, 0) for one in series])
        self.began = self.without & np.asarray([_months_at(one, 1) for one in series])
        self._noises = [one.log_value - design @ self.coefficients for one, design in zip(series, designs, strict=True)]

        self._cached: dict[int, tuple[Indices, Floats]] = {}

    def effect(self, at: int) -> Effect:
        began, information = self.began[:, at], self.information[:, at]
        shares = information / max(float(information.sum()), 1e-300)
        carrying = float(shares[began].sum() ** 2 / max(float((shares[began] ** 2).sum()), 1e-300))
        freedom = max(carrying - 1, 1.0)
        error = max(float(self._errors[at]), 1e-9)
        spread, segments = self._spreads(at)
        mean = float(self.coefficients[at])
        return Effect(
            log_effect=mean,
            error=error,
            spread=spread,
            freedom=freedom,
            p=two_sided(mean / error, freedom),
            adopters=int(began.sum()),
            without=int(self.without[:, at].sum()),
            heaviest=float(shares.max()),
            segments=segments,
        )

    def _spreads(self, at: int) -> tuple[float, dict[str, tuple[float, float]]]:
        began = self.began[:, at]
        own, weights = self.own[began, at], self.information[began, at]
        noise = self._placebo_variance(at, began)
        scatter = _variance(own, weights)
        variance = max(scatter - float((weights * noise).sum() / weights.sum()), scatter * LEAST_SPREAD)
        names = [name for name, adopts in zip(self._segments, began, strict=True) if adopts]
        return float(np.sqrt(variance)), _pooled(names, own, variance, noise)

    def _placebo_variance(self, at: int, began: Flags) -> Floats:
        """For each account that began: the variance of its contrast on accounts that did not.

        The contrast is put on the last months of each of them; with too few of them, on all accounts.
        """
        compared = ~began if (~began).sum() >= COHORT else np.ones_like(began)
        found = []
        for index in np.flatnonzero(began):
            contrast = self._series[index].weighted(self._directions[index][:, at])
            members, endings = self._endings(len(contrast))
            chosen = compared[members] if compared[members].any() else members == index
            placebos = endings[chosen] @ contrast / self.information[index, at]
            found.append(_variance(placebos, np.ones(len(placebos))))
        return np.asarray(found)

    def _endings(self, length: int) -> tuple[Indices, Floats]:
        """The accounts with that many months or more, and their last so many residuals without level and growth."""
        if length not in self._cached:
            members = np.asarray([at for at, noise in enumerate(self._noises) if len(noise) >= length])
            stretches = np.asarray([self._noises[at][-length:] for at in members])
            time = np.arange(length) - (length - 1) / 2
            slopes = stretches @ time / (time @ time)
            level = stretches.mean(axis=1, keepdims=True)
            self._cached[length] = (members, stretches - level - np.multiply.outer(slopes, time))
        return self._cached[length]


def _design(one: Series, months: int) -> Floats:
    """Columns: features, calendar months, time since the first month."""
    calendar = np.zeros((len(one.months), months))
    calendar[np.arange(len(one.months)), list(one.months)] = 1
    settling = np.exp(-one.settled[:, None] / np.asarray(SETTLING_MONTHS))
    return np.hstack([one.intensity, calendar, settling])


def _left_out(rows: Floats, target: Floats, coefficients: Floats, inverse: Floats) -> Floats:
    """What is left of an account's months under the model fitted to all other accounts."""
    leverage = rows @ inverse @ rows.T
    rest: Floats = np.linalg.pinv(np.eye(len(rows)) - leverage, rcond=1e-8, hermitian=True) @ (
        target - rows @ coefficients
    )
    return rest


def _variance(values: Floats, weights: Floats) -> float:
    """About zero, values beyond 2.5 robust standard deviations being taken for that (winsorized): a few accounts with
    a season of their own do not blow it up."""
    squares = values**2
    order = np.argsort(squares)
    reached = np.cumsum(weights[order]) / weights.sum()
    median = float(squares[order][np.searchsorted(reached, 0.5)])
    limit = 2.5**2 * median / CHI_SQUARE_MEDIAN
    return float((weights * np.minimum(squares, limit)).sum() / weights.sum())


def _months_at(one: Series, intensity: float) -> Flags:
    """Which features have enough months at an intensity."""
    enough: Flags = (one.intensity == intensity).sum(axis=0) >= MIN_MONTHS_EACH_SIDE
    return enough


def _pooled(names: list[str], own: Floats, variance: float, noise: Floats) -> dict[str, tuple[float, float]]:
    """Each segment's offset from the mean, shrunk by its error, and the spread that remains within it."""
    weights = 1 / np.maximum(variance + noise, 1e-12)
    members = {name: np.asarray([given == name for given in names]) for name in sorted(set(names))}
    means = {
        name: (float((weights[m] * own[m]).sum() / weights[m].sum()), float(1 / weights[m].sum()))
        for name, m in members.items()
        if m.sum() >= COHORT
    }
    if len(means) < 2:
        return {}
    between = max(0.0, float(np.mean([mean**2 - error for mean, error in means.values()])))
    within = max(0.0, variance - between)
    found = {}
    for name, (mean, error) in means.items():
        trust = between / (between + error)
        found[name] = (trust * mean, float(np.sqrt(within + trust * error)))
    return found


def two_sided(statistic: float, freedom: float) -> float:
    """The chance that Student's t lies farther from zero than `statistic`."""
    angles, above = _student(freedom)
    return float(np.interp(np.arctan(abs(statistic) / np.sqrt(freedom)), angles, above))


def student_quantile(coverage: float, freedom: float) -> float:
    """The half-width, in standard errors, of an interval that holds with chance `coverage`."""
    angles, above = _student(freedom)
    angle = np.interp(coverage, 1 - above, angles)
    return float(np.tan(angle) * np.sqrt(freedom))


def _student(freedom: float) -> tuple[Floats, Floats]:
    """arctan(t / sqrt(freedom)) has a density proportional to cos^(freedom - 1): its two-sided tail, on a grid."""
    angles = np.linspace(0, np.pi / 2, 20_001)
    density = np.cos(angles) ** (freedom - 1)
    steps = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return angles, 1 - steps / steps[-1]


def claimed(effects: dict[str, Effect], allowed: Callable[[Effect], bool], rate: float) -> frozenset[str]:
    """The features whose effect is told from noise, with at most a share `rate` of false ones among them (Benjamini
    and Hochberg 1995). `allowed` says which are compared at all."""
    tested = sorted((effect.p, name) for name, effect in effects.items() if allowed(effect))
    passing = [rank for rank, (p, _) in enumerate(tested, start=1) if p <= rate * rank / len(tested)]
    return frozenset(name for _, name in tested[: max(passing, default=0)])
