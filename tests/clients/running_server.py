"""The server as a process of its own, on the database of a test."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.commands.test_serve import free_port
from tests.conftest import Databases


@asynccontextmanager
async def running_server(databases: Databases) -> AsyncIterator[str]:
    """Its address, once it is ready."""
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": databases.url}
    command = [sys.executable, "-m", "valueplatform", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: ASYNC220 - before the test
    try:
        await _ready(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def _ready(base_url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    async with httpx.AsyncClient(base_url=base_url) as client:
        while True:
            try:
                if (await client.get("/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not get ready"
            await asyncio.sleep(0.1)
