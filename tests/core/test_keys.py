"""Machine keys."""

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.core.factories import SetClock
from valueplatform.core import keys
from valueplatform.core.authorization import RIGHTS_OF_KEYS, Action, KeyKind, KeyPrincipal
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from valueplatform.core.keys import (
    KEY_PATTERN,
    KeyGrant,
    KeyRing,
    NewKey,
    authenticate_key,
    create_key,
    list_keys,
    masked,
    revoke_key,
)
from valueplatform.core.scope import no_accounts

INGEST = KeyGrant(KeyKind.INGEST, "jobs")
clock = SetClock()


async def made(databases: Databases, grant: KeyGrant = INGEST) -> NewKey:
    async with databases.worker.transaction(no_accounts()) as tx:
        return await create_key(tx, grant)


async def holder(databases: Databases, bearer: str) -> KeyPrincipal:
    async with databases.web.transaction(no_accounts()) as tx:
        return await authenticate_key(tx, bearer)


async def revoked(databases: Databases, key_id: uuid.UUID) -> bool:
    async with databases.worker.transaction(no_accounts()) as tx:
        return await revoke_key(tx, key_id, clock)


async def test_a_key_carries_what_it_was_made_for(databases: Databases) -> None:
    grant = KeyGrant(
        KeyKind.INGEST, " jobs ", "partner-x", account_ids=[3, 1, 3], sources=["app"], scopes=["events:write"]
    )
    created = await made(databases, grant)
    principal = await holder(databases, created.key)
    assert principal == KeyPrincipal(
        created.key_id,
        KeyKind.INGEST,
        "jobs",
        "partner-x",
        frozenset({1, 3}),
        frozenset({"app"}),
        frozenset({Action.WRITE_EVENTS}),
    )


async def test_without_limits_a_key_has_all_that_its_kind_may(databases: Databases) -> None:
    for kind in KeyKind:
        principal = await holder(databases, (await made(databases, KeyGrant(kind, "k"))).key)
        assert principal.rights == RIGHTS_OF_KEYS[kind]
        assert principal.account_ids is None
        assert principal.sources is None


async def test_the_ingest_role_can_check_keys_too(databases: Databases) -> None:
    key = await made(databases)
    async with databases.ingest.transaction(no_accounts()) as tx:
        assert (await authenticate_key(tx, key.key)).key_id == key.key_id


async def test_a_revoked_key_is_not_valid_and_revoking_it_again_says_so(databases: Databases) -> None:
    key = await made(databases)
    assert await revoked(databases, key.key_id)
    assert not await revoked(databases, key.key_id)
    with pytest.raises(UnauthenticatedError):
        await holder(databases, key.key)


async def test_revoking_a_key_that_never_was_names_the_cure(databases: Databases) -> None:
    with pytest.raises(NotFoundError, match="key list"):
        await revoked(databases, uuid.uuid4())


async def test_every_wrong_key_gets_the_same_answer(databases: Databases) -> None:
    good = await made(databases)
    other = await made(databases)
    head, secret = good.key[:-43], good.key[-43:]
    wrong = [
        "",
        "Bearer",
        good.key[:-1],
        good.key + "a",
        good.key.upper(),
        head + other.key[-43:],
        other.key[:-43] + secret,
        good.key.replace("_ingest_", "_admin_"),
        f"vp_ingest_{uuid.uuid4().hex}_{secret}",
        "x" * 100_000,
        "vp_ingest_' OR 1=1 --",
    ]
    messages = set()
    for bearer in wrong:
        with pytest.raises(UnauthenticatedError) as error:
            await holder(databases, bearer)
        messages.add(error.value.message)
    assert len(messages) == 1


async def test_the_database_never_holds_the_secret(databases: Databases) -> None:
    key = await made(databases)
    async with databases.worker.transaction(no_accounts()) as tx:
        row = await tx.scalar(text("SELECT k::text FROM api_key k"))
    assert key.key[-43:] not in row
    assert key.key[-43:].encode().hex() not in row


