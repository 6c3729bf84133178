from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.factories import a_model
from valueplatform.core.errors import InvalidInputError, UnprocessableError
from valueplatform.core.periods import Period, Window
from valueplatform.value.model import Evidence
from valueplatform.value.plans import Target
from valueplatform.value.shown import ShownValue
from valueplatform.value.states import State
from valueplatform.value.values import FIRST_DAY, Cut, Pledge, pledges, rows, totals, whole_period

SPRING = Period(date(2026, 3, 1), date(2026, 6, 1))
MODEL = a_model()


def shown(day: date, expected: int | str, driver: str = "dispatch_time", **given: Any) -> ShownValue:
    amount = Decimal(expected)
    fields: dict[str, Any] = {
        "provider": "supplier",
        "unit": "USD",
        "benefit_class": "capacity",
        "evidence": Evidence.MEASURED,
        "state": State.VALIDATED,
        "counted": True,
    }
    return ShownValue(driver=driver, day=day, low=amount - 1, expected=amount, high=amount + 1, **(fields | given))


def d(amount: int) -> Decimal:
    return Decimal(amount)


def target(month: date, expected: int | str, driver: str = "dispatch_time", **given: Any) -> Target:
    amount = Decimal(expected)
    fields: dict[str, Any] = {"plan_id": "case", "objective_id": 1, "objective": "Wait less", "source": "test"}
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Target(
        driver=driver,
        month=month,
        low=amount / 2,
        expected=amount,
        high=amount * 2,
        version=1,
        known_at=moment,
        **(fields | given),
    )


def pledged(*targets: Target) -> list[Pledge]:
    return pledges(targets, MODEL, {}, "USD")


def test_money_and_other_units_never_share_a_row_or_a_total() -> None:
    values = [
        shown(date(2026, 3, 1), 10),
        shown(date(2026, 3, 1), 7, unit="EUR"),
        shown(date(2026, 3, 1), 3, "crews_reached", unit="crews", benefit_class="strategic"),
    ]
    found = rows(values, [], Cut(SPRING, group_by=()))
    assert [(row.unit, row.realized) for row in found] == [("EUR", d(7)), ("USD", d(10)), ("crews", d(3))]
    sums = totals(values, [], SPRING, "USD")
    assert (sums.realized, sums.excluded) == (d(10), ["EUR"])


def test_strategic_value_is_in_no_total_even_where_it_has_a_price() -> None:
    sums = totals([shown(date(2026, 3, 1), 10, benefit_class="strategic")], [], SPRING, "USD")
    assert (sums.realized, sums.counted, sums.realized_by_class) == (d(0), d(0), {})


def test_what_does_not_count_is_realized_and_not_counted() -> None:
    values = [
        shown(date(2026, 3, 1), 10),
        shown(date(2026, 3, 2), 5, state=State.ESTIMATED, counted=False),
        shown(date(2026, 3, 3), 1, state=State.UNDER_REVIEW, counted=False),
    ]
    (row,) = rows(values, [], Cut(SPRING))
    assert (row.realized, row.counted, row.state) == (d(16), d(10), State.UNDER_REVIEW)
    sums = totals(values, [], SPRING, "USD")
    assert sums.realized_by_state == {"estimated": d(5), "under-review": d(1), "validated": d(10)}
    assert (sums.realized, sums.counted) == (d(16), d(10))


def test_days_outside_the_period_are_left_out_and_the_end_is_exclusive() -> None:
    values = [shown(date(2026, 2, 28), 1), shown(date(2026, 3, 1), 2), shown(date(2026, 6, 1), 4)]
    (row,) = rows(values, [], Cut(SPRING))
    assert row.realized == 2
    assert totals(values, [], SPRING, "USD").realized == 2


def test_negative_value_is_shown() -> None:
    (row,) = rows([shown(date(2026, 3, 1), -8)], [], Cut(SPRING))
    assert (row.realized, row.realized_low, row.realized_high) == (d(-8), d(-9), d(-7))


def test_the_evidence_of_a_row_is_the_weakest_of_its_parts() -> None:
    values = [shown(date(2026, 3, 1), 1), shown(date(2026, 3, 2), 1, evidence=Evidence.BENCHMARK)]
    (row,) = rows(values, [], Cut(SPRING))
    assert row.evidence is Evidence.BENCHMARK


def test_a_commitment_without_any_value_is_a_row() -> None:
    (row,) = rows([], pledged(target(date(2026, 4, 1), 100)), Cut(SPRING))
    assert (row.realized, row.state, row.evidence, row.committed_expected) == (d(0), None, None, d(100))
    assert (row.committed_low, row.committed_high) == (d(50), d(200))


