import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, account, driver, record_of, rows
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.correlated import correlations
from valueplatform.narrative.insights.series import WEEK

LAST = date(2026, 8, 17)
"""Where the running week begins."""


def _rows(slug: str, weeks: Sequence[float]) -> list[dict[str, object]]:
    """One amount a day, the same within each week; the last of `weeks` is the last whole one."""
    start = LAST - len(weeks) * WEEK
    return rows(
        slug,
        {
            start + i * WEEK + timedelta(days=day): Decimal(str(round(value, 2)))
            for i, value in enumerate(weeks)
            for day in range(7)
        },
    )


def _facts(*series: Sequence[float], meters: Sequence[str] = ("m0", "m1", "m2", "m3", "m4")) -> AccountFacts:
    daily = [row for place, weeks in enumerate(series) for row in _rows(f"d{place}", weeks)]
    drivers = [driver(f"d{place}", meters=(meters[place],)) for place in range(len(series))]
    return account(daily, drivers=tuple(drivers), today=TODAY)


def _noise(seed: int, weeks: int = 26) -> list[float]:
    rng = random.Random(seed)
    return [rng.uniform(80, 120) for _ in range(weeks)]


def _told(facts: AccountFacts) -> list[Insight]:
    return [insight for candidate in correlations(facts) for insight in candidate.insights]


def test_two_that_move_together_are_told_with_how_often() -> None:
    one = _noise(1)
    (found,) = _told(_facts(one, [3 * value + 10 for value in one]))
    assert found.number("together").value == 25
    assert found.number("steps").value == 25
    assert {found.terms["first_name"], found.terms["second_name"]} == {"D0", "D1"}


def test_two_that_share_a_meter_move_together_by_definition() -> None:
    one = _noise(1)
    assert list(correlations(_facts(one, one, meters=("jobs", "jobs")))) == []


def test_two_that_move_against_each_other_are_not_told_as_together() -> None:
    one = _noise(1)
    candidates = list(correlations(_facts(one, [200 - value for value in one])))
    assert len(candidates) == 1
    assert candidates[0].p_value < 0.01
    assert candidates[0].insights == ()


def test_chance_is_not_told() -> None:
    assert sum(len(_told(_facts(_noise(seed), _noise(seed + 1000)))) for seed in range(200)) == 0


def test_at_most_one_pair_of_the_four_largest_is_told_and_all_are_tested() -> None:
    one = _noise(1)
    series = [[value * size for value in one] for size in (5, 4, 3, 2, 1)]
    candidates = list(correlations(_facts(*series)))
    assert len(candidates) == 6
    assert sum(len(candidate.insights) for candidate in candidates) == 1


def test_nineteen_weeks_are_too_few() -> None:
    assert list(correlations(_facts(_noise(1, 19), _noise(1, 19)))) == []
    assert len(_told(_facts(_noise(1, 20), _noise(1, 20)))) == 1


def test_a_week_without_a_move_is_no_move_the_same_way() -> None:
    flat = [100.0] * 26
    (candidate,) = correlations(_facts(flat, _noise(1)))
    assert (candidate.p_value, candidate.insights) == (1.0, ())


def test_a_comovement_that_the_record_does_not_bear_out_is_refused() -> None:
    one = _noise(1)
    (found,) = _told(_facts(one, one))
    other = record_of(_facts(one, _noise(2)))
    assert admit([found], rederive_from(other, [found]))[0] == []
