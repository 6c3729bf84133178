from collections.abc import Sequence
from typing import Any

from litestar import Litestar, get, post
from litestar.response import Stream
from litestar.testing import AsyncTestClient

from valueplatform.api import conditional
from valueplatform.api.conditional import ConditionalReads


def an_app(body: dict[str, str]) -> Litestar:
    @get("/read")
    async def read() -> dict[str, str]:
        return body

    @get("/stream")
    async def stream() -> Stream:
        async def pieces() -> Any:
            for _ in range(4):
                yield b"x" * 1000

        return Stream(pieces())

    @get("/missing", status_code=404)
    async def missing() -> dict[str, str]:
        return body

    @post("/write", status_code=200)
    async def write() -> dict[str, str]:
        return body

    return Litestar([read, stream, missing, write], middleware=[ConditionalReads()], openapi_config=None)


async def asked(path: str, tags: Sequence[str] = ("",), body: dict[str, str] | None = None) -> list[Any]:
    async with AsyncTestClient(an_app({"a": "b"} if body is None else body)) as client:
        return [await client.get(path, headers={"if-none-match": tag} if tag else {}) for tag in tags]


async def test_what_the_reader_has_already_is_not_sent_again() -> None:
    (first,) = await asked("/read")
    tag = first.headers["etag"]
    again, weak, several, anything = await asked("/read", [tag, f"W/{tag}", f'"x", {tag}', "*"])
    for answer in (again, weak, several, anything):
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in answer.headers
        assert answer.headers.get("content-length", "0") == "0"


async def test_what_changed_is_sent_whole_under_another_tag() -> None:
    (before,) = await asked("/read")
    (after,) = await asked("/read", [before.headers["etag"]], {"a": "c"})
    assert (after.status_code, after.json()) == (200, {"a": "c"})
    assert after.headers["etag"] != before.headers["etag"]


async def test_errors_and_writes_have_no_tag() -> None:
    (missing,) = await asked("/missing", ["*"])
    assert (missing.status_code, missing.json(), "etag" in missing.headers) == (404, {"a": "b"}, False)
    async with AsyncTestClient(an_app({"a": "b"})) as client:
        written = await client.post("/write", headers={"if-none-match": "*"})
    assert (written.status_code, "etag" in written.headers) == (200, False)


async def test_an_answer_in_pieces_is_one_answer(monkeypatch: Any) -> None:
    (tagged,) = await asked("/stream")
    assert (len(tagged.content), "etag" in tagged.headers) == (4000, True)
    monkeypatch.setattr(conditional, "LARGEST", 1500)
    (passed_on,) = await asked("/stream", ["*"])
    assert (passed_on.status_code, len(passed_on.content), "etag" in passed_on.headers) == (200, 4000, False)
