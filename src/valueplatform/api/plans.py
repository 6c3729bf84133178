"""The value plan of an account: what was committed by objective, driver and month, every version kept."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, put
from litestar.params import JSONBody, PathParameter

from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import day_of, range_of, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, KeyPrincipal, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, InvalidInputError, NotFoundError
from valueplatform.core.numbers import decimal_text, round_half_even
from valueplatform.core.pages import Page
from valueplatform.telemetry.marks import append_marks
from valueplatform.value.answer import Amount
from valueplatform.value.models import newest_model
from valueplatform.value.plan_terms import PlanState, plans_of
from valueplatform.value.plans import PlanRow, Target, put_targets, targets_in_force, targets_of_plan
from valueplatform.value.ranges import Range
from valueplatform.value.reading import targets_of_provider

MOST_TARGETS = 1000


class TargetOut(msgspec.Struct, frozen=True):
    """Committed value of one driver in one month, in the driver's unit; `version` counts what was said of it."""

    plan: str
    objective: str
    driver: str
    month: date
    low: Amount
    expected: Amount
    high: Amount
    source: str
    version: int
    known_at: datetime


class TargetIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`month` is its first day. `expected` null takes the target out again; without low and high it is one number."""

    objective: str
    driver: str
    month: date
    expected: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None
    source: str = "api"


_NOW = "2026-01-05T09:00:00Z"
TARGET = {
    "plan": "business-case",
    "objective": "Dispatch without waiting",
    "driver": "dispatch_time",
    "month": "2026-02-01",
    "low": "8000.0000",
    "expected": "10000.0000",
    "high": "12000.0000",
    "source": "business case",
    "version": 1,
    "known_at": _NOW,
}


class PlansController(Controller):
    path = "/api/v1/accounts/{key:str}"
    tags = ("Plans",)

    @get("/plans", summary="Committed value in force", responses=answers(Page[TargetOut], Page([TARGET], None), *READS))
    async def plans(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[TargetOut]:
        """The newest version of each target. A partner is shown those of its own drivers."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_PLAN)
            shown = [target_out(target) for target in await _targets(tx, account.account_id, caller)]
        return page_after(shown, limit, cursor, _place_of)

    @put(
        "/plans/{plan:str}",
        summary="State targets of a plan",
        responses=answers(Page[TargetOut], Page([TARGET], None), *WRITES),
    )
    async def put_plan(
        self,
        sending: Sent,
        gate: OpenGate,
        key: AccountKey,
        plan: Annotated[str, PathParameter(description="Chosen by whoever states it, such as `business-case`.")],
        data: JSONBody[list[TargetIn]],
    ) -> Response[Page[TargetOut]]:
        """Each target that says something new gets a new version; those that are not sent stay as they are. All targets
        in force are answered, and for a draft its own. A partner may state targets of its own drivers, and none of a
        plan that both sides are to sign. A signed plan stays as it is: 409."""
        if not 1 <= len(data) <= MOST_TARGETS:
            raise InvalidInputError(f"Send 1 to {MOST_TARGETS} targets at a time, not {len(data)}.")
        plan_id, caller = text_of(plan, "plan"), sending.caller
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_PLAN)

            async def write() -> Any:
                drivers = await _drivers_of(tx, caller)
                rows = [_row(account.account_id, plan_id, target, drivers) for target in data]
                if len({row.identity for row in rows}) < len(rows):
                    raise InvalidInputError(
                        "Two targets are of the same objective, driver and month; send one of each."
                    )
                drafts = await _drafts(tx, account.account_id, caller, plan_id)
                stored = await put_targets(tx, rows, gate.clock())
                await append_marks(tx, stored.marks)
                shown = list(await _targets(tx, account.account_id, caller))
                shown += await targets_of_plan(tx, account.account_id, plan_id) if drafts else []
                return Page([target_out(one) for one in shown], None)

            return await once(tx, sending, gate.clock, write, status=200)


async def _drivers_of(tx: Transaction, caller: KeyPrincipal) -> set[str]:
    """The drivers that the caller may commit to."""
    provider = partner_of(caller)
    drivers = (await newest_model(tx)).drivers
    return {driver.slug for driver in drivers if provider is None or driver.provider == provider}


async def _drafts(tx: Transaction, account_id: int, caller: KeyPrincipal, plan_id: str) -> bool:
    """Whether the plan is a draft. Raises ForbiddenError where a partner writes into what both sides are to sign."""
    found = [plan for plan in await plans_of(tx, account_id) if plan.plan_id == plan_id]
    if any(plan.version for plan in found) and partner_of(caller) is not None:
        raise ForbiddenError("A partner cannot write into this plan; state your targets under a name of your own.")
    return any(plan.state is PlanState.DRAFT for plan in found)


async def _targets(tx: Transaction, account_id: int, caller: KeyPrincipal) -> Sequence[Target]:
    targets = await targets_in_force(tx, account_id)
    provider = partner_of(caller)
    return targets if provider is None else targets_of_provider(targets, await newest_model(tx), provider)


def _row(account_id: int, plan: str, target: TargetIn, drivers: set[str]) -> PlanRow:
    if target.driver not in drivers:
        raise NotFoundError(f"There is no driver {target.driver!r} to commit to.")
    month = day_of(target.month, "month")
    if month.day != 1:
        raise InvalidInputError(f"`month` is {month}; write the first day of the month.")
    name = f"{target.driver}, {month}"
    value = None if target.expected is None else _kept(range_of(target.expected, target.low, target.high, name))
    return PlanRow(
        account_id=account_id,
        plan_id=plan,
        objective=text_of(target.objective, "objective"),
        driver=target.driver,
        month=month,
        value=value,
        source=text_of(target.source, "source", empty="api"),
    )


def _place_of(target: TargetOut) -> str:
    return f"{target.plan}/{target.driver}/{target.month}/{target.objective}"


def _kept(value: Range) -> Range:
    """Rounded to the places that amounts are kept with, so that the same said again is the same."""
    low, expected, high = (
        round_half_even(*bound.as_integer_ratio()) for bound in (value.low, value.expected, value.high)
    )
    return Range(low, expected, high)


def target_out(target: Target) -> TargetOut:
    return TargetOut(
        plan=target.plan_id,
        objective=target.objective,
        driver=target.driver,
        month=target.month,
        low=decimal_text(target.low),
        expected=decimal_text(target.expected),
        high=decimal_text(target.high),
        source=target.source,
        version=target.version,
        known_at=target.known_at,
    )
