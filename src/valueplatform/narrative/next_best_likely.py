"""How likely an account is to take up each feature, and why: what speaks for it most, and what it goes with."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from valueplatform.core.numbers import AMOUNT_PLACES
from valueplatform.narrative.next_best_adoption import SIGNS, moment_at, signs_of
from valueplatform.narrative.next_best_model import Fit
from valueplatform.narrative.next_best_panel import Panel, grid_of

TOGETHER: Final = 0.05
"""A weight of affinity that is worth a word."""

MOST_TOGETHER: Final = 2


@dataclass(frozen=True)
class Likely:
    """The chance of taking a feature up, the sign that adds most to it, and the features in use that it goes with."""

    chance: Decimal | None
    sign: str | None
    goes_with: tuple[str, ...]


def likely_of(fitted: Fit, panel: Panel) -> dict[str, Likely]:
    """For each feature of the fit, of the panel's only account; no chance where too little was taken up to tell."""
    features = fitted.peers.features
    grid = grid_of(panel, features)
    moment, crowd = moment_at(grid, grid.months - 1), fitted.peers.crowd()
    weights = (crowd.weights * moment.ever[0][:, None]).T
    together = [
        tuple(features[at] for at in np.argsort(-row, kind="stable")[:MOST_TOGETHER] if row[at] >= TOGETHER)
        for row in weights
    ]
    if fitted.adoption is None:
        return {name: Likely(None, None, goes_with) for name, goes_with in zip(features, together, strict=True)}
    signs = signs_of(moment, crowd)
    chances = fitted.adoption.chances(signs)[0]
    added = np.stack([np.broadcast_to(part[0], chances.shape) for part in fitted.adoption.contributions(signs)])
    speaks = [SIGNS[at] if added[at, feature] > 0 else None for feature, at in enumerate(added.argmax(axis=0))]
    found = zip(features, chances, speaks, together, strict=True)
    return {name: Likely(_rounded(float(chance)), sign, goes_with) for name, chance, sign, goes_with in found}


def _rounded(share: float) -> Decimal:
    return Decimal(repr(share)).quantize(Decimal(1).scaleb(-AMOUNT_PLACES))
