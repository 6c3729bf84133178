"""What is said of types that no meter reads, and what is not."""

import statistics
from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.worths import standing, the_model
from valueplatform.value.feeds import Paths
from valueplatform.value.likeness import correlation_of_changes, likeness, most_alike
from valueplatform.value.worth import Answer, Basis, Reach, Reason, Standing, Verdict

PATHS = Paths(the_model())
DAYS = 92


def wave(seed: int) -> list[int]:
    rng = Random(seed)
    return [rng.randint(5, 60) for _ in range(DAYS)]


def lists_senders(shares: Sequence[int], start: int = 1, segment: str = "big") -> list[Standing]:
    """Accounts that send list.done, with what `time` was worth to them over calls worth 100."""
    return [
        standing(n, ["list.done", "job.done"], {"time": str(share), "calls": "100"}, segment=segment)
        for n, share in enumerate(shares, start=start)
    ]


def others(shares: Sequence[int], start: int = 100, segment: str = "big") -> list[Standing]:
    return [
        standing(n, ["job.done"], {"time": str(share), "calls": "100"}, segment=segment)
        for n, share in enumerate(shares, start=start)
    ]


def compared(accounts: Sequence[Standing]) -> tuple[Verdict, Answer]:
    answer = likeness(PATHS, accounts, ["list.done"], {}, 3)
    (verdict,) = answer.verdicts
    return verdict, answer


HIGH, LOW = [500, 510, 520, 530, 540, 550], [300, 310, 320, 330, 340, 350]


def test_what_goes_with_a_type_that_shows_a_feature_is_the_difference_to_who_does_not_send_it() -> None:
    verdict, answer = compared([*lists_senders(HIGH), *others(LOW)])
    (cohort,) = verdict.cohorts
    assert (cohort.basis, cohort.peers, cohort.others, str(cohort.expected)) == (Basis.COMPARISON, 6, 6, "2.000000000")
    within = [one for one in answer.estimates if one.reach is Reach.WITHIN]
    more = [one for one in answer.estimates if one.reach is Reach.MORE]
    assert {one.account_id for one in within} == set(range(1, 7))
    assert {one.account_id for one in more} == set(range(100, 106))
    assert {one.expected for one in answer.estimates} == {Decimal("66.6667")}  # twice 100, a month
    assert 0 < cohort.low <= cohort.expected <= cohort.high


def test_a_difference_that_may_be_none_is_not_told() -> None:
    verdict, answer = compared([*lists_senders([300, 500, 320, 540, 330]), *others(HIGH[:3] + LOW[:3])])
    assert verdict.reason is Reason.NOT_CLEAR
    assert answer.estimates == []


def test_accounts_that_send_it_and_have_less_show_less() -> None:
    _, answer = compared([*lists_senders(LOW), *others(HIGH)])
    assert {one.expected for one in answer.estimates} == {Decimal("-66.6667")}


@pytest.mark.parametrize(("senders", "rest"), [(HIGH[:4], LOW), (HIGH, LOW[:4]), ([], LOW), (HIGH, [])])
def test_fewer_than_five_on_either_side_are_masked(senders: list[int], rest: list[int]) -> None:
    verdict, answer = compared([*lists_senders(senders), *others(rest)])
    assert verdict.reason is Reason.FEW_PEERS
    assert verdict.cohorts == ()
    assert answer.estimates == []


def test_accounts_of_different_segments_are_not_compared() -> None:
    assert compared([*lists_senders(HIGH, segment="big"), *others(LOW, segment="small")])[0].reason is Reason.FEW_PEERS


def test_who_began_to_send_it_within_the_months_is_on_neither_side() -> None:
    begun = standing(50, ["list.done", "job.done"], {"time": "900", "calls": "100"}, steady=["job.done"])
    verdict, _ = compared([*lists_senders(HIGH), *others(LOW), begun])
    assert (verdict.cohorts[0].peers, verdict.cohorts[0].others) == (6, 6)


# --- standing in


def both(number: int, *more: str) -> Standing:
    return standing(number, ["job.done", "job.begun", *more], {"time": str(90 + number), "calls": "100"})


