"""Daily noise with a weekly season, drawn from a seed."""

import numpy as np

from valueplatform.narrative.judgment.numbers import Floats

SEASON = np.array([1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.2])


def steady(days: int, *, seed: int, spread: float = 0.15) -> Floats:
    return np.asarray(100 * np.resize(SEASON, days) * np.random.default_rng(seed).normal(1, spread, days))


def counts(days: int, *, seed: int, rate: float) -> Floats:
    return np.random.default_rng(seed).poisson(rate * np.resize(SEASON, days)).astype(np.float64)
