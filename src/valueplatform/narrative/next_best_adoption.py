"""The chance that an account takes up a feature within half a year. It orders outreach, never the customer's list
(value rule 17).

One scikit-learn `LogisticRegression` over account and feature pairs at risk, at several past moments, blends what is
known about a pair: how usual the feature is, overall, in the segment and lately; its affinity to what the account uses
(`next_best_affinity`); and the account itself. What it looks at was known at that moment, and an account never counts
among its own peers. The weights of affinity are learned from all accounts, in the past as now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression

from valueplatform.narrative.next_best_affinity import affinity_weights
from valueplatform.narrative.next_best_panel import Flags, Floats, Grid

HORIZON: Final = 6
"""Months ahead."""

MOMENTS: Final = 4
"""Past moments that are learned from, three months apart, the newest `HORIZON` months ago."""

MIN_OUTCOMES: Final = 10
"""Fewer adoptions, or fewer pairs that did not adopt, teach nothing."""

MOST_PER_ADOPTION: Final = 20
"""So many pairs that did not adopt are learned from for each that did; the intercept makes up for the others."""

SIGNS: Final = ("in_segment", "overall", "lately", "affinity", "log_affinity", "breadth", "tenure", "size")
"""What is looked at. Log shares of the other accounts that use the feature, in the segment and overall, and that used
it in the newest month; the affinity of the feature to what the account uses, and its log; log features in use; log
months since the first events; log events of three months."""

_LEAST_AFFINITY: Final = 1e-3


@dataclass(frozen=True)
class Moment:
    """Who uses what, A accounts by K features: `ever` so far, `active` in three months, `lately` in the newest one;
    `months` (A,) since the first events, 0 before them; `events` (A,) of three months."""

    segments: tuple[str, ...]
    ever: Flags
    active: Flags
    lately: Flags
    months: Floats
    events: Floats

    @property
    def present(self) -> Flags:
        return np.asarray(self.months > 0)


@dataclass(frozen=True)
class Crowd:
    """Counts over all accounts of a moment, by segment and feature, and the weights of affinity (K, K)."""

    present: dict[str, int]
    users: dict[str, Floats]
    lately: Floats
    weights: Floats


class Peers(msgspec.Struct, frozen=True):
    """Who uses what at the end of a month, in plain numbers: counts of accounts present by segment, of users by segment
    and feature (in the order of `features`), of those that used it in the newest month, and the weights of affinity."""

    features: tuple[str, ...]
    present: dict[str, int]
    users: dict[str, tuple[int, ...]]
    lately: tuple[int, ...]
    weights: tuple[tuple[float, ...], ...]

    def crowd(self) -> Crowd:
        users = {name: np.asarray(counts, dtype=np.float64) for name, counts in self.users.items()}
        shape = (len(self.features), len(self.features))
        weights = np.asarray(self.weights, dtype=np.float64).reshape(shape)
        return Crowd(self.present, users, np.asarray(self.lately, dtype=np.float64), weights)


class AdoptionFit(msgspec.Struct, frozen=True):
    """Logistic regression in plain numbers over `SIGNS`, which are centered by `means` and divided by `scales`."""

    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]
    scales: tuple[float, ...]
    adopted: int
    at_risk: int

    def chances(self, signs: Iterable[Floats]) -> Floats:
        """One array a sign in, chances between 0 and 1 out."""
        score: Floats = np.asarray(self.intercept, dtype=np.float64)
        for part in self.contributions(signs):
            score = score + part
        chances: Floats = 1 / (1 + np.exp(-np.clip(score, -50, 50)))
        return chances

    def contributions(self, signs: Iterable[Floats]) -> Iterable[Floats]:
        """What each sign adds to the log odds, against the mean of the pairs that were learned from."""
        for sign, coefficient, mean, scale in zip(signs, self.coefficients, self.means, self.scales, strict=True):
            yield (sign - mean) * (coefficient / scale)


@dataclass(frozen=True)
class Lesson:
    """Pairs at risk at a past moment: their signs (N, len(SIGNS)), and whether they adopted in the time after it.
    `left_out` pairs that did not adopt stand for themselves in the counts alone."""

    signs: Floats
    adopted: Flags
    left_out: int


def moment_at(grid: Grid, month: int) -> Moment:
    """The end of a month of the grid."""
    seen = np.asarray(grid.used[:, :, : month + 1].any(axis=1))
    months = np.where(seen.any(axis=1), month + 1 - seen.argmax(axis=1), 0).astype(np.float64)
    return Moment(
        segments=grid.segments,
        ever=np.asarray(grid.used[:, :, : month + 1].any(axis=2)),
        active=np.asarray(grid.active[:, :, month]),
        lately=np.asarray(grid.used[:, :, month]),
        months=months,
        events=grid.events[:, :, max(0, month - 2) : month + 1].sum(axis=(1, 2)),
    )


def crowd_of(moment: Moment) -> Crowd:
    segments = np.asarray(moment.segments)
    members = {name: (segments == name) & moment.present for name in sorted(set(moment.segments))}
    return Crowd(
        present={name: int(member.sum()) for name, member in members.items()},
        users={name: moment.active[member].sum(axis=0).astype(np.float64) for name, member in members.items()},
        lately=moment.lately.sum(axis=0).astype(np.float64),
        weights=affinity_weights(moment.ever[moment.present]),
    )


def peers_at(grid: Grid, month: int) -> Peers:
    crowd = crowd_of(moment_at(grid, month))
    return Peers(
        features=grid.features,
        present=crowd.present,
        users={name: _counts(users) for name, users in crowd.users.items()},
        lately=_counts(crowd.lately),
        weights=tuple(tuple(row) for row in crowd.weights.tolist()),
    )


def signs_of(moment: Moment, crowd: Crowd) -> tuple[Floats, ...]:
    """An array (A, K) for each of `SIGNS`, for features that an account does not use.

    `crowd` holds the accounts of the moment among others: each is taken out of its own peers again.
    """
    shape = moment.active.shape
    itself = moment.present.astype(np.float64)[:, None]
    none = np.zeros(shape[1])
    users = np.asarray([crowd.users.get(name, none) for name in moment.segments]).reshape(shape)
    present = np.asarray([crowd.present.get(name, 0) for name in moment.segments], dtype=np.float64)[:, None]
    everywhere = np.asarray([*crowd.users.values(), none]).sum(axis=0)
    others = sum(crowd.present.values()) - itself
    affinity = moment.ever.astype(np.float64) @ crowd.weights
    of_account = (np.log1p(moment.active.sum(axis=1)), np.log1p(moment.months), np.log1p(moment.events))
    return (
        _log_share(users - moment.active, present - itself),
        _log_share(everywhere - moment.active, others),
        _log_share(crowd.lately - moment.lately, others),
        affinity,
        np.log(np.maximum(affinity, 0) + _LEAST_AFFINITY),
        *(np.broadcast_to(values[:, None], shape) for values in of_account),
    )


def lesson_of(signs: Iterable[Floats], at_risk: Flags, later: Flags) -> Lesson:
    """`at_risk` and `later` (A, K): pairs that could adopt, and those used in the time after the moment."""
    pairs = np.flatnonzero(at_risk)
    adopted = later.ravel()[pairs]
    missed = np.flatnonzero(~adopted)
    step = max(1, len(missed) // max(MIN_OUTCOMES, int(adopted.sum()) * MOST_PER_ADOPTION))
    kept = np.sort(np.concatenate([np.flatnonzero(adopted), missed[::step]]))
    chosen = pairs[kept]
    given = np.stack([np.asarray(sign).ravel()[chosen] for sign in signs], axis=-1)
    return Lesson(given, adopted[kept], len(pairs) - len(chosen))


def learn(lessons: Iterable[Lesson]) -> AdoptionFit | None:
    """None where too little was taken up to learn from.

    Pairs that were left out shift the intercept alone, by the log of the share that was kept (prior correction: King
    and Zeng 2001).
    """
    found = list(lessons)
    given, adopted = np.vstack([one.signs for one in found]), np.concatenate([one.adopted for one in found])
    kept = int((~adopted).sum())
    if min(int(adopted.sum()), kept) < MIN_OUTCOMES:
        return None
    left_out = sum(one.left_out for one in found)
    means, scales = given.mean(axis=0), given.std(axis=0)
    scales = np.where(scales > 0, scales, 1.0)
    model = LogisticRegression(max_iter=1000).fit((given - means) / scales, adopted)
    return AdoptionFit(
        coefficients=tuple(model.coef_[0].tolist()),
        intercept=float(model.intercept_[0] + np.log(kept / (kept + left_out))),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        adopted=int(adopted.sum()),
        at_risk=len(adopted) + left_out,
    )


def fit_adoption(grid: Grid, eligible: Flags) -> AdoptionFit | None:
    """`eligible` (A, K): what each account may have. None where too little was taken up to learn from."""
    lessons = []
    for back in range(MOMENTS):
        month = grid.months - 1 - HORIZON - 3 * back
        moment = moment_at(grid, month)
        at_risk = eligible & ~moment.active & moment.present[:, None]
        later = np.asarray(grid.used[:, :, month + 1 : month + 1 + HORIZON].any(axis=2))
        lessons.append(lesson_of(signs_of(moment, crowd_of(moment)), at_risk, later))
    return learn(lessons)


def _counts(values: Floats) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _log_share(part: Floats, whole: Floats) -> Floats:
    """One is added to those that do and to those that do not, so that few accounts are not taken for certain."""
    found: Floats = np.log((np.maximum(part, 0) + 1) / (np.maximum(whole, 0) + 2))
    return found