def test_a_commitment_of_zero_is_not_the_same_as_none() -> None:
    day = date(2026, 4, 5)
    (promised,) = rows([shown(day, 1)], pledged(target(date(2026, 4, 1), 0)), Cut(SPRING))
    (unplanned,) = rows([shown(day, 1)], [], Cut(SPRING))
    assert (promised.committed_expected, unplanned.committed_expected) == (d(0), None)


def test_a_commitment_of_another_month_is_not_in_the_period() -> None:
    assert rows([], pledged(target(date(2026, 6, 1), 100)), Cut(SPRING)) == []
    assert totals([], pledged(target(date(2026, 6, 1), 100)), SPRING, "USD").committed_expected == 0


def test_plans_for_the_same_driver_and_month_add() -> None:
    april = date(2026, 4, 1)
    (row,) = rows([], pledged(target(april, 100), target(april, 30, plan_id="more")), Cut(SPRING))
    assert row.committed_expected == 130


def test_a_commitment_stands_beside_the_value_of_its_driver_in_the_unit_that_it_has_shown() -> None:
    given = pledges([target(date(2026, 4, 1), 100)], MODEL, {"dispatch_time": "EUR"}, "CHF")
    (row,) = rows([shown(date(2026, 4, 2), 9, unit="EUR")], given, Cut(SPRING, group_by=("benefit_class",)))
    assert (row.unit, row.realized, row.committed_expected) == ("EUR", d(9), d(100))
    sums = totals([], given, SPRING, "CHF")
    assert (sums.committed_expected, sums.excluded) == (d(0), ["EUR"])


def test_before_there_is_value_money_is_committed_in_the_currency_of_the_account() -> None:
    (money, crews) = pledges(
        [target(date(2026, 4, 1), 100), target(date(2026, 4, 1), 5, "crews_reached")], MODEL, {}, "EUR"
    )
    assert (money.unit, crews.unit) == ("EUR", "crews")


def test_targets_of_a_driver_that_the_model_has_lost_are_in_no_read() -> None:
    assert pledged(target(date(2026, 4, 1), 100, "gone")) == []


def test_strategic_commitments_are_in_rows_and_in_no_total() -> None:
    given = pledged(target(date(2026, 4, 1), 5, "crews_reached"))
    (row,) = rows([], given, Cut(SPRING))
    assert (row.unit, row.committed_expected) == ("crews", d(5))
    assert totals([], given, SPRING, "USD").committed_expected == 0


@pytest.mark.parametrize("group", ["provider", "state", "evidence"])
def test_a_cut_that_commitments_do_not_have_shows_none(group: str) -> None:
    (row,) = rows([shown(date(2026, 4, 2), 9)], pledged(target(date(2026, 4, 1), 100)), Cut(SPRING, group_by=(group,)))
    assert row.committed_expected is None


def test_value_is_cut_by_the_objective_that_its_driver_serves_or_by_none() -> None:
    values = [shown(date(2026, 4, 2), 9), shown(date(2026, 4, 2), 2, "crews_reached")]
    given = pledged(target(date(2026, 4, 1), 100))
    found = rows(values, given, Cut(SPRING, group_by=("objective",)))
    assert [(row.groups["objective"], row.realized) for row in found] == [("", d(2)), ("Wait less", d(9))]


def test_value_and_commitment_are_cut_by_the_feature_of_their_driver_or_by_none() -> None:
    values = [shown(date(2026, 4, 2), 9), shown(date(2026, 4, 2), 2, "calls")]
    cut = Cut(
        SPRING, group_by=("feature",), features={"dispatch_time": ("auto-dispatch",), "calls": (), "other": ("x", "y")}
    )
    found = rows(values, pledged(target(date(2026, 4, 1), 100)), cut)
    assert [(row.groups["feature"], row.realized, row.committed_expected) for row in found] == [
        ("", d(2), None),
        ("auto-dispatch", d(9), d(100)),
    ]


def test_a_driver_of_two_features_cannot_be_cut_by_feature() -> None:
    cut = Cut(SPRING, group_by=("feature",), features={"dispatch_time": ("maps", "auto-dispatch")})
    with pytest.raises(UnprocessableError, match=r"'dispatch_time' serves 2 features \(auto-dispatch, maps\)"):
        rows([shown(date(2026, 4, 2), 9)], [], cut)


def test_a_driver_of_two_objectives_cannot_be_cut_by_objective() -> None:
    april = date(2026, 4, 1)
    given = pledged(target(april, 100), target(april, 100, objective="Travel less", objective_id=2))
    with pytest.raises(UnprocessableError, match=r"'dispatch_time' serves 2 objectives \(Travel less, Wait less\)"):
        rows([], given, Cut(SPRING, group_by=("objective",)))
    assert rows([], given, Cut(SPRING))[0].committed_expected == 200


