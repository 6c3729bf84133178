"""A running product for a benchmark: embedded PostgreSQL with its usual durability, the server, a key."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from valueplatform.commands.context import Databases, connect, upgrade_schema
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.embedded import running
from valueplatform.core.keys import KeyGrant, create_key
from valueplatform.core.settings import Settings
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model

STARTING = 60


@dataclass(frozen=True)
class Product:
    host: str
    port: int
    key: str
    databases: Databases


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def product(model: str, programs: Sequence[Sequence[str]] = (), *, workers: int = 1) -> AsyncIterator[Product]:
    """The server with `model` in force, and other programs of the command line beside it, such as ("worker",).

    `workers` = how many processes serve.
    """
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder) / "data") as server:
        databases = connect(Settings(None, Path(folder)), server.url)
        await upgrade_schema(databases)
        async with databases.worker.transaction(operator_scope()) as tx:
            await apply_model(tx, read_model(model, "model.toml"))
            made = await create_key(tx, KeyGrant(KeyKind.INGEST, "benchmark"))
        port = free_port()
        environment = {**os.environ, "DATABASE_URL": server.url}
        commands = [("serve", "--port", str(port), "--workers", str(workers)), *programs]
        started = [
            subprocess.Popen([sys.executable, "-m", "valueplatform", *command], env=environment, stdout=2)  # noqa: ASYNC220 - before anything is measured
            for command in commands
        ]
        try:
            await until_ready(port)
            yield Product("127.0.0.1", port, made.key, databases)
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(20)
            await databases.dispose()


async def until_ready(port: int) -> None:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        try:
            await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/readyz")
        except (OSError, urllib.error.URLError):
            await asyncio.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")
