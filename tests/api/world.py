"""A server with two accounts, three providers, and a key of every kind."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from tests.conftest import TEMPLATE, Databases, Server
from tests.core.factories import SetClock
from tests.narrative.next_best_worlds import feature
from tests.narrative.test_next_best import EVEN, a_fit, suggested
from tests.telemetry.factories import rows
from tests.value.factories import NOW, new_account, put_model
from tests.value.three_parties import THREE_PARTIES, put_etas, put_jobs, put_syncs, validate
from valueplatform.app import ServerDatabases, create_app
from valueplatform.commands.context import connect
from valueplatform.commands.verify import FIRST_DAY, verified
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.database import Database, Role
from valueplatform.core.keys import KeyGrant, create_key, revoke_key
from valueplatform.core.scope import grant_accounts
from valueplatform.core.settings import Settings
from valueplatform.narrative import next_best_store
from valueplatform.narrative.grades import Grade
from valueplatform.narrative.grading import Outcome
from valueplatform.worker import refresh_account

Client = AsyncTestClient[Any]
HARBOR, GLOBEX = "harbor", "globex"
VALIDATOR, CHAMPION = "vera@harbor.example", "carl@harbor.example"
MAY_4, MAY_5 = date(2026, 5, 4), date(2026, 5, 5)
PUBLIC_URL = "http://127.0.0.1:8000"
_GRADE = text("""
    INSERT INTO suggestion_grade (account_id, suggestion_id, horizon, version, body, graded_at)
    VALUES (:account, :id, 90, 1, CAST(:body AS jsonb), :now)
