"""Which features go together: an item-based linear model in closed form.

Whether an account uses a feature is told from the other features that it uses, by one ridge regression a feature that
leaves the feature itself out. All of them follow from one inverse (Steck 2019, "Embarrassingly shallow autoencoders for
sparse data"): with P = (X'X + penalty)^-1, the weight of feature i for feature j is -P[i, j] / P[j, j].
"""

from typing import Final

import numpy as np

from valueplatform.narrative.next_best_panel import Flags, Floats

PENALTY: Final = 0.2
"""Of the ridge, as a share of the accounts: one feature alone says little where few accounts tell."""


def affinity_weights(uses: Flags) -> Floats:
    """(A, K) uses in, (K, K) weights out, the diagonal zero; an account's affinities are its uses times them."""
    known = uses.any(axis=0)
    given = uses[:, known].astype(np.float64)
    penalty = max(PENALTY * len(given), 1.0)
    inverse = np.linalg.inv(given.T @ given + penalty * np.eye(given.shape[1]))
    found: Floats = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0.0)
    weights = np.zeros((uses.shape[1], uses.shape[1]))
    weights[np.ix_(known, known)] = found
    return weights
