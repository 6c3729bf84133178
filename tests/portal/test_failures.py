"""Failures as pages: nothing of the machinery shows, everything is logged, machines get problems instead."""

import re
from typing import Any

import pytest
import structlog
from litestar import Request
from litestar.exceptions import HTTPException
from litestar.testing import RequestFactory

from tests.portal.browsers import Browser, Portal
from valueplatform.api.security_headers import HEADERS
from valueplatform.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from valueplatform.portal.answers import Pages
from valueplatform.portal.failures import answer_failure, is_for_browser, new_code
from valueplatform.portal.templating import environment

PAGES = Pages(environment())


def request(path: str = "/story", **headers: str) -> Request[Any, Any, Any]:
    return RequestFactory().get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (NotFoundError("There is no account 'globex'."), 404, "There is no such page."),
        (HTTPException(status_code=404, detail="secret path"), 404, "There is no such page."),
        (HTTPException(status_code=405), 405, "There is no such page."),
        (ForbiddenError("Only a validator may."), 403, "Only a validator may."),
        (InvalidInputError("Write a number."), 400, "Write a number."),
        (ConflictError("Settled already."), 409, "Settled already."),
        (UnavailableError("Try again shortly.", retry_after=2), 503, "Try again shortly."),
    ],
)
def test_what_can_be_mended_says_how(error: Exception, status: int, says: str) -> None:
    answer = answer_failure(PAGES, request(), error)

    assert answer.status_code == status
    assert says in answer.content
    assert "globex" not in answer.content
    assert "secret" not in answer.content


def test_a_database_that_is_away_says_when_to_come_back() -> None:
    answer = answer_failure(PAGES, request(), UnavailableError("Away.", retry_after=2))

    assert answer.headers["Retry-After"] == "2"


def test_a_fault_of_ours_has_a_code_that_the_log_has_too() -> None:
    with structlog.testing.capture_logs() as logs:
        answer = answer_failure(PAGES, request(), RuntimeError("the secret cause"))
    (code,) = re.findall(r"<code>([0-9A-F]{4}-[0-9A-F]{2})</code>", answer.content)

    assert answer.status_code == 500
    assert "secret" not in answer.content
    assert [entry["code"] for entry in logs] == [code]
    assert len({new_code() for _ in range(100)}) > 90


@pytest.mark.parametrize(
    ("path", "accept", "page"),
    [
        ("/story", "text/html,application/xhtml+xml", True),
        ("/story", "*/*", False),
        ("/story", "application/json", False),
        ("/api/v1/accounts", "text/html", False),
        ("/ingest/segment/v1/batch", "text/html", False),
        ("/metrics", "text/html", False),
        ("/static/nothing.js", "text/html", False),
        ("/apiary", "text/html", True),
    ],
)
def test_browsers_get_pages_and_machines_problems(path: str, accept: str, *, page: bool) -> None:
    assert is_for_browser(request(path, accept=accept)) is page


async def test_a_page_that_fails_says_so_and_the_rest_goes_on(
    portal: Portal, customer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret cause")

    with monkeypatch.context() as patched:
        patched.setattr("valueplatform.portal.story.shell_and_story", broken)
        answer = await customer.get("/story")
    assert answer.status_code == 500
    assert "This page did not load." in answer.text
    assert "secret" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    assert (await customer.get("/story")).status_code == 200


async def test_an_error_page_carries_the_supplier_s_name(portal: Portal, customer: Browser) -> None:
    await customer.get("/story")

    assert "Fieldnote" in (await customer.get("/nothing-here")).text


async def test_what_the_database_refuses_for_its_data_is_the_sender_s_to_mend(customer: Browser) -> None:
    for path in ("/proof/%00", "/together/99999999999999999999", "/story?aside=%00"):
        assert (await customer.get(path)).status_code in {200, 400, 404}, path
