"""One family of errors, named by meaning. Only the edges turn them into HTTP answers or exit codes."""

from collections.abc import Mapping
from typing import ClassVar


class ProblemError(Exception):
    """Something that a caller can mend.

    `code` is stable and machine-readable; the message names the thing, the place and the cure.
    `detail` may carry further machine-readable fields (index of an event, key of a file, …).
    """

    code: ClassVar[str] = "problem"

    def __init__(self, message: str, detail: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail: Mapping[str, object] = dict(detail or {})


class InvalidInputError(ProblemError):
    """The input cannot be understood; sending it again unchanged will fail again."""

    code = "invalid_input"


class NotFoundError(ProblemError):
    """There is no such thing in the caller's scope; whether it exists elsewhere is not said."""

    code = "not_found"


class ConflictError(ProblemError):
    """The request contradicts what is already recorded."""

    code = "conflict"


class ForbiddenError(ProblemError):
    """The caller is known, and may not do this."""

    code = "forbidden"


class UnauthenticatedError(ProblemError):
    """The caller is not known."""

    code = "unauthenticated"


class UnprocessableError(ProblemError):
    """Understood, and impossible by the rules of value; the message says which rule."""

    code = "unprocessable"


class TooLargeError(ProblemError):
    """Over a stated limit."""

    code = "too_large"


class OverloadedError(ProblemError):
    """Not now. `retry_after` is in seconds."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, {"retry_after": retry_after})
        self.retry_after = retry_after


class UnavailableError(OverloadedError):
    """The database cannot be reached at present."""

    code = "unavailable"


class InstallationError(ProblemError):
    """This installation cannot run as it is; `valueplatform doctor` says more."""

    code = "installation"
