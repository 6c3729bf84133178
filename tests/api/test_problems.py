import json
from decimal import Decimal

import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from valueplatform.api.problems import EXCEPTION_HANDLERS, TooSlowError, status_of
from valueplatform.core import errors
from valueplatform.core.errors import ProblemError


def everything_below(kind: type[ProblemError]) -> set[type[ProblemError]]:
    return {kind}.union(*(everything_below(child) for child in kind.__subclasses__()))


def made(kind: type[ProblemError]) -> ProblemError:
    if issubclass(kind, errors.OverloadedError):
        return kind("Not now.", retry_after=3)
    return kind("Because.")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidInputError, 400),
        (errors.UnauthenticatedError, 401),
        (errors.ForbiddenError, 403),
        (errors.NotFoundError, 404),
        (TooSlowError, 408),
        (errors.ConflictError, 409),
        (errors.TooLargeError, 413),
        (errors.UnprocessableError, 422),
        (errors.OverloadedError, 429),
        (errors.UnavailableError, 503),
        (errors.InstallationError, 500),
        (ProblemError, 500),
    ],
)
def test_every_meaning_has_its_status(kind: type[ProblemError], status: int) -> None:
    assert status_of(made(kind)) == status


def test_every_error_of_the_core_has_been_thought_of() -> None:
    core = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ProblemError)]
    unknown = {kind for kind in core if status_of(made(kind)) == 500}
    assert unknown == {ProblemError, errors.InstallationError}


def answer(error: Exception) -> tuple[int, dict[str, str], dict[str, object]]:
    @get("/", sync_to_thread=False)
    def fail() -> None:
        raise error

    with TestClient(Litestar([fail], exception_handlers=EXCEPTION_HANDLERS), raise_server_exceptions=False) as client:
        response = client.get("/")
    return response.status_code, dict(response.headers), json.loads(response.content)


def test_a_problem_is_written_as_the_standard_says() -> None:
    detail = {"index": 3, "amount": Decimal("1.50"), "status": "never this"}
    status, headers, body = answer(errors.ConflictError("This contradicts that.", detail))
    assert (status, headers["content-type"]) == (409, "application/problem+json")
    assert body == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "This contradicts that.",
        "code": "conflict",
        "index": 3,
        "amount": "1.50",
    }


def test_who_should_come_back_is_told_when() -> None:
    for error, status in (
        (errors.OverloadedError("Full.", retry_after=2), 429),
        (errors.UnavailableError("Away.", retry_after=2), 503),
    ):
        found, headers, body = answer(error)
        assert (found, headers["retry-after"], body["retry_after"]) == (status, "2", 2)


def test_a_fault_of_ours_tells_nothing_about_itself() -> None:
    status, headers, body = answer(RuntimeError("the secret of the house"))
    assert (status, headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in json.dumps(body)
