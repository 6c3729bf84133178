"""`valueplatform db`."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.commands.factories import run
from tests.conftest import Databases
from valueplatform.core.database import Database


async def an_empty_database(databases: Databases) -> str:
    """The address of a database without any schema, on the server of the test."""
    name = f"empty_{make_url(databases.url).database}"
    async with databases.admin.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    return make_url(databases.url).set(database=name).render_as_string(hide_password=False)


async def test_an_empty_database_is_said_to_need_an_upgrade_and_then_is_up_to_date(databases: Databases) -> None:
    url = await an_empty_database(databases)
    before = await run(url, "db", "status")
    assert (before.code, "run `valueplatform db upgrade`" in before.out) == (1, True)
    assert (await run(url, "db", "upgrade")).code == 0
    again = await run(url, "db", "upgrade")
    assert (again.code, "as it was before" in again.out) == (0, True)
    after = await run(url, "db", "status", "--json")
    assert (after.code, after.json) == (0, {"current": "0001", "newest": "0001", "up_to_date": True})


async def test_a_command_on_a_database_without_schema_fails_and_names_the_cure(databases: Databases) -> None:
    url = await an_empty_database(databases)
    ran = await run(url, "user", "list")
    assert ran.code == 1
    assert ran.err == (
        "Error: The database has schema none, this release needs 0001. Run `valueplatform db upgrade`.\n"
    )


async def test_a_schema_of_a_newer_release_is_left_alone(databases: Databases) -> None:
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ran = await run(databases, "db", "upgrade")
    assert ran.code == 1
    assert "a newer release has been here" in ran.err


async def test_an_embedded_database_is_made_and_migrated_by_the_first_command(tmp_path: Path) -> None:
    assert (await run(tmp_path, "user", "list")).code == 0
    status = await run(tmp_path, "db", "status", "--json")
    assert (status.code, status.json["up_to_date"]) == (0, True)


async def test_the_data_folder_may_be_named_before_or_after_the_command(tmp_path: Path) -> None:
    for number, arguments in enumerate((("--data-dir", "{}", "user", "list"), ("user", "list", "--data-dir", "{}"))):
        folder = tmp_path / str(number)
        ran = await run(tmp_path / "unused", *(part.format(folder) for part in arguments))
        assert (ran.code, (folder / "postgres").is_dir()) == (0, True)
    assert not (tmp_path / "unused").exists()


async def test_database_url_comes_before_the_data_folder_and_says_so(databases: Databases, tmp_path: Path) -> None:
    ran = await run(databases, "user", "list", "--data-dir", str(tmp_path / "unused"))
    assert (ran.code, ran.err) == (0, "DATABASE_URL is set, so --data-dir is not used.\n")
    assert not (tmp_path / "unused").exists()


async def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    ran = await run("postgresql://anna:hidden-word@127.0.0.1:1/value", "db", "status")
    assert ran.code == 1
    assert "127.0.0.1:1/value cannot be used" in ran.err
    assert "hidden-word" not in ran.err
    assert len(ran.err.splitlines()) == 1


async def test_an_address_that_is_none_is_refused_with_the_cure() -> None:
    ran = await run("not an address", "db", "status")
    assert ran.code == 1
    assert "write it as postgresql://" in ran.err


async def test_a_folder_that_cannot_be_written_is_refused_with_the_cure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    ran = await run(blocked, "db", "status")
    assert ran.code == 1
    assert "--data-dir or VALUEPLATFORM_DATA_DIR" in ran.err


async def test_the_migrated_database_serves_every_role(databases: Databases) -> None:
    url = await an_empty_database(databases)
    await run(url, "db", "upgrade")
    database = Database(url, databases.web.role)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM account")) == 0
    await database.dispose()
