"""A server that ends by itself while it is in use."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from asyncpg import PostgresError
from sqlalchemy.exc import SQLAlchemyError

from tests.core.embedded.users import FAST, Enter, kill, lives, postmaster, query
from valueplatform.core.embedded import EmbeddedDatabase, running
from valueplatform.core.errors import InstallationError

PATIENCE = 30.0


def asked_until_it_answers(database: EmbeddedDatabase, statement: str) -> object:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(OSError, SQLAlchemyError, PostgresError):
            return query(database, statement)
    raise TimeoutError(statement)


@contextmanager
def a_server(data_dir: Path) -> Iterator[list[threading.Thread]]:
    """Its keeper, alone in a list, once it runs: the database of the other tests has one too."""
    others = set(threading.enumerate())
    with running(data_dir, settings=FAST):
        yield [one for one in threading.enumerate() if one.name == "embedded-postgres" and one not in others]


def test_a_server_that_is_killed_comes_back_with_its_rows_and_nobody_has_to_ask(
    data_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(data_dir, settings=FAST) as database:
        query(database, "CREATE TABLE kept AS SELECT 7 AS n")
        for _ in range(2):
            kill(postmaster(data_dir))
            assert asked_until_it_answers(database, "SELECT n FROM kept") == 7
    assert not lives(data_dir)
    assert capfd.readouterr().err.count("ended by itself") == 2


def test_a_server_that_is_stopped_in_order_stays_stopped(data_dir: Path) -> None:
    with a_server(data_dir) as (keeper,):
        os.kill(postmaster(data_dir), signal.SIGINT)
        keeper.join(PATIENCE)
        assert not keeper.is_alive()
        assert not lives(data_dir)


def test_it_is_tried_again_until_what_kept_it_from_starting_is_gone(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valueplatform.core.embedded.server.REVIVAL_REST", 0.01)
    with running(data_dir, settings=FAST) as database:
        control = data_dir / "postgres/global/pg_control"
        hidden = control.rename(data_dir / "hidden")
        kill(postmaster(data_dir))
        with pytest.raises(InstallationError, match="does not start"), running(data_dir, settings=FAST):
            pass
        hidden.rename(control)
        assert asked_until_it_answers(database, "SELECT 1") == 1
    assert not lives(data_dir)


def test_a_server_that_dies_after_its_starter_has_left_is_not_started_by_it(data_dir: Path, enter: Enter) -> None:
    with a_server(data_dir) as (keeper,):
        other = enter(data_dir)
        other.says()
    kill(postmaster(data_dir))
    keeper.join(PATIENCE)
    assert not keeper.is_alive()
    assert other.leaves() == "left"
