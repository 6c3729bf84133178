"""What the database refuses for its data is the caller's to mend, not a fault of ours.

Handlers check what they are given; this is the net beneath them.
"""

from typing import Any, Final

from litestar import Request, Response
from sqlalchemy.exc import DBAPIError

from valueplatform.api.problems import answer_problem, answer_unexpected
from valueplatform.core.errors import InvalidInputError

DATA_EXCEPTIONS: Final = "22"
"""The class of SQLSTATE for values that cannot be: a zero byte, a number or a time out of range."""


def answer_refused_data(request: Request[Any, Any, Any], error: DBAPIError) -> Response[bytes]:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if not state.startswith(DATA_EXCEPTIONS):
        return answer_unexpected(request, error)
    return answer_problem(
        request,
        InvalidInputError("A value of the request cannot be kept: a zero byte, or a number or a time out of range."),
    )
