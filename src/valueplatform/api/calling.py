"""Who calls: a machine with its key, and the account that it asks for."""

from collections.abc import Sequence

from litestar import Request
from litestar.datastructures import State
from litestar.di import Provide

from valueplatform.accounts.accounts import Account, account_by_key
from valueplatform.accounts.people import as_person
from valueplatform.core.authorization import Action, KeyPrincipal, require, scope_of
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import UnauthenticatedError
from valueplatform.core.keys import KeyRing

ApiRequest = Request[None, None, State]


class Gate:
    """Lets callers in: checks keys, and opens accounts that are in their scope."""

    def __init__(self, web: Database, keys: KeyRing, clock: Clock) -> None:
        self.web = web
        self.keys = keys
        self.clock = clock

    async def caller(self, request: ApiRequest) -> KeyPrincipal:
        """Raises UnauthenticatedError without a valid key."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not bearer:
            raise UnauthenticatedError("Send a key as `Authorization: Bearer …`; `valueplatform key create` makes one.")
        principal = await self.keys.principal(bearer.strip())
        if principal.person is None:
            return principal
        async with self.web.transaction(scope_of(principal)) as tx:
            named = await as_person(tx, principal)
        return named if isinstance(named, KeyPrincipal) else principal


async def open_account(tx: Transaction, caller: KeyPrincipal, key: str, *actions: Action) -> Account:
    """The account, once the caller may do all of `actions`. Raises ForbiddenError, NotFoundError."""
    for action in actions:
        require(caller, action)
    return await account_by_key(tx, key)


def provided(gate: Gate) -> dict[str, Provide]:
    """What handlers of the API take by name."""

    async def provide_caller(request: ApiRequest) -> KeyPrincipal:
        return await gate.caller(request)

    def provide_gate() -> Gate:
        return gate

    return {"caller": Provide(provide_caller), "gate": Provide(provide_gate, sync_to_thread=False)}


def groups_of(text: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """A comma list of a query, without blanks and repeats."""
    if text is None:
        return tuple(default)
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
