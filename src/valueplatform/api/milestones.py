"""Milestones of an account: purchase, go-live, renewal and what else stands on its timeline."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Response, get, put

from valueplatform.accounts.imports import write_marks
from valueplatform.accounts.milestones import Milestone, milestones_of, put_milestone
from valueplatform.api.calling import ApiRequest, Gate, open_account
from valueplatform.api.once import once
from valueplatform.core.authorization import Action, KeyPrincipal, scope_of
from valueplatform.core.errors import InvalidInputError


class MilestoneOut(msgspec.Struct, frozen=True):
    id: str
    kind: str
    time: datetime
    title: str


class MilestoneIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`time` needs a zone, as in 2026-03-01T09:00:00+01:00."""

    kind: str
    time: datetime
    title: str = ""


class MilestonesController(Controller):
    path = "/api/v1/accounts/{key:str}/milestones"
    tags = ("Milestones",)

    @get(summary="Milestones, oldest first")
    async def read(self, caller: KeyPrincipal, gate: Gate, key: str) -> list[MilestoneOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_MILESTONES)
            found = await milestones_of(tx, account.account_id)
        return [MilestoneOut(one.milestone_id, one.kind, one.at, one.title) for one in found]

    @put("/{milestone_id:str}", summary="Add or change a milestone")
    async def write_one(
        self, request: ApiRequest, caller: KeyPrincipal, gate: Gate, key: str, milestone_id: str, data: MilestoneIn
    ) -> Response[MilestoneOut]:
        kind = data.kind.strip().lower()
        if data.time.tzinfo is None:
            raise InvalidInputError(f"`time` ({data.time.isoformat()}) has no zone; write 2026-03-01T09:00:00+01:00.")
        if not kind or "\0" in kind + data.title + milestone_id:
            raise InvalidInputError("`kind` is empty, or a text has a zero byte in it.")
        milestone = Milestone(milestone_id=milestone_id, kind=kind, at=data.time, title=data.title.strip() or kind)
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_MILESTONES)

            async def write() -> tuple[int, Any]:
                stored = await put_milestone(tx, account.account_id, account.timezone, milestone)
                await write_marks(tx, stored.marks)
                return 200, MilestoneOut(milestone_id, kind, data.time, milestone.title)

            return await once(tx, request, caller, gate.clock, write)
