import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from tests.api.world import HARBOR, World
from tests.telemetry.factories import cloud_event
from valueplatform.core.scope import grant_all


async def counts(world: World, family: str) -> dict[tuple[str, ...], float]:
    answer = await world.client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=1.0.0; charset=utf-8"
    found = {one.name: one for one in text_string_to_metric_families(answer.text)}
    return {tuple(s.labels.values()): s.value for s in found[family].samples if s.name.endswith(("_total", "_count"))}


async def test_it_lives_and_is_ready(bare_world: World) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await bare_world.client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "statement",
    ["UPDATE alembic_version SET version_num = 'older'", "DELETE FROM alembic_version", "DROP TABLE alembic_version"],
)
async def test_a_database_in_another_schema_is_not_ready_and_the_cure_is_named(
    bare_world: World, statement: str
) -> None:
    async with bare_world.databases.admin.transaction(grant_all()) as tx:
        await tx.execute(text(statement))
    answer = await bare_world.client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "valueplatform db upgrade" in answer.json()["detail"]
    assert (await bare_world.client.get("/healthz")).status_code == 200


async def test_requests_are_counted_by_route_never_by_account_or_key(bare_world: World) -> None:
    await bare_world.get(f"/api/v1/accounts/{HARBOR}")
    await bare_world.get("/api/v1/accounts/nobody")
    await bare_world.client.get("/nothing/at/all")
    await bare_world.client.request("BREW", "/healthz")
    found = await counts(bare_world, "valueplatform_http_requests")
    route = "/api/v1/accounts/{key}"
    assert (found["GET", route, "200"], found["GET", route, "404"], found["GET", "(none)", "404"]) == (1, 1, 1)
    assert [labels for labels in found if labels[0] == "other"]
    said = (await bare_world.client.get("/metrics")).text
    assert HARBOR not in said
    assert "nobody" not in said
    assert "vp_" not in said
    seconds = await counts(bare_world, "valueplatform_http_request_seconds")
    assert seconds["GET", route] == 2


async def test_events_are_counted_by_what_became_of_them(bare_world: World) -> None:
    event = cloud_event(account=HARBOR, time="2026-06-01T10:00:00Z", id="1")
    batch = [event, event, event | {"data": {}}, event | {"id": "2", "time": "soon"}]
    answer = await bare_world.send(
        "POST", "/api/v1/events", "ingest", batch, **{"content-type": "application/cloudevents-batch+json"}
    )
    assert answer.status_code == 200
    assert await counts(bare_world, "valueplatform_events") == {
        ("stored",): 1,
        ("duplicates",): 1,
        ("conflicts",): 1,
        ("rejected",): 1,
    }
