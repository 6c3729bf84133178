"""What is sent, what of it is used, and who answers for it."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, put
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.once import Sent, once
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.core.pages import DEFAULT_LIMIT, Page
from valueplatform.telemetry.catalog_reads import Owner, set_owner
from valueplatform.value.catalog import CatalogEntry, Chosen, catalog_page
from valueplatform.value.models import stored_model

_OWNER: Final = {"name": "Dispatch team", "set_by": "maya@fieldnote.example", "set_at": "2026-05-04T16:00:00Z"}
_ENTRY: Final = {
    "type": "job.dispatched",
    "mapped": True,
    "events": 48210,
    "accounts": 31,
    "first_seen": "2025-11-03T14:02:11Z",
    "last_seen": "2026-05-04T15:58:40Z",
    "meters": ["jobs_dispatched"],
    "drivers": ["dispatch_time"],
    "features": ["auto-dispatch"],
    "owner": _OWNER,
    "properties": [
        {
            "path": "channel",
            "kinds": ["text"],
            "example": "app",
            "events": 48210,
            "accounts": 31,
            "first_day": "2025-11-03",
            "last_day": "2026-05-04",
            "mapped": True,
            "meters": [{"meter": "jobs_dispatched", "used_as": "filter"}],
            "drivers": ["dispatch_time"],
        }
    ],
    "more_properties": False,
}


class OwnerIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person or a team; empty for nobody."""

    owner: str


class OwnedOut(msgspec.Struct, frozen=True):
    """`owner` is null where nobody answers for the type."""

    type: str
    owner: Owner | None


class CatalogController(Controller):
    path = "/api/v1/catalog"
    tags = ("Catalog",)

    @get(
        summary="Event types and their properties", responses=answers(Page[CatalogEntry], Page([_ENTRY], None), *READS)
    )
    async def catalog(
        self,
        caller: Caller,
        gate: OpenGate,
        chosen: Annotated[
            Chosen, QueryParameter(name="filter", description="`mapped`: a meter reads it; `unmapped`: none does.")
        ] = Chosen.ALL,
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> Page[CatalogEntry]:
        """By name, over all accounts in reach of the key. Counted a little after events come in. An example is shown
        only of values that look like codes, are few, and come from several accounts."""
        require(caller, Action.READ_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:
            return await catalog_page(tx, await stored_model(tx), chosen=chosen, limit=limit, cursor=cursor)

    @put(
        "/{event_type:str}/owner",
        summary="Say who answers for an event type",
        responses=answers(OwnedOut, {"type": "job.dispatched", "owner": _OWNER}, *WRITES),
    )
    async def own(
        self,
        sending: Sent,
        gate: OpenGate,
        event_type: Annotated[str, PathParameter(description="As the catalog lists it.")],
        data: JSONBody[OwnerIn],
    ) -> Response[OwnedOut]:
        """Every entry is kept with its author and time; the newest holds."""
        caller = sending.caller
        require(caller, Action.WRITE_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:

            async def write() -> Any:
                return OwnedOut(event_type, await set_owner(tx, event_type, data.owner, caller.author, gate.clock()))

            return await once(tx, sending, gate.clock, write, status=200)