""")


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@dataclass(frozen=True)
class Content:
    """What a database of a world holds; `keys` by who holds the key."""

    harbor: int
    globex: int
    keys: Mapping[str, str]


@dataclass
class World:
    """`keys` are headers, by who holds the key."""

    databases: Databases
    client: Client
    clock: SetClock
    harbor: int
    globex: int
    keys: dict[str, dict[str, str]]

    async def get(self, path: str, who: str = "admin", **params: Any) -> Any:
        return await self.client.get(path, headers=self.keys[who], params=params)

    async def send(self, method: str, path: str, who: str, body: object = None, **headers: str) -> Any:
        return await self.client.request(method, path, headers={**self.keys[who], **headers}, json=body)

    async def refresh(self, account_id: int) -> None:
        await refresh(self.databases, account_id, self.clock())

    async def make_key(self, kind: KeyKind, name: str, accounts: Sequence[int] | None = None, **more: Any) -> str:
        return await make_key(self.databases, kind, name, accounts, **more)


async def refresh(databases: Databases, account_id: int, now: datetime) -> None:
    """What the worker does."""
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_account(tx, account_id, now)


async def make_key(
    databases: Databases, kind: KeyKind, name: str, accounts: Sequence[int] | None = None, **more: Any
) -> str:
    async with databases.worker.transaction(operator_scope()) as tx:
        grant = KeyGrant(kind, name, account_ids=accounts, **more)
        return (await create_key(tx, grant)).key


async def add_person(databases: Databases, account_id: int, email: str, role: str) -> None:
    insert = text("INSERT INTO person (account_id, email, name, role) VALUES (:account, :email, :email, :role)")
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(insert, {"account": account_id, "email": email, "role": role})


async def _make_keys(databases: Databases, harbor: int, globex: int) -> dict[str, str]:
    async def partner(name: str, account_id: int = harbor, **more: Any) -> str:
        return await make_key(databases, KeyKind.PARTNER, name, [account_id], **more)

    made = {
        "admin": await make_key(databases, KeyKind.ADMIN, "admin"),
        "ingest": await make_key(databases, KeyKind.INGEST, "ingest"),
        "tessera": await partner("tessera", provider="tessera"),
        "waypoint": await partner("waypoint", provider="waypoint"),
        "other": await partner("other", globex, provider="tessera"),
        "validator": await partner("vera", person=VALIDATOR),
        "champion": await partner("carl", person=CHAMPION),
        "value-only": await partner("value", provider="tessera", scopes=["value:read"]),
    }
    async with databases.worker.transaction(operator_scope()) as tx:
        revoked = await create_key(tx, KeyGrant(KeyKind.ADMIN, "revoked"))
        await revoke_key(tx, revoked.key_id, SetClock(NOW))
    return {**made, "revoked": revoked.key}


async def _bare(databases: Databases) -> Content:
    await put_model(databases, THREE_PARTIES)
    harbor, globex = await new_account(databases, HARBOR), await new_account(databases, GLOBEX)
    for email, role in ((VALIDATOR, "validator"), (CHAMPION, "champion")):
        await add_person(databases, harbor, email, role)
    return Content(harbor, globex, await _make_keys(databases, harbor, globex))


async def _filled(databases: Databases) -> Content:
    content = await _bare(databases)
    await validate(databases, content.harbor)
    await put_jobs(databases, content.harbor, MAY_4, 10)
    await put_syncs(databases, content.harbor, MAY_4, 30)
    await put_jobs(databases, content.harbor, MAY_5, 10)
    await put_etas(databases, content.harbor, MAY_5, 4)
    await refresh(databases, content.harbor, NOW)
    return content


async def template(server: Server, *, filled: bool) -> tuple[str, Content]:
    """The database that a world is cloned from, and what is in it."""
    name = f"{TEMPLATE}_{'filled' if filled else 'bare'}_world"
    return name, await server.template(name, _filled if filled else _bare)


@asynccontextmanager
async def a_world(server: Server, *, filled: bool = True, read_only: bool = False) -> AsyncIterator[World]:
    """`filled`: harbor has value of all three providers on two days, validated, and its stories are told.

    Tests may share one that is `read_only`, as long as they speak to its client alone: connections belong to a loop.
    """
    name, content = await template(server, filled=filled)
    async with server.clone(name, read_only=read_only) as databases, serving(databases, content) as world:
        yield world


@asynccontextmanager
async def serving(databases: Databases, content: Content) -> AsyncIterator[World]:
    """A server over databases of its own with this content."""
    clock = SetClock(NOW)
    # The test client serves in a loop of its own, and connections belong to one loop.
    served = ServerDatabases(Database(databases.url, Role.WEB), Database(databases.url, Role.INGEST))
    app = create_app(served, public_url=PUBLIC_URL, clock=clock, disposes=True)
    keys = {name: bearer(key) for name, key in content.keys.items()} | {"anonymous": {}}
    async with AsyncTestClient(app) as client:
        yield World(databases, client, clock, content.harbor, content.globex, keys)


async def differences(databases: Databases, now: datetime = NOW) -> list[dict[str, Any]]:
    """What `verify` finds, once the worker has done its work for every account."""
    for account in await rows(databases, "SELECT account_id FROM account WHERE account_id > 0"):
        await refresh(databases, account["account_id"], now)
    connected = connect(Settings(None, Path()), databases.url)
    try:
        verdict = await verified(connected, None, FIRST_DAY)
    finally:
        await connected.dispose()
    assert not verdict.waiting
    return verdict.differences


async def suggest(world: World, *features: str) -> dict[str, str]:
    """Suggestions to harbor, best first; their ids by feature."""
    found = suggested(a_fit(dict.fromkeys(features, EVEN)), *map(feature, features))
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        for one in found:
            await tx.execute(next_best_store._STORE, next_best_store._values(world.harbor, one, world.clock()))
    return {one.feature: one.id for one in found}


async def put_grade(world: World, suggestion_id: str, *, feature: str = "erp-connector") -> Grade:
    """A grade of harbor's at ninety days, held against six accounts that went on as before."""
    start = MAY_4 - timedelta(days=120)
    grade = Grade(
        suggestion_id=suggestion_id,
        feature=feature,
        title=feature,
        horizon=90,
        version=1,
        outcome=Outcome.MEASURED,
        decided_at=world.clock(),
        graded_at=world.clock(),
        unit="USD",
        start=start,
        end=start + timedelta(days=90),
        low=Decimal("50.0000"),
        expected=Decimal("200.0000"),
        high=Decimal("350.0000"),
        range_low=Decimal("-10.0000"),
        range_high=Decimal("410.0000"),
        realized=Decimal("150.0000"),
        without=Decimal("1000.0000"),
        is_within=True,
        compared=6,
        segment=None,
        chance=Decimal("0.4"),
    )
    body = msgspec.json.encode(grade).decode()
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        await tx.execute(_GRADE, {"account": world.harbor, "id": suggestion_id, "body": body, "now": world.clock()})
    return grade
