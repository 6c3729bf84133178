import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.world import GLOBEX, HARBOR, World, suggest
from valueplatform.api.report import chosen_format
from valueplatform.core.scope import grant_all
from valueplatform.narrative.report import COLUMNS, Format

REPORT = f"/api/v1/accounts/{HARBOR}/report"


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


async def test_json_holds_the_value_read_by_driver_and_month_the_story_and_suggestions(world: World) -> None:
    await suggest(world, "erp-connector")
    report = (await world.get(REPORT)).json()
    value = (await world.get(f"/api/v1/accounts/{HARBOR}/value", window="MONTH")).json()
    assert {name: report[name] for name in value} == value
    assert report["story"] == (await world.get(f"/api/v1/accounts/{HARBOR}/story")).json()
    advice = (await world.get(f"/api/v1/accounts/{HARBOR}/suggestions")).json()
    assert report["suggestions"] == advice["items"]
    assert len(advice["items"]) == 1


async def test_csv_holds_one_line_a_row(world: World) -> None:
    answer = await world.get(REPORT, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'inline; filename="value-report-harbor.csv"'
    assert answer.content.startswith(",".join(COLUMNS).encode() + b"\r\n")
    report = (await world.get(REPORT)).json()
    assert [(row["driver"], row["realized"]) for row in table(answer)] == [
        (row["driver"], row["realized"]) for row in report["rows"]
    ]


async def test_the_period_may_be_given(world: World) -> None:
    rows = table(await world.get(REPORT, format="csv", **{"from": "2026-05-05", "to": "2026-05-06"}))
    assert {row["driver"]: row["realized"] for row in rows}["dispatch_time"] == "90.0000"


@pytest.mark.parametrize(
    ("named", "accept", "form"),
    [
        (None, "", Format.JSON),
        (None, "*/*", Format.JSON),
        (None, "text/csv", Format.CSV),
        (None, "text/*", Format.CSV),
        (None, "application/json;q=0.5, text/csv", Format.CSV),
        (None, "text/csv;q=0.5, application/json", Format.JSON),
        (None, "text/html, application/xhtml+xml, */*;q=0.8", Format.JSON),
        (None, "text/csv;q=0, application/json;q=0.1", Format.JSON),
        ("csv", "application/json", Format.CSV),
        (" JSON ", "text/csv", Format.JSON),
    ],
)
def test_the_form_is_the_named_one_or_the_most_wanted_there_is(named: str | None, accept: str, form: Format) -> None:
    assert chosen_format(named, accept) is form


@pytest.mark.parametrize(
    ("params", "accept"),
    [({"format": "pdf"}, ""), ({"format": ""}, ""), ({}, "application/pdf"), ({}, "text/csv;q=0")],
)
async def test_what_there_is_not_is_refused_naming_what_there_is(
    world: World, params: dict[str, str], accept: str
) -> None:
    headers = {**world.keys["admin"], **({"accept": accept} if accept else {})}
    answer = await world.client.get(REPORT, headers=headers, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")
    assert "json (application/json), csv (text/csv)" in answer.json()["detail"]


async def test_no_cell_is_taken_for_a_formula(world: World) -> None:
    async with world.databases.admin.transaction(grant_all()) as tx:
        key = '=HYPERLINK("x")'
        await tx.execute(text("UPDATE account SET key = :key WHERE account_id = :id"), {"key": key, "id": world.harbor})
        await tx.execute(text("ALTER TABLE accrual DISABLE ROW LEVEL SECURITY"))
        await tx.execute(text("DELETE FROM accrual WHERE driver <> 'dispatch_time'"))
        await tx.execute(text("UPDATE accrual SET driver = '@SUM(A1)', expected = -expected, low = -high"))
    answer = await world.get('/api/v1/accounts/=HYPERLINK("x")/report', format="csv")
    rows = table(answer)
    assert {row["account"] for row in rows} == {'\'=HYPERLINK("x")'}
    assert {row["driver"] for row in rows} == {"'@SUM(A1)"}
    assert all(row["realized"].startswith("-") for row in rows)
    assert answer.headers["content-disposition"] == 'inline; filename="value-report--HYPERLINK-x-.csv"'


async def test_a_partner_s_report_is_made_of_its_own_rows(world: World) -> None:
    await suggest(world, "eta-link", "erp-connector")
    report = (await world.get(REPORT, "tessera")).json()
    assert {row["driver"] for row in report["rows"]} == {"invoices_synced"}
    assert report["story"]["audience"] == "partner"
    assert [one["feature"] for one in report["suggestions"]] == ["erp-connector"]
    assert (report["totals"]["paid"], "harbor.example" in json.dumps(report)) == (None, False)
    assert {row["driver"] for row in table(await world.get(REPORT, "tessera", format="csv"))} == {"invoices_synced"}


async def test_it_needs_its_right_and_its_account(world: World) -> None:
    assert (await world.get(REPORT, "value-only")).status_code == 403
    assert (await world.get(f"/api/v1/accounts/{GLOBEX}/report", "tessera")).status_code == 404
    assert (await world.get(f"/api/v1/accounts/{GLOBEX}/report", format="csv")).content == (
        ",".join(COLUMNS).encode() + b"\r\n"
    )
