"""The database keeps accounts apart by itself: everything here is raw SQL, as if all code above had failed."""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import nullcontext

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import Databases
from tests.core.factories import account
from tests.core.schema_of_all_rooms import metadata
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.database import Database, Role, Transaction
from valueplatform.core.isolation import APPEND_ONLY, UNSCOPED, Fault, isolation_faults, role_faults, tenant_tables
from valueplatform.core.scope import Scope, no_accounts

SEEN = text("SELECT array_agg(account_id ORDER BY account_id) FROM milestone")
MILESTONE = text("INSERT INTO milestone VALUES (:account, :id, 'go-live', now(), 'Live')")


async def seen(tx: Transaction) -> Sequence[int]:
    return await tx.scalar(SEEN) or []


@pytest.fixture
async def three(databases: Databases) -> list[int]:
    """Three accounts with one milestone each."""
    ids = [await account(databases, key) for key in ("acme", "globex", "initech")]
    async with databases.worker.transaction(no_accounts()) as tx:
        for account_id in ids:
            await tx.execute(MILESTONE, {"account": account_id, "id": "m1"})
    return ids


async def faults(databases: Databases) -> list[Fault]:
    async with databases.admin.engine.connect() as connection:
        return await isolation_faults(connection)


async def test_the_catalog_has_no_fault(databases: Databases) -> None:
    assert await faults(databases) == []


async def test_every_table_that_names_an_account_is_a_tenant_table_or_excepted_with_a_reason(
    databases: Databases,
) -> None:
    async with databases.admin.engine.connect() as connection:
        in_catalog = set(await tenant_tables(connection))
    declared = {table.name for table in metadata.tables.values() if table.info.get("tenant")}
    naming_accounts = {table.name for table in metadata.tables.values() if "account_id" in table.columns}
    assert in_catalog == declared
    assert naming_accounts - declared == set(UNSCOPED)


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ("ALTER TABLE milestone DISABLE ROW LEVEL SECURITY", "milestone"),
        ("ALTER TABLE milestone NO FORCE ROW LEVEL SECURITY", "milestone"),
        ("DROP POLICY web_sees_scope ON story", "story"),
        ("CREATE POLICY everyone ON story USING (true)", "story"),
        ("CREATE TABLE leak (leak_id int PRIMARY KEY, account_id bigint)", "leak"),
        ("GRANT SELECT ON event_key TO valueplatform_web", "event_key"),
        ("GRANT SELECT ON event_key TO valueplatform_worker", "event_key"),
        ("GRANT UPDATE ON cost TO valueplatform_web", "cost"),
        ("ALTER TABLE cost DISABLE ROW LEVEL SECURITY", "cost"),
        ("ALTER TABLE cost NO FORCE ROW LEVEL SECURITY", "cost"),
        ("CREATE POLICY everyone ON cost USING (true)", "cost"),
        ("ALTER POLICY web_reads_finance ON cost USING (true)", "cost"),
        ("ALTER POLICY web_sees_known_effort ON cost USING (true)", "cost"),
        ("ALTER POLICY web_sees_known_effort ON cost USING (kind = 'service')", "cost"),
        ("DROP POLICY web_reads_finance ON cost", "cost"),
        ("ALTER TABLE exchange_rate DISABLE TRIGGER append_only", "exchange_rate"),
        ("ALTER TABLE posting DISABLE TRIGGER append_only", "posting"),
        ("ALTER TABLE story OWNER TO valueplatform_web", "valueplatform_web"),
    ],
)
async def test_a_rule_that_is_switched_off_is_found(databases: Databases, damage: str, where: str) -> None:
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql(damage)
    assert where in {fault.where for fault in await faults(databases)}


