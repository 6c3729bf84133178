"""The embedded PostgreSQL: one server a data folder, shared by whoever uses the folder, stopped by the last.

A data folder holds

    postgres/       the cluster, named so only when initdb has finished (before that: postgres.new/)
    postgres.log    what the server said since its last start; postgres.log.1 is the start before
    socket/         the unix socket, unless that path would be too long (then a short folder by hash)
    gate.lock       held exclusively while someone starts, joins, leaves or stops
    users.lock      held shared by every user, for as long as the use lasts
    server.lock     held by initdb, the server and all its children, through a descriptor they inherit

The three locks are flocks, which the kernel frees when their last holder dies. So a killed user counts no
longer, a killed server is known to be gone with its last child, and no process number found in a file is ever
believed unless `server.lock` proves that its server lives.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from valueplatform.core.embedded.home import Home, try_lock
from valueplatform.core.embedded.server import SETTINGS, Server


@dataclass(frozen=True, slots=True)
class EmbeddedDatabase:
    """A running server. `url` is the superuser's, over a unix socket that only this user may open."""

    url: str
    data_dir: Path


@contextmanager
def running(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[EmbeddedDatabase]:
    """Start the PostgreSQL of `data_dir`, or join it if it runs; stop it when the last user leaves.

    The server has a session of its own: Ctrl-C in a terminal reaches the user, which then leaves in order.
    `settings` (server parameters by name) count for the one who starts it, and who starts it again should it end by
    itself. Raises InstallationError.
    """
    home = Home(data_dir.expanduser().resolve())
    home.prepare()
    users = home.open("users.lock")
    server = Server(home)
    try:
        with home.gate():
            fcntl.flock(users, fcntl.LOCK_SH)
            socket_dir = server.ensure({**SETTINGS, **(settings or {})})
        with server.kept():
            yield EmbeddedDatabase(
                url=f"postgresql+asyncpg://postgres@/postgres?host={socket_dir}&port=5432", data_dir=home.path
            )
    finally:
        try:
            with home.gate():
                if try_lock(users):
                    server.stop()
                fcntl.flock(users, fcntl.LOCK_UN)  # a forked child may hold a copy of the descriptor
        finally:
            os.close(users)


__all__ = ["EmbeddedDatabase", "running"]
