"""`valueplatform serve`: the server."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

import rich_click as click
from click.exceptions import Exit
from granian.constants import Interfaces
from granian.server import Server

from valueplatform.commands.context import (
    data_dir_option,
    examples,
    opened,
    settings_of,
    show_problem,
)
from valueplatform.core.embedded import running
from valueplatform.core.errors import ProblemError

TARGET = "valueplatform.app:from_environment"
COUNTS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client reads this variable as it is imported, so nothing here imports it: the server's processes do."""
SECONDS_TO_STOP = 12
"""What was taken has ten seconds to be stored when a server ends."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="How many processes serve.")
@data_dir_option
@examples(
    "DATABASE_URL=postgresql://db/value VALUEPLATFORM_PUBLIC_URL=https://value.example valueplatform serve --workers 4",
    "valueplatform serve --data-dir ./data --port 9000",
)
@click.pass_context
def serve(ctx: click.Context, host: str, port: int, workers: int) -> None:
    """Serve pages, API and ingest, until told to stop. `valueplatform worker` turns events into stories beside it.

    VALUEPLATFORM_PUBLIC_URL is where browsers reach this server; without it, on this machine.
    """
    _end_in_order()
    _refuse_taken(host, port)
    settings = settings_of(ctx)
    try:
        with running(settings.data_dir) if settings.database_url is None else nullcontext():
            os.environ["DATABASE_URL"] = asyncio.run(_checked(ctx))
            os.environ.setdefault("VALUEPLATFORM_PUBLIC_URL", f"http://{_shown(host)}:{port}")
            with _counts_together(workers):
                _serve(host, port, workers)
    except ProblemError as problem:
        show_problem(problem)
        raise Exit(1) from problem


def _serve(host: str, port: int, workers: int) -> None:
    server = Server(
        TARGET,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=workers,
        websockets=False,
        workers_kill_timeout=SECONDS_TO_STOP,
        respawn_failed_workers=True,
    )
    server.serve()


async def _checked(ctx: click.Context) -> str:
    """The database's address, once its schema is that of this release."""
    async with opened(ctx) as databases:
        return databases.url


@contextmanager
def _counts_together(workers: int) -> Iterator[None]:
    """A folder in which several processes put their counts together."""
    if workers == 1 or os.environ.get(COUNTS_FOLDER):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="vp-counts-") as folder:
        os.environ[COUNTS_FOLDER] = folder
        yield


def _shown(host: str) -> str:
    """Under which name this machine reaches the address."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _end_in_order() -> None:
    """Until the server takes the signals over, SIGTERM must not leave the embedded database running."""

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} of {host} cannot be used ({error.strerror}); stop what uses it, or use another --port."
            ) from error