async def test_keys_are_listed_without_their_secrets_and_with_their_end(databases: Databases) -> None:
    key = await made(databases)
    await revoked(databases, key.key_id)
    async with databases.web.transaction(no_accounts()) as tx:
        (record,) = await list_keys(tx)
    assert (record.key_id, record.kind, record.name, record.revoked_at) == (key.key_id, KeyKind.INGEST, "jobs", clock())
    assert not hasattr(record, "secret_hash")


@pytest.mark.parametrize(
    ("grant", "says"),
    [
        (replace(INGEST, name=" "), "needs a name"),
        (replace(INGEST, scopes=["value:read"]), "cannot have value:read"),
        (replace(INGEST, kind=KeyKind.ADMIN, scopes=["assumptions:validate"]), "cannot have assumptions:validate"),
        (replace(INGEST, kind=KeyKind.PARTNER, scopes=["no:such"]), "It can have: .*value:read"),
        (replace(INGEST, person="vera@acme.example", account_ids=[1]), "of kind partner"),
        (KeyGrant(KeyKind.PARTNER, "k", person="vera@acme.example"), "the one account"),
        (KeyGrant(KeyKind.PARTNER, "k", person="vera@acme.example", account_ids=[1, 2]), "the one account"),
        (KeyGrant(KeyKind.PARTNER, "k", person="vera", account_ids=[1]), "not an e-mail"),
    ],
)
async def test_a_grant_that_could_never_work_is_refused(databases: Databases, grant: KeyGrant, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        await made(databases, grant)


async def test_a_key_that_acts_for_a_person_has_no_rights_until_the_person_is_found(databases: Databases) -> None:
    grant = KeyGrant(KeyKind.PARTNER, "k", person=" Vera@acme.example", account_ids=[1])
    principal = await holder(databases, (await made(databases, grant)).key)
    assert principal.person == "vera@acme.example"
    assert principal.rights == frozenset()
    assert Action.VALIDATE_ASSUMPTION in principal.scopes


async def test_logs_show_which_key_but_not_its_secret(databases: Databases) -> None:
    key = await made(databases)
    line = masked(f"401 for {key.key} and {key.key}")
    assert key.key[-43:] not in line
    assert line.count(key.key_id.hex) == 2
    assert KEY_PATTERN.fullmatch(key.key)


class Monotonic:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_ring_asks_the_database_again_within_half_a_second(databases: Databases) -> None:
    key, monotonic = await made(databases), Monotonic()
    ring = KeyRing(databases.web, monotonic)
    assert (await ring.principal(key.key)).key_id == key.key_id
    await revoked(databases, key.key_id)
    monotonic.seconds += 0.49
    assert (await ring.principal(key.key)).key_id == key.key_id
    monotonic.seconds += 0.02
    for _ in range(2):
        with pytest.raises(UnauthenticatedError):
            await ring.principal(key.key)


async def test_who_asks_for_one_key_at_once_shares_one_look_up(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look_up = keys.authenticate_key

    async def counted(tx: Transaction, bearer: str) -> KeyPrincipal:
        asked.append(bearer)
        return await look_up(tx, bearer)

    monkeypatch.setattr(keys, "authenticate_key", counted)
    key, ring = await made(databases), KeyRing(databases.web, Monotonic())
    bearers = [key.key] * 5 + [key.key[:-1]] * 5
    found = await asyncio.gather(*map(ring.principal, bearers), return_exceptions=True)
    assert [isinstance(one, UnauthenticatedError) for one in found] == [False] * 5 + [True] * 5
    assert sorted(asked) == sorted([key.key, key.key[:-1]])


async def test_a_ring_never_remembers_a_wrong_key(databases: Databases) -> None:
    ring = KeyRing(databases.web, Monotonic(), hold=timedelta(hours=1))
    key = await made(databases)
    with pytest.raises(UnauthenticatedError):
        await ring.principal(key.key[:-1])
    assert (await ring.principal(key.key)).name == "jobs"
