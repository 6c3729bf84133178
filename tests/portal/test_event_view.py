from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.portal.test_connect_view import CLOCK, NOW, key
from valueplatform.portal.connect_view import MASKED
from valueplatform.portal.event_view import Eyes, Model, laid_out, preview_row, preview_sentence, recent_row, spoken_in
from valueplatform.portal.view.connect import EventRow
from valueplatform.telemetry.dialects import Spoken
from valueplatform.telemetry.preview import Measured, Preview
from valueplatform.telemetry.recent_reads import LONGEST_SHOWN, RecentEvent
from valueplatform.telemetry.requests import Outcome

OPEN = Eyes(subjects=True, rejected=True, replays=True)
MODEL = Model({"minutes": ["dispatch_time"]}, frozenset({"job.done"}))
READINGS = [
    Measured("minutes", {"team": "north"}, Decimal("12.50")),
    Measured("users", {}, "kim@example.org"),
    Measured("jobs", {"team": None}, 1),
    Measured("broken", {}, None, "not_a_number"),
]


def event(**changes: Any) -> RecentEvent:
    given: dict[str, Any] = {
        "recent_id": 5,
        "received_at": NOW,
        "origin": "segment",
        "outcome": Outcome.STORED,
        "source": "/app",
        "id": "1",
        "type": "job.done",
        "account": "acme",
        "day": date(2026, 6, 1),
        "time": NOW,
        "provider": "supplier",
        "code": None,
        "message": None,
        "meters": ["minutes"],
        "at_hand": True,
        "subject": "kim-the-subject",
        "data": '{"minutes": 12.50}',
        "body": None,
        "rejected_id": None,
        "replayed_at": None,
    }
    return RecentEvent(**(given | changes))


REJECTED = event(
    outcome=Outcome.REJECTED,
    type=None,
    account=None,
    day=None,
    time=None,
    data=None,
    subject=None,
    meters=(),
    code="missing_account",
    message="The event names no account; set context.groupId.",
    body='{"type":"track"}',
    rejected_id=3,
)


def shown(given: RecentEvent, eyes: Eyes = OPEN, readings: list[Measured] | None = None) -> EventRow:
    return recent_row(given, key(), READINGS if readings is None else readings, MODEL, eyes, CLOCK)


def facts(row: EventRow) -> dict[str, str]:
    return {fact.label: fact.text for fact in row.facts}


def test_a_stored_event_opens_to_what_it_became() -> None:
    row = shown(event())
    assert (row.chip.text, row.title, row.account, row.feeds) == (
        "Stored",
        "job.done",
        "acme",
        "broken finds nothing to read; fed minutes, users, jobs",
    )
    told = facts(row)
    assert told["Subject"] == "kim-the-subject"
    assert told["Time"] == "1 Jun 2026, 08:00"
    assert told["Came in as"] == "Segment"
    assert [(one.meter, one.value, one.why, one.dimensions, one.feeds) for one in row.readings] == [
        ("minutes", "12.50", "", "team north", "dispatch_time"),
        ("users", "kim@example.org", "", "", "no driver yet"),
        ("jobs", "1", "", "", "no driver yet"),
        ("broken", "", "the property is no number", "", "no driver yet"),
    ]
    assert row.body == '{\n  "minutes": 12.50\n}'


def test_who_may_not_see_single_events_sees_no_subject_no_member_and_no_data() -> None:
    closed = replace(OPEN, subjects=False)
    for given in (event(), REJECTED, event(outcome=Outcome.CONFLICT, data=None, body='{"subject":"kim"}')):
        row = shown(given, closed)
        assert "kim" not in str(row)
        assert "north" not in str(row)
        assert row.body == ""
    row = shown(event(), closed)
    assert facts(row)["Subject"] == MASKED
    assert [one.value for one in row.readings] == ["12.50", MASKED, "1", ""]


def test_a_rejected_event_says_why_and_can_be_replayed_and_tried() -> None:
    row = shown(REJECTED, readings=[])
    assert (row.chip.text, row.title, row.account) == ("Rejected", "missing_account", "no account")
    assert row.said == "The event names no account; set context.groupId."
    replay, tester = row.acts
    assert replay.action == f"/connect/{key().key_id}/replay/3"
    assert dict(tester.fields)["dialect"] == "segment"
    assert dict(tester.fields)["body"] == '{"type":"track"}'


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({"replayed_at": datetime(2026, 6, 1, 12, 5, tzinfo=UTC)}, []),
        ({"body": "x" * LONGEST_SHOWN}, ["Replay this event"]),
        ({"origin": "import"}, ["Replay this event"]),
        ({"rejected_id": None}, []),
    ],
)
def test_only_what_can_be_done_is_offered(given: dict[str, Any], labels: list[str]) -> None:
    changed = RecentEvent(**{name: getattr(REJECTED, name) for name in REJECTED.__struct_fields__} | given)
    assert [act.label for act in shown(changed, readings=[]).acts] == labels


