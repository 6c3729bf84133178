"""`valueplatform user`."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from tests.accounts.factories import an_account
from tests.commands.factories import run
from tests.conftest import Databases
from valueplatform.core.authorization import UserRole
from valueplatform.core.clock import system_clock
from valueplatform.core.scope import no_accounts
from valueplatform.core.sign_in import Knock, sign_in


async def test_a_customer_gets_a_link_that_signs_in_once(databases: Databases) -> None:
    account = await an_account(databases)
    made = await run(databases, "user", "create", "Vera@acme.example", "--role", "customer", "--account", "acme")
    assert made.code == 0
    link = await run(databases, "user", "link", "vera@acme.example")
    address = urlsplit(link.out.strip())
    assert (link.code, address.path) == (0, "/sign-in")
    (token,) = parse_qs(address.query)["token"]
    async with databases.web.transaction(no_accounts()) as tx:
        opened = await sign_in(tx, Knock(token, "127.0.0.1"), system_clock)
        assert opened is not None
        assert (opened.session.user.role, opened.session.user.account_ids) == (
            UserRole.CUSTOMER,
            frozenset({account.account_id}),
        )
        assert await sign_in(tx, Knock(token, "127.0.0.1"), system_clock) is None


async def test_links_lead_to_where_browsers_reach_the_product(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VALUEPLATFORM_PUBLIC_URL", "https://value.example/")
    await run(databases, "user", "create", "maya@fieldnote.example", "--role", "STEWARD", "--name", "Maya O.")
    link = await run(databases, "user", "link", "maya@fieldnote.example", "--json", "--hours", "2")
    assert link.json["url"].startswith("https://value.example/sign-in?token=")
    assert (link.json["email"], link.json["hours"]) == ("maya@fieldnote.example", 2)


async def test_users_are_listed_with_the_accounts_they_may_see(databases: Databases) -> None:
    await an_account(databases)
    await an_account(databases, "globex")
    accounts = ("--account", "acme", "--account", "globex")
    await run(databases, "user", "create", "p@tessera.example", "--role", "partner", "--provider", "tessera", *accounts)
    await run(databases, "user", "create", "maya@fieldnote.example", "--role", "steward")
    await run(databases, "user", "disable", "maya@fieldnote.example")
    maya, partner = (await run(databases, "user", "list", "--json")).json
    assert (maya["email"], maya["accounts"], maya["disabled"]) == ("maya@fieldnote.example", None, True)
    assert (partner["role"], partner["accounts"], partner["provider"]) == ("partner", ["acme", "globex"], "tessera")
    listed = (await run(databases, "user", "list")).out
    assert "acme, globex" in listed
    assert len(listed.splitlines()) == 3


async def test_a_disabled_user_gets_no_link_until_enabled(databases: Databases) -> None:
    await run(databases, "user", "create", "maya@fieldnote.example", "--role", "steward")
    assert (await run(databases, "user", "disable", "Maya@fieldnote.example")).code == 0
    refused = await run(databases, "user", "link", "maya@fieldnote.example")
    assert (refused.code, refused.out) == (1, "")
    assert (await run(databases, "user", "enable", "maya@fieldnote.example")).code == 0
    assert (await run(databases, "user", "link", "maya@fieldnote.example")).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create", "vera@acme.example", "--role", "customer"], "exactly one account"),
        (["create", "vera@acme.example", "--role", "customer", "--account", "no"], "no account 'no'"),
        (["create", "not-an-address", "--role", "steward"], "not an e-mail address"),
        (["link", "nobody@acme.example"], "no user nobody@acme.example"),
        (["disable", "nobody@acme.example"], "no user nobody@acme.example"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(databases: Databases, arguments: list[str], says: str) -> None:
    ran = await run(databases, "user", *arguments)
    assert ran.code == 1
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1


async def test_a_user_who_could_not_be_made_leaves_nothing(databases: Databases) -> None:
    await run(databases, "user", "create", "a@b", "--role", "customer", "--provider", "tessera")
    async with databases.worker.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM app_user")) == 0
        assert await tx.scalar(text("SELECT count(*) FROM provider")) == 0
