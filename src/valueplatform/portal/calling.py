"""Who calls: a browser with its session, looked up anew for every request, and the account whose pages it asks for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from litestar import Request
from litestar.datastructures import State
from litestar.params import FromPath

from valueplatform.accounts.accounts import Account, account_by_id, account_by_key
from valueplatform.accounts.consents import held_to_consent
from valueplatform.accounts.people import as_person
from valueplatform.core.authorization import Action, Side, UserPrincipal, UserRole, may, require, scope_of
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import NotFoundError, UnauthenticatedError
from valueplatform.core.scope import no_accounts
from valueplatform.core.sessions import Session, cookie_form, require_csrf, session_of
from valueplatform.portal.origin import require_own_origin

PortalRequest = Request[Any, Any, State]

CSRF_FIELD: Final = "_csrf"
CSRF_HEADER: Final = "x-csrf-token"
Key = FromPath[str | None]
"""Of the account, in an address of `both`; None on the customer's own pages."""
_READS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, within the one transaction of a request. `user` has the role of today in the account."""

    tx: Transaction
    user: UserPrincipal
    session: Session
    now: datetime

    def may(self, action: Action) -> bool:
        return may(self.user, action)

    def require(self, action: Action) -> None:
        require(self.user, action)


@dataclass(frozen=True, slots=True)
class Place:
    """The pages of one account: at the root for its own people, below `/accounts/KEY` for the supplier's."""

    account: Account
    base: str

    @property
    def is_own(self) -> bool:
        return not self.base

    def path(self, rest: str) -> str:
        return f"{self.base}{rest}"


class Door:
    """Lets browsers in. One request is one transaction in the web role, in the scope of whoever is signed in."""

    def __init__(self, web: Database, clock: Clock, public_url: str) -> None:
        self.web = web
        self.clock = clock
        self.public_url = public_url
        self.cookie = cookie_form(public_url)

    def cookie_of(self, request: PortalRequest) -> str | None:
        return request.cookies.get(self.cookie.name) or None

    async def session(self, cookie: str | None) -> Session:
        """Raises UnauthenticatedError where nobody is signed in."""
        if cookie is not None:
            async with self.web.transaction(no_accounts()) as tx:
                found = await session_of(tx, cookie, self.clock)
            if found is not None:
                return found
        raise UnauthenticatedError("Sign in to see this page.")

    @asynccontextmanager
    async def entered(self, request: PortalRequest, *, steady: bool = False) -> AsyncIterator[Caller]:
        """The caller of a request. What may change something must come from a page of this very session.

        `steady`: all that is read is of one moment, whatever is committed meanwhile. Raises UnauthenticatedError,
        ForbiddenError.
        """
        session = await self.session(self.cookie_of(request))
        if request.method not in _READS:
            require_own_origin(request.headers, self.public_url)
            require_csrf(session, await sent_token(request))
        async with self.opened(session, steady=steady) as caller:
            yield caller

    @asynccontextmanager
    async def opened(self, session: Session, *, steady: bool = False) -> AsyncIterator[Caller]:
        person = session.user
        if person.side is Side.PARTNER:
            async with self.web.transaction(scope_of(person)) as tx:
                person = await held_to_consent(tx, person)
        async with self.web.transaction(scope_of(person), steady=steady) as tx:
            known = await as_person(tx, person)
            user = known if isinstance(known, UserPrincipal) else person
            yield Caller(tx, user, session, self.clock())


async def sent_token(request: PortalRequest) -> str | None:
    """From the header that scripts send, else from the form."""
    header = request.headers.get(CSRF_HEADER)
    return header if header is not None else await form_field(request, CSRF_FIELD)


async def form_field(request: PortalRequest, name: str) -> str:
    """One text field of a form; '' where it is not there, or a file."""
    value = (await request.form()).get(name)
    return value if isinstance(value, str) else ""


async def own_place(caller: Caller, action: Action) -> Place:
    """The pages of a customer's own account. Raises NotFoundError for everybody else, ForbiddenError."""
    ids = caller.user.account_ids
    if caller.user.role is not UserRole.CUSTOMER or ids is None or len(ids) != 1:
        raise NotFoundError("There is no such page for you.")
    caller.require(action)
    return Place(await account_by_id(caller.tx, next(iter(ids))), "")


async def shared_place(caller: Caller, key: str, action: Action) -> Place:
    """The pages of an account shared with a partner. Raises NotFoundError for everybody else, ForbiddenError."""
    if caller.user.side is not Side.PARTNER or caller.user.provider is None:
        raise NotFoundError("There is no such page for you.")
    caller.require(action)
    return Place(await account_by_key(caller.tx, key), f"/shared/{quote(key, safe='')}")


async def account_place(caller: Caller, key: str, action: Action) -> Place:
    """The pages of an account, as the supplier's people see them. Raises NotFoundError, ForbiddenError."""
    if caller.user.side is not Side.SUPPLIER or not caller.may(Action.READ_PORTFOLIO):
        raise NotFoundError(f"There is no account {key!r}.")
    place = Place(await account_by_key(caller.tx, key), f"/accounts/{quote(key, safe='')}")
    caller.require(action)
    return place


def both(path: str) -> list[str]:
    """A page's address among a customer's own pages, and among those of an account."""
    return [path, f"/accounts/{{key:str}}{path}"]


async def place_of(caller: Caller, key: str | None, action: Action) -> Place:
    """`key` None: the customer's own pages."""
    return await own_place(caller, action) if key is None else await account_place(caller, key, action)


async def place_of_account(caller: Caller, account_id: int, action: Action) -> Place:
    """The pages of an account that something on them belongs to, wherever this reader has them."""
    if caller.user.side is Side.CUSTOMER:
        return await own_place(caller, action)
    account = await account_by_id(caller.tx, account_id)
    return await account_place(caller, account.key, action)
