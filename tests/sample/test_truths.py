"""What was planted, written down: enough, of many kinds, readable by another program."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from tests.sample.conftest import TODAY
from valueplatform.sample import SampleSupplier, Truth

SITUATIONS = {
    "ahead-of-plan",
    "behind-plan",
    "on-plan",
    "too-little-data",
    "brand-new",
    "prospect",
    "churned",
    "renewal-within-60-days",
    "partner-connector",
    "finance-disputes-assumption",
    "data-outage",
    "level-shift-down",
    "record-month",
    "driver-stalled",
    "driver-new",
    "late-batch",
    "retry-storm",
    "app-outages",
    "all-estimated",
    "nothing-validated",
    "mixed-states",
}


def test_there_are_at_least_two_hundred_of_fifteen_kinds(sample: SampleSupplier) -> None:
    kinds = Counter(truth.kind for truth in sample.truths)
    assert sum(kinds.values()) >= 200
    assert len(kinds) >= 15
    assert sum(count for kind, count in kinds.items() if kind != "feature_adopted") >= 200


def test_every_situation_that_the_pages_need_occurs(sample: SampleSupplier) -> None:
    assert set(sample.situations.values()) >= SITUATIONS
    assert sample.situations.keys() == {row["key"] for row in sample.accounts}


def test_truths_name_known_accounts_and_lie_within_the_sample(sample: SampleSupplier) -> None:
    keys = {row["key"] for row in sample.accounts} | {""}
    for truth in sample.truths:
        assert truth.account in keys
        assert TODAY - timedelta(days=600) < truth.start <= TODAY + timedelta(days=120)
        assert truth.end is None or truth.end >= truth.start
        assert truth.note or truth.kind == "go_live"


def test_no_truth_is_written_down_twice(sample: SampleSupplier) -> None:
    keys = [(t.kind, t.account, t.subject, t.start) for t in sample.truths]
    assert len(keys) == len(set(keys))


def test_truths_can_be_read_back_from_their_json(sample: SampleSupplier) -> None:
    assert msgspec.json.decode(sample.truths_json(), type=tuple[Truth, ...]) == sample.truths


def test_the_level_shift_is_a_third_less_from_its_day_on(sample: SampleSupplier) -> None:
    shift = next(t for t in sample.truths if t.kind == "level_shift_down")
    assert (shift.account, shift.subject) == ("northline-elevators", "dispatch_time")
    assert shift.magnitude == Decimal("0.64")
    assert shift.start == date(2026, 8, 18)
    assert shift.end is None


def test_who_lacks_a_feature_is_told_what_it_would_add(sample: SampleSupplier) -> None:
    gaps = {(t.account, t.subject): t.magnitude for t in sample.truths if t.kind == "feature_missing"}
    best = {t.account: t.subject for t in sample.truths if t.kind == "best_next_feature"}
    assert best["cascade-elevator"] == best["st-brendan"] == "guided-checklists"
    assert best["meridian-imaging"] == "parts-check"
    assert all(amount is not None and amount > 0 for amount in gaps.values())
    assert all((account, feature) in gaps for account, feature in best.items())


def test_no_account_is_told_to_take_what_it_has_or_cannot_use(sample: SampleSupplier) -> None:
    used = {account.key: set(account.features) for account in sample.cast}
    trades = {row["key"]: row["segment"] for row in sample.accounts}
    for truth in sample.truths:
        if truth.kind == "feature_missing":
            assert truth.subject not in used[truth.account]
            assert truth.subject != "parts-check" or trades[truth.account] != "utilities"


def test_types_that_no_meter_reads_are_written_down_for_discovery(sample: SampleSupplier) -> None:
    unmeasured = {truth.subject for truth in sample.truths if truth.kind == "unmeasured_type"}
    assert unmeasured == {"checklist.completed", "parts.checked", "route.planned"}