@pytest.mark.parametrize("damage", ["BYPASSRLS", "SUPERUSER", "CREATEROLE"])
async def test_a_web_role_with_powers_is_found(databases: Databases, damage: str) -> None:
    # Roles belong to the whole server, so this stays inside a transaction that never commits.
    async with databases.admin.engine.connect() as connection:
        await connection.exec_driver_sql(f"ALTER ROLE {Role.WEB} {damage}")
        assert Role.WEB in {fault.where for fault in await isolation_faults(connection)}
        await connection.rollback()


async def test_a_web_role_that_may_become_the_worker_is_found(databases: Databases) -> None:
    async with databases.admin.engine.connect() as connection:
        await connection.exec_driver_sql(f"GRANT {Role.WORKER} TO {Role.WEB}")
        assert Role.WEB in {fault.where for fault in await isolation_faults(connection)}
        await connection.rollback()


async def test_a_missing_role_is_found_with_the_statement_that_makes_it(databases: Databases) -> None:
    async with databases.admin.engine.connect() as connection:
        await connection.exec_driver_sql(f"ALTER ROLE {Role.WEB} RENAME TO somebody_else")
        (fault,) = await role_faults(connection)
        await connection.rollback()
    assert fault.where == Role.WEB
    assert fault.cure == f"CREATE ROLE {Role.WEB} NOLOGIN NOSUPERUSER; GRANT {Role.WEB} TO postgres"


async def test_without_a_scope_the_web_role_sees_no_row(databases: Databases, three: list[int]) -> None:
    async with databases.web.engine.connect() as connection:
        for table in await tenant_tables(connection):
            assert await connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    async with databases.web.transaction(no_accounts()) as tx:
        assert await seen(tx) == []


async def test_the_web_role_sees_one_account_a_set_or_all_as_scoped(databases: Databases, three: list[int]) -> None:
    for wanted in ([three[0]], three[1:], [*three, 999_999], [999_999], None):
        async with databases.web.transaction(accounts_or_all(wanted)) as tx:
            assert await seen(tx) == (three if wanted is None else [i for i in three if i in wanted])


