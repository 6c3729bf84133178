"""Objectives of an account: what the customer wants, who answers for it, how and by when; every change kept."""

from collections import defaultdict
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import day_of, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, KeyPrincipal, require, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, InvalidInputError, NotFoundError
from valueplatform.core.pages import Page
from valueplatform.core.periods import local_day
from valueplatform.value.assumption_record import Author
from valueplatform.value.models import newest_model
from valueplatform.value.objectives import (
    Aim,
    Objective,
    ObjectiveState,
    drivers_of,
    objectives_of,
    put_objective,
    versions_of,
)
from valueplatform.value.plans import Target, ensure_objectives, targets_in_force
from valueplatform.value.reading import targets_of_provider

MOST_TACTICS: Final = 20
MOST_DRIVERS: Final = 50
LONGEST_REASON: Final = 1000


class ObjectiveOut(msgspec.Struct, frozen=True):
    """What the customer wants, in its own words. `drivers` are those named for it and those of its targets in force;
    `gaps` what it lacks while it is open. A partner is told neither people nor tactics nor reasons, and its own drivers
    alone."""

    objective_id: int
    title: str
    owner: str | None
    customer_sponsor: str | None
    supplier_sponsor: str | None
    tactics: list[str]
    drivers: list[str]
    due: date | None
    state: str
    reason: str
    gaps: list[str]
    version: int
    author: str | None
    author_side: str | None
    known_at: datetime | None
    created_at: datetime


class ObjectiveIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer wants, in its own words."""

    title: Annotated[str, Meta(examples=["Dispatch without waiting"])]


class AimIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is to be said of the objective; what is left out is empty from now on. `version` is the one that was
    read: if somebody changed it since, it is a conflict. Dropping it needs a reason."""

    owner: str = ""
    customer_sponsor: str = ""
    supplier_sponsor: str = ""
    tactics: list[str] = []
    drivers: list[str] = []
    due: date | None = None
    state: ObjectiveState = ObjectiveState.OPEN
    reason: str = ""
    version: int | None = None


_NOW: Final = "2026-01-05T09:00:00Z"
_OBJECTIVE: Final = {
    "objective_id": 1,
    "title": "Dispatch without waiting",
    "owner": "Carl Weiss",
    "customer_sponsor": "Daniel Reyes",
    "supplier_sponsor": "Maya Okafor",
    "tactics": ["Switch automatic dispatch on in Reno first"],
    "drivers": ["dispatch_time"],
    "due": "2026-12-31",
    "state": "open",
    "reason": "",
    "gaps": [],
    "version": 1,
    "author": "carl@harbor.example",
    "author_side": "customer",
    "known_at": _NOW,
    "created_at": _NOW,
}
ObjectiveId = Annotated[int, PathParameter(description="As the list of objectives gives it.")]


