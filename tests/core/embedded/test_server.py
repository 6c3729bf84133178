"""Servers and users that are killed, left behind, or do not start."""

import os
from pathlib import Path

import pytest

from tests.core.embedded.users import FAST, Enter, enter_and_leave, kill, lives, postmaster, query, socket_dir
from valueplatform.core.embedded import running
from valueplatform.core.errors import InstallationError


def test_rows_survive_the_kill_of_the_server(data_dir: Path) -> None:
    with running(data_dir, settings=FAST) as database:
        query(database, "CREATE TABLE kept (n int)")
        query(database, "INSERT INTO kept SELECT generate_series(1, 10000)")
        kill(postmaster(data_dir))
        with running(data_dir, settings=FAST) as again:
            assert query(again, "SELECT sum(n) FROM kept") == 50_005_000
    assert not lives(data_dir)


def test_a_killed_user_leaves_a_server_that_the_next_one_adopts_and_stops(data_dir: Path, enter: Enter) -> None:
    killed = enter(data_dir)
    query(killed.says(), "CREATE TABLE kept AS SELECT 7 AS n")
    pid = postmaster(data_dir)
    killed.is_killed()
    assert lives(data_dir)
    with running(data_dir, settings=FAST) as database:
        assert postmaster(data_dir) == pid
        assert query(database, "SELECT n FROM kept") == 7
    assert not lives(data_dir)


def test_user_and_server_killed_together_are_followed_by_a_new_start(data_dir: Path, enter: Enter) -> None:
    killed = enter(data_dir)
    query(killed.says(), "CREATE TABLE kept AS SELECT 7 AS n")
    killed.is_killed()
    kill(postmaster(data_dir))
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SELECT n FROM kept") == 7


def test_a_killed_user_among_several_does_not_stop_the_others(data_dir: Path, enter: Enter) -> None:
    first, second = enter(data_dir), enter(data_dir)
    assert first.says() == second.says()
    first.is_killed()
    assert lives(data_dir)
    assert second.leaves() == "left"
    assert not lives(data_dir)


def test_process_numbers_left_in_files_are_not_believed(data_dir: Path) -> None:
    """As after a reboot, where the number of the dead server belongs to someone else."""
    with running(data_dir, settings=FAST) as database:
        found = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        folder = socket_dir(database.url)
    found[0] = str(os.getpid())
    (data_dir / "postgres" / "postmaster.pid").write_text("\n".join(found) + "\n")
    folder.mkdir()
    (folder / ".s.PGSQL.5432").touch()
    (folder / ".s.PGSQL.5432.lock").write_text("\n".join(found[:5]) + "\n")
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SELECT 1") == 1


def test_a_first_start_that_was_killed_half_way_is_begun_anew(data_dir: Path) -> None:
    (data_dir / "postgres.new" / "base").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SELECT 1") == 1
    assert not (data_dir / "postgres.new").exists()


def test_data_of_another_major_version_is_refused_and_left_alone(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(InstallationError, match=r"postgres was written by PostgreSQL 17; this release embeds .* 18"):
        enter_and_leave(data_dir)
    assert [path.name for path in (data_dir / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_folder_that_is_no_database_is_refused_and_left_alone(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "diary.txt").write_text("dear diary")
    with pytest.raises(InstallationError, match="not the data of a PostgreSQL"):
        enter_and_leave(data_dir)
    assert [path.name for path in (data_dir / "postgres").iterdir()] == ["diary.txt"]


def test_a_server_that_does_not_start_is_told_with_the_end_of_its_log(data_dir: Path) -> None:
    with pytest.raises(InstallationError, match=r'does not start(.|\n)*parameter "no_such_setting"'):
        enter_and_leave(data_dir, {"no_such_setting": "1"})
    assert not lives(data_dir)
