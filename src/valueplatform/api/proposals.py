"""What the catalog suggests for the value model, with the evidence, and what people decide of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.once import Sent, once
from valueplatform.core.authorization import Action, KeyPrincipal, require, scope_of
from valueplatform.core.errors import ForbiddenError
from valueplatform.value.discovery import Evidence, Parts, Proposed
from valueplatform.value.discovery_accepting import Edits, accept, preview, reject, suggest, withdraw
from valueplatform.value.discovery_says import sentences
from valueplatform.value.discovery_store import Act, Kept, State, proposal_of, proposals
from valueplatform.value.model_versions import Change

_METER: Final = {
    "slug": "route_planned_stops",
    "event_types": ["route.planned"],
    "aggregation": "SUM",
    "property": "stops",
    "dimensions": [],
    "filter": None,
    "title": "Route planned stops",
    "unit": "stop",
    "description": None,
    "version": 1,
    "stored_as": None,
}
_PARTS: Final[dict[str, Any]] = {"meters": [_METER], "baselines": [], "assumptions": [], "drivers": []}
_PROPOSAL: Final[dict[str, Any]] = {
    "id": "5f0c7b6a2f1e9d34",
    "kind": "meter",
    "slug": "route_planned_stops",
    "title": "Route planned stops",
    "type": "route.planned",
    "property": "stops",
    "why": "A number that no meter reads, and that adds up.",
    "state": "open",
    "found": True,
    "as_of": "2026-05-04T16:00:00Z",
    "counted": None,
    "total": None,
    "needs": [],
    "parts": _PARTS,
    "evidence": {
        "coverage": {"accounts": 34, "of": 36, "days": "0.7143", "events": 12044},
        "stability": {"weeks": 26, "median": "928.0000", "variation": "0.0712"},
        "relations": [
            {
                "outcome": "renewal",
                "finding": "more",
                "having": 14,
                "lacking": 9,
                "used_having": 14,
                "used_lacking": 6,
                "median_having": "61.2000",
                "median_lacking": "12.1000",
                "difference": "0.3333",
                "low": "0.0320",
                "high": "0.6458",
                "p_value": "0.000812",
            }
        ],
        "likeness": None,
        "worth": None,
        "cohort": None,
    },
    "says": ["34 of 36 accounts sent it in the last 13 weeks, on 71% of days (the median account)."],
    "decisions": [],
}


class DecisionOut(msgspec.Struct, frozen=True):
    """`worker`, as an author, is the platform carrying out what was decided."""

    action: Act
    author: str
    at: datetime
    reason: str
    revision: int | None


class ProposalOut(msgspec.Struct, frozen=True):
    """`parts` are the definitions as accepted, else as proposed. `counted` of `total` events are behind it while its
    meters are counted. `found`: the last look at the catalog made it again."""

    id: str
    kind: Proposed
    slug: str
    title: str
    type: str
    property: str
    why: str
    state: State
    found: bool
    as_of: datetime
    counted: int | None
    total: int | None
    needs: tuple[str, ...]
    parts: Parts
    evidence: Evidence
    says: list[str]
    decisions: list[DecisionOut]


class ProposalsOut(msgspec.Struct, frozen=True):
    """By potential value, then by evidence."""

    items: list[ProposalOut]


class ReasonIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str


class PreviewOut(msgspec.Struct, frozen=True):
    """What would change in the model, by definition and field."""

    parts: Parts
    changes: list[Change]


def proposal_out(kept: Kept) -> ProposalOut:
    one = kept.proposal
    return ProposalOut(
        id=kept.id,
        kind=one.kind,
        slug=one.slug,
        title=one.title,
        type=one.type,
        property=one.path,
        why=one.why,
        state=kept.state,
        found=kept.found,
        as_of=kept.as_of,
        counted=kept.counted,
        total=kept.total,
        needs=one.needs,
        parts=kept.accepted_parts,
        evidence=one.evidence,
        says=sentences(one),
        decisions=[
            DecisionOut(each.action, each.author, each.at, each.reason, each.revision) for each in kept.decisions
        ],
    )


def _require(caller: KeyPrincipal, action: Action) -> None:
    """Evidence is over all accounts: who sees some of them only has none of it. Raises ForbiddenError."""
    require(caller, action)
    if caller.account_ids is not None:
        raise ForbiddenError("Proposals are made from all accounts, and this key is limited to some of them.")


class ProposalsController(Controller):
    path = "/api/v1/proposals"
    tags = ("Catalog",)

    @get("/", summary="What the catalog suggests", responses=answers(ProposalsOut, {"items": [_PROPOSAL]}, *READS))
    async def list(self, caller: Caller, gate: OpenGate) -> ProposalsOut:
        """Meters, drivers, baselines and values of assumptions that events and the record suggest for the value model,
        each with its evidence; and what was decided of them. They are made anew after the catalog is counted."""
        _require(caller, Action.READ_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:
            return ProposalsOut([proposal_out(one) for one in await proposals(tx)])

    @post(
        "/{proposal:str}/preview",
        summary="See what accepting would change",
        responses=answers(
            PreviewOut,
            {
                "parts": _PARTS,
                "changes": [{"kind": "meter", "slug": "route_planned_stops", "action": "added", "fields": []}],
            },
            *WRITES,
            status=200,
        ),
        status_code=200,
    )
    async def preview(
        self, caller: Caller, gate: OpenGate, proposal: FromPath[str], data: JSONBody[Edits]
    ) -> PreviewOut:
        """The difference to the model in force, with these edits; nothing is changed. Answers 400 with all that the
        model check finds."""
        _require(caller, Action.READ_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:
            made = await preview(tx, await proposal_of(tx, proposal), data)
            return PreviewOut(made.parts, list(made.changes))

    @post(
        "/{proposal:str}/accept",
        summary="Accept a proposal",
        responses=answers(ProposalOut, {**_PROPOSAL, "state": "accepted"}, *WRITES, status=201),
    )
    async def accept(
        self, sending: Sent, gate: OpenGate, proposal: FromPath[str], data: JSONBody[Edits]
    ) -> Response[ProposalOut]:
        """As edited; fields that are null stay as proposed. It goes through the same check as a model file. Its meters
        are then counted over all history while events come in, and it is in force as a revision of the model."""
        caller = sending.caller
        _require(caller, Action.MANAGE_MODEL)
        async with gate.web.transaction(scope_of(caller)) as tx:

            async def write() -> Any:
                return proposal_out(await accept(tx, proposal, data, caller.author, gate.clock()))

            return await once(tx, sending, gate.clock, write)

    @post(
        "/{proposal:str}/reject",
        summary="Reject a proposal",
        responses=answers(ProposalOut, {**_PROPOSAL, "state": "rejected"}, *WRITES, status=201),
    )
    async def reject(
        self, sending: Sent, gate: OpenGate, proposal: FromPath[str], data: JSONBody[ReasonIn]
    ) -> Response[ProposalOut]:
        """It is not proposed again unless its evidence changes much."""
        put = partial(reject, proposal_id=proposal, reason=data.reason)
        return await _answered(sending, gate, Action.MANAGE_MODEL, put)

    @post(
        "/{proposal:str}/suggest",
        summary="Suggest a proposal to whoever may change the model",
        responses=answers(ProposalOut, _PROPOSAL, *WRITES, status=201),
    )
    async def suggest(
        self, sending: Sent, gate: OpenGate, proposal: FromPath[str], data: JSONBody[ReasonIn]
    ) -> Response[ProposalOut]:
        """It stays open, with the reason beside it."""
        put = partial(suggest, proposal_id=proposal, reason=data.reason)
        return await _answered(sending, gate, Action.WRITE_CATALOG, put)

    @post(
        "/{proposal:str}/withdraw",
        summary="Take an accepted proposal out of the model",
        responses=answers(ProposalOut, {**_PROPOSAL, "state": "withdrawing"}, *WRITES, status=201),
    )
    async def withdraw(
        self, sending: Sent, gate: OpenGate, proposal: FromPath[str], data: JSONBody[ReasonIn]
    ) -> Response[ProposalOut]:
        """A revision of the model without it. It stays, with the reason, while a plan commits to its driver or
        something else reads its meter."""
        put = partial(withdraw, proposal_id=proposal, reason=data.reason)
        return await _answered(sending, gate, Action.MANAGE_MODEL, put)


async def _answered(
    sending: Sent, gate: OpenGate, right: Action, put: Callable[..., Awaitable[Kept]]
) -> Response[ProposalOut]:
    caller = sending.caller
    _require(caller, right)
    async with gate.web.transaction(scope_of(caller)) as tx:

        async def write() -> Any:
            return proposal_out(await put(tx, author=caller.author, now=gate.clock()))

        return await once(tx, sending, gate.clock, write)
