"""Users of an embedded database in other processes, and what one can see of its server from outside."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from valueplatform.core.embedded import EmbeddedDatabase, running
from valueplatform.core.embedded.home import try_lock

FAST = {"fsync": "off"}
SOURCE = Path(__file__).parents[3] / "src"

USER = """
import signal, sys
from pathlib import Path
from valueplatform.core.embedded import running
try:
    with running(Path(sys.argv[1]), settings={"fsync": "off"}) as database:
        try:
            print(database.url, flush=True)
            sys.stdin.readline()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            sys.stdin.readline()
    print("left", flush=True)
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""


class User:
    """Another process that uses the database of a folder until it is told to leave."""

    def __init__(self, data_dir: Path, behind: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*behind, sys.executable, "-c", USER, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **importable()},
        )

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leaves(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        said = self.says()
        self.process.wait(60)
        return said

    def is_killed(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def importable() -> dict[str, str]:
    """What lets another interpreter process import what this one can."""
    path = os.pathsep.join([str(SOURCE), *(entry for entry in sys.path if "site-packages" in entry)])
    return {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


class Enter(Protocol):
    def __call__(self, data_dir: Path, behind: Sequence[str] = ()) -> User: ...


def query(database: EmbeddedDatabase | str, statement: str) -> object:
    """Run one statement by the URL, as the rest of the platform does; the first column of the first row."""
    return asyncio.run(_query(database if isinstance(database, str) else database.url, statement))


async def _query(url: str, statement: str) -> object:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def kill(pid: int) -> None:
    """Returns when that process is dead; its children may still be noticing."""
    if hasattr(os, "pidfd_open"):
        handle = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        select.select([handle], [], [], 60)
        os.close(handle)
    else:
        os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)


def lives(data_dir: Path) -> bool:
    """Whether any process of the server is left."""
    descriptor = os.open(data_dir / "server.lock", os.O_RDWR)
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def socket_dir(url: str) -> Path:
    return Path(str(make_url(url).query["host"]))


def enter_and_leave(data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
    with running(data_dir, settings={**FAST, **(settings or {})}):
        pass
