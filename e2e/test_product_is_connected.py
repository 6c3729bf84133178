"""A product is connected: a key is made, its page waits, turns green with the first event, and tells what becomes of
the rest; an event can be tried before it is sent."""

import json
import os
import re
import subprocess
import sys
import uuid
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import ACCOUNT, Platform, SignIn

ADMIN = "admin@fieldnote.example"


def visit(**changes: Any) -> dict[str, Any]:
    event = {
        "specversion": "1.0",
        "id": f"e2e-{uuid.uuid4()}",
        "source": "/e2e-connect",
        "type": "visit.completed",
        "account": ACCOUNT,
        "time": "2026-01-05T10:00:00Z",
        "data": {"visits": 1, "repeats": 0, "team": "crew-1", "feature": "job-reports"},
    } | changes
    return {name: value for name, value in event.items() if value is not None}


@pytest.fixture
def waiting(sign_in: SignIn) -> tuple[Page, str]:
    """The page of a new key, and the key."""
    page = sign_in(ADMIN)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Connect").click()
    page.get_by_label("Name of the product").fill(f"e2e {uuid.uuid4()}")
    page.get_by_role("button", name="Make an ingest key").click()
    expect(page.get_by_role("heading", name="Waiting for your first event")).to_be_visible()
    found = re.search(r"vp_ingest_[\w-]+", page.locator("#secret").inner_text())
    assert found is not None
    expect(page).to_have_url(re.compile(r"/connect/[0-9a-f-]{36}$"))
    return page, found[0]


def send(platform: Platform, key: str, *events: object) -> None:
    answer = httpx.post(
        f"{platform.base_url}/api/v1/events",
        content=json.dumps(events),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents-batch+json"},
    )
    assert answer.is_success, answer.text


def test_the_waiting_page_turns_green_with_the_first_event(platform: Platform, waiting: tuple[Page, str]) -> None:
    page, key = waiting
    page.evaluate("window.stillTheSamePage = true")
    send(platform, key, visit())

    expect(page.get_by_role("heading", name="Your first event is here")).to_be_visible()
    expect(page.locator(".conn-state.conn-on")).to_be_visible()
    expect(page.locator("#events .ev")).to_have_count(1)
    expect(page.locator("#events .ev")).to_contain_text("visit.completed")
    assert page.evaluate("window.stillTheSamePage")


def test_the_pasted_snippet_of_a_client_turns_the_page_green(waiting: tuple[Page, str]) -> None:
    page, key = waiting
    page.get_by_role("link", name="Segment for Python").click()
    expect(page.locator("#snippet-code")).to_contain_text("segment.analytics")
    expect(page.locator("#secret")).to_contain_text(key)  # a key that is shown once is still there
    code = page.locator("#snippet-code").inner_text()
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "KEY": key}, check=True, timeout=60)

    expect(page.get_by_role("heading", name="Your first event is here")).to_be_visible()
    expect(page.locator("#events .ev").filter(has_text="Job Done")).to_be_visible()


def test_only_what_is_rejected_does_not_turn_it_green(platform: Platform, waiting: tuple[Page, str]) -> None:
    page, key = waiting
    send(platform, key, visit(time="soon"))

    expect(page.get_by_role("heading", name="Waiting for an event that can be taken")).to_be_visible()
    expect(page.locator("#events .ev")).to_contain_text("time must be an RFC 3339 string")


def test_the_debugger_shows_a_duplicate_and_a_conflict_and_keeps_open_what_was_opened(
    platform: Platform, waiting: tuple[Page, str]
) -> None:
    page, key = waiting
    event = visit()
    send(platform, key, event)
    row = page.locator("#events .ev").first
    row.locator("summary").click()
    expect(row.get_by_role("cell", name="team crew-1, feature job-reports").first).to_be_visible()

    send(platform, key, event, event | {"data": {"visits": 2}})

    rows = page.locator("#events .ev")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Conflict")
    expect(rows.nth(1)).to_contain_text("Duplicate")
    expect(rows.nth(2).locator("details[open]")).to_have_count(1)
    page.get_by_role("link", name=re.compile("^Conflicts")).click()
    expect(page.locator("#events .ev")).to_have_count(1)
    page.locator("#events .ev summary").press("Enter")
    expect(page.get_by_text("The first received holds").last).to_be_visible()


def test_the_tester_says_why_an_event_would_be_rejected_before_it_is_sent(waiting: tuple[Page, str]) -> None:
    page, _ = waiting
    page.get_by_role("link", name="Try an event before sending it").click()
    page.get_by_label("Body of the request").fill(json.dumps([visit(), visit(account=None)]))
    page.get_by_role("button", name="Show what it would become").click()

    expect(
        page.get_by_role("heading", name="Of two events, there would be one stored and one rejected.")
    ).to_be_visible()
    rejected = page.locator(".ev").filter(has_text="Rejected")
    rejected.locator("summary").click()
    expect(rejected.locator(".ev-said")).to_have_text(
        "The event has no account; set the attribute account, or subject."
    )
    stored = page.locator(".ev").filter(has_text="Stored")
    stored.locator("summary").click()
    expect(stored.get_by_role("row", name=re.compile("^visits 1"))).to_be_visible()


@pytest.mark.parametrize("width", [375, 1440])
def test_nothing_runs_over_the_edge(platform: Platform, waiting: tuple[Page, str], width: int) -> None:
    page, key = waiting
    send(platform, key, visit(id="x" * 900, source="y" * 900), visit(id="z" * 900, time="soon"))
    expect(page.locator("#events .ev")).to_have_count(2)
    page.set_viewport_size({"width": width, "height": 900})
    for summary in page.locator("#events .ev summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
