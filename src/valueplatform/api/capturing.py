"""What could be captured and is not sent yet, what it takes, and what people wish for."""

from typing import Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.catalog import book_for
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.once import Sent, once
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.telemetry.wanted import Said, Size, Wish, set_effort, set_wish, withdraw_wish
from valueplatform.value.catalog_gaps import CatalogGap, catalog_gaps, require_capturable
from valueplatform.value.models import stored_model

_SAID: Final = {
    "size": "small",
    "reason": "The client sends it in its next release.",
    "set_by": "pia@fieldnote.example",
    "set_at": "2026-05-04T16:00:00Z",
}
_WISH: Final = {
    "type": "part.returned",
    "name": "Parts returned unused",
    "why": "Every part that comes back was driven around for nothing.",
    "effort": "medium",
    "set_by": "pia@fieldnote.example",
    "set_at": "2026-05-04T16:00:00Z",
}
_GAP: Final = {
    "kind": "type",
    "type": "tracking.opened",
    "property": "",
    "title": "Customers looked up an arrival",
    "says": "7 accounts that might send it do not.",
    "sent": True,
    "accounts": 7,
    "connected": 7,
    "events": 0,
    "codes": ["not-sent"],
    "meters": ["tracking_opens"],
    "drivers": ["calls_avoided"],
    "features": ["arrival-tracking"],
    "effort": {
        "size": "small",
        "rule": "new-type",
        "says": "Send a new event type from /app, which is connected in 7 accounts.",
        "said": _SAID,
    },
    "owner": None,
    "potential": [
        {
            "driver": "calls_avoided",
            "unit": "USD",
            "benefit_class": "capacity",
            "reach": "more",
            "basis": "size",
            "accounts": 3,
            "needing": 0,
            "low": "140.8841",
            "expected": "407.9497",
            "high": "1073.1343",
        }
    ],
    "wish": None,
}


class GapsOut(msgspec.Struct, frozen=True):
    """All there are: as long as the model, however many accounts there are."""

    items: list[CatalogGap]


class EffortIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`property` '' = the type itself; `effort` null takes back what was said, so that the rule holds again."""

    type: str
    effort: Size | None
    reason: str = ""
    property: str = ""


class EffortOut(msgspec.Struct, frozen=True):
    """`said` is null where the rule holds."""

    type: str
    property: str
    said: Said | None


class WishIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event type that could be captured, and why it should be. The same type again corrects the wish."""

    type: str
    name: str
    why: str
    effort: Size


class WithdrawnIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str


class WithdrawnOut(msgspec.Struct, frozen=True):
    type: str
    withdrawn: bool


class CapturingController(Controller):
    path = "/api/v1/catalog"
    tags = ("Catalog",)

    @get(
        "/gaps", summary="What could be captured and is not sent", responses=answers(GapsOut, {"items": [_GAP]}, *READS)
    )
    async def gaps(self, caller: Caller, gate: OpenGate) -> GapsOut:
        """Types that no account or only some accounts send, properties that meters read and events lack, features
        whose use no event shows, and wishes; over the accounts in reach of the key. Those whose potential can be
        estimated come first, by it (for keys that may read value), then the others by effort. Effort follows a stated
        rule from what accounts send already, unless a person has said otherwise."""
        require(caller, Action.READ_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:
            model = await stored_model(tx)
            return GapsOut(await catalog_gaps(tx, model, await book_for(tx, model, caller)))

    @post(
        "/efforts",
        summary="Say what it takes to send a type or a property",
        responses=answers(EffortOut, {"type": "tracking.opened", "property": "", "said": _SAID}, *WRITES, status=201),
    )
    async def say(self, sending: Sent, gate: OpenGate, data: JSONBody[EffortIn]) -> Response[EffortOut]:
        """Every entry is kept with its author and time; the newest holds."""
        caller = sending.caller
        require(caller, Action.WRITE_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:

            async def write() -> Any:
                place = (data.type, data.property)
                await require_capturable(tx, await stored_model(tx), *place)
                now = gate.clock()
                said = await set_effort(tx, place, data.effort, data.reason, author=caller.author, now=now)
                return EffortOut(data.type, data.property, said)

            return await once(tx, sending, gate.clock, write)

    @post(
        "/wishes",
        summary="Wish for an event type",
        responses=answers(Wish, _WISH, *WRITES, status=201),
    )
    async def wish(self, sending: Sent, gate: OpenGate, data: JSONBody[WishIn]) -> Response[Wish]:
        """It stands in the list of gaps from then on. Every entry is kept with its author and time; the newest of a
        type holds."""
        caller = sending.caller
        require(caller, Action.WRITE_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:

            async def write() -> Any:
                wish = Wish(data.type, data.name, data.why, data.effort, caller.author, gate.clock())
                return await set_wish(tx, wish)

            return await once(tx, sending, gate.clock, write)

    @post(
        "/wishes/withdraw",
        summary="Take a wish back",
        responses=answers(WithdrawnOut, {"type": "part.returned", "withdrawn": True}, *WRITES, status=200),
        status_code=200,
    )
    async def withdraw(self, sending: Sent, gate: OpenGate, data: JSONBody[WithdrawnIn]) -> Response[WithdrawnOut]:
        """It stays on record, and is listed no more."""
        caller = sending.caller
        require(caller, Action.WRITE_CATALOG)
        async with gate.web.transaction(scope_of(caller)) as tx:

            async def write() -> Any:
                await withdraw_wish(tx, data.type, author=caller.author, now=gate.clock())
                return WithdrawnOut(data.type, withdrawn=True)

            return await once(tx, sending, gate.clock, write, status=200)