def alone(number: int, *paths: str) -> Standing:
    return standing(number, ["job.begun"], {"calls": "300"}, paths=[("job.begun", path) for path in paths])


def daily(accounts: Sequence[Standing], *, alike: bool = True) -> dict[tuple[int, str], list[int]]:
    found = {}
    for one in accounts:
        jobs = wave(one.account_id)
        found[one.account_id, "job.done"] = jobs
        found[one.account_id, "job.begun"] = (
            [jobs[n] + n % 3 for n in range(DAYS)] if alike else wave(1000 + one.account_id)
        )
    return found


SENDERS = [both(n) for n in range(1, 7)]


def stood_in(*more: Standing, alike: bool = True) -> tuple[Verdict, Answer]:
    answer = likeness(PATHS, [*SENDERS, *more], ["job.begun"], daily(SENDERS, alike=alike), 3)
    (verdict,) = answer.verdicts
    return verdict, answer


def test_a_type_stands_in_for_a_mapped_one_that_it_goes_with() -> None:
    verdict, answer = stood_in(alone(9, "minutes"))
    (estimate,) = answer.estimates
    assert verdict.like == "job.done"
    assert verdict.likeness is not None
    assert verdict.likeness > Decimal("0.8")
    assert (estimate.account_id, estimate.basis, estimate.reach) == (9, Basis.STAND_IN, Reach.MORE)
    assert estimate.expected == Decimal("93.5")  # the median share 0.935, of 300 in three months
    assert estimate.needs == ()


def test_without_the_number_that_the_meters_read_it_cannot() -> None:
    verdict, answer = stood_in(alone(9))
    assert (verdict.reason, verdict.lacks) == (Reason.NO_NUMBER, "minutes")
    assert answer.estimates == []


def test_where_all_who_send_it_send_the_other_too_it_is_the_same_work() -> None:
    assert stood_in()[0].reason is Reason.SAME_WORK


def test_volumes_that_do_not_go_together_say_nothing() -> None:
    verdict, _ = stood_in(alone(9, "minutes"), alike=False)
    assert (verdict.reason, verdict.driver, verdict.like) == (Reason.NOTHING_ALIKE, "", None)


def test_fewer_than_five_accounts_that_send_both_show_no_likeness() -> None:
    assert most_alike(PATHS, SENDERS[:4], "job.begun", daily(SENDERS[:4])) is None


def test_an_unknown_type_of_any_name_has_a_reason() -> None:
    answer = likeness(PATHS, SENDERS, ["ünfug 📦", ""], {}, 3)
    assert [one.reason for one in answer.verdicts] == [Reason.NOTHING_ALIKE] * 2


def test_nothing_is_asked_of_no_accounts() -> None:
    assert likeness(PATHS, [], ["list.done"], {}, 3).verdicts[0].reason is Reason.FEW_PEERS


SERIES = st.lists(st.integers(0, 20), min_size=40, max_size=60)


def textbook_ranks(values: Sequence[int]) -> list[float]:
    """The mean place among equals, counted."""
    return [sum(o < v for o in values) + (sum(o == v for o in values) + 1) / 2 for v in values]


@given(SERIES, SERIES)
def test_the_correlation_is_pearsons_of_the_ranks_of_changes(first: list[int], second: list[int]) -> None:
    found = correlation_of_changes(first, second)
    length = min(len(first), len(second))
    changes = [
        (first[d] - first[d - 7], second[d] - second[d - 7])
        for d in range(7, length)
        if any((first[d], first[d - 7], second[d], second[d - 7]))
    ]
    try:
        expected = statistics.correlation(*(textbook_ranks(side) for side in zip(*changes, strict=True)))
    except (statistics.StatisticsError, TypeError):
        assert found is None
    else:
        assert len(changes) < 14 or found == pytest.approx(expected, abs=1e-9)


def test_the_week_alone_makes_no_likeness() -> None:
    workdays = [0 if day % 7 > 4 else 50 for day in range(DAYS)]
    assert correlation_of_changes(workdays, workdays) is None
    noisy = [[n + jitter % 5 for n, jitter in zip(workdays, wave(seed), strict=True)] for seed in (1, 2)]
    found = correlation_of_changes(*noisy)
    assert found is not None
    assert abs(found) < 0.4
