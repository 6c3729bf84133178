"""A business case counts nowhere while it is a draft; the steward and the customer's sponsor sign it, and it counts."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, Platform, SignIn
from valueplatform.core.authorization import KeyKind

BASE = f"/api/v1/accounts/{ACCOUNT}"
TARGET = {"objective": "Quote within the hour", "driver": "dispatch_hours", "month": "2031-05-01", "expected": "310"}
WINDOW = {"from": "2031-05-01", "to": "2031-06-01"}


@pytest.fixture
def api(platform: Platform) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {platform.key(KeyKind.ADMIN)}"}
    with httpx.Client(base_url=platform.base_url, headers=headers) as client:
        yield client


def test_a_business_case_that_both_sides_signed_is_the_commitment(api: httpx.Client, sign_in: SignIn) -> None:
    def committed() -> str:
        totals: dict[str, Any] = api.get(f"{BASE}/value", params=WINDOW).raise_for_status().json()["totals"]
        return str(totals["committed_expected"])

    before = committed()
    driver = api.get(f"{BASE}/plans").raise_for_status().json()["items"][0]["driver"]
    terms = {"kind": "business-case", "title": "Second region"}
    api.put(f"{BASE}/plans/second-region/terms", json=terms).raise_for_status()
    api.put(f"{BASE}/plans/second-region", json=[{**TARGET, "driver": driver}]).raise_for_status()
    assert committed() == before

    steward = sign_in(STEWARD)
    steward.goto(f"/accounts/{ACCOUNT}/plan")
    steward.get_by_role("button", name="Sign Second region for the supplier").click()
    expect(steward.get_by_text("Signed for your side.")).to_be_visible()
    assert committed() == before

    sponsor = sign_in(SPONSOR, java_script_enabled=False, viewport={"width": 375, "height": 812})
    sponsor.goto("/plan")
    expect(sponsor.get_by_text("Waits for the customer to sign")).to_be_visible()
    sponsor.get_by_role("button", name="Sign Second region for the customer").click()
    expect(sponsor.get_by_text("Signed by both sides. Its targets are in force.")).to_be_visible()
    signed = re.compile("^Signed for the customer by Daniel Reyes")
    expect(sponsor.locator("#plans").get_by_text(signed)).to_be_visible()
    expect(sponsor.locator("#timeline").get_by_text(re.compile("^signed by Daniel Reyes"))).to_be_visible()
    assert Decimal(committed()) == Decimal(before) + 310
    width = sponsor.locator("body").evaluate("b => [b.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], "nothing is wider than a phone"
