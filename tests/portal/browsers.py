"""People who are signed in to a server, each in a browser of their own."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

from sqlalchemy import text

from tests.api.benchmark_world import benchmark_template
from tests.api.world import CHAMPION, PUBLIC_URL, VALIDATOR, Content, World, serving, template
from tests.api.worth_world import worth_template
from tests.conftest import Databases, Server
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.scope import no_accounts
from valueplatform.core.sessions import OpenedSession, open_session
from valueplatform.core.users import create_user, user_by_email
from valueplatform.portal.portal import Portal as Served

STEWARD, ADMIN, STRANGER = "maya@fieldnote.example", "admin@fieldnote.example", "gus@globex.example"
PARTNER, OPERATOR, LEADER = "tess@tessera.example", "op@fieldnote.example", "lea@fieldnote.example"
COOKIE = "valueplatform_session"


@dataclass
class Browser:
    """One signed-in browser; forms carry the token of its session and come from its own pages."""

    world: World
    opened: OpenedSession

    @property
    def headers(self) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self.opened.cookie}", "accept": "text/html"}

    @property
    def csrf(self) -> str:
        return self.opened.session.csrf_token

    async def get(self, path: str, **headers: str) -> Any:
        return await self.world.client.get(path, headers={**self.headers, **headers}, follow_redirects=False)

    async def part(self, path: str) -> Any:
        """What htmx asks for."""
        return await self.get(path, **{"HX-Request": "true"})

    async def post(self, path: str, **fields: str) -> Any:
        return await self.send(path, {"_csrf": self.csrf, **fields}, {"sec-fetch-site": "same-origin"})

    async def send(self, path: str, fields: dict[str, str], headers: dict[str, str]) -> Any:
        return await self.world.client.post(
            path, data=fields, headers={**self.headers, **headers}, follow_redirects=False
        )


@dataclass
class Portal:
    """A server with people on every side; `browsers` by e-mail."""

    world: World

    async def browser(self, email: str) -> Browser:
        async with self.world.databases.web.transaction(no_accounts()) as tx:
            person = await user_by_email(tx, email)
            return Browser(self.world, await open_session(tx, person, self.world.clock))

    def served(self) -> Served:
        """What handlers share, over connections of this loop."""
        return Served.over(self.world.databases.web, self.world.clock, PUBLIC_URL)

    async def run(self, statement: str, **parameters: Any) -> Any:
        """Any SQL, past all rules; the rows of a query."""
        async with self.world.databases.admin.engine.begin() as connection:
            result = await connection.execute(text(statement), parameters)
            return result.all() if result.returns_rows else None


_NAMED = text("UPDATE person p SET name = u.name FROM app_user u WHERE u.email = p.email")


async def _add_people(databases: Databases, content: Content) -> None:
    one, other = [content.harbor], [content.globex]
    async with databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, VALIDATOR, UserRole.CUSTOMER, account_ids=one, name="Vera Lind")
        await create_user(tx, CHAMPION, UserRole.CUSTOMER, account_ids=one, name="Carl Berg")
        await create_user(tx, STRANGER, UserRole.CUSTOMER, account_ids=other, name="Gus")
        await create_user(tx, PARTNER, UserRole.PARTNER, account_ids=one, name="Tess", provider="tessera")
        await create_user(tx, STEWARD, UserRole.STEWARD, name="Maya Okafor")
        await create_user(tx, ADMIN, UserRole.ADMIN, name="Admin")
        await create_user(tx, OPERATOR, UserRole.OPERATIONS, name="Op")
        await create_user(tx, LEADER, UserRole.LEADERSHIP, name="Lea")
        await tx.execute(_NAMED)


@asynccontextmanager
async def a_worth_portal(server: Server) -> AsyncIterator[Portal]:
    """Over accounts whose event types are worth something."""
    base, content = await worth_template(server)
    name = f"{base}_with_people"
    await server.template(name, lambda databases: _add_people(databases, content), base)
    async with server.clone(name) as databases, serving(databases, content) as world:
        yield Portal(world)


@asynccontextmanager
async def a_benchmark_portal(server: Server) -> AsyncIterator[Portal]:
    """Over accounts that are compared: harbor is one of the top, globex has sent nothing."""
    base, content = await benchmark_template(server)
    name = f"{base}_with_people"
    await server.template(name, lambda databases: _add_people(databases, content), base)
    async with server.clone(name) as databases, serving(databases, content) as world:
        yield Portal(world)


@asynccontextmanager
async def a_portal(server: Server, *, filled: bool = True) -> AsyncIterator[Portal]:
    """`filled` as in `a_world`: harbor has value and a story, globex has nothing."""
    base, content = await template(server, filled=filled)
    name = f"{base}_with_people"
    await server.template(name, lambda databases: _add_people(databases, content), base)
    async with server.clone(name) as databases, serving(databases, content) as world:
        yield Portal(world)


def hrefs(html: str, start: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(rf'href="({re.escape(start)}[^"]*)"', html)]


def plain(html: str) -> str:
    """What is read: without the tags."""
    return unescape(re.sub(r"<[^>]+>", "", html))


def token_in(html: str) -> str:
    found = re.search(r'name="_csrf" value="([^"]+)"', html)
    assert found is not None
    return found[1]


__all__ = ["CHAMPION", "PUBLIC_URL", "VALIDATOR"]
