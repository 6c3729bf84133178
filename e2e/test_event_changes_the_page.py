"""An event that a product sends by HTTP changes the open page within seconds, with no reload and nobody's help."""

import re
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, Platform, SignIn
from valueplatform.core.authorization import KeyKind

WITHIN = 5.0
VISITS = 400


def visit(number: int) -> dict[str, Any]:
    """A visit that was no repeat: worth something by the sample's model."""
    return {
        "specversion": "1.0",
        "id": f"e2e-{uuid.uuid4()}",
        "source": "/e2e",
        "type": "visit.completed",
        "account": ACCOUNT,
        "time": datetime.now(UTC).isoformat(),
        "data": {"visits": 1, "repeats": 0, "team": f"crew-{number % 7}", "feature": "job-reports"},
    }


@pytest.fixture
def send(platform: Platform) -> Any:
    key = platform.key(KeyKind.INGEST)

    def send_visits(count: int) -> None:
        answer = httpx.post(
            f"{platform.base_url}/api/v1/events",
            json=[visit(number) for number in range(count)],
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents-batch+json"},
            timeout=30,
        )
        assert answer.status_code == 204, answer.text

    return send_visits


def headline_value(page: Page) -> Decimal:
    return Decimal(page.locator("h1 a.num-key").get_attribute("data-value") or "")


def changed_within(page: Page, before: Decimal, seconds: float) -> float:
    """How long the headline's number took to be another one."""
    sent = time.monotonic()
    expect(page.locator(f'h1 a.num-key:not([data-value="{before}"])')).to_be_visible(timeout=seconds * 1000)
    return time.monotonic() - sent


def test_the_headline_follows_an_event_within_five_seconds(sign_in: SignIn, send: Any) -> None:
    page = sign_in(SPONSOR)
    expect(page.locator("main[sse-connect]")).to_be_visible()
    page.evaluate("window.stillTheSamePage = true")
    before = headline_value(page)
    send(VISITS)

    assert changed_within(page, before, WITHIN) < WITHIN
    assert headline_value(page) > before
    assert page.evaluate("window.stillTheSamePage")
    expect(page.locator("h1.is-new-mark")).to_be_visible()


def test_an_open_proof_stays_open_while_the_story_changes_beside_it(sign_in: SignIn, send: Any) -> None:
    page = sign_in(SPONSOR)
    page.locator("h1 a.num-key").click()
    proof = page.get_by_role("dialog", name=re.compile("^Proof of"))
    expect(proof.get_by_text(re.compile("^Stated"))).to_be_visible()
    before = headline_value(page)
    send(VISITS)
    changed_within(page, before, WITHIN)

    expect(proof.get_by_text(re.compile("^Stated"))).to_be_visible()


def test_a_number_opened_right_after_an_event_agrees(sign_in: SignIn, send: Any) -> None:
    page = sign_in(SPONSOR)
    href = page.locator("h1 a.num-key").get_attribute("href") or ""
    send(VISITS)
    answer = page.request.get(href, headers={"HX-Request": "true"})

    assert "We have taken this number back" not in answer.text()
    assert ">Stated " in answer.text()


def test_the_steward_sees_the_same_story_change(sign_in: SignIn, send: Any) -> None:
    page = sign_in(STEWARD)
    page.goto(f"/accounts/{ACCOUNT}/story")
    before = headline_value(page)
    send(VISITS)

    assert changed_within(page, before, WITHIN) < WITHIN
