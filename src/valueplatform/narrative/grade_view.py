"""Grades as the API gives them: an account's own, and how predictions turned out over all accounts."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.narrative.advice_read import features_of
from valueplatform.narrative.grade_words import GradeWords
from valueplatform.narrative.grades import Grade, grades_of
from valueplatform.narrative.grading import Outcome
from valueplatform.narrative.next_best_correction import Track
from valueplatform.narrative.next_best_store import newest_tracks
from valueplatform.value.models import newest_model

_WORDS: Final = GradeWords()


class Bounds(msgspec.Struct, frozen=True):
    low: Decimal
    high: Decimal


class GradeView(msgspec.Struct, frozen=True):
    """`expected` and `interval` are what was predicted for the days [start, end), before costs; `range` is from where
    to where a measurement may fall if that holds. `realized` is against comparable accounts, `without` what they
    suggest for these days without the step."""

    suggestion: str
    feature: str
    title: str
    horizon_days: int
    version: int
    outcome: Outcome
    verdict: str
    says: str
    start: date | None
    end: date | None
    unit: str
    expected: Decimal | None
    interval: Bounds | None
    range: Bounds | None
    realized: Decimal | None
    without: Decimal | None
    within: bool | None
    compared: int
    decided_at: datetime
    graded_at: datetime


class TrackView(msgspec.Struct, frozen=True):
    """`horizon_days` null = of each suggestion its longest. `bias`: realized over predicted, less one."""

    horizon_days: int | None
    graded: int
    accounts: int
    within: int
    bias: Decimal | None
    says: str


class GradesView(msgspec.Struct, frozen=True):
    """`calibration` is of all accounts, and empty where fewer than five tell."""

    account: str
    grades: Sequence[GradeView]
    calibration: Sequence[TrackView]


async def read_grades(tx: Transaction, account: Account, *, provider: str | None = None) -> GradesView:
    """A partner is shown the features that its own drivers draw on, and not what the account brought otherwise."""
    grades: Iterable[Grade] = await grades_of(tx, account.account_id)
    if provider is not None:
        own = features_of(await newest_model(tx), provider)
        grades = [msgspec.structs.replace(one, without=None) for one in grades if one.feature in own]
    return GradesView(account.key, tuple(map(grade_view, grades)), await read_calibration(tx))


async def read_calibration(tx: Transaction) -> tuple[TrackView, ...]:
    """As of the newest fit; nothing that fewer than five accounts tell (value rule 20)."""
    return tuple(track_view(track) for track in await newest_tracks(tx) if track.may_be_told)


def track_view(track: Track) -> TrackView:
    horizon = track.horizon or None
    return TrackView(horizon, track.graded, track.accounts, track.within, track.bias, _WORDS.track(track))


def grade_view(grade: Grade) -> GradeView:
    return GradeView(
        suggestion=grade.suggestion_id,
        feature=grade.feature,
        title=grade.title,
        horizon_days=grade.horizon,
        version=grade.version,
        outcome=grade.outcome,
        verdict=_WORDS.verdict(grade),
        says="".join(span.text for span in _WORDS.sentence(grade)),
        start=grade.start,
        end=grade.end,
        unit=grade.unit,
        expected=grade.expected,
        interval=_bounds(grade.low, grade.high),
        range=_bounds(grade.range_low, grade.range_high),
        realized=grade.realized,
        without=grade.without,
        within=grade.is_within,
        compared=grade.compared,
        decided_at=grade.decided_at,
        graded_at=grade.graded_at,
    )


def _bounds(low: Decimal | None, high: Decimal | None) -> Bounds | None:
    return None if low is None or high is None else Bounds(low, high)
