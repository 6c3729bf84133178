"""The server as it is wired: what every answer says, what it refuses, and what it keeps to itself."""

import io
import json
from collections.abc import AsyncIterator

import pytest
import structlog
from litestar.testing import AsyncTestClient

from tests.api.world import HARBOR, PUBLIC_URL, Client, World, a_world
from tests.conftest import Databases, Server
from valueplatform import app as root
from valueplatform.api.security_headers import HEADERS
from valueplatform.app import LARGEST_BODY, ServerDatabases, create_app, from_environment
from valueplatform.core.database import Database, Role
from valueplatform.core.errors import InstallationError

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
OBJECTIVES = f"/api/v1/accounts/{HARBOR}/objectives"


def a_server(url: str = AWAY, public_url: str = PUBLIC_URL) -> Client:
    served = ServerDatabases(Database(url, Role.WEB), Database(url, Role.INGEST))
    return AsyncTestClient(create_app(served, public_url=public_url, disposes=True))


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with a_world(server, filled=False) as world:
        yield world


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/api/docs", 200),
        ("GET", "/api/openapi.json", 200),
        ("GET", "/api/v1/accounts", 401),
        ("GET", "/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/static/nothing", 404),
        ("DELETE", "/healthz", 405),
        ("OPTIONS", "/api/v1/accounts", 401),
        ("GET", "/readyz", 503),
    ],
)
async def test_every_answer_guards_the_browser_errors_too(method: str, path: str, status: int) -> None:
    async with a_server() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    assert "strict-transport-security" not in answer.headers


def test_the_policy_allows_nothing_unsafe() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_behind_tls_browsers_are_told_to_stay_there() -> None:
    async with a_server(public_url="https://value.example") as client:
        for path in ("/healthz", "/nothing"):
            assert (await client.get(path)).headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("PATCH", "/api/v1/accounts", 405, "method_not_allowed"),
        ("GET", "/api/v1/accounts?limit=many", 400, "invalid_input"),
        ("GET", "/api/v1/accounts", 401, "unauthenticated"),
    ],
)
async def test_what_the_framework_refuses_is_a_problem_too(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    headers = {} if status == 401 else world.keys["admin"]
    answer = await world.client.request(method, path, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_browser_that_is_lost_gets_a_page(world: World) -> None:
    answer = await world.client.get("/nothing", headers={"accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in answer.text


async def test_a_body_over_the_limit_is_refused(world: World) -> None:
    large = json.dumps({"title": "x" * LARGEST_BODY}).encode()

    headers = {**world.keys["champion"], "content-type": "application/json"}
    for announced in (str(len(large)), "10"):
        answer = await world.client.post(OBJECTIVES, content=large, headers=headers | {"content-length": announced})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"title": 1}', b"[" * 100_000, b'{"title": "\xff"}', b'{"title": "\\ud800"}']
)
async def test_a_body_that_cannot_be_read_is_the_sender_s_to_mend(world: World, body: bytes) -> None:
    headers = {**world.keys["champion"], "content-type": "application/json"}
    answer = await world.client.post(OBJECTIVES, content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_nobody_without_a_key_has_their_body_read(world: World) -> None:
    answer = await world.client.post(OBJECTIVES, content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 401


async def test_a_database_that_is_away_is_told_with_when_to_come_back() -> None:
    async with a_server() as client:
        answer = await client.get(
            "/api/v1/accounts", headers={"authorization": f"Bearer vp_admin_{'0' * 32}_{'a' * 43}"}
        )
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "2", "unavailable")


async def test_a_fault_of_ours_is_told_without_detail_and_logged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr("valueplatform.api.accounts.list_accounts", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await world.get("/api/v1/accounts")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    assert [entry["path"] for entry in logs if entry["event"] == "request failed"] == ["/api/v1/accounts"]


async def test_what_the_database_refuses_for_its_data_is_the_sender_s_to_mend(world: World) -> None:
    answer = await world.client.delete("/api/v1/rejected-events", headers=world.keys["ingest"])
    assert answer.status_code == 405
    answer = await world.send("POST", f"/api/v1/rejected-events/{10**30}/replay", "ingest")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


async def test_what_a_proxy_claims_is_not_believed(world: World) -> None:
    claims = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "forwarded": "host=evil.example"}
    for path in ("/", "/api/docs", "/nothing"):
        answer = await world.client.get(path, headers=claims, follow_redirects=False)
        assert "evil.example" not in answer.text + str(answer.headers)
        assert "strict-transport-security" not in answer.headers


def test_without_an_address_of_a_database_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(InstallationError, match="valueplatform serve"):
        from_environment()


async def test_from_the_environment_it_serves_each_role_by_its_own_login(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "_log_as_json", lambda: None)
    monkeypatch.setenv("DATABASE_URL", AWAY)
    monkeypatch.setenv("DATABASE_URL_WEB", databases.url)
    monkeypatch.setenv("VALUEPLATFORM_PUBLIC_URL", "https://value.example/")
    async with AsyncTestClient(from_environment()) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, "strict-transport-security" in answer.headers) == (200, True)


def test_logs_are_json_without_the_secret_of_any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before = structlog.get_config()
    key = f"vp_admin_{'0' * 32}_{'a' * 43}"
    try:
        root._log_as_json()
        structlog.get_logger().error("failed", header=f"Bearer {key}", exc_info=ValueError(f"refused {key}"))
    finally:
        structlog.configure(**before)
    (line,) = written.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["level"]) == ("failed", "error")
    assert f"vp_admin_{'0' * 32}_…" in entry["header"]
    assert "a" * 43 not in line
    assert "ValueError" in entry["exception"]


def test_the_wiring_is_whole_and_no_route_is_declared_twice() -> None:
    served = ServerDatabases(Database(AWAY, Role.WEB), Database(AWAY, Role.INGEST))
    paths = [route.path for route in create_app(served, public_url=PUBLIC_URL).routes]
    assert len(paths) == len(set(paths))
