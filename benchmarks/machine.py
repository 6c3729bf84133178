"""A server over an embedded database, both of which may be killed in the middle of their work and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.load import HEADER_END
from benchmarks.server import free_port, until_ready
from valueplatform.commands.context import Databases, connect, upgrade_schema
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.embedded import running
from valueplatform.core.keys import KeyGrant, create_key
from valueplatform.core.settings import Settings
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model

HOST = "127.0.0.1"


class Machine:
    """`stack` holds whoever uses the data folder; the server outlives the database, and the other way round."""

    def __init__(self, folder: Path, settings: Mapping[str, str], stack: ExitStack) -> None:
        self.folder = folder
        self.settings = settings
        self.port = free_port()
        self.key = ""
        self._stack = stack
        self._server: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start_database(self) -> None:
        self.url = self._stack.enter_context(running(self.folder / "data", settings=self.settings)).url

    def kill_database(self) -> None:
        os.kill(self._database_pid(), signal.SIGKILL)

    @contextmanager
    def stopped_database(self) -> Iterator[None]:
        """Stopped in an orderly way, and started again."""
        os.kill(self._database_pid(), signal.SIGINT)
        yield
        self.start_database()

    def _database_pid(self) -> int:
        return int((self.folder / "data/postgres/postmaster.pid").read_text(encoding="utf-8").splitlines()[0])

    async def start_server(self) -> None:
        environment = {**os.environ, "DATABASE_URL": self.url}
        self._server = subprocess.Popen(  # noqa: ASYNC220 - nothing else is to run meanwhile
            [sys.executable, "-m", "valueplatform", "serve", "--port", str(self.port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        await until_ready(self.port)

    def kill_server(self) -> None:
        """The parent and its workers, at once."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def stop_server(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(20)

    def memory(self) -> int:
        """Bytes that the server and its workers hold."""
        assert self._server is not None
        pid = self._server.pid
        pids = [str(pid), *Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
        pages = [int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) for one in pids]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def databases(self) -> Databases:
        return connect(Settings(None, self.folder), self.url)

    async def rows(self, statement: str) -> Sequence[Any]:
        """Any SQL, as the superuser."""
        databases = self.databases()
        async with databases.admin.engine.begin() as connection:
            found = (await connection.execute(text(statement))).all()
        await databases.dispose()
        return found

    async def post(self, payload: bytes) -> int:
        """The status of one request over a connection of its own. Raises OSError where there is no answer."""
        return int((await self.head_of(payload)).split(b" ", 2)[1])

    async def head_of(self, payload: bytes) -> bytes:
        """Status line and header of its answer."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(payload)
            await writer.drain()
            return await reader.readuntil(HEADER_END)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError(str(error)) from error
        finally:
            writer.close()

    async def post_and_hang_up(self, payload: bytes) -> None:
        """Send a request, and go without having heard the answer."""
        _, writer = await asyncio.open_connection(HOST, self.port)
        writer.write(payload)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def machine(
    model: str, settings: Mapping[str, str] | None = None, folder: Path | None = None
) -> AsyncIterator[Machine]:
    """In a folder of its own, or in one that is prepared."""
    with tempfile.TemporaryDirectory(prefix="vp-faults-") as own, ExitStack() as stack:
        made = Machine(folder or Path(own), settings or {}, stack)
        made.start_database()
        databases = made.databases()
        await upgrade_schema(databases)
        async with databases.worker.transaction(operator_scope()) as tx:
            await apply_model(tx, read_model(model, "model.toml"))
            made.key = (await create_key(tx, KeyGrant(KeyKind.INGEST, "benchmark"))).key
        async with databases.admin.engine.begin() as connection:
            await connection.exec_driver_sql("CHECKPOINT")  # this far it lasts, even where commits do not
        await databases.dispose()
        await made.start_server()
        try:
            yield made
        finally:
            made.stop_server()