def test_without_the_rights_nothing_is_offered_and_no_rejected_body_shown() -> None:
    row = shown(REJECTED, Eyes(subjects=True, rejected=False, replays=False), [])
    assert (row.acts, row.body) == ((), "")


def test_a_replayed_event_says_when() -> None:
    row = shown(
        RecentEvent(**{name: getattr(REJECTED, name) for name in REJECTED.__struct_fields__} | {"replayed_at": NOW}),
        readings=[],
    )
    assert row.said.endswith("It was replayed on 1 Jun 2026, 08:00, and taken.")


def test_no_readings_are_explained() -> None:
    assert "No meter reads events of this type" in shown(event(type="other"), readings=[]).readings_note
    assert "pass it over" in shown(event(), readings=[]).readings_note
    assert "no longer at hand" in shown(event(at_hand=False, data=None), readings=[]).readings_note
    assert shown(event(outcome=Outcome.DUPLICATE), readings=[]).readings_note == ""


def preview(outcome: Outcome = Outcome.STORED, **changes: Any) -> Preview:
    given: dict[str, Any] = {"index": 0, "id": "1", "outcome": outcome} | changes
    return Preview(**given)


def test_a_preview_is_told_as_what_became_is() -> None:
    row = preview_row(preview(type="job.done", account="new", new_account=True, meters=READINGS), MODEL, CLOCK)
    assert (row.chip.text, row.account, row.feeds) == (
        "Stored",
        "new",
        "broken finds nothing to read; would feed minutes, users, jobs",
    )
    assert [fact.small for fact in row.facts if fact.label == "Account"] == ["would be created"]
    assert row.readings[1].value == "kim@example.org"
    rejected = preview_row(preview(Outcome.REJECTED, code="missing_type", message="Set type."), MODEL, CLOCK)
    assert (rejected.title, rejected.said) == ("missing_type", "Set type.")
    assert "No meter reads" in preview_row(preview(type="other"), MODEL, CLOCK).readings_note
    assert preview_row(preview(Outcome.DUPLICATE, type="job.done", meters=READINGS), MODEL, CLOCK).readings == ()


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([], "The body holds no event."),
        ([Outcome.STORED], "This event would be stored."),
        ([Outcome.CONFLICT], "This event would be in conflict."),
        ([Outcome.STORED] * 2, "Of two events, there would be two stored."),
        ([Outcome.STORED, Outcome.REJECTED], "Of two events, there would be one stored and one rejected."),
        (
            [Outcome.STORED, Outcome.DUPLICATE, Outcome.REJECTED],
            "Of three events, there would be one stored, one a duplicate and one rejected.",
        ),
    ],
)
def test_a_sentence_sums_up_the_verdicts(outcomes: list[Outcome], said: str) -> None:
    assert preview_sentence([preview(outcome) for outcome in outcomes]) == said


def test_an_event_that_no_meter_can_read_does_not_look_as_if_it_fed_one() -> None:
    lost = [Measured(name, {}, None, "missing_property") for name in ("minutes", "users")]
    assert shown(event(), readings=lost).feeds == "minutes, users find nothing to read"
    assert shown(event(), readings=READINGS[:2]).feeds == "fed minutes, users"
    assert shown(event(at_hand=False, data=None), readings=[]).feeds == "fed minutes"
    assert shown(event(type="other", meters=()), readings=[]).feeds == ""


def test_a_body_that_is_no_json_stays_as_it_is() -> None:
    assert laid_out('{"a":1.50') == '{"a":1.50'
    assert laid_out('{"a":1.50}') == '{\n  "a": 1.50\n}'
    assert laid_out("[" * 5000) == "[" * 5000


@pytest.mark.parametrize(
    ("origin", "body", "spoken"),
    [
        ("http", "{}", Spoken.CLOUDEVENTS),
        ("segment", "{}", Spoken.SEGMENT),
        ("otlp", '{"resourceMetrics":[]}', Spoken.OTLP_METRICS),
        ("otlp", '{"resourceLogs":[]}', Spoken.OTLP_LOGS),
        ("otlp", '{"specversion":"1.0"}', Spoken.CLOUDEVENTS),
        ("import", "{}", None),
    ],
)
def test_a_kept_body_is_tried_in_its_own_dialect(origin: str, body: str, spoken: Spoken | None) -> None:
    assert spoken_in(origin, body) is spoken
