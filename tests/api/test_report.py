import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.test_contributions import consent, report
from tests.api.world import GLOBEX, HARBOR, World, suggest
from tests.value.factories import put_model
from tests.value.three_parties import JOINT_DRIVER, JOINTLY, agree_on, validate_joint
from valueplatform.api.report import chosen_format
from valueplatform.core.scope import grant_all
from valueplatform.narrative.report import COLUMNS, PARTNER_COLUMNS, Format

REPORT = f"/api/v1/accounts/{HARBOR}/report"


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


async def shared_with_tessera(world: World) -> None:
    """A joint driver whose split is agreed on, and a contribution that nobody corroborated."""
    await put_model(world.databases, JOINTLY)
    await validate_joint(world.databases, world.harbor)
    await world.refresh(world.harbor)
    await agree_on(world.databases, world.harbor, "0.3", "0.5", date(2026, 5, 4))
    await consent(world)
    assert (await report(world))[0] == 201


async def test_json_holds_the_value_read_by_driver_and_month_the_story_and_suggestions(world: World) -> None:
    await suggest(world, "erp-connector")
    document = (await world.get(REPORT)).json()
    value = (await world.get(f"/api/v1/accounts/{HARBOR}/value", window="MONTH")).json()
    assert {name: document[name] for name in value} == value
    assert document["story"] == (await world.get(f"/api/v1/accounts/{HARBOR}/story")).json()
    advice = (await world.get(f"/api/v1/accounts/{HARBOR}/suggestions")).json()
    assert document["suggestions"] == advice["items"]
    assert len(advice["items"]) == 1


async def test_csv_holds_one_line_a_row(world: World) -> None:
    answer = await world.get(REPORT, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'inline; filename="value-report-harbor.csv"'
    assert answer.content.startswith(",".join(COLUMNS).encode() + b"\r\n")
    document = (await world.get(REPORT)).json()
    assert [(row["driver"], row["realized"]) for row in table(answer)] == [
        (row["driver"], row["realized"]) for row in document["rows"]
    ]


async def test_summing_a_column_of_the_csv_gives_the_totals_of_the_value_read(world: World) -> None:
    await shared_with_tessera(world)
    totals = (await world.get(f"/api/v1/accounts/{HARBOR}/value")).json()["totals"]
    lines = [row for row in table(await world.get(REPORT, format="csv")) if row["unit"] == "USD"]
    money = [row for row in lines if row["benefit_class"] != "strategic"]
    for column in ("realized", "counted"):
        assert sum(Decimal(row[column]) for row in money) == Decimal(totals[column]) != 0


async def test_what_partners_report_and_agreed_splits_are_a_table_of_their_own(world: World) -> None:
    await shared_with_tessera(world)
    answer = await world.get(REPORT, format="csv", part="partners")
    assert answer.content.startswith(",".join(PARTNER_COLUMNS).encode() + b"\r\n")
    contribution, split = table(answer)
    assert (contribution["kind"], contribution["state"], contribution["reported"]) == (
        "contribution", "partner-reported", "40.0000",
    )  # fmt: skip
    assert (split["kind"], split["driver"], split["since"]) == ("split", JOINT_DRIVER, "2026-05-04")
    assert (Decimal(split["share"]), Decimal(split["supplier_share"])) == (Decimal("0.3"), Decimal("0.5"))
    assert (await world.get(REPORT, part="partners")).status_code == 400
    assert (await world.get(REPORT, format="csv", part="neither")).status_code == 400


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
    document = (await world.get(REPORT, "tessera")).json()
    assert {row["driver"] for row in document["rows"]} == {"invoices_synced"}
    assert document["story"]["audience"] == "partner"
    assert [one["feature"] for one in document["suggestions"]] == ["erp-connector"]
    assert (document["totals"]["paid"], "harbor.example" in json.dumps(document)) == (None, False)
    assert {row["driver"] for row in table(await world.get(REPORT, "tessera", format="csv"))} == {"invoices_synced"}


async def test_it_needs_its_right_and_its_account(world: World) -> None:
    assert (await world.get(REPORT, "value-only")).status_code == 403
    assert (await world.get(f"/api/v1/accounts/{GLOBEX}/report", "tessera")).status_code == 404
    assert (await world.get(f"/api/v1/accounts/{GLOBEX}/report", format="csv")).content == (
        ",".join(COLUMNS).encode() + b"\r\n"
    )
