"""`valueplatform serve`: the server, in processes of its own."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import rich_click as click
from click.exceptions import Exit

from valueplatform.commands.context import asynchronous, data_dir_option, examples, opened

APP = "valueplatform.app:from_environment"
STOPPING = 10
"""Seconds that the server has for running requests; open pages are closed at once."""
BACKLOG = 2048


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
@data_dir_option
@examples("DATABASE_URL=postgresql://db/value valueplatform serve --host 0.0.0.0 --workers 4", "valueplatform serve")
@click.pass_context
@asynchronous
async def serve(ctx: click.Context, host: str, port: int, workers: int) -> None:
    """Serve pages and API until told to stop. Any number may run against one database; none is special."""
    async with opened(ctx) as databases:
        async with _server(databases.url, host, port, workers) as server:
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            ended = asyncio.create_task(server.wait())
            told = asyncio.create_task(stop.wait())
            await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
        if not stop.is_set():
            raise Exit(1)


@asynccontextmanager
async def _server(url: str, host: str, port: int, workers: int) -> AsyncIterator[Process]:
    """Granian as a process of its own session: a Ctrl-C reaches this command, which stops it in order."""
    options = ["--interface", "asgi", "--factory", "--host", host, "--port", str(port), "--workers", str(workers)]
    options += ["--no-ws", "--backlog", str(BACKLOG), "--workers-kill-timeout", str(STOPPING), "--log-level", "warning"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "granian", *options, APP, env={**os.environ, "DATABASE_URL": url}, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOPPING + 5)
        if process.returncode is None:
            process.kill()
            await process.wait()
