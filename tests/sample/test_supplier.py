"""The sample as a whole: repeatable, complete, and believable when its value is counted from the events."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from tests.sample.conftest import TODAY
from tests.sample.recount import Realized
from valueplatform.core.errors import InvalidInputError
from valueplatform.sample import SampleSupplier, generate
from valueplatform.sample.cast import written_cast
from valueplatform.sample.events import Event, arrivals
from valueplatform.sample.plans import HIGH, LOW
from valueplatform.sample.worth import PRICED

LAST_WHOLE_MONTH = date(2026, 10, 1)


def encoded(sample: SampleSupplier) -> bytes:
    encoder = msgspec.json.Encoder(decimal_format="number")
    return b"".join(encoder.encode(batch) for batch in sample.events())


def test_the_same_seed_gives_the_same_supplier_to_the_last_byte() -> None:
    one, other = (generate(accounts=9, days=120, seed=5, today=TODAY) for _ in range(2))
    assert one == other
    assert encoded(one) == encoded(other)


def test_another_seed_gives_other_events_and_other_prices() -> None:
    one, other = (generate(accounts=4, days=120, seed=seed, today=TODAY) for seed in (5, 6))
    assert one.contracts != other.contracts
    assert encoded(one) != encoded(other)


def test_the_default_is_of_a_size_that_a_demo_can_load(sample: SampleSupplier, events: list[Event]) -> None:
    assert len(sample.accounts) == 36
    assert 150_000 <= len(events) <= 250_000
    assert sample.event_total == len(events)


def test_batches_of_a_thousand_hold_all_arrivals_in_order() -> None:
    sample = generate(accounts=8, days=200, today=TODAY)
    batches = list(sample.events())
    assert all(len(batch) == 1000 for batch in batches[:-1])
    expected = [arrival.event for arrival in arrivals(sample.cast, sample.seed, sample.until)]
    assert [event for batch in batches for event in batch] == expected
    assert sample.event_total == len(expected) > 5000


def test_it_has_segments_currencies_and_zones_of_every_kind(sample: SampleSupplier) -> None:
    assert len({row["segment"] for row in sample.accounts}) >= 5
    assert {"USD", "EUR", "GBP", "JPY"} <= {row["currency"] for row in sample.accounts}
    zones = {row["timezone"] for row in sample.accounts}
    assert {"Australia/Adelaide", "Asia/Kolkata", "America/Phoenix", "Europe/Berlin", "Asia/Tokyo"} <= zones
    assert {"Ærø Færger", "Müller Aufzüge GmbH", "東京設備"} <= {row["name"] for row in sample.accounts}


def test_both_partners_report_for_several_accounts(sample: SampleSupplier, events: list[Event]) -> None:
    for partner in sample.partners:
        reported = {event["account"] for event in events if event.get("provider") == partner}
        assert reported == set(sample.accounts_of(partner))
        assert len(reported) >= 5


def test_more_accounts_than_are_written_are_invented_and_alike() -> None:
    grown = generate(accounts=42, days=60, today=TODAY)
    keys = [row["key"] for row in grown.accounts]
    assert len(set(keys)) == 42
    assert keys[:36] == [spec.key for spec in written_cast()]
    assert {key for key, situation in grown.situations.items() if situation == "invented"} == set(keys[36:])
    sending = {event["account"] for batch in grown.events() for event in batch}
    assert set(keys[36:]) <= sending


@pytest.mark.parametrize("today", [date(2028, 2, 29), date(2027, 1, 1), date(2027, 3, 31)])
def test_any_day_and_a_short_history_will_do(today: date) -> None:
    short = generate(accounts=20, days=60, today=today)
    times = [str(event["time"]) for batch in short.events() for event in batch]
    assert len(times) == short.event_total > 5_000
    assert min(times) >= (today - timedelta(days=61)).isoformat()
    assert max(times) < today.isoformat()


def test_the_last_day_is_filled_up_to_the_moment_asked_for() -> None:
    until = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    sample = generate(accounts=3, days=90, today=until.date(), until=until)
    times = [datetime.fromisoformat(str(event["time"])) for batch in sample.events() for event in batch]
    assert until - timedelta(hours=3) < max(times) <= until


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="zone"):
        generate(accounts=1, today=TODAY, until=datetime(2026, 11, 20, 16))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(("accounts", "days"), [(0, 548), (36, 59)])
def test_too_small_a_sample_is_refused(accounts: int, days: int) -> None:
    with pytest.raises(InvalidInputError, match="at least"):
        generate(accounts=accounts, days=days, today=TODAY)


# ------------------------------------------------------------ what the events come to


def attainment(sample: SampleSupplier, value: Realized, account: str) -> Fraction:
    """Realized over committed of planned drivers of money, go-live to the last whole month."""
    realized = committed = Fraction(0)
    for row in sample.plans:
        month = date.fromisoformat(f"{row['month']}-01")
        if row["account"] == account and row["driver"] in PRICED and month <= LAST_WHOLE_MONTH:
            committed += Fraction(Decimal(row["expected"]))
            realized += value[account][row["driver"]].get(month, Fraction(0))
    return realized / committed


def test_attainment_is_what_the_truths_say(sample: SampleSupplier, value: Realized) -> None:
    kinds = {"ahead_of_plan", "on_plan", "behind_plan"}
    stated = {t.account: t for t in sample.truths if t.kind in kinds}
    assert Counter(t.kind for t in stated.values()).keys() == kinds
    assert len(stated) >= 25
    for account, truth in stated.items():
        reached = attainment(sample, value, account)
        assert truth.magnitude is not None
        assert abs(reached - Fraction(truth.magnitude)) < Fraction(6, 100), (account, float(reached))
        kind = "ahead_of_plan" if reached > HIGH else "behind_plan" if reached < LOW else "on_plan"
        assert kind == truth.kind, (account, float(reached))


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ("calder-water", "ahead_of_plan"),
        ("aster-medical", "ahead_of_plan"),
        ("harbor-logistics", "on_plan"),
        ("tokyo-setsubi", "on_plan"),
        ("northline-elevators", "behind_plan"),
        ("portside-cold-storage", "behind_plan"),
    ],
)
def test_named_accounts_stand_where_their_story_needs_them(sample: SampleSupplier, account: str, kind: str) -> None:
    assert kind in {truth.kind for truth in sample.truths if truth.account == account}


def paid_so_far(sample: SampleSupplier, account: str) -> Fraction:
    paid = Fraction(0)
    for row in sample.contracts:
        start, end = date.fromisoformat(row["start"]), date.fromisoformat(row["end"] or "9999-12-31")
        days = (min(end, TODAY) - start).days
        if row["account"] == account and days > 0:
            yearly = Fraction(Decimal(row["amount"])) * (12 if row["period"] == "month" else 1)
            paid += yearly * days / 365
    return paid


def test_customers_get_back_a_believable_multiple_of_what_they_paid(sample: SampleSupplier, value: Realized) -> None:
    returns = {}
    for row in sample.accounts:
        account, live = row["key"], any(event for event in value.get(row["key"], {}))
        if live and sample.situations[account] not in {"too-little-data", "all-estimated"}:
            total = sum(sum(months.values(), Fraction(0)) for d, months in value[account].items() if d in PRICED)
            returns[account] = float(total / paid_so_far(sample, account))
    assert len(returns) >= 28
    assert min(returns, key=returns.__getitem__) == "ironbridge-utilities", "who got least has left"
    rest = [multiple for account, multiple in returns.items() if account != "ironbridge-utilities"]
    assert min(rest) > 0.9
    assert max(rest) < 5
    assert sum(1.5 <= multiple <= 5 for multiple in rest) >= 0.6 * len(rest)


def test_every_benefit_class_and_the_negative_driver_have_value(value: Realized) -> None:
    totals: dict[str, Fraction] = defaultdict(Fraction)
    for drivers in value.values():
        for driver, months in drivers.items():
            totals[driver] += sum(months.values())
    assert set(totals) == {*PRICED, "incidents_avoided"}
    assert totals.pop("outage_overtime") < 0
    assert all(total > 0 for total in totals.values())


def test_the_record_month_is_one_when_counted(sample: SampleSupplier, value: Realized) -> None:
    planted = [truth for truth in sample.truths if truth.kind == "record_month"]
    assert "aster-medical" in {truth.account for truth in planted}
    for truth in planted:
        totals: dict[date, Fraction] = defaultdict(Fraction)
        for driver in PRICED:
            for month, amount in value[truth.account].get(driver, {}).items():
                totals[month] += amount
        assert truth.start == LAST_WHOLE_MONTH
        assert totals[truth.start] == max(amount for month, amount in totals.items() if month <= LAST_WHOLE_MONTH)


def test_features_that_work_together_show_it_in_the_value_of_a_visit(
    sample: SampleSupplier, events: list[Event]
) -> None:
    """Among complex trades, with checklists and parts check: fewer repeats than with either, and than with none."""
    features = {account.key: set(account.features) for account in sample.cast}
    trades = {row["key"]: row["segment"] for row in sample.accounts}
    since = (TODAY - timedelta(days=90)).isoformat()
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for event in events:
        account = str(event["account"])
        if (
            event["type"] == "visit.completed"
            and str(event["time"]) > since
            and trades[account] in {"elevators", "medical"}
        ):
            data = event["data"]
            assert isinstance(data, dict)
            both = len(features[account] & {"guided-checklists", "parts-check"})
            sums[both][0] += data["repeats"]
            sums[both][1] += data["visits"]
    rates = {both: repeats / visits for both, (repeats, visits) in sums.items()}
    assert rates[2] < 0.75 * rates[1]
