"""What is sent, what of it is used, and who answers for it."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, put
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.once import Sent, once
from valueplatform.core.authorization import Action, KeyPrincipal, may, require, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.pages import DEFAULT_LIMIT, Page
from valueplatform.telemetry.catalog_reads import Owner, set_owner
from valueplatform.value.catalog import CatalogEntry, Chosen, Order, Question, catalog_page
from valueplatform.value.catalog_gaps import owned_types
from valueplatform.value.feeds import Paths
from valueplatform.value.model import ValueModel
from valueplatform.value.models import stored_model
from valueplatform.value.type_worth import WorthBook, read_worth
from valueplatform.value.worth_opened import OpenedWorth, opened_worth

_OWNER: Final = {"name": "Dispatch team", "set_by": "maya@fieldnote.example", "set_at": "2026-05-04T16:00:00Z"}
_WORTH: Final = {
    "as_of": "2026-05-04T16:01:00Z",
    "months": ["2026-02-01", "2026-03-01", "2026-04-01"],
    "realized": [
        {
            "driver": "dispatch_time",
            "unit": "USD",
            "benefit_class": "capacity",
            "accounts": 14,
            "low": "151002.1180",
            "expected": "182377.6512",
            "high": "213884.0031",
            "counted": "96420.5521",
            "evidence": "vendor-estimate",
            "state": "estimated",
        }
    ],
    "potential": [
        {
            "driver": "dispatch_time",
            "unit": "USD",
            "benefit_class": "capacity",
            "reach": "more",
            "basis": "size",
            "accounts": 3,
            "needing": 0,
            "low": "1840.2200",
            "expected": "4411.0083",
            "high": "9120.7741",
        }
    ],
    "not_estimated": [],
}
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
    "worth": _WORTH,
    "effort": None,
}
_OPENED: Final[dict[str, Any]] = {
    "type": "tracking.opened",
    "property": "",
    "as_of": _WORTH["as_of"],
    "worth": _WORTH,
    "like": None,
    "likeness": None,
    "drivers": [
        {
            "driver": "calls_avoided",
            "title": "Calls to the dispatch desk avoided",
            "formula": "tracking_opens * calls_avoided_per_open * minutes_per_call / 60 * dispatcher_hourly_cost",
            "months": [
                {
                    "unit": "USD",
                    "benefit_class": "capacity",
                    "months": [{"month": "2026-04-01", "expected": "20400.0000", "accounts": 13}],
                }
            ],
            "cohorts": [
                {
                    "segment": "",
                    "basis": "size",
                    "unit": "",
                    "peers": 21,
                    "low": "0.010246113",
                    "expected": "0.029669066",
                    "high": "0.078046130",
                    "others": 0,
                }
            ],
            "not_estimated": None,
        }
    ],
    "accounts": Page(
        [
            {
                "account": "harbor",
                "name": "Harbor Logistics",
                "driver": "calls_avoided",
                "unit": "USD",
                "part": "more",
                "benefit_class": "capacity",
                "basis": "size",
                "segment": "",
                "size": "41250.0000",
                "low": "140.8841",
                "expected": "407.9497",
                "high": "1073.1343",
                "by_month": None,
                "needs": [],
            }
        ],
        None,
    ),
}


class OwnerIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person or a team; empty for nobody."""

    owner: str


class OwnedOut(msgspec.Struct, frozen=True):
    """`owner` is null where nobody answers for the type."""

    type: str
    owner: Owner | None


async def book_for(tx: Transaction, model: ValueModel | None, caller: KeyPrincipal) -> WorthBook | None:
    """What types are worth, for whoever may read value."""
    if model is None or not may(caller, Action.READ_VALUE):
        return None
    return await read_worth(tx, Paths(model), model.supplier.currency)


class CatalogController(Controller):
    path = "/api/v1/catalog"
    tags = ("Catalog",)

    @get(
        summary="Event types and their properties",
        responses=answers(Page[CatalogEntry], Page([_ENTRY], None), *READS),
    )
    async def catalog(
        self,
        caller: Caller,
        gate: OpenGate,
        chosen: Annotated[
            Chosen,
            QueryParameter(
                name="filter",
                description="`mapped`: a meter reads it; `unmapped`: none does; `not-sent`: the model names it, or "
                "somebody wishes for it, and no account sends it.",
            ),
        ] = Chosen.ALL,
        order: Annotated[
            Order,
            QueryParameter(
                name="sort",
                description="`value`: by what would come on top in the supplier's currency, the most first; needs the "
                "right `value:read`. Types that no account sends come by name.",
            ),
        ] = Order.NAME,
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> Page[CatalogEntry]:
        """Over all accounts in reach of the key. Counted a little after events come in. An example is shown only of
        values that look like codes, are few, and come from several accounts.

        `worth` is for keys that may read value: what the drivers that a type feeds were worth a month, over the newest
        whole months, and an *estimate* of what would come if accounts that do not send it sent it as their peers do,
        with its range. Estimates overlap between types, and are in no realized value. Peers are told of only where they
        are five or more and none makes more than half."""
        require(caller, Action.READ_CATALOG)
        if order is Order.VALUE:
            require(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller)) as tx:
            model = await stored_model(tx)
            book = await book_for(tx, model, caller)
            return await catalog_page(tx, model, book, Question(chosen, order, limit, cursor))

    @get(
        "/estimates",
        summary="What the worth of an event type is made from",
        responses=answers(OpenedWorth, _OPENED, *READS),
    )
    async def opened(
        self,
        caller: Caller,
        gate: OpenGate,
        event_type: Annotated[str, QueryParameter(name="type", description="As the catalog lists it.")],
        path: Annotated[str, QueryParameter(name="property", description="A property of it; without, the type.")] = "",
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: FromQuery[str | None] = None,
    ) -> OpenedWorth:
        """Each driver with its months, the cohorts that estimates go by, and every account's part: all that is needed
        to compute the amounts again."""
        require(caller, Action.READ_CATALOG)
        require(caller, Action.READ_VALUE)
        async with gate.web.transaction(scope_of(caller)) as tx:
            book = await book_for(tx, await stored_model(tx), caller)
            return await opened_worth(tx, book, (event_type, path), limit, cursor)

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
                known = await owned_types(tx, await stored_model(tx))
                owner = await set_owner(tx, event_type, data.owner, caller.author, gate.clock(), known=known)
                return OwnedOut(event_type, owner)

            return await once(tx, sending, gate.clock, write, status=200)
