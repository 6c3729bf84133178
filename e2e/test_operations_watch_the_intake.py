"""Who runs the platform sees what comes in, source by source, and a sender that goes wrong once it is looked at."""

import re
import uuid
from datetime import UTC, datetime

import httpx
from playwright.sync_api import expect

from e2e.conftest import ACCOUNT, SPONSOR, Platform, SignIn
from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.database import Database
from valueplatform.telemetry.quality_looks import examine

OPERATOR = "operations@fieldnote.example"
SOURCE = "/e2e-broken"


def send_what_cannot_be_taken(platform: Platform) -> None:
    events = [
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": SOURCE,
            "type": "x",
            "account": ACCOUNT,
            "time": "soon",
        }
        for _ in range(60)
    ]
    answer = httpx.post(
        f"{platform.base_url}/api/v1/events",
        json=events,
        headers={
            "Authorization": f"Bearer {platform.key(KeyKind.INGEST)}",
            "Content-Type": "application/cloudevents-batch+json",
        },
        timeout=30,
    )
    assert len(answer.json()["rejected"]) == 60


def look(platform: Platform) -> None:
    """As the worker does once an hour."""

    async def now(database: Database) -> None:
        async with database.transaction(operator_scope()) as tx:
            account = await account_by_key(tx, ACCOUNT)
            await examine(tx, account.account_id, datetime.now(UTC))

    platform.run(now)


def test_a_sender_that_goes_wrong_is_found_and_named(platform: Platform, sign_in: SignIn) -> None:
    send_what_cannot_be_taken(platform)
    look(platform)
    page = sign_in(OPERATOR)
    expect(page).to_have_url(re.compile("/data-quality"))
    page.get_by_role("link", name=re.compile("^Needs a look")).click()
    found = page.get_by_role("list", name=f"Findings of {SOURCE}, ")
    expect(found.get_by_text("60 of 60 received in three days; usual: none")).to_be_visible()
    expect(page.get_by_role("link", name="Data quality")).to_have_attribute("aria-current", "page")


def test_it_fits_a_phone_in_light_and_dark_and_is_reached_by_keyboard(sign_in: SignIn) -> None:
    for scheme in ("light", "dark"):
        page = sign_in(OPERATOR, color_scheme=scheme, viewport={"width": 375, "height": 812})
        page.goto("/data-quality")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_role("link", name=re.compile("^Needs a look")).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("show=open"))


def test_customers_see_nothing_of_the_machinery(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.goto("/story")
    expect(page.get_by_role("link", name="Data quality")).to_have_count(0)
