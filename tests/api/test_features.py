from decimal import Decimal
from typing import Any

import pytest

from tests.api.world import World

FEATURES = "/api/v1/features"


async def features(world: World, **params: Any) -> dict[str, Any]:
    answer = await world.get(FEATURES, **params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_feature_of_the_model_is_there_with_what_its_hypothesis_lacks(world: World) -> None:
    found = await features(world)
    assert [one["feature"] for one in found["features"]] == ["erp-connector", "eta-link"]
    for one in found["features"]:
        assert one["missing"] == ["outcome", "driver", "meter", "baseline"]


async def test_a_feature_has_the_value_of_its_driver_in_the_days_asked_for(world: World) -> None:
    days = {"from": "2026-01-01", "to": "2026-07-01"}
    (feature, _) = (await features(world, **days))["features"]
    assert {one["driver"] for one in feature["value"]} == {"invoices_synced"}
    value = sum(Decimal(one["expected"]) for one in feature["value"])
    rows = (await world.get("/api/v1/accounts/harbor/value", group_by="driver", **days)).json()["rows"]
    shown = sum(Decimal(one["realized"]) for one in rows if one["driver"] == "invoices_synced")
    assert value == shown > 0
    (per_use,) = feature["per_use"]
    assert Decimal(per_use["expected"]) == round(value / feature["uses"], 4)
    opened = (await world.get(f"{FEATURES}/erp-connector", **days)).json()
    assert opened["worth"] == feature
    assert [one["driver"] for one in opened["drivers"]] == ["invoices_synced"]
    assert opened["releases"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [({"from": "2026-01-01"}, 400), ({"from": "2026-02-01", "to": "2026-01-01"}, 400), ({"from": "soon"}, 400)],
)
async def test_days_that_make_no_window_are_refused(world: World, query: dict[str, str], status: int) -> None:
    for path in (FEATURES, f"{FEATURES}/erp-connector"):
        assert (await world.get(path, **query)).status_code == status


async def test_a_feature_that_is_not_in_the_model_is_not_found(world: World) -> None:
    answer = await world.get(f"{FEATURES}/no-such")
    assert answer.status_code == 404
    assert "erp-connector" in answer.json()["detail"]


@pytest.mark.parametrize("caller", ["tessera", "champion", "validator", "ingest"])
async def test_it_is_for_the_supplier(world: World, caller: str) -> None:
    for path in (FEATURES, f"{FEATURES}/erp-connector"):
        assert (await world.get(path, caller)).status_code == 403
