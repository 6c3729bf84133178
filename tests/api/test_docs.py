import json
import re
from typing import Any

from tests.api.world import World
from valueplatform.api.docs import docs_of, marked, type_text


async def described(world: World) -> dict[str, Any]:
    answer = await world.client.get("/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, Any] = answer.json()
    return document


async def test_the_description_is_openapi_3_1_and_tells_how_to_sign_in(bare_world: World) -> None:
    document = await described(bare_world)
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert document["security"] == [{"key": []}]


WRITES_NOTHING = frozenset({"/api/v1/estimate"})
"""Asked by POST, since the question is long."""


async def test_every_operation_says_what_it_does_and_what_may_go_wrong(bare_world: World) -> None:
    document = await described(bare_world)
    tags = {tag["name"] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert set(operation["tags"]) <= tags, where
            if path.startswith("/api/v1") and "events" not in path:
                assert {"401", "403", "503"} <= operation["responses"].keys(), where
                for status, answer in operation["responses"].items():
                    if status >= "400":
                        assert list(answer["content"]) == ["application/problem+json"], f"{where} {status}"
                writes = method != "get" and path not in WRITES_NOTHING
                assert not writes or "409" in operation["responses"], where
            elif path.startswith("/ingest"):
                assert operation["requestBody"]["content"], where
                assert "401" in operation["responses"], where
            elif not path.startswith("/api"):
                assert operation["security"] == [{}], where


async def test_every_reference_leads_somewhere(bare_world: World) -> None:
    document = await described(bare_world)
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= document["components"]["schemas"].keys()


async def test_the_page_reads_without_a_script_and_without_another_server(bare_world: World) -> None:
    answer = await bare_world.client.get("/api/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = answer.text
    assert "<script" not in page
    assert "style=" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    for sheet in re.findall(r'<link rel="stylesheet" href="([^"]+)"', page):
        assert (await bare_world.client.get(sheet)).status_code == 200


async def test_the_page_shows_every_operation_and_every_shape(bare_world: World) -> None:
    document, page = await described(bare_world), (await bare_world.client.get("/api/docs")).text
    anchors = set(re.findall(r'<article id="([^"]+)"', page))
    ids = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert anchors == ids
    assert set(re.findall(r'href="#([A-Z][^"]+)"', page)) == ids
    for name in document["components"]["schemas"]:
        assert f"<h3><code>{name}</code></h3>" in page


def test_marks_become_markup_and_nothing_else_does() -> None:
    assert str(marked("a `b` **c**\n\n<script>`<i>`")) == (
        "<p>a <code>b</code> <strong>c</strong></p><p>&lt;script&gt;<code>&lt;i&gt;</code></p>"
    )
    assert str(marked(" ")) == ""


def test_types_are_told_in_words() -> None:
    assert type_text({"oneOf": [{"type": "string", "format": "date"}, {"type": "null"}]}) == "date or null"
    assert type_text({"type": "array", "items": {"$ref": "#/components/schemas/Row"}}) == "list of Row"
    assert type_text({"type": "object", "additionalProperties": {"type": "string"}}) == "map to string"
    assert type_text({"enum": ["a", "b"]}) == "a | b"
    assert type_text({"type": ["string", "null"]}) == "string or null"
    assert type_text({}) == "anything"


def test_what_nobody_serves_has_no_chapter() -> None:
    info = {"title": "T", "version": "1"}
    assert docs_of({"info": info, "tags": [{"name": "Empty"}], "paths": {}}).chapters == []
