"""A server over accounts that are compared; harbor is one of the top, globex has sent nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.api.world import CHAMPION, VALIDATOR, Content, World, add_person, make_key, serving
from tests.conftest import TEMPLATE, Databases, Server
from tests.value.benchmark_worlds import PROSPECT, agree, compared
from valueplatform.core.authorization import KeyKind

NAME: Final = f"{TEMPLATE}_benchmark_world"
TOP: Final = "a23"


async def _fill(databases: Databases) -> Content:
    ids = await compared(databases)
    await agree(databases, ids)
    harbor, globex = ids[TOP], ids[PROSPECT]
    await add_person(databases, harbor, CHAMPION, "champion")
    await add_person(databases, harbor, VALIDATOR, "validator")
    keys = {
        "admin": await make_key(databases, KeyKind.ADMIN, "admin"),
        "champion": await make_key(databases, KeyKind.PARTNER, "carl", [harbor], person=CHAMPION),
        "tessera": await make_key(databases, KeyKind.PARTNER, "tessera", [harbor, globex], provider="tessera"),
    }
    return Content(harbor, globex, keys)


async def benchmark_template(server: Server) -> tuple[str, Content]:
    return NAME, await server.template(NAME, _fill)


@asynccontextmanager
async def a_benchmark_world(server: Server) -> AsyncIterator[World]:
    name, content = await benchmark_template(server)
    async with server.clone(name) as databases, serving(databases, content) as world:
        yield world
