import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, account, driver, record_of, rows
from valueplatform.narrative.facts import AccountFacts, Adjustment
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.series import WEEK
from valueplatform.narrative.insights.unusual_record import LEAST_EARLIER, unusual_records

LAST = date(2026, 8, 17)


def _facts(weeks: Sequence[float], **given: object) -> AccountFacts:
    start = LAST - len(weeks) * WEEK
    daily = {
        start + i * WEEK + timedelta(days=day): Decimal(str(round(value / 7, 2)))
        for i, value in enumerate(weeks)
        for day in range(7)
    }
    return account(rows("a", daily), drivers=(driver("a"),), today=TODAY, **given)


def _noise(seed: int, weeks: int = 40, spread: float = 0.05) -> list[float]:
    rng = random.Random(seed)
    return [max(1.0, rng.gauss(1000, 1000 * spread)) for _ in range(weeks)]


def _told(facts: AccountFacts) -> list[Insight]:
    return [insight for candidate in unusual_records(facts) for insight in candidate.insights]


def test_a_week_far_above_all_before_it_is_told_with_the_best_of_them() -> None:
    (found,) = _told(_facts([*_noise(1), 1600]))
    assert found.period_from == date(2026, 8, 10)
    assert abs(found.number("record").value - 1600) < 1
    assert found.number("higher").value == 0
    assert found.number("change").value == found.number("record").value - found.number("previous_best").value


def test_a_best_week_that_noise_may_bring_is_not() -> None:
    assert _told(_facts([*_noise(1), 1140])) == []
    assert _told(_facts([*_noise(1, spread=0.3), 1700])) == []


def test_steady_growth_makes_a_record_every_week_and_no_unusual_one() -> None:
    assert _told(_facts([1000 + 40 * week for week in range(41)])) == []


def test_a_week_that_an_earlier_one_matched_is_no_record() -> None:
    assert _told(_facts([*_noise(1), 1600, *_noise(2), 1620])) == []


def test_twenty_five_earlier_weeks_are_too_few() -> None:
    assert list(unusual_records(_facts([*_noise(1, LEAST_EARLIER - 1), 1600]))) == []
    assert len(_told(_facts([*_noise(1, LEAST_EARLIER), 1600]))) == 1


def test_what_adjustments_brought_in_is_no_week_of_its_own() -> None:
    late = Adjustment("a", date(2026, 3, 1), date(2026, 8, 12), Decimal(600), "late-events")
    assert _told(_facts([*_noise(1), 1600], adjustments=(late,))) == []


def test_a_series_that_never_varies_and_then_does_has_no_spread_to_measure_by() -> None:
    assert _told(_facts([*[1000.0] * 40, 2000])) == []


def test_a_record_that_the_record_does_not_bear_out_is_refused() -> None:
    (found,) = _told(_facts([*_noise(1), 1600]))
    other = record_of(_facts([*_noise(1)[:-1], 1700, 1600]))
    assert admit([found], rederive_from(other, [found]))[0] == []
