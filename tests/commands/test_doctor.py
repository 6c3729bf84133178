"""`valueplatform doctor`."""

import pytest

from tests.commands.factories import run
from tests.commands.test_db import an_empty_database
from tests.conftest import Databases
from tests.core.mail_server import a_mail_server
from tests.value.factories import new_account


def levels(findings: list[dict[str, str]]) -> dict[str, str]:
    return {finding["name"]: finding["level"] for finding in findings}


async def test_a_sound_installation_has_nothing_that_failed(databases: Databases) -> None:
    ran = await run(databases, "doctor", "--json")
    found = levels(ran.json)
    # The test server runs without durability, on purpose, and by a login that may take every role.
    assert {name for name, level in found.items() if level == "failed"} == {"durability"}
    assert {name for name, level in found.items() if level == "warning"} == {"logins", "model"}
    assert {"schema", "server", "clock", "disk", "time zones", "isolation"} <= found.keys()
    assert all(finding["cure"] for finding in ran.json if finding["level"] != "ok")


@pytest.mark.parametrize(
    ("damage", "name", "cure"),
    [
        ("ALTER TABLE story NO FORCE ROW LEVEL SECURITY", "isolation of story", "FORCE ROW LEVEL SECURITY"),
        ("GRANT SELECT ON event_key TO valueplatform_web", "isolation of event_key", "REVOKE ALL ON event_key"),
        ("ALTER TABLE posting DISABLE TRIGGER USER", "isolation of posting", "ENABLE TRIGGER"),
    ],
)
async def test_what_was_broken_by_hand_is_named_with_the_statement_that_mends_it(
    databases: Databases, damage: str, name: str, cure: str
) -> None:
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql(damage)
    ran = await run(databases, "doctor", "--json")
    assert ran.code == 1
    (finding,) = [finding for finding in ran.json if finding["name"] == name]
    assert cure in finding["cure"]
    assert finding["level"] == "failed"


async def test_what_reconciliation_found_is_told_until_it_is_gone(databases: Databases) -> None:
    await new_account(databases, "harbor")
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO quality_finding (account_id, what, place, stated, recomputed, found_at) "
            "SELECT account_id, 'accrual', 'calls, 2026-05-04', '2', '1', now() FROM account WHERE key = 'harbor'"
        )
    ran = await run(databases, "doctor")
    assert ran.code == 1
    assert "1 stated numbers differ from their raw events, first accrual calls, 2026-05-04 of harbor" in " ".join(
        ran.out.split()
    )
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE quality_finding SET ended_at = now()")
    assert "ok       reconciliation" in (await run(databases, "doctor")).out


async def test_doubts_about_what_comes_in_are_told_and_are_no_failure(databases: Databases) -> None:
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO quality_finding (account_id, what, place, stated, recomputed, found_at, severity) "
            "VALUES (0, 'rejections', 'segment', 'none', '60 of 60 received in three days', now(), 'warning'), "
            "(0, 'volume', 'segment', 'about 10', '20', now(), 'notice')"
        )
    ran = await run(databases, "doctor", "--json")
    (finding,) = [finding for finding in ran.json if finding["name"] == "data quality"]
    assert finding["level"] == "warning"
    says = "1 findings open, first rejections of segment in all accounts: 60 of 60 received in three days"
    assert finding["says"] == says
    assert {one["level"] for one in ran.json if one["name"] == "reconciliation"} == {"ok"}


async def test_what_came_in_and_is_not_there_is_a_failure(databases: Databases) -> None:
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO quality_finding (account_id, what, place, stated, recomputed, found_at) "
            "VALUES (0, 'intake', 'keys, part 3 of 64', '2 stored', '1 keys', now())"
        )
    ran = await run(databases, "doctor")
    assert ran.code == 1
    assert "intake keys, part 3 of 64 of all accounts" in " ".join(ran.out.split())


async def test_without_a_schema_the_rest_is_still_looked_at(databases: Databases) -> None:
    ran = await run(await an_empty_database(databases), "doctor")
    assert ran.code == 1
    assert "failed   schema: at nothing yet" in ran.out
    assert "→ valueplatform db upgrade" in ran.out
    assert "ok       clock" in ran.out


async def test_a_database_that_cannot_be_reached_is_a_finding() -> None:
    ran = await run("postgresql://127.0.0.1:1/value", "doctor", "--json")
    assert ran.code == 1
    (finding,) = ran.json
    assert (finding["name"], finding["level"]) == ("database", "failed")


async def test_a_model_that_is_in_force_is_found(databases: Databases) -> None:
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO model_revision VALUES (3, '{}', 'f')")
    assert "revision 3 is in force" in (await run(databases, "doctor")).out


async def test_mail_is_connected_to_and_what_is_wrong_is_told(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def finding() -> dict[str, str]:
        found: list[dict[str, str]] = (await run(databases, "doctor", "--json")).json
        return next(one for one in found if one["name"] == "mail")

    assert (await finding())["level"] == "ok"
    async with a_mail_server() as server:
        monkeypatch.setenv("VALUEPLATFORM_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("VALUEPLATFORM_SMTP_PORT", str(server.port))
        monkeypatch.setenv("VALUEPLATFORM_SMTP_TLS", "none")
        missing = await finding()
        monkeypatch.setenv("VALUEPLATFORM_SMTP_FROM", "value@fieldnote.example")
        sound = await finding()
        assert server.taken == []
    away = await finding()

    assert missing["level"] == "failed"
    assert "VALUEPLATFORM_SMTP_FROM" in missing["says"]
    assert sound["level"] == "ok"
    assert "value@fieldnote.example" in sound["says"]
    assert away["level"] == "failed"
    assert "VALUEPLATFORM_SMTP_HOST" in away["cure"]
