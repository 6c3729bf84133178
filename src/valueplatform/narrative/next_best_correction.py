"""What grades teach the model: by how much its effects were too large or too small for those who took a suggestion, and
by how much its intervals were too narrow or too wide.

**Gain.** For each graded suggestion, the log of what was realized over what would have been without it (`grading`) is
laid beside what today's effect says for that account and time. Today's, not the one that was stated: what the model has
learned since is not corrected twice. One scikit-learn `Ridge` without intercept fits the ratio of the two, each weighed
by its noise: how much comparable accounts scatter in the same days (those that still bring something: one that left
has no logarithm), and how much effects differ between accounts. Its penalty is a prior of `PRIOR_SPREAD` about one, so
that few grades move little (Bayesian shrinkage: with normal errors the ridge estimate is the posterior mean).

**Widening.** The mean square of what remains, in units of that noise, with `PRIOR_GRADES` grades of one.

Fewer than five accounts teach nothing (value rule 20).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
import numpy as np
from sklearn.linear_model import Ridge

from valueplatform.core.numbers import round_half_even
from valueplatform.narrative.grades import Grade, GradeInput
from valueplatform.narrative.grading import Outcome, mean_use
from valueplatform.value.cohorts import COHORT

PRIOR_SPREAD: Final = 0.5
PRIOR_GRADES: Final = 10
WIDENING: Final = (0.5, 3.0)
TELLING_DAYS: Final = 90
LEAST_NOISE: Final = 0.01
"""In logarithms: no comparison is surer than this."""


class Correction(msgspec.Struct, frozen=True):
    """Effects, in logarithms, are multiplied by `gain`, their reach by `widening`; learned from so many accounts."""

    gain: float
    widening: float
    accounts: int


class Track(msgspec.Struct, frozen=True):
    """How predictions turned out, of all accounts. `horizon` 0 = the longest of each suggestion.

    `within` of `graded` were inside what may be measured if the promise holds. `bias`: realized over promised, less
    one, both as shares of what would have been without the step and summed over grades of ninety days or more, since a
    month tells little but noise; None where there are none.
    """

    horizon: int
    graded: int
    accounts: int
    within: int
    bias: Decimal | None

    @property
    def may_be_told(self) -> bool:
        """To customers: of a cohort alone (value rule 20)."""
        return self.accounts >= COHORT


@dataclass(frozen=True)
class Lived:
    """A grade with the account it is of, and what it rests on."""

    account_id: int
    grade: Grade
    given: GradeInput


@dataclass(frozen=True)
class _Told:
    """In logarithms: what today's effect says, what was realized, and the noise of the comparison."""

    said: float
    realized: float
    noise: float


Effects = Callable[[str, str | None], tuple[float, float] | None]
"""The effect of a feature in a segment, uncorrected, and its standard deviation for one account; None = not stated."""


def correction(lived: Iterable[Lived], effects: Effects) -> Correction | None:
    """None where fewer than five accounts teach."""
    longest = longest_of(lived)
    pairs = [(one.account_id, told) for one in longest if (told := _told(one, effects)) is not None]
    accounts = len({account for account, _ in pairs})
    if accounts < COHORT:
        return None
    said, realized, noise = (np.asarray([getattr(told, name) for _, told in pairs]) for name in _Told.__annotations__)
    weighed = Ridge(alpha=1 / PRIOR_SPREAD**2, fit_intercept=False)
    weighed.fit((said / noise)[:, None], (realized - said) / noise)
    gain = max(0.0, 1 + float(weighed.coef_[0]))
    squares = float((((realized - gain * said) / noise) ** 2).sum())
    widening = np.sqrt((PRIOR_GRADES + squares) / (PRIOR_GRADES + len(pairs)))
    return Correction(gain, float(np.clip(widening, *WIDENING)), accounts)


def tracks(lived: Iterable[Lived]) -> tuple[Track, ...]:
    """Of the longest horizons, then of each; without any grade, none."""
    measured = [one for one in lived if one.grade.outcome is Outcome.MEASURED]
    if not measured:
        return ()
    horizons = sorted({one.grade.horizon for one in measured})
    by_horizon = [(at, [one for one in measured if one.grade.horizon == at]) for at in horizons]
    return tuple(_track(at, found) for at, found in [(0, longest_of(measured)), *by_horizon])


def longest_of(lived: Iterable[Lived]) -> list[Lived]:
    """Of each suggestion the grade of the longest horizon that was measured."""
    found: dict[tuple[int, str], Lived] = {}
    for one in lived:
        key = (one.account_id, one.grade.suggestion_id)
        if one.grade.outcome is Outcome.MEASURED and (key not in found or found[key].grade.horizon < one.grade.horizon):
            found[key] = one
    return list(found.values())


def _track(horizon: int, found: Sequence[Lived]) -> Track:
    grades = [one.grade for one in found]
    shares = [(Fraction(g.realized) / Fraction(g.without), Fraction(g.expected) / Fraction(g.without))
              for g in grades if g.realized is not None and g.expected is not None and g.without
              and g.horizon >= TELLING_DAYS]  # fmt: skip
    promised = sum((promised for _, promised in shares), Fraction(0))
    ratio = sum((realized for realized, _ in shares), Fraction(0)) / promised - 1 if promised else None
    return Track(
        horizon=horizon,
        graded=len(grades),
        accounts=len({one.account_id for one in found}),
        within=sum(bool(grade.is_within) for grade in grades),
        bias=None if ratio is None else round_half_even(ratio.numerator, ratio.denominator),
    )


def _told(one: Lived, effects: Effects) -> _Told | None:
    """None where the effect is not stated now, an amount has no logarithm, or fewer than five are left to compare."""
    own, compared = one.given.own, [other for other in one.given.compared if other.after > 0]
    effect = effects(one.grade.feature, own.segment if own else None)
    amounts = [own.after, one.grade.without] if own and one.grade.without is not None else []
    if effect is None or not amounts or min(amounts) <= 0 or len(compared) < COHORT:
        return None
    use = float(mean_use(one.grade.horizon))
    ratios = np.log([float(other.ratio) for other in compared])
    scatter = float(np.sqrt(np.mean((ratios - np.median(ratios)) ** 2) * (1 + 1 / len(ratios))))
    said = float(np.log1p(np.expm1(effect[0]) * use))
    noise = max(LEAST_NOISE, float(np.hypot(scatter, effect[1] * use)))
    return _Told(said, float(np.log(float(amounts[0] / amounts[1]))), noise)
