"""Failures as pages, for browsers: what happened, what is safe, what to do, and a code for support.

What does not exist and what is not the reader's are told in the same words.
"""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import DBAPIError

from valueplatform.api.problems import status_of
from valueplatform.api.refused_data import DATA_EXCEPTIONS
from valueplatform.core.errors import InvalidInputError, OverloadedError, ProblemError, UnauthenticatedError
from valueplatform.core.sign_in import SIGN_IN_PATH
from valueplatform.portal.answers import Pages, nothing, see_other, wants_fragment
from valueplatform.portal.view.shell import Failure, Shell
from valueplatform.portal.view.words import Link

_HOME: Final = Link("Go to your first page", "/")
_MACHINES: Final = ("/api/", "/ingest/", "/healthz", "/readyz", "/metrics", "/static/")
_TITLES: Final = {
    HTTPStatus.NOT_FOUND: "There is no such page.",
    HTTPStatus.METHOD_NOT_ALLOWED: "There is no such page.",
    HTTPStatus.FORBIDDEN: "That was not carried out.",
    HTTPStatus.TOO_MANY_REQUESTS: "That was too often.",
    HTTPStatus.SERVICE_UNAVAILABLE: "This page cannot be read just now.",
}
_log = structlog.get_logger(__name__)
Handler = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


def page_failures(pages: Pages) -> ExceptionHandlersMap:
    """For the portal's own routes."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return answer_failure(pages, request, error)

    return {ProblemError: answer, HTTPException: answer, Exception: answer}


def failures_for(pages: Pages, otherwise: ExceptionHandlersMap) -> ExceptionHandlersMap:
    """For addresses that nobody serves: browsers get a page, machines what `otherwise` says."""

    def for_kind(other: Handler) -> Handler:
        def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
            return answer_failure(pages, request, error) if is_for_browser(request) else other(request, error)

        return answer

    return {kind: for_kind(handler) for kind, handler in otherwise.items()}


def is_for_browser(request: Request[Any, Any, Any]) -> bool:
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and not request.url.path.startswith(_MACHINES)


def answer_failure(pages: Pages, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if isinstance(error, UnauthenticatedError):
        return _to_sign_in(request)
    error = _meaning(error)
    status = _status(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, ProblemError):
        code = new_code()
        _log.error("page failed", code=code, method=request.method, path=request.url.path, exc_info=error)
        failure = Failure(
            "This page did not load.",
            "Your data and anything you typed before are safe. Try again; if it fails twice, tell your steward.",
            code,
            (Link("Try again", request.url.path if request.method == "GET" else "/"), _HOME),
        )
    else:
        failure = Failure(_TITLES.get(status, "That was not possible."), _safe(status, error), "", (_HOME,))
    html = pages.render("error.html", shell=Shell(supplier=pages.supplier, csrf=""), failure=failure)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, OverloadedError) else {}
    return Response(html, status_code=status, media_type=MediaType.HTML, headers=headers)


def new_code() -> str:
    """Six hexadecimal digits, easy to read aloud: 7F3A-19."""
    digits = secrets.token_hex(3).upper()
    return f"{digits[:4]}-{digits[4:]}"


def _to_sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    """A fragment must not become the sign-in page, and a stream must not come back again and again."""
    if request.headers.get("accept") == "text/event-stream":
        return nothing(204, {})
    if wants_fragment(request):
        return nothing(401, {"HX-Redirect": SIGN_IN_PATH})
    return see_other(SIGN_IN_PATH)


def _meaning(error: Exception) -> Exception:
    """What the database refuses for its data is the sender's to mend."""
    state = str(getattr(error.orig, "sqlstate", None) or "") if isinstance(error, DBAPIError) else ""
    if state.startswith(DATA_EXCEPTIONS):
        return InvalidInputError("A value of the request cannot be kept: a zero byte, or a number out of range.")
    return error


def _status(error: Exception) -> HTTPStatus:
    if isinstance(error, ProblemError):
        return status_of(error)
    if isinstance(error, HTTPException):
        return HTTPStatus(error.status_code)
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _safe(status: HTTPStatus, error: Exception) -> str:
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return "The address may be old, or what it shows is not for you. Nothing is lost."
    if isinstance(error, ProblemError):
        return error.message
    return "The request could not be understood. Nothing was changed."
