"""Accounts in the caller's scope, and the value of one."""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import Parameter

from valueplatform.accounts.accounts import Account, list_accounts
from valueplatform.api.calling import Gate, groups_of, open_account
from valueplatform.core.authorization import Action, KeyKind, KeyPrincipal, require, scope_of
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import DEFAULT_LIMIT, Page
from valueplatform.core.periods import Window
from valueplatform.value.reading import Question, read_value, value_json


class AccountOut(msgspec.Struct, frozen=True):
    """One account. A partner is not shown its attributes."""

    key: str
    name: str
    currency: str
    timezone: str
    segment: str | None
    stage: str | None
    attributes: dict[str, Any]


def account_out(account: Account, caller: KeyPrincipal) -> AccountOut:
    shown = {} if caller.kind is KeyKind.PARTNER and caller.person is None else dict(account.attributes)
    return AccountOut(
        account.key, account.name, account.currency, account.timezone, account.segment, account.stage, shown
    )


def own_rows(caller: KeyPrincipal) -> str | None:
    """The provider whose rows a partner is kept to; None for everybody else."""
    return caller.provider if caller.kind is KeyKind.PARTNER and caller.person is None else None


class AccountsController(Controller):
    path = "/api/v1/accounts"
    tags = ("Accounts",)

    @get(summary="Accounts in the caller's scope")
    async def accounts(
        self, caller: KeyPrincipal, gate: Gate, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[AccountOut]:
        require(caller, Action.READ_ACCOUNTS)
        async with gate.web.transaction(scope_of(caller)) as tx:
            page = await list_accounts(tx, limit=limit, cursor=cursor)
        return Page([account_out(account, caller) for account in page.items], page.next_cursor)

    @get("/{key:str}", summary="One account")
    async def account(self, caller: KeyPrincipal, gate: Gate, key: str) -> AccountOut:
        async with gate.web.transaction(scope_of(caller)) as tx:
            return account_out(await open_account(tx, caller, key, Action.READ_ACCOUNTS), caller)

    @get("/{key:str}/value", summary="Realized value beside committed value")
    async def value(
        self,
        caller: KeyPrincipal,
        gate: Gate,
        key: str,
        start: Annotated[date | None, Parameter(query="from", description="First day")] = None,
        end: Annotated[date | None, Parameter(query="to", description="Day after the last")] = None,
        as_of: Annotated[date | None, Parameter(description="As posted by the end of this day")] = None,
        window: Window = Window.TOTAL,
        group_by: Annotated[str | None, Parameter(description="Comma list; default driver")] = None,
    ) -> dict[str, Any]:
        if start is not None and end is not None and end <= start:
            raise InvalidInputError(f"`to` ({end}) must be after `from` ({start}); it is the day after the last one.")
        question = Question(start, end, as_of, window, groups_of(group_by, ("driver",)), own_rows(caller))
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            return value_json(await read_value(tx, account, question, gate.clock()))
