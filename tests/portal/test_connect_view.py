from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from valueplatform.portal.connect_view import Clock, about, empty_text, headline, keys_view, kind_of, state_view
from valueplatform.telemetry.recent_reads import IngestKey
from valueplatform.telemetry.requests import Outcome

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLOCK = Clock(NOW, "America/New_York")
EARLIER = NOW - timedelta(seconds=3)
ON = {"last_at": EARLIER, "last_outcome": Outcome.STORED, "taken_at": EARLIER}
REFUSED = {"last_at": EARLIER, "last_outcome": Outcome.REJECTED}


def key(**changes: Any) -> IngestKey:
    given: dict[str, Any] = {
        "key_id": UUID(int=7),
        "name": "app",
        "provider": "supplier",
        "accounts": None,
        "sources": None,
        "created_at": datetime(2026, 5, 3, 2, tzinfo=UTC),
        "revoked_at": None,
        "last_at": None,
        "last_outcome": None,
        "taken_at": None,
    }
    return IngestKey(**(given | changes))


def counts(**changes: int) -> dict[Outcome, int]:
    return {outcome: changes.get(outcome.value, 0) for outcome in Outcome}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "No product is connected yet."),
        ([key()], "One key waits for its first event."),
        ([key(), key(**REFUSED)], "Two keys wait for their first event."),
        ([key(**ON)], "One key is connected."),
        ([key(**ON), key(**ON), key()], "Two keys are connected; one waits for its first event."),
        ([key(revoked_at=NOW, **ON)], "No product is connected yet."),
    ],
)
def test_the_headline_says_how_many_are_connected_and_how_many_wait(keys: list[IngestKey], said: str) -> None:
    assert headline(keys) == said


@pytest.mark.parametrize(
    ("given", "kind"),
    [({}, "waiting"), (REFUSED, "refused"), (ON, "on"), ({**ON, "last_outcome": Outcome.REJECTED}, "on")],
)
def test_a_key_is_connected_once_anything_of_it_was_taken(given: dict[str, Any], kind: str) -> None:
    assert kind_of(key(**given)) == kind
    assert kind_of(key(**given, revoked_at=NOW)) == "revoked"


def test_the_first_events_are_news_and_many_are_not() -> None:
    assert state_view(key(), counts(), CLOCK).title == "Waiting for your first event"
    assert state_view(key(**REFUSED), counts(rejected=9), CLOCK).title == "Waiting for an event that can be taken"
    first = state_view(key(**ON), counts(stored=1, rejected=90), CLOCK)
    assert (first.kind, first.title) == ("on", "Your first event is here")
    assert first.moment is not None
    assert (first.moment.text, first.moment.at) == ("3 s ago", "2026-06-01T11:59:57Z")
    assert state_view(key(**ON), counts(stored=21), CLOCK).title == "Events are coming in"
    hours_old = key(**{**ON, "taken_at": NOW - timedelta(hours=2)})
    assert state_view(hours_old, counts(stored=1), CLOCK).title == "Events are coming in"
    days_old = state_view(key(**{**ON, "taken_at": NOW - timedelta(days=3)}), counts(stored=1), CLOCK)
    assert (days_old.kind, days_old.title) == ("on", "Connected, and quiet of late")


def test_what_a_key_may_write_is_said_in_words() -> None:
    def limits(**changes: Any) -> str:
        return about(key(**changes), CLOCK)[-1].text

    assert limits() == "any account, any source"
    assert limits(accounts=["acme"], sources=["/a", "/b"]) == "account acme, sources /a, /b"
    assert limits(accounts=["a", "b", "c", "d"], provider="tessera") == "4 accounts, any source, for tessera"
    assert limits(accounts=[]) == "no account, any source"


def test_days_are_those_of_the_supplier() -> None:
    assert about(key(), CLOCK)[0].text == "2 May"


def test_revoked_keys_stand_apart() -> None:
    shown = keys_view([key(name="on", **ON), key(name="gone", revoked_at=NOW)], CLOCK, may_create=False)
    assert ([row.name for row in shown.rows], [row.name for row in shown.revoked]) == (["on"], ["gone"])
    assert shown.create_action == ""


def test_an_empty_list_says_what_it_means() -> None:
    assert empty_text(key(), None) == "Nothing has come in yet."
    assert empty_text(key(**ON), Outcome.CONFLICT) == "None of the events that are remembered."
    assert empty_text(key(revoked_at=NOW), None) == "Nothing has come in with this key."