class ObjectivesController(Controller):
    path = "/api/v1/accounts/{key:str}/objectives"
    tags = ("Plans",)

    @get(summary="Objectives", responses=answers(Page[ObjectiveOut], Page([_OBJECTIVE], None), *READS))
    async def objectives(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[ObjectiveOut]:
        """In the customer's own words. A partner is shown those that its own drivers serve."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_PLAN)
            shown = await _shown(tx, account, caller, gate.clock())
        return page_after(shown, limit, cursor, lambda one: str(one.objective_id))

    @post(summary="Add an objective", responses=answers(ObjectiveOut, _OBJECTIVE, *WRITES, status=201))
    async def add_objective(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[ObjectiveIn]
    ) -> Response[ObjectiveOut]:
        """One of the same title is not added twice."""
        title, caller = text_of(data.title, "title"), sending.caller
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_PLAN)

            async def write() -> Any:
                ids = await ensure_objectives(tx, [(account.account_id, title)])
                found = await objectives_of(tx, account.account_id)
                one = next(one for one in found if one.objective_id == ids[account.account_id, title])
                return objective_out(one, await _targets(tx, account, caller), account, caller, gate.clock())

            return await once(tx, sending, gate.clock, write)

    @put(
        "/{objective_id:int}",
        summary="Say who answers for it, how, by when, and what became of it",
        responses=answers(ObjectiveOut, _OBJECTIVE, *WRITES, 422),
    )
    async def put_one(
        self, sending: Sent, gate: OpenGate, key: AccountKey, objective_id: ObjectiveId, data: JSONBody[AimIn]
    ) -> Response[ObjectiveOut]:
        """Every change is kept as a version; the same said again adds none. For customer and supplier."""
        caller = sending.caller
        require_planner(caller)
        aim = aim_of(data)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_PLAN)

            async def write() -> Any:
                await known_drivers(tx, aim)
                author, now = Author(caller.author, caller.side), gate.clock()
                one = await put_objective(tx, account.account_id, objective_id, aim, author, now, over=data.version)
                return objective_out(one, await _targets(tx, account, caller), account, caller, now)

            return await once(tx, sending, gate.clock, write, status=200)

    @get(
        "/{objective_id:int}/versions",
        summary="All that was said of an objective, oldest first",
        responses=answers(Page[ObjectiveOut], Page([_OBJECTIVE], None), *READS),
    )
    async def versions(
        self,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        objective_id: ObjectiveId,
        limit: Limit = SHORT,
        cursor: Cursor = None,
    ) -> Page[ObjectiveOut]:
        """With who said it, and when; `gaps` are those that the version would have today. For customer and supplier."""
        refuse_partner(caller, Action.READ_PLAN)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_PLAN)
            found = await versions_of(tx, account.account_id, objective_id)
            targets = await _targets(tx, account, caller)
        shown = [objective_out(one, targets, account, caller, gate.clock()) for one in found]
        return page_after(shown, limit, cursor, lambda one: str(one.version))


def require_planner(caller: KeyPrincipal) -> None:
    """Raises ForbiddenError for whoever may not plan, and for partners."""
    refuse_partner(caller, Action.MANAGE_PLAN)


def refuse_partner(caller: KeyPrincipal, action: Action) -> None:
    """Raises ForbiddenError: what is between customer and supplier is not a partner's (value rule 19)."""
    require(caller, action)
    if partner_of(caller) is not None:
        raise ForbiddenError("This is between customer and supplier; a partner plans for its own drivers.")


def aim_of(data: AimIn) -> Aim:
    """What was sent, held to what the record can keep. Raises InvalidInputError."""
    if len(data.tactics) > MOST_TACTICS or len(data.drivers) > MOST_DRIVERS:
        raise InvalidInputError(f"Send at most {MOST_TACTICS} tactics and {MOST_DRIVERS} drivers.")
    reason = text_of(data.reason, "reason", LONGEST_REASON, empty="")
    if data.state is ObjectiveState.DROPPED and not reason:
        raise InvalidInputError("An objective is dropped for a reason; say it in `reason`.")
    return Aim(
        owner=text_of(data.owner, "owner", empty="") or None,
        customer_sponsor=text_of(data.customer_sponsor, "customer_sponsor", empty="") or None,
        supplier_sponsor=text_of(data.supplier_sponsor, "supplier_sponsor", empty="") or None,
        tactics=tuple(text_of(one, "tactics") for one in data.tactics),
        drivers=tuple(sorted({text_of(one, "drivers") for one in data.drivers})),
        due=None if data.due is None else day_of(data.due, "due"),
        state=data.state,
        reason=reason,
    )


async def known_drivers(tx: Transaction, aim: Aim) -> None:
    """Raises NotFoundError for a driver that the model does not have."""
    if aim.drivers:
        gone = sorted(set(aim.drivers) - {driver.slug for driver in (await newest_model(tx)).drivers})
        if gone:
            raise NotFoundError(f"There is no driver {', '.join(gone)}.")


async def _targets(tx: Transaction, account: Account, caller: KeyPrincipal) -> list[Target]:
    targets = await targets_in_force(tx, account.account_id)
    provider = partner_of(caller)
    return targets if provider is None else targets_of_provider(targets, await newest_model(tx), provider)


async def _shown(tx: Transaction, account: Account, caller: KeyPrincipal, now: datetime) -> list[ObjectiveOut]:
    targets = await _targets(tx, account, caller)
    found = await objectives_of(tx, account.account_id)
    if partner_of(caller) is not None:
        served = {target.objective_id for target in targets}
        found = [one for one in found if one.objective_id in served]
    return [objective_out(one, targets, account, caller, now) for one in found]


def objective_out(
    one: Objective, targets: list[Target], account: Account, caller: KeyPrincipal, now: datetime
) -> ObjectiveOut:
    by_objective: defaultdict[int, set[str]] = defaultdict(set)
    for target in targets:
        by_objective[target.objective_id].add(target.driver)
    targeted = by_objective[one.objective_id]
    if partner_of(caller) is not None:
        one = Objective(
            objective_id=one.objective_id,
            title=one.title,
            created_at=one.created_at,
            aim=Aim(due=one.aim.due, state=one.aim.state),
        )
        gaps = []
    else:
        gaps = [str(gap) for gap in one.gaps(targeted, local_day(now, account.timezone))]
    aim = one.aim
    return ObjectiveOut(
        objective_id=one.objective_id,
        title=one.title,
        owner=aim.owner,
        customer_sponsor=aim.customer_sponsor,
        supplier_sponsor=aim.supplier_sponsor,
        tactics=list(aim.tactics),
        drivers=list(drivers_of(one, targeted)),
        due=aim.due,
        state=str(aim.state),
        reason=aim.reason,
        gaps=gaps,
        version=one.version,
        author=one.author,
        author_side=None if one.author_side is None else str(one.author_side),
        known_at=one.known_at,
        created_at=one.created_at,
    )
