"""Milestones of an account: purchase, go-live, renewal and what else stands on its timeline."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, put
from litestar.params import JSONBody, PathParameter

from valueplatform.accounts.milestones import BETWEEN_US, GO_LIVE, Milestone, milestones_of, put_milestone
from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import moment_of, text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, KeyPrincipal, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError
from valueplatform.core.pages import Page
from valueplatform.telemetry.marks import append_marks


class MilestoneOut(msgspec.Struct, frozen=True):
    id: str
    kind: str
    time: datetime
    title: str


class MilestoneIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`time` needs a zone. Kinds that the story knows: purchase, go-live, renewal, expansion, review, churn; others
    are shown as they are. Without a title it is called by its kind."""

    kind: str
    time: datetime
    title: str = ""


_EXAMPLE = {"id": "go-live", "kind": "go-live", "time": "2026-03-01T09:00:00+01:00", "title": "Went live in Reno"}


def shown_to(caller: KeyPrincipal, kind: str) -> bool:
    """What a contract shows in is not for partners (value rule 19); when an account went live is for all."""
    return partner_of(caller) is None or kind == GO_LIVE or kind not in BETWEEN_US


class MilestonesController(Controller):
    path = "/api/v1/accounts/{key:str}/milestones"
    tags = ("Milestones",)

    @get(summary="Milestones, oldest first", responses=answers(Page[MilestoneOut], Page([_EXAMPLE], None), *READS))
    async def read(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[MilestoneOut]:
        """A partner is shown those that tell nothing of contracts and reviews."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_MILESTONES)
            found = await milestones_of(tx, account.account_id)
        shown = [
            MilestoneOut(one.milestone_id, one.kind, one.at, one.title) for one in found if shown_to(caller, one.kind)
        ]
        return page_after(shown, limit, cursor, lambda one: one.id)

    @put("/{milestone_id:str}", summary="Add or change a milestone", responses=answers(MilestoneOut, _EXAMPLE, *WRITES))
    async def write_one(
        self,
        sending: Sent,
        gate: OpenGate,
        key: AccountKey,
        milestone_id: Annotated[str, PathParameter(description="Chosen by whoever adds it.")],
        data: JSONBody[MilestoneIn],
    ) -> Response[MilestoneOut]:
        """A partner may add and change milestones of kinds of its own, such as `rollout`."""
        kind, caller = text_of(data.kind, "kind").lower(), sending.caller
        milestone = Milestone(
            milestone_id=text_of(milestone_id, "milestone_id"),
            kind=kind,
            at=moment_of(data.time, "time"),
            title=text_of(data.title, "title", empty=kind),
        )
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.MANAGE_MILESTONES)

            async def write() -> Any:
                if partner_of(caller) is not None:
                    await _refuse_of_both_sides(tx, account.account_id, milestone)
                stored = await put_milestone(tx, account.account_id, account.timezone, milestone)
                await append_marks(tx, stored.marks)
                return MilestoneOut(milestone.milestone_id, kind, data.time, milestone.title)

            return await once(tx, sending, gate.clock, write, status=200)


async def _refuse_of_both_sides(tx: Transaction, account_id: int, wanted: Milestone) -> None:
    """Months close from go-live on, and renewals end contracts: these are for customer and supplier to say. The id of
    one of theirs is refused in the same words as its kind."""
    held = {one.milestone_id: one.kind for one in await milestones_of(tx, account_id)}
    if wanted.kind in BETWEEN_US or held.get(wanted.milestone_id) in BETWEEN_US:
        raise ForbiddenError(
            f"A partner cannot set this milestone: {', '.join(BETWEEN_US)} are for customer and supplier. "
            "Use another kind and an id of your own."
        )
