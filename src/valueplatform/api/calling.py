"""Who calls: a machine with its key, and the account that it asks for."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.params import PathParameter
from litestar.types import Guard

from valueplatform.accounts.accounts import Account, account_by_key
from valueplatform.accounts.consents import held_to_consent
from valueplatform.accounts.people import as_person
from valueplatform.core.authorization import Action, KeyPrincipal, Side, require, scope_of
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import InvalidInputError, UnauthenticatedError
from valueplatform.core.keys import KeyRing

ApiRequest = Request[None, KeyPrincipal, State]
Connection = ASGIConnection[Any, Any, Any, Any]

_CALLER = "valueplatform.caller"
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


class ExactRequest(ApiRequest):
    """A request whose JSON numbers come as they were written, never through a float."""

    async def json(self) -> Any:
        """Raises InvalidInputError for what is no JSON."""
        try:
            return _DECODER.decode(await self.body() or b"null")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInputError(f"The body cannot be read as JSON: {error}.") from error


class Gate:
    """Lets callers in: checks keys, and knows the database in the role that sees a caller's accounts only."""

    def __init__(self, web: Database, keys: KeyRing, clock: Clock) -> None:
        self.web = web
        self.keys = keys
        self.clock = clock

    async def caller(self, connection: Connection) -> KeyPrincipal:
        """Who sent the request. Raises UnauthenticatedError without a valid key."""
        known = connection.scope["state"].get(_CALLER)
        if not isinstance(known, KeyPrincipal):
            known = await self.holder(_bearer(connection.headers.get("authorization", "")))
            connection.scope["state"][_CALLER] = known
        return known

    async def holder(self, key: str) -> KeyPrincipal:
        """Whose key this is, wherever a request carried it. Raises UnauthenticatedError where it is not valid."""
        principal = await self.keys.principal(key)
        if principal.side is Side.SUPPLIER:
            return principal
        async with self.web.transaction(scope_of(principal)) as tx:
            if principal.side is Side.PARTNER:
                return await held_to_consent(tx, principal)
            named = await as_person(tx, principal)
        return named if isinstance(named, KeyPrincipal) else principal


def _bearer(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise UnauthenticatedError("Send a key as `Authorization: Bearer …`; `valueplatform key create` makes one.")
    return key.strip()


Caller = NamedDependency[KeyPrincipal]
OpenGate = NamedDependency[Gate]
AccountKey = Annotated[str, PathParameter(description="The account's key, as the supplier chose it.")]


def known_callers_only(gate: Gate) -> Guard:
    """Refuses a request without a valid key before anything else of it is read."""

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        await gate.caller(connection)

    return guard


def provided(gate: Gate) -> dict[str, Provide]:
    """What handlers of the API take by name."""

    async def provide_caller(request: ApiRequest) -> KeyPrincipal:
        return await gate.caller(request)

    def provide_gate() -> Gate:
        return gate

    return {"caller": Provide(provide_caller), "gate": Provide(provide_gate, sync_to_thread=False)}


async def open_account(tx: Transaction, caller: KeyPrincipal, key: str, *actions: Action) -> Account:
    """The account, once the caller may do all of `actions`. Raises ForbiddenError, NotFoundError."""
    for action in actions:
        require(caller, action)
    return await account_by_key(tx, key)


def partner_of(caller: KeyPrincipal) -> str | None:
    """The provider whose part a partner is kept to (value rule 19); None for everybody else."""
    return caller.provider if caller.side is Side.PARTNER else None


def groups_of(text: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """A comma list of a query, without blanks and repeats."""
    if text is None:
        return tuple(default)
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
