"""Objectives and the value plan of an account: what was committed, every version kept."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from litestar import Controller, Response, get, post, put

from valueplatform.accounts.imports import write_marks
from valueplatform.api.calling import ApiRequest, Gate, open_account
from valueplatform.api.once import once
from valueplatform.core.authorization import Action, KeyPrincipal, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.numbers import decimal_text
from valueplatform.value.models import newest_model
from valueplatform.value.plans import PlanRow, ensure_objectives, objectives_of, put_targets, targets_in_force
from valueplatform.value.ranges import Range

MOST_TARGETS = 1000


class ObjectiveOut(msgspec.Struct, frozen=True):
    objective_id: int
    title: str
    owner: str | None
    created_at: datetime


class ObjectiveIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer wants, in its own words."""

    title: str


class TargetOut(msgspec.Struct, frozen=True):
    """Committed value of one driver in one month; `version` counts what was said of it."""

    plan: str
    objective: str
    driver: str
    month: date
    low: str
    expected: str
    high: str
    source: str
    version: int
    known_at: datetime


class TargetIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`expected` null takes the target out again; without low and high it is one number."""

    objective: str
    driver: str
    month: date
    expected: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None
    source: str = "api"


class PlansController(Controller):
    path = "/api/v1/accounts/{key:str}"
    tags = ("Plans",)

    @get("/objectives", summary="Objectives in the customer's words")
    async def objectives(self, caller: KeyPrincipal, gate: Gate, key: str) -> list[ObjectiveOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_PLAN)
            found = await objectives_of(tx, account.account_id)
        return [ObjectiveOut(one.objective_id, one.title, one.owner, one.created_at) for one in found]

    @post("/objectives", summary="Add an objective", status_code=201)
    async def add_objective(
        self, request: ApiRequest, caller: KeyPrincipal, gate: Gate, key: str, data: ObjectiveIn
    ) -> Response[ObjectiveOut]:
        title = data.title.strip()
        if not title or "\0" in title:
            raise InvalidInputError("`title` is empty: say what the customer wants, in its own words.")
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_PLAN)

            async def write() -> tuple[int, Any]:
                ids = await ensure_objectives(tx, [(account.account_id, title)])
                found = await objectives_of(tx, account.account_id)
                one = next(o for o in found if o.objective_id == ids[account.account_id, title])
                return 201, ObjectiveOut(one.objective_id, one.title, one.owner, one.created_at)

            return await once(tx, request, caller, gate.clock, write)

    @get("/plans", summary="Committed value in force")
    async def plans(self, caller: KeyPrincipal, gate: Gate, key: str) -> list[TargetOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_PLAN)
            return await _targets(tx, account.account_id)

    @put("/plans/{plan:str}", summary="State targets of a plan; each that changes gets a new version")
    async def put_plan(
        self, request: ApiRequest, caller: KeyPrincipal, gate: Gate, key: str, plan: str, data: list[TargetIn]
    ) -> Response[list[TargetOut]]:
        if not 1 <= len(data) <= MOST_TARGETS:
            raise InvalidInputError(f"Send 1 to {MOST_TARGETS} targets at a time, not {len(data)}.")
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_PLAN)

            async def write() -> tuple[int, Any]:
                drivers = {driver.slug for driver in (await newest_model(tx)).drivers}
                rows = [_row(account.account_id, plan, target, drivers) for target in data]
                if len({row.identity for row in rows}) < len(rows):
                    raise InvalidInputError(
                        "Two targets are of the same objective, driver and month; send one of each."
                    )
                stored = await put_targets(tx, rows, gate.clock())
                await write_marks(tx, stored.marks)
                return 200, await _targets(tx, account.account_id)

            return await once(tx, request, caller, gate.clock, write)


def _row(account_id: int, plan: str, target: TargetIn, drivers: set[str]) -> PlanRow:
    if target.driver not in drivers:
        raise NotFoundError(f"The value model has no driver {target.driver!r}.")
    if target.month.day != 1:
        raise InvalidInputError(f"`month` is {target.month}; write the first day of the month.")
    value = None
    if target.expected is not None:
        low = target.expected if target.low is None else target.low
        high = target.expected if target.high is None else target.high
        if not low <= target.expected <= high:
            raise InvalidInputError(f"{target.driver}, {target.month}: low, expected and high must rise.")
        value = Range(low, target.expected, high)
    return PlanRow(
        account_id=account_id,
        plan_id=plan,
        objective=target.objective.strip(),
        driver=target.driver,
        month=target.month,
        value=value,
        source=target.source,
    )


async def _targets(tx: Transaction, account_id: int) -> list[TargetOut]:
    targets: Sequence[Any] = await targets_in_force(tx, account_id)
    return [
        TargetOut(
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
        for target in targets
    ]
