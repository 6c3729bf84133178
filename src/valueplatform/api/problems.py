"""Errors as RFC 9457 problems: the one place where meanings become HTTP statuses."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from valueplatform.core.errors import (
    ConflictError,
    ForbiddenError,
    InstallationError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    ProblemError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UnprocessableError,
)

MEDIA_TYPE: Final = "application/problem+json"

# The first that fits, so what is more special comes first.
_STATUSES: Final[Mapping[type[ProblemError], HTTPStatus]] = MappingProxyType(
    {
        InvalidInputError: HTTPStatus.BAD_REQUEST,
        UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
        ForbiddenError: HTTPStatus.FORBIDDEN,
        NotFoundError: HTTPStatus.NOT_FOUND,
        ConflictError: HTTPStatus.CONFLICT,
        TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        UnprocessableError: HTTPStatus.UNPROCESSABLE_ENTITY,
        UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
        OverloadedError: HTTPStatus.TOO_MANY_REQUESTS,
        InstallationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
# The framework's refusals carry our codes: the names of HTTP statuses changed with Python 3.13.
_CODES: Final[Mapping[HTTPStatus, str]] = MappingProxyType(
    {status: kind.code for kind, status in _STATUSES.items() if kind is not InstallationError}
)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="string", enc_hook=str)
_log = structlog.get_logger(__name__)


class TooSlowError(ProblemError):
    """The request did not arrive in time."""

    code = "too_slow"


def status_of(error: ProblemError) -> HTTPStatus:
    """What the error is in HTTP; 500 for a kind that no edge knows."""
    if isinstance(error, TooSlowError):
        return HTTPStatus.REQUEST_TIMEOUT
    found = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(
    status: int, code: str, message: str, extras: Mapping[str, object], headers: Mapping[str, str]
) -> Response[bytes]:
    """The answer: type, title, status and detail of RFC 9457, the stable `code`, and what the error adds."""
    title = HTTPStatus(status).phrase
    body = {**extras, "type": "about:blank", "title": title, "status": status, "detail": message, "code": code}
    return Response(_ENCODER.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers))


def answer_problem(_request: Request[Any, Any, Any], error: ProblemError) -> Response[bytes]:
    status = status_of(error)
    headers: dict[str, str] = {}
    if isinstance(error, OverloadedError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.code, error.message, error.detail, headers)


def answer_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework itself refuses: no such route, method not allowed, parameters that do not fit."""
    status = HTTPStatus(error.status_code)
    code = _CODES.get(status) or status.name.lower()
    extras = {"errors": error.extra} if error.extra and status is HTTPStatus.BAD_REQUEST else {}
    return problem(status, code, str(error.detail) or status.description, extras, error.headers or {})


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours: logged whole, told without detail."""
    _log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return problem(500, "internal", "Something went wrong on our side; it has been logged.", {}, {})


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    ProblemError: answer_problem,
    HTTPException: answer_http,
    Exception: answer_unexpected,
}
