"""A partner pulls the report of a shared account by key: its own rows, as JSON and as CSV."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from e2e.conftest import ACCOUNT, OTHER_ACCOUNT, Platform
from valueplatform.core.authorization import KeyKind

REPORT = f"/api/v1/accounts/{ACCOUNT}/report"


@pytest.fixture
def partner(platform: Platform) -> Iterator[httpx.Client]:
    key = platform.key(KeyKind.PARTNER, ACCOUNT, provider="tessera")
    with httpx.Client(base_url=platform.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        yield client


def test_the_report_comes_as_json_with_rows_that_add_up(partner: httpx.Client) -> None:
    answer = partner.get(REPORT, params={"format": "json"})
    report = answer.json()

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert report["account"] == ACCOUNT
    assert report["rows"]
    monetized = [
        row for row in report["rows"] if row["unit"] == report["currency"] and row["benefit_class"] != "strategic"
    ]
    assert sum(Decimal(row["realized"]) for row in monetized) == Decimal(report["totals"]["realized"])
    assert {"story", "suggestions"} <= report.keys()


def test_the_same_rows_come_as_csv(partner: httpx.Client) -> None:
    rows = partner.get(REPORT, params={"format": "json"}).json()["rows"]
    answer = partner.get(REPORT, headers={"Accept": "text/csv"})

    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [Decimal(line["realized"]) for line in lines] == [Decimal(row["realized"]) for row in rows]


def test_a_partner_learns_nothing_of_other_accounts(partner: httpx.Client) -> None:
    listed = partner.get("/api/v1/accounts").json()["items"]
    other = partner.get(REPORT.replace(ACCOUNT, OTHER_ACCOUNT))

    assert [account["key"] for account in listed] == [ACCOUNT]
    assert other.status_code == 404
    assert other.json()["code"] == "not_found"


def test_the_documentation_is_served_from_here(partner: httpx.Client, platform: Platform) -> None:
    page = httpx.get(f"{platform.base_url}/api/docs", follow_redirects=True)

    assert page.status_code == 200
    assert "//" not in page.text.replace(platform.base_url, "").split("</head>")[0].replace("http-equiv", "").split(
        "<body"
    )[0].replace("<!doctype", "")
