"""The next-best-value model: what each feature has gone with, who uses it, and who takes it up. Plain numbers, so that
a fit can be stored, read by a person, and used again by any version of any library.

Deterministic: the same panel gives the same fit, to the last digit a machine keeps; there is nothing to seed.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from valueplatform.narrative.next_best_adoption import AdoptionFit, Peers, fit_adoption, peers_at
from valueplatform.narrative.next_best_correction import Correction, Effects, Lived, Track, correction, tracks
from valueplatform.narrative.next_best_effect import COHORT, Effect, claimed, effects_of, series_of
from valueplatform.narrative.next_best_panel import Flags, Grid, Panel, grid_of
from valueplatform.narrative.offers import is_part
from valueplatform.value.model import Feature

MIN_ACCOUNTS: Final = 8
"""Accounts with enough months to compare."""

MOST_ON_ONE: Final = 0.5
"""No single account may carry more than half of an estimate (value rule 20)."""

FALSE_CLAIMS: Final = 0.10
"""The share of claimed effects that may be none."""

COVERAGE: Final = 0.90
"""What a stated interval holds."""


class Verdict(StrEnum):
    """Whether an expected value may be stated, and if not, why."""

    PRICED = "priced"
    FEW_ACCOUNTS = "few-accounts"
    FEW_ADOPTERS = "few-adopters"
    ONE_ACCOUNT = "one-account"
    UNCLEAR = "unclear"
    PART = "part"
    ADVERSE = "adverse"


class FeatureFit(msgspec.Struct, frozen=True):
    """What was found about a feature. `effect` is kept whatever the verdict; only PRICED may be told."""

    feature: str
    verdict: Verdict
    adopters: int
    effect: Effect | None = None


class Popularity(msgspec.Struct, frozen=True):
    """Of `accounts`, `users` use the feature. Segment None = all accounts."""

    segment: str | None
    users: int
    accounts: int


class Fit(msgspec.Struct, frozen=True):
    """`accounts` were compared over the months from `first` to `last`; `excluded` have value in a foreign currency,
    which is not in the comparison. `correction` is what grades taught, `tracks` how predictions turned out."""

    accounts: int
    excluded: int
    first: date
    last: date
    features: tuple[FeatureFit, ...]
    peers: Peers
    adoption: AdoptionFit | None
    correction: Correction | None = None
    tracks: tuple[Track, ...] = ()

    def feature(self, slug: str) -> FeatureFit | None:
        return next((found for found in self.features if found.feature == slug), None)

    def popularity(self, slug: str, segment: str | None) -> Popularity | None:
        """In the segment where that is a cohort of its own, else among all accounts, else None (value rule 20)."""
        if slug not in self.peers.features:
            return None
        at = self.peers.features.index(slug)
        if segment and self.peers.present.get(segment, 0) >= COHORT:
            return Popularity(segment, self.peers.users[segment][at], self.peers.present[segment])
        accounts = sum(self.peers.present.values())
        users = sum(counts[at] for counts in self.peers.users.values())
        return Popularity(None, users, accounts) if accounts >= COHORT else None


def fit(panel: Panel, features: Iterable[Feature], lived: Sequence[Lived] = ()) -> Fit:
    """Fit the model. Features without event types cannot be seen in use, and are left out. `lived` are all grades."""
    seen = [feature for feature in features if feature.event_types]
    grid = grid_of(panel, (feature.slug for feature in seen))
    counted = grid_of(panel, (feature.slug for feature in seen if not is_part(feature)))
    series = series_of(counted)
    effects = effects_of(counted, series)
    clear = claimed(effects, _is_compared, FALSE_CLAIMS) if len(series) >= MIN_ACCOUNTS else frozenset()
    found = tuple(
        FeatureFit(one.slug, Verdict.PART, 0)
        if is_part(one)
        else _feature_fit(one.slug, effects.get(one.slug), len(series), clear)
        for one in seen
    )
    return Fit(
        accounts=len(series),
        excluded=panel.excluded,
        first=_month(grid, min((one.months[0] for one in series), default=grid.months - 1)),
        last=_month(grid, grid.months - 1),
        features=found,
        peers=peers_at(grid, grid.months - 1),
        adoption=fit_adoption(grid, _eligible(grid, seen)) if grid.account_ids else None,
        correction=correction(lived, _stated(found)),
        tracks=tracks(lived),
    )


def to_document(fitted: Fit) -> bytes:
    return msgspec.json.encode(fitted)


def from_document(document: bytes | str) -> Fit:
    return msgspec.json.decode(document, type=Fit)


def _stated(found: Iterable[FeatureFit]) -> Effects:
    """The effects that may be told, as they are before any correction."""
    priced = {one.feature: one.effect for one in found if one.verdict is Verdict.PRICED and one.effect is not None}

    def effect(feature: str, segment: str | None) -> tuple[float, float] | None:
        given = priced.get(feature)
        return None if given is None else given.of_segment(segment)

    return effect


def _is_compared(effect: Effect) -> bool:
    return effect.adopters >= COHORT and effect.heaviest <= MOST_ON_ONE


def _feature_fit(name: str, effect: Effect | None, accounts: int, clear: frozenset[str]) -> FeatureFit:
    adopters = effect.adopters if effect else 0
    return FeatureFit(name, _verdict(name, effect, accounts, clear), adopters, effect)


def _verdict(name: str, effect: Effect | None, accounts: int, clear: frozenset[str]) -> Verdict:
    if accounts < MIN_ACCOUNTS:
        return Verdict.FEW_ACCOUNTS
    if effect is None or effect.adopters < COHORT:
        return Verdict.FEW_ADOPTERS
    if effect.heaviest > MOST_ON_ONE:
        return Verdict.ONE_ACCOUNT
    if name not in clear:
        return Verdict.UNCLEAR
    return Verdict.PRICED if effect.log_effect > 0 else Verdict.ADVERSE


def may_have(feature: Feature, segment: str | None) -> bool:
    """Whether the supplier offers the feature to accounts of a segment."""
    return not feature.eligible_segments or segment in feature.eligible_segments


def _eligible(grid: Grid, features: list[Feature]) -> Flags:
    return np.asarray(
        [[may_have(feature, segment) for feature in features] for segment in grid.segments], dtype=np.bool_
    )


def _month(grid: Grid, at: int) -> date:
    year, month = divmod(grid.first + at, 12)
    return date(year, month + 1, 1)