def test_a_cut_that_value_is_not_kept_by_is_refused_with_those_that_it_is() -> None:
    with pytest.raises(UnprocessableError, match=r"cannot be cut by 'team'.*use driver, benefit_class"):
        Cut(SPRING, group_by=("driver", "team"))


def test_contract_years_without_a_contract_are_refused_even_where_there_is_no_value() -> None:
    with pytest.raises(InvalidInputError, match="no contract years"):
        Cut(SPRING, Window.CONTRACT_YEAR)


def test_windows_that_begin_before_the_period_are_shown_from_its_first_day() -> None:
    period = Period(date(2026, 3, 10), date(2026, 4, 10))
    values = [shown(date(2026, 3, 12), 1), shown(date(2026, 4, 2), 2)]
    found = rows(
        values, pledged(target(date(2026, 3, 1), 310), target(date(2026, 4, 1), 300)), Cut(period, Window.MONTH)
    )
    assert [(row.window_start, row.realized, row.committed_expected) for row in found] == [
        (date(2026, 3, 10), d(1), d(220)),
        (date(2026, 4, 1), d(2), d(90)),
    ]


def test_a_week_takes_its_days_from_both_months() -> None:
    cut = Cut(Period(date(2026, 3, 30), date(2026, 4, 6)), Window.WEEK)
    (row,) = rows([], pledged(target(date(2026, 3, 1), 310), target(date(2026, 4, 1), 300)), cut)
    assert (row.window_start, row.committed_expected) == (date(2026, 3, 30), d(20 + 50))


def test_fiscal_and_contract_years_begin_where_they_are_said_to() -> None:
    period = Period(date(2025, 1, 1), date(2027, 1, 1))
    values = [shown(date(2025, 9, 30), 1), shown(date(2025, 10, 1), 2), shown(date(2026, 2, 28), 4)]
    fiscal = rows(values, [], Cut(period, Window.FISCAL_YEAR, fiscal_month=10))
    assert [(row.window_start, row.realized) for row in fiscal] == [(date(2025, 1, 1), d(1)), (date(2025, 10, 1), d(6))]
    leap = Cut(period, Window.CONTRACT_YEAR, contract_start=date(2024, 2, 29))
    assert [(row.window_start, row.realized) for row in rows(values, [], leap)] == [
        (date(2025, 2, 28), d(3)),
        (date(2026, 2, 28), d(4)),
    ]


def test_a_period_of_eight_thousand_years_by_day_is_no_more_work_than_its_targets() -> None:
    cut = Cut(Period(FIRST_DAY, date(9000, 1, 1)), Window.DAY)
    found = rows([], pledged(target(date(2026, 4, 1), 30)), cut)
    assert len(found) == 30
    assert {row.committed_expected for row in found} == {d(1)}


MONTHS = [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
DAYS = st.dates(date(2025, 10, 1), date(2026, 4, 1))
AMOUNTS = st.decimals(-10_000, 10_000, places=4)


@given(
    amounts=st.lists(st.tuples(DAYS, AMOUNTS), max_size=8),
    targets=st.lists(st.tuples(st.sampled_from(MONTHS), AMOUNTS), max_size=6, unique_by=lambda pair: pair[0]),
    cuts=st.sets(DAYS, min_size=2, max_size=5),
    window=st.sampled_from([w for w in Window if w is not Window.CONTRACT_YEAR]),
)
def test_however_value_is_cut_the_parts_add_up_to_the_whole(
    amounts: Sequence[tuple[date, Decimal]],
    targets: Sequence[tuple[date, Decimal]],
    cuts: set[date],
    window: Window,
) -> None:
    values = [shown(day, str(amount)) for day, amount in amounts]
    given = pledged(*(target(month, str(amount)) for month, amount in targets))
    ends = sorted(cuts)
    whole = totals(values, given, Period(ends[0], ends[-1]), "USD")
    parts = [Period(start, end) for start, end in pairwise(ends)]
    found = [row for part in parts for row in rows(values, given, Cut(part, window, fiscal_month=4))]
    assert sum(row.realized for row in found) == whole.realized
    assert sum(row.committed_expected or 0 for row in found) == whole.committed_expected
    sums = [totals(values, given, part, "USD") for part in parts]
    assert sum(one.realized_high for one in sums) == whole.realized_high
    assert sum(one.committed_low for one in sums) == whole.committed_low


def test_the_whole_period_is_from_the_first_value_target_or_contract_to_the_end_of_today() -> None:
    today = date(2026, 6, 15)
    assert whole_period(None, [], None, today) == Period(today, today + timedelta(days=1))
    assert whole_period(date(2026, 2, 3), [target(date(2026, 1, 1), 1)], None, today).start == date(2026, 1, 1)
    assert whole_period(date(2026, 2, 3), [], date(2025, 12, 24), today).start == date(2025, 12, 24)
    assert whole_period(date(1, 1, 1), [], None, today).start == FIRST_DAY
