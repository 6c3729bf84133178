"""What would come if accounts sent a type as their peers do: hand-computed cases, the nasty ones first."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.worths import a_sum, standing, the_model
from valueplatform.value.cohorts import is_masked
from valueplatform.value.feeds import Paths
from valueplatform.value.potential import potential
from valueplatform.value.worth import Answer, Basis, Estimate, Reason, Standing, Verdict

PATHS = Paths(the_model())
BOTH = ("job.done", "tracking.opened")


def peer(number: int, calls: str, time: str = "1000", **more: object) -> Standing:
    return standing(number, BOTH, {"time": time, "calls": calls}, **more)  # type: ignore[arg-type]


def candidate(number: int, time: str = "1000", **more: object) -> Standing:
    return standing(number, ["job.done"], {"time": time}, **more)  # type: ignore[arg-type]


PEERS = [peer(n, calls) for n, calls in enumerate(("100", "200", "300", "400", "500"), start=1)]


def bounds(estimate: Estimate) -> list[Decimal]:
    return [estimate.low, estimate.expected, estimate.high]


def asked(*accounts: Standing, paths: Paths = PATHS, months: int = 3) -> tuple[Verdict, list[Estimate]]:
    """Of tracking.opened and calls."""
    return of(potential(paths, accounts, months))


def of(answer: Answer, kind: str = "tracking.opened", driver: str = "calls") -> tuple[Verdict, list[Estimate]]:
    (verdict,) = [one for one in answer.verdicts if (one.type, one.path, one.driver) == (kind, "", driver)]
    return verdict, [one for one in answer.estimates if (one.type, one.path, one.driver) == (kind, "", driver)]


def test_without_accounts_or_model_nothing_is_estimated() -> None:
    assert potential(Paths(None), PEERS, 3) == Answer([], [])
    assert potential(PATHS, (), 3).estimates == []


def test_a_candidate_gets_the_median_share_of_its_peers_times_its_own_size() -> None:
    verdict, (estimate,) = asked(*PEERS, candidate(9, "6000"))
    (cohort,) = verdict.cohorts
    assert (cohort.peers, cohort.low, cohort.expected, cohort.high) == (
        5,
        Decimal("0.2"),
        Decimal("0.3"),
        Decimal("0.4"),
    )
    assert bounds(estimate) == [400, 600, 800]  # of 6000 in three months
    assert (estimate.account_id, estimate.unit, estimate.basis) == (9, "USD", Basis.SIZE)


def test_the_range_holds_how_far_assumptions_are_known() -> None:
    peers = [standing(n, BOTH, {"time": "1000", "calls": a_sum("300", low="100", high="900")}) for n in range(1, 6)]
    _, (estimate,) = asked(*peers, candidate(9, "3000"))
    assert bounds(estimate) == [100, 300, 900]


def test_four_peers_are_masked() -> None:
    verdict, estimates = asked(*PEERS[:4], candidate(9))
    assert verdict.reason is Reason.FEW_PEERS
    assert (estimates, verdict.cohorts) == ([], ())


def test_one_account_alone_is_no_cohort() -> None:
    assert asked(peer(1, "100"), candidate(9))[0].reason is Reason.FEW_PEERS
    assert asked(candidate(9))[0].reason is Reason.FEW_PEERS


def test_a_peer_that_is_more_than_half_of_the_total_masks_all() -> None:
    peers = [*PEERS[:4], peer(5, "99999")]
    assert asked(*peers, candidate(9))[0].reason is Reason.ONE_ACCOUNT


def test_who_began_within_the_months_is_neither_peer_nor_candidate() -> None:
    begun = standing(7, BOTH, {"time": "1000", "calls": a_sum("9", steady=False)})
    verdict, estimates = asked(*PEERS, begun, candidate(9))
    assert verdict.cohorts[0].peers == 5
    assert [one.account_id for one in estimates] == [9]


def test_who_sends_nothing_or_nothing_of_the_product_is_no_candidate() -> None:
    silent = Standing(8, "big", "USD", sends=False)
    assert asked(*PEERS, silent, standing(9, ["login"], {"time": "5"}))[0].reason is Reason.ALL_SEND


def test_who_has_the_drivers_value_already_is_no_candidate() -> None:
    has_it = standing(9, ["job.done"], {"time": "1000", "calls": "5"})
    assert asked(*PEERS, has_it)[0].reason is Reason.ALL_SEND


def test_a_segment_is_a_cohort_of_its_own_where_it_is_large_enough() -> None:
    others = [peer(10 + n, "900", segment="small") for n in range(5)]
    verdict, estimates = asked(*PEERS, *others, candidate(8, segment="big"), candidate(9, segment="rare"))
    by_account = {one.account_id: one for one in estimates}
    assert (by_account[8].segment, by_account[9].segment) == ("big", "")
    assert {cohort.segment: cohort.peers for cohort in verdict.cohorts} == {"big": 5, "": 10}
    assert by_account[8].expected == 100


def test_currencies_are_compared_by_shares_and_never_added() -> None:
    abroad = [peer(n, "30000", "100000", currency="JPY") for n in range(1, 5)]
    _, estimates = asked(*abroad, peer(5, "300"), candidate(8, "3000"), candidate(9, "900000", currency="JPY"))
    assert {one.unit: one.expected for one in estimates} == {"USD": 300, "JPY": 90000}


def test_an_amount_in_another_currency_than_the_accounts_makes_no_share() -> None:
    foreign = [standing(n, BOTH, {"time": "1000", "calls/EUR": "300"}) for n in range(1, 6)]
    assert asked(*foreign, candidate(9))[0].reason is Reason.FEW_PEERS


def test_where_a_size_cannot_be_told_peers_amounts_in_the_same_unit_stand_in() -> None:
    for nothing in ({}, {"time": "-50"}, {"time": "0"}):
        _, (estimate,) = asked(*PEERS, standing(9, ["job.done"], nothing))
        assert (estimate.basis, estimate.size, str(estimate.expected)) == (Basis.AMOUNT, None, "100.0000")
    abroad = standing(9, ["job.done"], {}, currency="EUR")
    assert asked(*PEERS, abroad)[0].reason is Reason.NO_SIZE


def test_value_below_zero_is_estimated_as_such() -> None:
    peers = [peer(n, f"-{n}00") for n in range(1, 6)]
    _, (estimate,) = asked(*peers, candidate(9, "3000"))
    assert bounds(estimate) == [-400, -300, -200]


def test_what_is_no_money_goes_by_amounts_and_stays_in_its_unit() -> None:
    sends = ("job.done", "safety.checked", "incident.reported")
    amount = a_sum("6", benefit_class="strategic")
    peers = [standing(n, sends, {"time": "10", "safety/incident": amount}) for n in range(1, 6)]
    answer = potential(PATHS, [*peers, candidate(9)], 3)
    _, (estimate,) = of(answer, "safety.checked", "safety")
    assert (estimate.unit, estimate.benefit_class, str(estimate.expected)) == ("incident", "strategic", "2.0000")
    assert estimate.needs == ("incident.reported",)


def test_a_property_lacks_only_where_the_type_is_sent_without_it() -> None:
    with_it = [
        standing(n, BOTH, {"time": "10", "calls": "5"}, paths=[("tracking.opened", "opens")]) for n in range(1, 6)
    ]
    without = standing(8, BOTH, {"time": "30"})
    answer = potential(PATHS, [*with_it, without, candidate(9)], 3)
    found = [one.account_id for one in answer.estimates if (one.type, one.path) == ("tracking.opened", "opens")]
    assert found == [8]


def test_an_estimate_can_be_computed_from_what_is_shown() -> None:
    verdict, (estimate,) = asked(*[peer(n, f"{n}01", "777") for n in range(1, 6)], candidate(9, "1234.5678"))
    (cohort,) = verdict.cohorts
    assert estimate.size is not None
    assert estimate.expected == round(Fraction(cohort.expected) * Fraction(estimate.size) / 3 * 10000) / Decimal(10000)


AMOUNTS = st.integers(min_value=-(10**9), max_value=10**9)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=15), st.lists(AMOUNTS, max_size=5))
def test_whatever_accounts_realize_ranges_are_ordered_and_masked_cohorts_never_told_of(
    senders: list[tuple[int, int]], lacking: list[int]
) -> None:
    peers = [peer(n, str(calls), str(time)) for n, (calls, time) in enumerate(senders, start=1)]
    verdict, estimates = asked(*peers, *(candidate(100 + n, str(time)) for n, time in enumerate(lacking)))
    assert all(one.low <= one.expected <= one.high for one in estimates)
    assert (verdict.reason is None) == bool(estimates)
    for cohort in verdict.cohorts:
        assert cohort.peers >= 5
    if len(senders) < 5:
        assert not estimates
    if estimates and estimates[0].basis is Basis.AMOUNT:
        assert not is_masked([Fraction(calls) for calls, _ in senders])


@pytest.mark.parametrize("kind", ["login", "nothing"])
def test_what_feeds_no_driver_has_no_verdict(kind: str) -> None:
    assert [one for one in potential(PATHS, PEERS, 3).verdicts if one.type == kind] == []
