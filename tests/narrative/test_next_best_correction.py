"""Worlds where predictions are biased, and worlds where they are not: what grades teach, and how soon."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from tests.narrative.next_best_worlds import model_of, world
from valueplatform.narrative.grades import Grade, GradeInput
from valueplatform.narrative.grading import Compared, Outcome, Promise, mean_use, reckon
from valueplatform.narrative.next_best import suggest
from valueplatform.narrative.next_best_correction import Correction, Lived, correction, longest_of, tracks
from valueplatform.narrative.next_best_model import fit

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SAID = 0.2
"""The effect that the model states, in logarithms."""


def stated(feature: str, segment: str | None) -> tuple[float, float] | None:
    assert segment in {None, "north"}
    return (SAID, 0.03) if feature == "a" else None


def lived(account: int, truth: float, draw: np.random.Generator, *, horizon: int = 90, scatter: float = 0.03) -> Lived:
    """An account of 10,000 a quarter whose real effect is `truth`, held against twenty that scatter."""

    def after(effect: float) -> Decimal:
        use = float(mean_use(horizon))
        brought = 10_000 * (1 + np.expm1(effect) * use) * np.exp(draw.normal(0, scatter))
        return Decimal(repr(round(float(brought), 4)))

    own = Compared(account, "north", "USD", Decimal(10_000), after(truth))
    others = tuple(Compared(1000 + n, "north", "USD", Decimal(10_000), after(0.0)) for n in range(20))
    year = 40_000 * float(np.expm1(SAID)) * 11 / 12
    promise = Promise(*(Decimal(repr(round(year * part, 4))) for part in (0.6, 1.0, 1.4)))
    found = reckon(own, others, promise, horizon)
    assert found.promised is not None
    grade = Grade(f"sug_{account}", "a", "A", horizon, 1, Outcome.MEASURED, NOW, NOW, "USD",
                  low=found.promised.low, expected=found.promised.expected, high=found.promised.high,
                  range_low=found.range_low, range_high=found.range_high, realized=found.realized,
                  without=found.without, is_within=found.is_within, compared=20, segment="north")  # fmt: skip
    return Lived(account, grade, GradeInput(promise, own, others))


def a_world(count: int, truth: float, seed: int = 1, *, horizon: int = 90, scatter: float = 0.03) -> list[Lived]:
    draw = np.random.default_rng(seed)
    return [lived(account, truth, draw, horizon=horizon, scatter=scatter) for account in range(1, count + 1)]


def test_where_predictions_are_twice_too_large_they_come_down_to_the_truth() -> None:
    found = correction(a_world(60, SAID / 2), stated)
    assert found is not None
    assert found.gain * SAID == pytest.approx(SAID / 2, abs=0.03)


def test_where_predictions_are_too_small_they_go_up() -> None:
    found = correction(a_world(60, SAID * 1.8), stated)
    assert found is not None
    assert found.gain * SAID == pytest.approx(SAID * 1.8, abs=0.05)


def test_where_predictions_are_right_they_stay() -> None:
    gains = [found.gain for seed in range(20) if (found := correction(a_world(20, SAID, seed), stated))]
    assert np.mean(gains) == pytest.approx(1, abs=0.05)
    assert max(abs(gain - 1) for gain in gains) < 0.3


def test_few_grades_move_little() -> None:
    moved = []
    for count in (5, 20, 80):
        found = [correction(a_world(count, SAID / 2, seed, scatter=0.3), stated) for seed in range(20)]
        moved.append(1 - np.mean([one.gain for one in found if one is not None]))
    assert moved[0] < moved[1] < moved[2] < 0.5
    assert moved[0] < 0.2


def test_four_accounts_teach_nothing() -> None:
    assert correction(a_world(4, 0.0), stated) is None


def test_many_grades_of_four_accounts_teach_nothing() -> None:
    draw = np.random.default_rng(2)
    many = [lived(1 + number % 4, 0.0, draw) for number in range(40)]
    renamed = [
        Lived(one.account_id, msgspec.structs.replace(one.grade, suggestion_id=f"sug_{n}"), one.given)
        for n, one in enumerate(many)
    ]
    assert correction(renamed, stated) is None


def test_steps_that_bring_nothing_or_less_are_never_promised_a_gain() -> None:
    found = correction(a_world(200, -SAID), stated)
    assert found is not None
    assert found.gain == 0


def test_what_scatters_more_than_was_said_widens_the_interval() -> None:
    draw = np.random.default_rng(3)
    scattered = [lived(account, float(draw.normal(SAID, 0.4)), draw) for account in range(1, 61)]
    wide, narrow = correction(scattered, stated), correction(a_world(60, SAID), stated)
    assert wide is not None
    assert narrow is not None
    assert wide.widening > 1.5
    assert narrow.widening < 1.2


def test_a_feature_whose_effect_is_not_stated_any_more_teaches_nothing() -> None:
    assert correction(a_world(30, SAID), lambda _feature, _segment: None) is None


def test_amounts_without_a_logarithm_are_left_out() -> None:
    broken = [
        Lived(one.account_id, one.grade, msgspec.structs.replace(one.given, own=None)) for one in a_world(5, SAID)
    ]
    assert correction(broken, stated) is None


def with_left(one: Lived, left: int) -> Lived:
    """Of the accounts that it is held against, so many brought nothing any more."""
    gone = tuple(msgspec.structs.replace(other, after=Decimal(0)) for other in one.given.compared[:left])
    given = msgspec.structs.replace(one.given, compared=(*gone, *one.given.compared[left:]))
    return Lived(one.account_id, one.grade, given)


def test_a_comparable_account_that_left_does_not_silence_the_lesson() -> None:
    whole = correction(a_world(30, SAID / 2), stated)
    found = correction([with_left(one, 2) for one in a_world(30, SAID / 2)], stated)
    assert whole is not None
    assert found is not None
    assert found.gain == pytest.approx(whole.gain, abs=0.05)
    assert correction([with_left(one, 16) for one in a_world(30, SAID)], stated) is None, "four are left"


def test_of_each_suggestion_the_longest_horizon_counts_once() -> None:
    both = [*a_world(6, SAID), *a_world(6, SAID, horizon=30)]
    assert {one.grade.horizon for one in longest_of(both)} == {90}
    overall, month, quarter = tracks(both)
    assert (overall.horizon, overall.graded, month.horizon, quarter.graded) == (0, 6, 30, 6)


def test_the_track_tells_how_many_were_within_and_how_far_they_were_off() -> None:
    (right, _), (wrong, _) = tracks(a_world(40, SAID)), tracks(a_world(40, 0.0))
    assert right.within > 36
    assert right.bias is not None
    assert abs(right.bias) < Decimal("0.15")
    assert wrong.within < 30
    assert wrong.bias is not None
    assert wrong.bias < Decimal("-0.8")
    assert (right.may_be_told, tracks(a_world(4, SAID))[0].may_be_told) == (True, False)
    assert tracks([]) == ()


def test_a_corrected_fit_promises_less_and_comes_nearer_to_the_truth() -> None:
    """Accounts of the panel gained 30 %; those that were asked to take the step gain a third of it."""
    simulated = world(41, (0.3,), accounts=40, noise=0.03)
    plain = fit(simulated.panel, simulated.features)
    taught = [
        Lived(one.account_id, msgspec.structs.replace(one.grade, feature="f0"), one.given) for one in a_world(60, 0.1)
    ]
    corrected = fit(simulated.panel, simulated.features, taught)
    assert isinstance(corrected.correction, Correction)
    assert [one.effect for one in corrected.features] == [one.effect for one in plain.features]
    open_to_it = simulated.situation(next(n + 1 for n, users in enumerate(simulated.users) if not users[0]))
    (before,), (after,) = (suggest(given, model_of(simulated.features), open_to_it) for given in (plain, corrected))
    assert before.expected is not None
    assert after.expected is not None
    year = open_to_it.year_of_value()
    assert year is not None
    truth = float(year) * float(np.expm1(0.1)) * 11 / 12
    assert abs(float(after.expected) - truth) < abs(float(before.expected) - truth) / 3
    assert corrected.tracks[0].graded == 60
