import gzip
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from valueplatform.api.problems import EXCEPTION_HANDLERS
from valueplatform.portal.static_files import A_DAY, ASK_AGAIN, FOREVER, read_folder, static_handler
from valueplatform.portal.templating import STATIC, asset

BODY = b"body { color: red }\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "app.css").write_bytes(BODY)
    (tmp_path / "deep" / "packed.js").write_bytes(BODY)
    (tmp_path / "deep" / "packed.js.br").write_bytes(b"brotli")
    (tmp_path / "deep" / "packed.js.gz").write_bytes(b"gzipped")
    (tmp_path / "letters.woff2").write_bytes(BODY)
    (tmp_path / ".built-from").write_text("secret")
    (tmp_path.parent / "outside.txt").write_text("outside")
    return tmp_path


async def ask(folder: Path, path: str, **headers: str) -> Any:
    app = Litestar([static_handler(read_folder(folder))], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)
    async with AsyncTestClient(app) as client:
        return await client.get(
            path, headers={"accept-encoding": "", **{k.replace("_", "-"): v for k, v in headers.items()}}
        )


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br ; q=0.0, gzip;q=0", None),
        ("zstd", None),
    ],
)
async def test_the_best_packing_that_the_reader_takes_is_sent(folder: Path, accepted: str, coding: str | None) -> None:
    files = read_folder(folder)
    assert set(files["deep/packed.js"].bodies) == {"", "br", "gzip"}
    # The bodies beside it are no real archives, so the client must not unpack them.
    app = Litestar([static_handler(files)], openapi_config=None)
    async with (
        AsyncTestClient(app) as client,
        client.stream("GET", "/static/deep/packed.js", headers={"accept-encoding": accepted}) as answer,
    ):
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert raw == files["deep/packed.js"].bodies[coding or ""]
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_what_has_no_packed_sibling_is_packed_once_and_the_same_every_time(folder: Path) -> None:
    first, second = read_folder(folder)["app.css"], read_folder(folder)["app.css"]
    assert first == second
    assert gzip.decompress(first.bodies["gzip"]) == BODY
    assert len(first.bodies["gzip"]) < len(BODY) / 10


async def test_an_address_with_the_digest_may_be_kept_forever(folder: Path) -> None:
    digest = read_folder(folder)["app.css"].digest[:12]
    assert (await ask(folder, f"/static/app.css?v={digest}")).headers["cache-control"] == FOREVER
    assert (await ask(folder, "/static/app.css?v=000000000000")).headers["cache-control"] == ASK_AGAIN
    assert (await ask(folder, "/static/app.css")).headers["cache-control"] == ASK_AGAIN
    assert (await ask(folder, "/static/letters.woff2")).headers["cache-control"] == A_DAY


async def test_what_the_reader_has_is_not_sent_again(folder: Path) -> None:
    first = await ask(folder, "/static/app.css")
    again = await ask(folder, "/static/app.css", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert first.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.css",
        "/static/.built-from",
        "/static/deep/packed.js.br",
        "/static/../outside.txt",
        "/static/%2e%2e/outside.txt",
        "/static/..%2foutside.txt",
        "/static//etc/passwd",
        "/static/deep",
        "/static/a%00b",
    ],
)
async def test_nothing_else_can_be_reached(folder: Path, path: str) -> None:
    answer = await ask(folder, path)
    assert (answer.status_code, "outside" in answer.text.replace("outside.txt", "")) == (404, False)


async def test_the_addresses_that_pages_carry_are_served_and_kept() -> None:
    app = Litestar([static_handler(read_folder(STATIC))], openapi_config=None)
    async with AsyncTestClient(app) as client:
        for name in ("app.css", "tokens.css", "theme.js"):
            answer = await client.get(asset(name))
            assert (answer.status_code, answer.headers["cache-control"]) == (200, FOREVER)
