"""Business cases: months in a row that start low, for drivers that the account uses."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from tests.sample.conftest import TODAY
from valueplatform.sample import SampleSupplier
from valueplatform.sample.cast import written_cast
from valueplatform.sample.fieldnote import drivers_of
from valueplatform.sample.plans import HIGH, LOW, OBJECTIVES, targets
from valueplatform.sample.records import Row, terms

COLUMNS = ["account", "id", "objective", "driver", "month", "low", "expected", "high", "source"]


def by_target(sample: SampleSupplier) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sample.plans:
        found[row["account"], row["driver"]].append(row)
    return found


def test_rows_have_the_columns_of_the_contract(sample: SampleSupplier) -> None:
    assert all(list(row) == COLUMNS for row in sample.plans)


def test_a_month_is_committed_once_for_a_driver(sample: SampleSupplier) -> None:
    keys = [(row["account"], row["driver"], row["month"]) for row in sample.plans]
    assert len(keys) == len(set(keys))


def test_months_follow_one_another_to_the_end_of_the_contract(sample: SampleSupplier) -> None:
    ends = {account.key: terms(account)[-1][1] for account in sample.cast if account.signed}
    for (account, _), rows in by_target(sample).items():
        months = [date.fromisoformat(f"{row['month']}-01") for row in rows]
        numbers = [month.year * 12 + month.month for month in months]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert months[-1] < ends[account]
        assert (ends[account] - months[-1]).days <= 31


def test_every_account_with_a_contract_has_a_plan_and_no_prospect_has(sample: SampleSupplier) -> None:
    assert {row["account"] for row in sample.plans} == {row["account"] for row in sample.contracts}


def test_targets_have_a_range_around_what_is_expected(sample: SampleSupplier) -> None:
    for row in sample.plans:
        low, expected, high = (Decimal(row[column]) for column in ("low", "expected", "high"))
        assert 0 < low < expected < high
        assert abs(float(low / expected) - LOW) < 0.01
        assert abs(float(high / expected) - HIGH) < 0.01


@pytest.mark.parametrize("account", ["harbor-logistics", "aster-medical", "summit-facilities", "deccan-lifts"])
def test_commitments_start_low_and_rise(sample: SampleSupplier, account: str) -> None:
    expected = [Decimal(row["expected"]) for row in by_target(sample)[account, "repeat_visits_avoided"]]
    assert expected[1] < expected[-1] * Decimal("0.8")
    assert sum(expected[:3]) < sum(expected[3:6]) < 3 * expected[-1] * Decimal("1.05")


def test_drivers_are_those_that_the_account_uses(sample: SampleSupplier) -> None:
    for account in sample.cast:
        if account.live is not None:
            planned = {driver for key, driver in by_target(sample) if key == account.key}
            assert planned <= set(drivers_of(account))


def test_nothing_is_committed_for_what_cannot_be_promised(sample: SampleSupplier) -> None:
    assert not {"outage_overtime", "calls_avoided"} & {row["driver"] for row in sample.plans}


def test_a_driver_that_has_just_started_was_not_planned(sample: SampleSupplier) -> None:
    new = next(truth for truth in sample.truths if truth.kind == "driver_new")
    assert (new.account, new.subject) not in by_target(sample)


def test_objectives_are_in_the_customer_s_words(sample: SampleSupplier) -> None:
    words = {text for choices in OBJECTIVES.values() for text in choices}
    words |= {text for spec in written_cast() for text in spec.objectives.values()}
    assert {row["objective"] for row in sample.plans} <= words
    assert len({row["objective"] for row in sample.plans}) >= 10
    assert not any(word in text.lower() for text in words for word in ("unlock", "leverage", "journey", "driver"))


def test_who_has_just_signed_has_a_plan_for_months_to_come(sample: SampleSupplier) -> None:
    account = next(a for a in sample.cast if a.key == "lakeshore-hvac")
    assert all(target.start > TODAY for target in targets(account, sample.seed))
    assert all(row["month"] >= "2026-12" for row in sample.plans if row["account"] == account.key)
