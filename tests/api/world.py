"""A server with two accounts, three providers, and a key of every kind."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from litestar.testing import AsyncTestClient
from sqlalchemy import text

from tests.conftest import Databases
from tests.core.factories import SetClock
from tests.narrative.next_best_worlds import feature
from tests.narrative.test_next_best import EVEN, a_fit, suggested
from tests.value.factories import NOW, new_account, put_model
from tests.value.three_parties import THREE_PARTIES, put_etas, put_jobs, put_syncs, validate
from valueplatform.app import ServerDatabases, create_app
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.database import Database, Role
from valueplatform.core.keys import KeyGrant, create_key, revoke_key
from valueplatform.core.scope import grant_accounts
from valueplatform.narrative import next_best_store
from valueplatform.worker import refresh_account

Client = AsyncTestClient[Any]
HARBOR, GLOBEX = "harbor", "globex"
VALIDATOR, CHAMPION = "vera@harbor.example", "carl@harbor.example"
MAY_4, MAY_5 = date(2026, 5, 4), date(2026, 5, 5)
PUBLIC_URL = "http://127.0.0.1:8000"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@dataclass
class World:
    """`keys` are headers, by who holds the key."""

    databases: Databases
    client: Client
    clock: SetClock
    harbor: int
    globex: int
    keys: dict[str, dict[str, str]] = field(default_factory=dict)

    async def get(self, path: str, who: str = "admin", **params: Any) -> Any:
        return await self.client.get(path, headers=self.keys[who], params=params)

    async def send(self, method: str, path: str, who: str, body: object = None, **headers: str) -> Any:
        return await self.client.request(method, path, headers={**self.keys[who], **headers}, json=body)

    async def refresh(self, account_id: int) -> None:
        """What the worker does."""
        async with self.databases.worker.transaction(grant_accounts([account_id])) as tx:
            await refresh_account(tx, account_id, self.clock())

    async def make_key(self, kind: KeyKind, name: str, accounts: Sequence[int] | None = None, **more: Any) -> str:
        async with self.databases.worker.transaction(operator_scope()) as tx:
            grant = KeyGrant(kind, name, account_ids=accounts, **more)
            return (await create_key(tx, grant)).key


async def add_person(databases: Databases, account_id: int, email: str, role: str) -> None:
    insert = text("INSERT INTO person (account_id, email, name, role) VALUES (:account, :email, :email, :role)")
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(insert, {"account": account_id, "email": email, "role": role})


async def _add_keys(world: World) -> None:
    harbor = [world.harbor]
    made = {
        "admin": await world.make_key(KeyKind.ADMIN, "admin"),
        "ingest": await world.make_key(KeyKind.INGEST, "ingest"),
        "tessera": await world.make_key(KeyKind.PARTNER, "tessera", harbor, provider="tessera"),
        "waypoint": await world.make_key(KeyKind.PARTNER, "waypoint", harbor, provider="waypoint"),
        "other": await world.make_key(KeyKind.PARTNER, "other", [world.globex], provider="tessera"),
        "validator": await world.make_key(KeyKind.PARTNER, "vera", harbor, person=VALIDATOR),
        "champion": await world.make_key(KeyKind.PARTNER, "carl", harbor, person=CHAMPION),
        "value-only": await world.make_key(KeyKind.PARTNER, "value", harbor, provider="tessera", scopes=["value:read"]),
    }
    async with world.databases.worker.transaction(operator_scope()) as tx:
        revoked = await create_key(tx, KeyGrant(KeyKind.ADMIN, "revoked"))
        await revoke_key(tx, revoked.key_id, world.clock)
    world.keys |= {name: bearer(key) for name, key in made.items()}
    world.keys |= {"revoked": bearer(revoked.key), "anonymous": {}}


@asynccontextmanager
async def a_world(databases: Databases, *, filled: bool = True) -> AsyncIterator[World]:
    """`filled`: harbor has value of all three providers on two days, validated, and its stories are told."""
    clock = SetClock(NOW)
    await put_model(databases, THREE_PARTIES)
    harbor, globex = await new_account(databases, HARBOR), await new_account(databases, GLOBEX)
    for email, role in ((VALIDATOR, "validator"), (CHAMPION, "champion")):
        await add_person(databases, harbor, email, role)
    if filled:
        await validate(databases, harbor)
        await put_jobs(databases, harbor, MAY_4, 10)
        await put_syncs(databases, harbor, MAY_4, 30)
        await put_jobs(databases, harbor, MAY_5, 10)
        await put_etas(databases, harbor, MAY_5, 4)
    # The test client serves in a loop of its own, and connections belong to one loop.
    served = ServerDatabases(Database(databases.url, Role.WEB), Database(databases.url, Role.INGEST))
    app = create_app(served, public_url=PUBLIC_URL, clock=clock, disposes=True)
    async with AsyncTestClient(app) as client:
        world = World(databases, client, clock, harbor, globex)
        await _add_keys(world)
        if filled:
            await world.refresh(harbor)
        yield world


async def suggest(world: World, *features: str) -> dict[str, str]:
    """Suggestions to harbor, best first; their ids by feature."""
    found = suggested(a_fit(dict.fromkeys(features, EVEN)), *map(feature, features))
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        for one in found:
            await tx.execute(next_best_store._STORE, next_best_store._values(world.harbor, one, world.clock()))
    return {one.feature: one.id for one in found}
