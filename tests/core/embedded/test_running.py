"""A database that is used in order, by one and by many."""

import asyncio
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from tests.core.embedded.users import FAST, Enter, lives, postmaster, query, socket_dir
from valueplatform.core.embedded import running


def test_a_first_start_makes_a_database_that_answers(data_dir: Path) -> None:
    with running(data_dir, settings=FAST) as database:
        assert database.data_dir == data_dir
        assert str(query(database, "SHOW server_version")).startswith("18.")


def test_text_is_utf8_sorted_alike_everywhere_and_time_is_utc(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SHOW server_encoding") == "UTF8"
        assert query(database, "SHOW timezone") == "UTC"
        assert query(database, "SELECT lower('ÉI')") == "éi"
        assert query(database, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,a,B,é}'::text[]) x") == "Babé"


def test_the_users_own_postgresql_variables_change_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "7777", "PGDATA": "/nowhere", "PGHOST": "nowhere", "PGOPTIONS": "-c x=y"}.items():
        monkeypatch.setenv(name, value)
    with running(data_dir, settings=FAST) as database:
        monkeypatch.delenv("PGOPTIONS")
        assert query(database, "SELECT current_user") == "postgres"


def test_the_last_user_to_leave_stops_the_server_and_leaves_no_process(data_dir: Path) -> None:
    with running(data_dir, settings=FAST):
        pid = postmaster(data_dir)
        os.kill(pid, 0)
        assert lives(data_dir)
    assert not lives(data_dir)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_rows_are_there_after_a_stop_and_a_warm_start(data_dir: Path) -> None:
    with running(data_dir, settings=FAST) as database:
        query(database, "CREATE TABLE kept AS SELECT 7 AS n")
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SELECT n FROM kept") == 7


def test_an_open_session_does_not_hold_up_the_stop(data_dir: Path) -> None:
    async def open_a_transaction(url: str) -> asyncpg.Connection:
        session = await asyncpg.connect(url.replace("+asyncpg", ""))
        await session.execute("BEGIN")
        return session

    with asyncio.Runner() as loop:
        with running(data_dir, settings=FAST) as database:
            session = loop.run(open_a_transaction(database.url))
        assert not lives(data_dir)
        session.terminate()


def test_only_the_owner_reaches_the_socket_and_nobody_reaches_a_port(data_dir: Path) -> None:
    with running(data_dir, settings=FAST) as database:
        assert stat.S_IMODE(socket_dir(database.url).stat().st_mode) == 0o700
        assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700
        assert query(database, "SHOW listen_addresses") == ""
        private = [path for path in data_dir.iterdir() if path.is_file()]
        assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_settings_override_the_defaults(data_dir: Path) -> None:
    with running(data_dir, settings={**FAST, "max_connections": "23"}) as database:
        assert query(database, "SHOW max_connections") == "23"
        assert query(database, "SHOW fsync") == "off"
        assert query(database, "SHOW jit") == "off"


def test_a_second_process_joins_and_the_first_may_leave_before_it(data_dir: Path, enter: Enter) -> None:
    second = enter
    with running(data_dir, settings=FAST) as database:
        other = second(data_dir)
        assert other.says() == database.url
    assert lives(data_dir)
    assert query(database, "SELECT 1") == 1
    assert other.leaves() == "left"
    assert not lives(data_dir)


def test_two_uses_in_one_process_are_two_users(data_dir: Path) -> None:
    with running(data_dir, settings=FAST) as outer:
        with running(data_dir, settings=FAST) as inner:
            assert inner == outer
        assert query(outer, "SELECT 1") == 1
    assert not lives(data_dir)


def test_many_first_starts_at_once_make_one_database(data_dir: Path, enter: Enter) -> None:
    users = [enter(data_dir) for _ in range(4)]
    assert len({user.says() for user in users}) == 1
    pid = postmaster(data_dir)
    assert [user.leaves() for user in users[:3]] == ["left"] * 3
    assert postmaster(data_dir) == pid
    assert users[3].leaves() == "left"
    assert not lives(data_dir)


def test_users_who_come_and_go_at_once_never_meet_a_server_that_stops(data_dir: Path) -> None:
    def come_and_go(_: int) -> str:
        with running(data_dir, settings=FAST) as database:
            assert lives(data_dir)
            return database.url

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(come_and_go, range(24)))) == 1
    assert not lives(data_dir)


def test_ctrl_c_reaches_the_user_and_not_the_server(data_dir: Path, enter: Enter) -> None:
    user = enter(data_dir)
    url = user.says()
    os.killpg(user.process.pid, signal.SIGINT)
    assert user.says() == "interrupted"
    assert query(url, "SELECT 1") == 1
    assert user.leaves() == "left"
    assert not lives(data_dir)


def test_a_failure_of_the_user_stops_the_server_too(data_dir: Path) -> None:
    with pytest.raises(ZeroDivisionError), running(data_dir, settings=FAST):
        _ = 1 // 0
    assert not lives(data_dir)
