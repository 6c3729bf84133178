"""`valueplatform key`."""

import uuid

import pytest

from tests.accounts.factories import an_account
from tests.commands.factories import run
from tests.conftest import Databases
from valueplatform.core.authorization import Action, KeyKind
from valueplatform.core.errors import UnauthenticatedError
from valueplatform.core.keys import authenticate_key
from valueplatform.core.scope import no_accounts


async def test_a_key_is_shown_once_as_json_and_works(databases: Databases) -> None:
    account = await an_account(databases)
    limits = ("--accounts", "acme", "--sources", "app, web", "--scopes", "events:write")
    made = await run(databases, "key", "create", "--kind", "ingest", "--name", "production", *limits, "--json")
    assert (made.code, sorted(made.json)) == (0, ["id", "key"])
    async with databases.ingest.transaction(no_accounts()) as tx:
        holder = await authenticate_key(tx, made.json["key"])
    assert (str(holder.key_id), holder.kind, holder.provider) == (made.json["id"], KeyKind.INGEST, "supplier")
    assert holder.account_ids == frozenset({account.account_id})
    assert (holder.sources, holder.scopes) == (frozenset({"app", "web"}), frozenset({Action.WRITE_EVENTS}))
    listed = await run(databases, "key", "list")
    assert made.json["id"] in listed.out
    assert made.json["key"] not in listed.out


async def test_a_key_as_text_stands_alone_on_the_first_line(databases: Databases) -> None:
    made = await run(databases, "key", "create", "--kind", "admin", "--name", "ops")
    first, *_ = made.out.splitlines()
    async with databases.web.transaction(no_accounts()) as tx:
        assert (await authenticate_key(tx, first)).account_ids is None


@pytest.mark.parametrize(
    ("arguments", "provider"),
    [
        (["--kind", "partner", "--name", "Tessera GmbH"], "tessera-gmbh"),
        (["--kind", "partner", "--name", "Tessera GmbH", "--provider", "tessera"], "tessera"),
        (["--kind", "ingest", "--name", "x"], "supplier"),
    ],
)
async def test_whom_a_key_speaks_for(databases: Databases, arguments: list[str], provider: str) -> None:
    made = await run(databases, "key", "create", *arguments, "--json")
    async with databases.web.transaction(no_accounts()) as tx:
        assert (await authenticate_key(tx, made.json["key"])).provider == provider


async def test_a_key_may_act_for_a_person_of_one_account(databases: Databases) -> None:
    await an_account(databases)
    person = ("--person", "vera@acme.example")
    made = await run(
        databases, "key", "create", "--kind", "partner", "--name", "x", "--accounts", "acme", *person, "--json"
    )
    async with databases.web.transaction(no_accounts()) as tx:
        assert (await authenticate_key(tx, made.json["key"])).person == "vera@acme.example"
    refused = await run(databases, "key", "create", "--kind", "partner", "--name", "x", *person)
    assert (refused.code, "the one account" in refused.err) == (1, True)


async def test_a_revoked_key_is_refused(databases: Databases) -> None:
    made = await run(databases, "key", "create", "--kind", "ingest", "--name", "x", "--json")
    assert "Revoked" in (await run(databases, "key", "revoke", made.json["id"])).out
    assert "before" in (await run(databases, "key", "revoke", made.json["id"])).out
    async with databases.web.transaction(no_accounts()) as tx:
        with pytest.raises(UnauthenticatedError):
            await authenticate_key(tx, made.json["key"])
    (record,) = (await run(databases, "key", "list", "--json")).json
    assert record["revoked_at"] is not None
    assert record["accounts"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["create", "--kind", "ingest", "--name", "x", "--accounts", "acme,zz"], 1, "no account 'acme', 'zz'"),
        (["create", "--kind", "ingest", "--name", "x", "--scopes", "value:read"], 1, "cannot have value:read"),
        (["create", "--kind", "robot", "--name", "x"], 2, "'robot'"),
        (["create", "--kind", "ingest"], 2, "--name"),
        (["revoke", "not-an-id"], 2, "not-an-id"),
        (["revoke", str(uuid.UUID(int=7))], 1, "key list"),
    ],
)
async def test_what_cannot_be_done(databases: Databases, arguments: list[str], code: int, says: str) -> None:
    ran = await run(databases, "key", *arguments)
    assert ran.code == code
    assert says in ran.err


async def test_no_keys_and_no_users_are_said_so(databases: Databases) -> None:
    assert (await run(databases, "key", "list")).out == "There are no keys.\n"
    assert (await run(databases, "key", "list", "--json")).json == []
    assert (await run(databases, "user", "list")).out == "There is nobody yet.\n"


async def test_how_many_events_a_key_may_send_is_set_listed_and_changed(databases: Databases) -> None:
    quota = ("--rate-limit", "500", "--daily-quota", "1000000")
    made = await run(databases, "key", "create", "--kind", "ingest", "--name", "x", *quota, "--json")
    (listed,) = (await run(databases, "key", "list", "--json")).json
    assert (listed["rate_limit"], listed["burst"], listed["daily_quota"]) == (500, 5000, 1_000_000)
    limited = await run(databases, "key", "limit", made.json["id"], "--rate-limit", "5", "--burst", "7", "--json")
    assert limited.json == {"id": made.json["id"], "rate_limit": 5, "burst": 7, "daily_quota": None}
    freed = await run(databases, "key", "limit", made.json["id"], "--json")
    assert freed.json == {"id": made.json["id"], "rate_limit": None, "burst": None, "daily_quota": None}
    async with databases.web.transaction(no_accounts()) as tx:
        assert (await authenticate_key(tx, made.json["key"])).limited is False


@pytest.mark.parametrize("quota", [("--rate-limit", "0"), ("--daily-quota", "-1"), ("--burst", "5"), ("--burst", "x")])
async def test_a_quota_that_makes_no_sense_is_refused(databases: Databases, quota: tuple[str, str]) -> None:
    assert (await run(databases, "key", "create", "--kind", "ingest", "--name", "x", *quota)).code != 0
    assert (await run(databases, "key", "list", "--json")).json == []
    unknown = await run(databases, "key", "limit", str(uuid.uuid4()), "--rate-limit", "5")
    assert (unknown.code, "There is no key" in unknown.err) == (1, True)
