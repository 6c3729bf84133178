"""A server over accounts that send several types, of which some are not sent, not measured, or not metered."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from tests.api.world import CHAMPION, Content, World, add_person, make_key, serving
from tests.conftest import TEMPLATE, Databases, Server
from tests.value.worth_worlds import BEFORE, DAYS, Sent, install, jobs, opens
from tests.value.worths import the_model
from valueplatform.core.authorization import KeyKind
from valueplatform.value.model import ValueModel

NAME: Final = f"{TEMPLATE}_worth_world"
ODD: Final = 'ünfug/<b>\'s & "more"</b>'
MORE: Final = """
[[feature]]
slug = "quotes"
title = "Quotes on site"
event = "quote.accepted"

[[event_type]]
type = "tracking.opened"
title = "Customers looked up an arrival"
"""


def model() -> ValueModel:
    """`worths.MODEL`, and a feature whose events nobody sends."""
    return the_model(MORE)


def sent() -> Mapping[str, Sequence[Sent]]:
    """Six peers, two that send jobs alone, one whose jobs lack what meters read; lists go with higher savings."""
    lists: list[Sent] = [(day, "list.done", {"lists": 2}) for day in DAYS]
    odd: list[Sent] = [(DAYS[0], ODD, {"x": 1}), (DAYS[1], "job.begun", {"minutes": 4})]
    peers = {
        f"peer-{n}": [*jobs(3, [BEFORE]), *jobs(n % 5 + 1), *jobs(2), *opens(3 * n), *odd, *(lists if n > 3 else [])]
        for n in range(1, 7)
    }
    bare: list[Sent] = [(day, "job.done", {"channel": "app", "minutes": "many"}) for day in DAYS]
    return {**peers, "small": jobs(9), "large": [*jobs(1), *jobs(1), *jobs(2), *jobs(7)], "bare": bare}


async def _fill(databases: Databases) -> Content:
    ids = await install(databases, sent(), model())
    harbor, globex = ids["small"], ids["large"]
    await add_person(databases, harbor, CHAMPION, "champion")
    keys = {
        "admin": await make_key(databases, KeyKind.ADMIN, "admin"),
        "ingest": await make_key(databases, KeyKind.INGEST, "ingest"),
        "some": await make_key(databases, KeyKind.ADMIN, "some", [harbor]),
        "counts": await make_key(databases, KeyKind.ADMIN, "counts", scopes=["catalog:read"]),
        "champion": await make_key(databases, KeyKind.PARTNER, "carl", [harbor], person=CHAMPION),
    }
    return Content(harbor, globex, keys)


async def worth_template(server: Server) -> tuple[str, Content]:
    return NAME, await server.template(NAME, _fill)


@asynccontextmanager
async def a_worth_world(server: Server) -> AsyncIterator[World]:
    name, content = await worth_template(server)
    async with server.clone(name) as databases, serving(databases, content) as world:
        yield world
