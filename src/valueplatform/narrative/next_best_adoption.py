"""The chance that an account takes up a feature within half a year. It orders outreach, never the customer's list
(value rule 17).

One scikit-learn `LogisticRegression` over account and feature pairs at risk, at several past moments; what it looks at
was known at that moment, and an account never counts among its own peers.
"""

from typing import Final

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression

from valueplatform.narrative.next_best_panel import Flags, Floats, Grid

HORIZON: Final = 6
"""Months ahead."""

MOMENTS: Final = 4
"""Past moments that are learned from, three months apart, the newest `HORIZON` months ago."""

MIN_OUTCOMES: Final = 10
"""Fewer adoptions, or fewer pairs that did not adopt, teach nothing."""

SIGNS: Final = ("in_segment", "overall", "together", "breadth", "tenure", "size")
"""What is looked at: the share of the other accounts that use the feature, in the segment and overall; how usual it is
among those that use what this account uses; the share of features in use; log months since the first events; log
events of three months."""


class Peers(msgspec.Struct, frozen=True):
    """Who uses what at the end of a month: counts of accounts present by segment, of users by segment and feature (in
    the order of `features`), and `together[g][f]`, how many use both."""

    features: tuple[str, ...]
    present: dict[str, int]
    users: dict[str, tuple[int, ...]]
    together: tuple[tuple[int, ...], ...]


class AdoptionFit(msgspec.Struct, frozen=True):
    """Logistic regression in plain numbers over `SIGNS`, which are centered by `means` and divided by `scales`."""

    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]
    scales: tuple[float, ...]
    adopted: int
    at_risk: int

    def chances(self, signs: Floats) -> Floats:
        """(…, len(SIGNS)) in, chances between 0 and 1 out."""
        centered = (signs - np.asarray(self.means)) / np.asarray(self.scales)
        score = centered @ np.asarray(self.coefficients) + self.intercept
        chances: Floats = 1 / (1 + np.exp(-np.clip(score, -50, 50)))
        return chances


def peers_at(grid: Grid, month: int) -> Peers:
    active = grid.active[:, :, month]
    present = _months_since_start(grid, month) > 0
    segments = np.asarray(grid.segments)
    members = {name: (segments == name) & present for name in sorted(set(grid.segments))}
    counts = active.astype(np.int64)
    return Peers(
        features=grid.features,
        present={name: int(member.sum()) for name, member in members.items()},
        users={name: tuple(counts[member].sum(axis=0).tolist()) for name, member in members.items()},
        together=tuple(tuple(row) for row in (counts.T @ counts).tolist()),
    )


def signs_of(grid: Grid, month: int, peers: Peers) -> Floats:
    """(A, K, len(SIGNS)) as known at the end of a month of the grid, for features that an account does not use.

    `peers` holds the accounts of the grid among others: each is taken out of its own peers again.
    """
    active = grid.active[:, :, month].astype(np.float64)
    started = _months_since_start(grid, month)
    itself = (started > 0).astype(np.float64)[:, None]
    none = (0,) * active.shape[1]
    users = np.asarray([peers.users.get(name, none) for name in grid.segments], dtype=np.float64)
    present = np.asarray([peers.present.get(name, 0) for name in grid.segments], dtype=np.float64)[:, None]
    all_users = np.asarray([*peers.users.values(), none], dtype=np.float64).sum(axis=0)
    overall = _share(all_users - active, sum(peers.present.values()) - itself)
    events = grid.events[:, :, max(0, month - 2) : month + 1].sum(axis=(1, 2))
    of_account = (active.mean(axis=1), np.log1p(started), np.log1p(events))
    alike = [np.repeat(values[:, None], active.shape[1], axis=1) for values in of_account]
    return np.stack([_share(users - active, present - itself), overall, _together(active, peers), *alike], axis=-1)


def fit_adoption(grid: Grid, eligible: Flags) -> AdoptionFit | None:
    """`eligible` (A, K): what each account may have. None where too little was taken up to learn from."""
    signs, outcomes = [], []
    for moment in range(MOMENTS):
        month = grid.months - 1 - HORIZON - 3 * moment
        at_risk = eligible & ~grid.active[:, :, month] & (_months_since_start(grid, month) > 0)[:, None]
        later = np.asarray(grid.used[:, :, month + 1 : month + 1 + HORIZON].any(axis=2))
        signs.append(signs_of(grid, month, peers_at(grid, month))[at_risk])
        outcomes.append(later[at_risk])
    given, adopted = np.vstack(signs), np.concatenate(outcomes)
    if min(adopted.sum(), (~adopted).sum()) < MIN_OUTCOMES:
        return None
    means, scales = given.mean(axis=0), given.std(axis=0)
    scales = np.where(scales > 0, scales, 1.0)
    model = LogisticRegression(max_iter=1000).fit((given - means) / scales, adopted)
    return AdoptionFit(
        coefficients=tuple(model.coef_[0].tolist()),
        intercept=float(model.intercept_[0]),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        adopted=int(adopted.sum()),
        at_risk=len(adopted),
    )


def _months_since_start(grid: Grid, month: int) -> Floats:
    """(A,): months since the first events, counting both ends; 0 before them."""
    seen = np.asarray(grid.used[:, :, : month + 1].any(axis=1))
    return np.where(seen.any(axis=1), month + 1 - seen.argmax(axis=1), 0).astype(np.float64)


def _together(active: Floats, peers: Peers) -> Floats:
    """(A, K): for each feature, its share among the users of a feature in use, averaged over the features in use.

    One account is added to each side, so that what few use is not taken for certain; the account itself is among the
    users of what it uses and is taken out: it adds one below and takes one away.
    """
    both = np.asarray(peers.together, dtype=np.float64)
    given = (both + 1) / np.maximum(np.diag(both)[:, None] + 1, 1)
    return _share(active @ given, active.sum(axis=1)[:, None])


def _share(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return found
