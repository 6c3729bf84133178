"""The events: valid CloudEvents, exact, in order of arrival, with what was planted in their delivery."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tests.sample.conftest import TODAY, data_of
from tests.sample.recount import moment
from valueplatform.core.numbers import in_wire_range
from valueplatform.sample import SampleSupplier
from valueplatform.sample.cast import written_cast
from valueplatform.sample.events import SOURCES, Arrival, Event

REQUIRED = {"specversion", "id", "source", "type", "time", "account", "datacontenttype", "data"}


def test_every_event_is_a_cloud_event_of_a_known_account(sample: SampleSupplier, events: list[Event]) -> None:
    accounts = {row["key"] for row in sample.accounts}
    for event in events:
        assert REQUIRED <= event.keys() <= REQUIRED | {"subject", "provider"}
        assert event["specversion"] == "1.0"
        assert event["account"] in accounts


def test_ids_repeat_only_where_the_event_is_the_same(events: list[Event]) -> None:
    bodies: dict[object, bytes] = {}
    for event in events:
        body = msgspec.json.encode(event)
        assert bodies.setdefault(event["id"], body) == body
    assert 0 < len(events) - len(bodies) < 0.02 * len(events)


def test_second_deliveries_are_as_many_as_the_truths_say(sample: SampleSupplier, events: list[Event]) -> None:
    sent = Counter(str(event["account"]) for event in events)
    stored = Counter(account for account, _ in {(str(event["account"]), event["id"]) for event in events})
    stated = {t.account: t.magnitude for t in sample.truths if t.kind == "duplicate_events"}
    assert {key: Decimal(sent[key] - stored[key]) for key in sent if sent[key] > stored[key]} == stated


def test_no_event_lies_in_the_future(events: list[Event]) -> None:
    assert max(moment(str(event["time"])) for event in events) <= datetime(2026, 11, 22, tzinfo=UTC)


def test_eighteen_months_are_told(events: list[Event]) -> None:
    first = min(moment(str(event["time"])) for event in events)
    assert date(2025, 5, 1) < first.date() < date(2025, 6, 15)


def test_numbers_are_exact_and_fit_for_the_wire(events: list[Event]) -> None:
    for event in events:
        for number in data_of(event).values():
            assert isinstance(number, str | int | Decimal)
            assert isinstance(number, str) or in_wire_range(number)


def test_decimals_are_written_as_plain_numbers(events: list[Event]) -> None:
    invoice = next(event for event in events if event["type"] == "invoice.sent")
    text = msgspec.json.Encoder(decimal_format="number").encode(data_of(invoice)).decode()
    assert f'"amount":{data_of(invoice)["amount"]}' in text
    assert "E" not in text.replace("EUR", "")


def test_yen_are_whole(events: list[Event]) -> None:
    amounts = {data_of(e)["amount"] for e in events if data_of(e).get("currency") == "JPY"}
    assert amounts
    assert all(isinstance(amount, Decimal) and amount == int(amount) for amount in amounts)


def test_partners_write_only_their_own_sources(events: list[Event]) -> None:
    for event in events:
        assert event["source"] in SOURCES[str(event.get("provider", "supplier"))]


def test_arrivals_are_in_order_and_after_the_event(sample: SampleSupplier, deliveries: list[Arrival]) -> None:
    before = datetime.min.replace(tzinfo=UTC)
    for arrival in deliveries:
        assert before <= arrival.at <= sample.until
        assert arrival.at > moment(str(arrival.event["time"]))
        before = arrival.at


def test_the_late_batch_arrives_weeks_after_its_month_was_over(
    sample: SampleSupplier, deliveries: list[Arrival]
) -> None:
    truth = next(t for t in sample.truths if t.kind == "late_batch")
    waits = [
        arrival.at - moment(str(arrival.event["time"]))
        for arrival in deliveries
        if arrival.event["account"] == truth.account and arrival.late
    ]
    assert sum(wait > timedelta(days=40) for wait in waits) >= 10


def test_an_outage_of_data_leaves_nine_days_empty(sample: SampleSupplier, events: list[Event]) -> None:
    gap = next(t for t in sample.truths if t.kind == "data_gap")
    zone = ZoneInfo(next(row["timezone"] for row in sample.accounts if row["key"] == gap.account))
    days = {moment(str(e["time"])).astimezone(zone).date() for e in events if e["account"] == gap.account}
    assert gap.end is not None
    assert gap.magnitude == (gap.end - gap.start).days + 1 == 9
    assert not any(gap.start <= day <= gap.end for day in days)
    assert {gap.start - timedelta(days=n) for n in range(1, 6)} & days


def test_silent_teams_are_missing_while_the_others_report(sample: SampleSupplier, events: list[Event]) -> None:
    gaps = [t for t in sample.truths if t.kind == "team_gap"]
    assert {gap.subject for gap in gaps} == {"Newark", "Savannah"}
    start, end = gaps[0].start, gaps[0].end
    assert end is not None
    inside = [
        data_of(e).get("team")
        for e in events
        if e["account"] == gaps[0].account and start < moment(str(e["time"])).date() < end
    ]
    assert "Chicago" in inside
    assert not {"Newark", "Savannah"} & set(inside)


def test_a_stalled_driver_has_no_event_any_more(sample: SampleSupplier, events: list[Event]) -> None:
    stall = next(t for t in sample.truths if t.kind == "driver_stalled")
    days = [
        moment(str(e["time"])).date() for e in events if e["type"] == "quote.accepted" and e["account"] == stall.account
    ]
    assert len(days) > 50
    assert stall.start - timedelta(days=5) <= max(days) < stall.start


def test_who_only_looks_or_has_just_signed_sends_nothing(sample: SampleSupplier, events: list[Event]) -> None:
    silent = {key for key, situation in sample.situations.items() if situation in {"prospect", "brand-new"}}
    assert len(silent) == 3
    assert not silent & {event["account"] for event in events}


def test_who_left_sends_nothing_after_the_end(sample: SampleSupplier, events: list[Event]) -> None:
    end = next(t for t in sample.truths if t.kind == "churned")
    last = max(moment(str(e["time"])).date() for e in events if e["account"] == end.account)
    assert end.start - timedelta(days=4) <= last <= end.start


def test_the_week_has_the_shape_of_the_trade(events: list[Event]) -> None:
    jobs: dict[str, Counter[bool]] = defaultdict(Counter)
    for event in events:
        if event["type"] == "job.dispatched" and event["account"] in {"harbor-logistics", "summit-facilities"}:
            zone = ZoneInfo("America/New_York" if event["account"] == "harbor-logistics" else "America/Los_Angeles")
            weekend = moment(str(event["time"])).astimezone(zone).weekday() >= 5
            jobs[str(event["account"])][weekend] += int(str(data_of(event)["jobs"]))
    assert jobs["summit-facilities"][True] == 0
    assert 0.05 < jobs["harbor-logistics"][True] / jobs["harbor-logistics"][False] < 0.15


def test_each_feature_shows_in_its_own_events_from_the_day_it_was_taken_up(
    sample: SampleSupplier, events: list[Event]
) -> None:
    first: dict[tuple[object, object], date] = {}
    zones = {row["key"]: ZoneInfo(row["timezone"]) for row in sample.accounts}
    for event in events:
        feature, account = data_of(event).get("feature"), str(event["account"])
        if feature is not None:
            day = moment(str(event["time"])).astimezone(zones[account]).date()
            first[account, feature] = min(day, first.get((account, feature), day))
    adopted = [t for t in sample.truths if t.kind == "feature_adopted"]
    assert {(t.account, t.subject) for t in adopted if t.start < TODAY - timedelta(days=14)} <= first.keys()
    for truth in adopted:
        seen = first[truth.account, truth.subject]
        assert truth.start <= seen <= truth.start + timedelta(days=14), truth


def test_a_night_crew_works_into_the_next_day_of_greenwich(events: list[Event]) -> None:
    nights = [e for e in events if data_of(e).get("team") == "Night crew" and e["account"] == "granite-state-water"]
    days = {
        (moment(str(e["time"])).date(), moment(str(e["time"])).astimezone(ZoneInfo("America/New_York")).date())
        for e in nights
    }
    assert any(utc > local for utc, local in days)


def test_small_accounts_report_each_job(events: list[Event]) -> None:
    small = {spec.key for spec in written_cast() if spec.each_job}
    jobs = [e for e in events if e["account"] in small and e["type"] == "visit.completed"]
    assert all(data_of(e)["visits"] == 1 and str(e["subject"]).startswith("WO-") for e in jobs)
    assert len(jobs) > 5000