async def test_the_web_role_cannot_write_into_another_account(databases: Databases, three: list[int]) -> None:
    mine, other, _ = three
    with pytest.raises(DBAPIError, match="row-level security"):
        async with databases.web.transaction(accounts_or_all([mine])) as tx:
            await tx.execute(MILESTONE, {"account": other, "id": "m2"})
    with pytest.raises(DBAPIError, match="row-level security"):
        async with databases.web.transaction(accounts_or_all([mine])) as tx:
            await tx.execute(text("UPDATE milestone SET account_id = :other"), {"other": other})
    async with databases.web.transaction(accounts_or_all([mine])) as tx:
        await tx.execute(MILESTONE, {"account": mine, "id": "m2"})
        assert await tx.execute(text("UPDATE milestone SET title = 'x' WHERE account_id <> :me"), {"me": mine}) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM milestone",
        "UPDATE account SET name = 'x'",
        "SELECT * FROM event_key",
        "DELETE FROM cost",
        "INSERT INTO cost VALUES ('c', NULL, 'service', '2026-01-01', 1, 'USD')",
        "UPDATE exchange_rate SET rate = 1",
        "INSERT INTO posting (account_id, kind) VALUES (1, 'close')",
        "INSERT INTO app_user (email, name, role) VALUES ('a@b', 'a', 'admin')",
        "UPDATE api_key SET account_ids = NULL",
        "ALTER TABLE milestone NO FORCE ROW LEVEL SECURITY",
    ],
)
async def test_the_web_role_may_not(databases: Databases, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with databases.web.transaction(accounts_or_all(None)) as tx:
            await tx.execute(text(statement))


@pytest.mark.parametrize(("kind", "person"), [("admin", None), ("partner", None), ("ingest", "vera@harbor.example")])
async def test_the_web_role_makes_keys_that_send_and_no_others(
    databases: Databases, kind: str, person: str | None
) -> None:
    make = text(
        "INSERT INTO api_key (key_id, kind, name, secret_hash, provider, scopes, person)"
        " VALUES (gen_random_uuid(), :kind, 'x', '', 'supplier', '{}', :person)"
    )
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(make, {"kind": kind, "person": person})
    async with databases.web.transaction(no_accounts()) as tx:
        revoke = "UPDATE api_key SET revoked_at = now()" + (" WHERE kind <> 'ingest'" if kind != "ingest" else "")
        assert await tx.execute(text(revoke)) == (kind == "ingest")
        await tx.execute(make, {"kind": "ingest", "person": None})
    with pytest.raises(DBAPIError, match="row-level security"):
        async with databases.web.transaction(no_accounts()) as tx:
            await tx.execute(make, {"kind": kind, "person": person})


async def test_the_web_role_cannot_switch_row_security_off(databases: Databases, three: list[int]) -> None:
    async with databases.web.transaction(accounts_or_all(three[:1])) as tx:
        await tx.execute(text("SET LOCAL row_security = off"))
        with pytest.raises(DBAPIError, match="row-level security"):
            await seen(tx)


async def test_the_worker_may_not_read_event_keys(databases: Databases) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with databases.worker.transaction(no_accounts()) as tx:
            await tx.execute(text("SELECT * FROM event_key"))


async def test_a_pooled_connection_keeps_no_scope(databases: Databases, three: list[int]) -> None:
    single = Database(databases.url, Role.WEB, pool_size=1)
    try:
        for failing in (False, True):
            with pytest.raises(ZeroDivisionError) if failing else nullcontext():
                async with single.transaction(accounts_or_all([three[0]])) as tx:
                    before = await tx.scalar(text("SELECT pg_backend_pid()"))
                    assert await seen(tx) == [three[0]]
                    if failing:
                        raise ZeroDivisionError
            async with single.engine.connect() as connection:
                assert await connection.scalar(text("SELECT pg_backend_pid()")) == before
                assert await connection.scalar(text("SELECT current_setting('valueplatform.scope', true)")) in {
                    None,
                    "",
                }
                assert await connection.scalar(SEEN) is None
    finally:
        await single.dispose()


async def test_500_interleaved_transactions_do_not_bleed(databases: Databases, three: list[int]) -> None:
    pool = Database(databases.url, Role.WEB, pool_size=4)
    subsets = itertools.cycle(itertools.chain.from_iterable(itertools.combinations(three, size) for size in range(4)))

    async def look(wanted: Sequence[int]) -> None:
        async with pool.transaction(accounts_or_all(wanted)) as tx:
            first = await seen(tx)
            await asyncio.sleep(0)
            assert first == await seen(tx) == list(wanted)

    try:
        for _ in range(20):
            await asyncio.gather(*(look(wanted) for wanted in itertools.islice(subsets, 25)))
    finally:
        await pool.dispose()


def _history(account_id: int) -> dict[str, str]:
    """A row of each append-only table."""
    uuid = "'00000000-0000-0000-0000-000000000001'"
    return {
        "posting": "(account_id, kind, driver, provider, day, shown_day, basis_id, low, expected, high, posted_at,"
        f" revision) VALUES ({account_id}, 'close', 'd', 'supplier', now(), now(), {uuid}, 1, 1, 1, now(), 1)",
        "assumption_entry": "(account_id, slug, action, effective_from, author, author_side, reason, known_at)"
        f" VALUES ({account_id}, 's', 'propose', now(), 'a', 'supplier', '', now())",
        "plan_target": f"VALUES ({account_id}, 'p', 1, 'd', now(), 1, 1, 1, 1, 'case', now())",
        "objective_version": f"VALUES ({account_id}, 1, 1, NULL, NULL, NULL, '{{}}', '{{}}', NULL, 'open', '', 'a',"
        " 'customer', now())",
        "plan_terms": f"VALUES ({account_id}, 'p', 1, 'commitment', 't', NULL, NULL, '{{}}', NULL, false, 'a',"
        " 'customer', now())",
        "value_statement": f"VALUES ({account_id}, 's', '2026-01-01', '2026-02-01', '2026-03-01', 't', 'a', now(),"
        " 'd', '{}')",
        "statement_signature": f"VALUES ({account_id}, 's', 'customer', 'd', 'a', now())",
        "plan_signature": f"VALUES ({account_id}, 'p', 1, 'd', 'customer', 'a', now())",
        "closed_month": f"VALUES ({account_id}, now(), now(), 1)",
        "basis": f"VALUES ({account_id}, {uuid}, 'd', 1, 'f', 'USD', 'capacity', 'measured', 'measured', true, '{{}}')",
        "consent_request": "(account_id, provider, what, reason, author, known_at)"
        f" VALUES ({account_id}, 'tessera', 'contribute', 'r', 'p', now())",
        "consent": "(account_id, provider, what, granted, author, reason, known_at)"
        f" VALUES ({account_id}, 'tessera', 'see', true, 'a', '', now())",
        "contribution": "(account_id, provider, id, title, amount, unit, start_day, end_day, evidence, source, author,"
        f" known_at) VALUES ({account_id}, 'p', '1', 't', 1, 'USD', now(), 'tomorrow', 'e', 's', 'a', now())",
        "contribution_answer": "(account_id, contribution_id, action, author, author_side, reason, known_at)"
        f" SELECT {account_id}, contribution_id, 'dispute', 'a', 'customer', '', now() FROM contribution",
        "split_entry": "(account_id, driver, provider, action, share, supplier_share, author, author_side, reason, day,"
        f" known_at) VALUES ({account_id}, 'd', 'p', 'propose', 0.3, 0, 'a', 'partner', 'r', now(), now())",
        "suggestion_grade": f"VALUES ({account_id}, 's', 90, 1, '{{}}', now())",
        "suggestion_grade_input": f"VALUES ({account_id}, 's', 90, 1, '{{}}')",
        "suggestion_log": f"VALUES ({account_id}, now(), 'p', 1, '[]')",
        "news_hold": "(account_id, author, reason, placed_at, told_at, until)"
        f" VALUES ({account_id}, 'a', 'r', now(), now(), now())",
        "news_hold_release": f"SELECT {account_id}, hold_id, 'a', now() FROM news_hold",
        "proposal_decision": "(proposal_id, action, author, at, reason, document)"
        " VALUES ('p', 'rejected', 'a', now(), 'r', '{}')",
        "collaboration_response": "(account_id, collaboration_id, matter, response, author, at)"
        f" VALUES ({account_id}, 'c', 'm', 'shown', 'a', now())",
        "exchange_rate": "(currency, target, effective_from, rate, source, author, known_at)"
        " VALUES ('EUR', 'USD', now(), 1, 's', 'a', now())",
    }


async def test_the_past_cannot_be_changed_by_anyone(databases: Databases, three: list[int]) -> None:
    rows = _history(three[0])
    assert set(rows) == set(APPEND_ONLY)
    async with databases.admin.engine.begin() as connection:
        for table, row in rows.items():
            await connection.exec_driver_sql(f"INSERT INTO {table} {row}")
    for table in APPEND_ONLY:
        column = {"exchange_rate": "source", "proposal_decision": "reason"}.get(table, "account_id")
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(DBAPIError, match="append-only"):
                async with databases.admin.engine.begin() as connection:
                    await connection.exec_driver_sql(statement)


async def test_the_scope_literal_is_integers_and_commas_only() -> None:
    assert accounts_or_all([3, 1, 2]).literal == "1,2,3"
    assert accounts_or_all(None).literal == "-1"
    assert no_accounts().literal == ""
    injected: frozenset[int] = frozenset({"1'; DROP TABLE account; --"})  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match="invalid literal"):
        _ = Scope(injected).literal
