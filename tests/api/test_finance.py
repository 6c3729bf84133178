"""Finance and exchange rates over HTTP: exact, for whoever may see every account, and open to the last contract."""

from decimal import Decimal
from typing import Any

import pytest

from tests.api.world import World
from tests.stewardship.finance_world import put_contracts, put_costs
from valueplatform.core.authorization import KeyKind
from valueplatform.stewardship.finance_definitions import DEFINITIONS, Metric

EURO = {"currency": "EUR", "day": "2025-01-01", "rate": "1.0823", "source": "ECB"}


@pytest.fixture
async def paying(own_world: World) -> World:
    await put_contracts(own_world.databases, "harbor c 2025-01-01 - 100 month", "globex c 2025-08-01 - 1200 year")
    await put_costs(
        own_world.databases, "harbor internal 2025-07 50", "- service 2025-07 10", "- acquisition 2025-07 90"
    )
    return own_world


def by_name(answer: Any) -> dict[str, Any]:
    return {one["metric"]: one for one in answer.json()["measures"]}


async def test_every_measure_comes_with_its_definition_as_decimal_text(paying: World) -> None:
    answer = await paying.get("/api/v1/finance")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["from"], body["to"], body["currency"]) == ("2025-06-01", "2026-06-01", "USD")
    measures = by_name(answer)
    assert list(measures) == [metric.value for metric in Metric]
    assert measures["nrr"]["value"] == "1.0000"
    assert measures["nrr"]["formula"] == DEFINITIONS[Metric.NRR].formula
    assert measures["cac"]["value"] == "90.0000"
    assert measures["ltv"] | {"value": None} == measures["ltv"]
    assert measures["ltv"]["reason"] == "small-cohort"
    assert measures["ltv"]["says"].startswith("Fewer than 5 accounts")


async def test_what_the_customer_got_for_a_dollar_is_what_the_value_read_counts_over_what_it_put_in(
    paying: World,
) -> None:
    one = by_name(await paying.get("/api/v1/finance"))["value-per-dollar"]
    value = (await paying.get("/api/v1/accounts/harbor/value", **{"from": "2025-06-01", "to": "2026-06-01"})).json()
    assert one["parts"]["value_paid_for"] == value["totals"]["counted"]
    assert Decimal(value["totals"]["counted"]) > 0
    assert one["parts"]["internal"] == "50.0000"


async def test_a_measure_opens_to_contracts_and_is_recomputed(paying: World) -> None:
    opened = (await paying.get("/api/v1/finance/recurring-revenue")).json()
    assert (opened["measure"]["value"], opened["recomputed"], opened["agrees"]) == ("200.0000", "200.0000", True)
    globex, harbor = opened["accounts"]["items"]
    assert [one["contract_id"] for one in harbor["contracts"]] == ["c"]
    assert globex["parts"] == {"recurring": "100.0000"}
    assert "account_id" not in str(opened)
    page = (await paying.get("/api/v1/finance/recurring-revenue", limit=1)).json()["accounts"]
    rest = await paying.get("/api/v1/finance/recurring-revenue", limit=1, cursor=page["next_cursor"])
    assert [one["account"] for one in rest.json()["accounts"]["items"]] == ["harbor"]


async def test_what_has_not_changed_is_not_sent_again(paying: World) -> None:
    first = await paying.get("/api/v1/finance")
    headers = {**paying.keys["admin"], "if-none-match": first.headers["etag"]}
    assert (await paying.client.get("/api/v1/finance", headers=headers)).status_code == 304
    await put_costs(paying.databases, "- acquisition 2025-09 1")
    assert (await paying.client.get("/api/v1/finance", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"from": "2026-06-01", "to": "2026-06-01"}, 400),
        ({"to": "2027-01-01"}, 400),
        ({"from": "soon"}, 400),
        ({"by": "WEEK"}, 400),
        ({"segment": "space"}, 404),
    ],
)
async def test_what_cannot_be_asked_says_why(paying: World, asked: dict[str, str], status: int) -> None:
    answer = await paying.get("/api/v1/finance", **asked)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_a_measure_that_is_none_is_not_there(paying: World) -> None:
    assert (await paying.get("/api/v1/finance/magic")).status_code in {400, 404}


async def test_a_key_of_some_accounts_is_refused_whatever_its_kind(paying: World) -> None:
    some = await paying.make_key(KeyKind.ADMIN, "some", [paying.harbor])
    partner = await paying.make_key(KeyKind.PARTNER, "all", None, provider="tessera")
    for key, missing in ((some, "all"), (partner, "finance:read")):
        for path in ("/api/v1/finance", "/api/v1/finance/cac"):
            answer = await paying.client.get(path, headers={"authorization": f"Bearer {key}"})
            assert (answer.status_code, answer.json()["missing"]) == (403, missing)


async def test_a_rate_is_said_once_kept_with_its_author_and_listed(paying: World) -> None:
    for _ in range(2):
        answer = await paying.send("POST", "/api/v1/exchange-rates", "admin", EURO, **{"Idempotency-Key": "r1"})
        assert answer.status_code == 201
    later = {**EURO, "rate": "1.09"}
    assert (await paying.send("POST", "/api/v1/exchange-rates", "admin", later)).status_code == 201
    listed = (await paying.get("/api/v1/exchange-rates")).json()
    assert [Decimal(one["rate"]["rate"]) for one in listed] == [Decimal("1.0823"), Decimal("1.09")]
    assert listed[0]["author"] == "key admin"


@pytest.mark.parametrize(
    "change",
    [
        {"rate": "0"},
        {"rate": "NaN"},
        {"rate": "1e-10"},
        {"currency": "USD"},
        {"currency": "???"},
        {"source": ""},
        {"why": "x"},
    ],
)
async def test_what_cannot_be_a_rate_is_refused(paying: World, change: dict[str, str]) -> None:
    answer = await paying.send("POST", "/api/v1/exchange-rates", "admin", EURO | change)
    assert answer.status_code == 400
