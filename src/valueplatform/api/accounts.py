"""Accounts in the caller's scope, and the value of one."""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, QueryParameter

from valueplatform.accounts.accounts import Account, list_accounts
from valueplatform.api.calling import AccountKey, Caller, OpenGate, groups_of, open_account, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, KeyPrincipal, may, require, scope_of
from valueplatform.core.pages import DEFAULT_LIMIT, Page
from valueplatform.core.periods import Window
from valueplatform.value.answer import ValueAnswer, value_answer
from valueplatform.value.reading import Question, read_value
from valueplatform.value.values import GROUPS


class AccountOut(msgspec.Struct, frozen=True):
    """One account. A partner is not shown its attributes."""

    key: str
    name: str
    currency: str
    timezone: str
    segment: str | None
    stage: str | None
    attributes: dict[str, Any]


_ACCOUNT = AccountOut("harbor-logistics", "Harbor Logistics", "USD", "America/New_York", "mid-market", "customer", {})
_VALUE = {
    "account": "harbor-logistics",
    "currency": "USD",
    "from": "2026-01-01",
    "to": "2026-04-01",
    "as_of": None,
    "rows": [
        {
            "window_start": "2026-01-01",
            "driver": "dispatch_time",
            "unit": "USD",
            "benefit_class": "capacity",
            "evidence": "measured",
            "state": "validated",
            "realized": "10342.5000",
            "realized_low": "8120.2500",
            "realized_high": "12010.0000",
            "counted": "10342.5000",
            "committed_low": "8000.0000",
            "committed_expected": "10000.0000",
            "committed_high": "12000.0000",
        }
    ],
    "totals": {
        "realized": "10342.5000",
        "realized_low": "8120.2500",
        "realized_high": "12010.0000",
        "counted": "10342.5000",
        "realized_by_class": {"capacity": "10342.5000"},
        "realized_by_state": {"validated": "10342.5000"},
        "committed_low": "8000.0000",
        "committed_expected": "10000.0000",
        "committed_high": "12000.0000",
        "excluded": [],
        "paid": "6000.0000",
        "effort": "1250.0000",
    },
    "contributions": [
        {"provider": "tessera", "unit": "USD", "state": "partner-reported", "count": 1, "amount": "1200.0000"}
    ],
    "splits": [
        {
            "split_id": 1,
            "driver": "invoices_paid_sooner",
            "provider": "tessera",
            "share": "0.3",
            "supplier_share": "0.5",
            "since": "2026-02-01",
            "until": None,
        }
    ],
}


def account_out(account: Account, caller: KeyPrincipal) -> AccountOut:
    shown = {} if partner_of(caller) is not None else dict(account.attributes)
    return AccountOut(
        account.key, account.name, account.currency, account.timezone, account.segment, account.stage, shown
    )


class AccountsController(Controller):
    path = "/api/v1/accounts"
    tags = ("Accounts",)

    @get(
        summary="Accounts in reach of the key",
        responses=answers(Page[AccountOut], Page([_ACCOUNT], None), *READS),
    )
    async def accounts(
        self,
        caller: Caller,
        gate: OpenGate,
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> Page[AccountOut]:
        """By key."""
        require(caller, Action.READ_ACCOUNTS)
        async with gate.web.transaction(scope_of(caller)) as tx:
            page = await list_accounts(tx, limit=limit, cursor=cursor)
        return Page([account_out(account, caller) for account in page.items], page.next_cursor)

    @get("/{key:str}", summary="One account", responses=answers(AccountOut, _ACCOUNT, *READS))
    async def account(self, caller: Caller, gate: OpenGate, key: AccountKey) -> AccountOut:
        async with gate.web.transaction(scope_of(caller)) as tx:
            return account_out(await open_account(tx, caller, key, Action.READ_ACCOUNTS), caller)

    @get(
        "/{key:str}/value",
        summary="Realized value beside committed value",
        responses=answers(ValueAnswer, _VALUE, *READS, 422),
    )
    async def value(
        self,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        start: Annotated[
            date | None, QueryParameter(name="from", description="First day; without it, the first with value.")
        ] = None,
        end: Annotated[
            date | None, QueryParameter(name="to", description="Day after the last; without it, tomorrow.")
        ] = None,
        as_of: Annotated[
            date | None,
            QueryParameter(description="As posted and planned by the end of this day; open months are out."),
        ] = None,
        window: Annotated[Window, QueryParameter(description="How long each row is.")] = Window.TOTAL,
        group_by: Annotated[
            str | None,
            QueryParameter(
                description=f"Comma list of {', '.join(GROUPS)} and dimensions of meters (`team`); without it, driver."
            ),
        ] = None,
        driver: Annotated[
            str | None, QueryParameter(description="Comma list of drivers, for rows and totals; without it, all.")
        ] = None,
    ) -> ValueAnswer:
        """By window and group. `totals.realized` sums monetized value in every state, `totals.counted` what is agreed.

        By a dimension, and by feature where a driver serves several, each day's amount is divided by the driver's
        formula, and the last unit is kept; what does not add, or is not kept by the dimension, is refused with the
        reason. Single persons, and groups of fewer than five, are never shown.

        A partner reads its own rows and totals, and beside them the combined total of all providers, unless that
        would tell what one other partner brought.
        """
        question = Question(
            start=start,
            end=end,
            as_of=as_of,
            window=window,
            group_by=groups_of(group_by, ("driver",)),
            provider=partner_of(caller),
            shows_paid=may(caller, Action.READ_CONTRACTS),
            drivers=groups_of(driver, ()),
        )
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_VALUE)
            return value_answer(await read_value(tx, account, question, gate.clock()))
