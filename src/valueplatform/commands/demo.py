"""`valueplatform demo`: everything in one command, with a sample supplier."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

import httpx
import rich_click as click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from valueplatform.commands import seeding
from valueplatform.commands.context import Databases, asynchronous, data_dir_option, examples, opened, stderr
from valueplatform.commands.means import means_of
from valueplatform.commands.seeding_aims import load_aims
from valueplatform.commands.seeding_papers import load_papers
from valueplatform.commands.seeding_partners import load_sayings
from valueplatform.commands.seeding_suggestions import load_decisions
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.errors import InstallationError
from valueplatform.core.settings import RewordingSettings
from valueplatform.core.sign_in import create_link, sign_in_url
from valueplatform.core.users import user_by_email
from valueplatform.sample import SampleSupplier, generate
from valueplatform.sample.events import arrivals
from valueplatform.stewardship.digests.service import DigestService
from valueplatform.worker import Worker

HOST = "127.0.0.1"
STARTING = 60
STOPPING = 15
LINK_LIFETIME = timedelta(days=1)
CUSTOMER = "harbor-logistics"


@click.command()
@click.option("--port", default=8000, show_default=True, help="Where to serve.")
@click.option("--accounts", default=36, show_default=True, help="How many accounts the sample has.")
@click.option("--days", default=548, show_default=True, help="How many days of history.")
@click.option("--seed", default=7, show_default=True, help="Another seed is another supplier.")
@click.option("--load-only", is_flag=True, help="Load the sample, and end.")
@data_dir_option
@examples("valueplatform demo", "valueplatform demo --port 9000 --accounts 12 --days 180 --data-dir ./demo")
@click.pass_context
@asynchronous
async def demo(ctx: click.Context, port: int, accounts: int, days: int, seed: int, load_only: bool) -> None:  # noqa: FBT001 - click calls it so
    """Start the sample supplier: database, server and worker, with one sign-in link per role.

    The first run loads the sample through the real ingest path; later runs go on with what is there.
    """
    _refuse_taken_port(port)
    async with opened(ctx) as databases, _serving(databases, port) as base_url:
        access = await _load(databases, base_url, accounts, days, seed)
        if load_only:
            return
        worker = Worker(databases.worker, intake=databases.ingest, rewording=RewordingSettings.from_environment())
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await _greet(databases, base_url, access)
        digests = DigestService(databases.worker, replace(means_of(databases.settings), public_url=base_url))
        async with asyncio.TaskGroup() as both:
            both.create_task(worker.run(stop))
            both.create_task(digests.run(stop))
        click.echo("Stopping.")


async def _load(databases: Databases, base_url: str, accounts: int, days: int, seed: int) -> seeding.Access:
    now = await seeding.first_day(databases, system_clock())
    loaded = await seeding.is_loaded(databases)
    with _progress() as progress:
        drawing = progress.add_task("Drawing the sample supplier", total=None)
        supplier = generate(accounts=accounts, days=days, seed=seed, today=now.date(), until=now)
        progress.remove_task(drawing)
        if not loaded:
            await _load_all(databases, supplier, base_url, progress)
    customer = CUSTOMER if CUSTOMER in supplier.situations else supplier.accounts[0]["key"]
    return await seeding.load_access(databases, supplier, customer)


async def _load_all(databases: Databases, supplier: SampleSupplier, base_url: str, progress: Progress) -> None:
    report = _reporter(progress)
    await seeding.load_rows(databases, supplier, report)
    await load_aims(databases.worker, supplier, system_clock)
    await seeding.load_agreements(databases, supplier, report)
    await load_sayings(databases, supplier)
    customer = CUSTOMER if CUSTOMER in supplier.situations else supplier.accounts[0]["key"]
    await seeding.load_access(databases, supplier, customer)
    worker = Worker(databases.worker, intake=databases.ingest)
    await _send_all(databases, supplier, base_url, progress)
    telling = progress.add_task("Telling stories", total=None)
    await worker.drain()
    await seeding.load_conversations(databases, supplier)
    await load_papers(databases.worker, supplier.papers, supplier.until)
    await seeding.finish(databases, worker, supplier.until)
    progress.remove_task(telling)


async def _send_all(databases: Databases, supplier: SampleSupplier, base_url: str, progress: Progress) -> None:
    """Every event, and between them what was done at its own moment."""
    closing = seeding.closing_moment(supplier.until)
    moments = sorted({closing, *(one.suggested_at for one in supplier.decisions)})
    sending = progress.add_task("Sending events", total=supplier.event_total)
    done = 0

    async def pause(until: int) -> None:
        for moment in moments[done:until]:
            working = progress.add_task("Closing the months before" if moment == closing else "Suggesting", total=None)
            if moment == closing:
                await seeding.close_history(databases, closing)
            decided = [one for one in supplier.decisions if one.suggested_at == moment]
            await load_decisions(databases.worker, decided, moment)
            progress.remove_task(working)

    every = arrivals(supplier.cast, supplier.seed, supplier.until)
    for number, stretch in groupby(every, key=lambda arrival: bisect_left(moments, arrival.at)):
        await pause(number)
        done = number
        await seeding.load_events(databases, stretch, base_url, lambda n: progress.advance(sending, n))
    await pause(len(moments))


def _reporter(progress: Progress) -> seeding.Report:
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total)
        progress.update(tasks[what], completed=done)

    return report


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr) as progress:
        yield progress


async def _greet(databases: Databases, base_url: str, access: seeding.Access) -> None:
    """One sign-in link per role; each opens once, for a day."""
    people = {
        f"Customer, executive sponsor of {access.customer_account}": access.customer,
        f"Customer, validator of {access.customer_account}": access.validator,
        "Steward": access.steward,
        "Administrator": access.admin,
        **{role.capitalize(): email for role, email in access.others.items()},
    }
    lines = []
    async with databases.worker.transaction(operator_scope()) as tx:
        for role, email in people.items():
            person = await user_by_email(tx, email)
            token = await create_link(tx, person, system_clock, LINK_LIFETIME)
            lines.append(f"  {role} ({person.name}):\n    {sign_in_url(base_url, token)}")
    click.echo(f"\nValue Platform runs on {base_url}\n")
    click.echo("Sign in with one of these links; each opens once (`valueplatform user link EMAIL` makes another):\n")
    click.echo("\n".join(lines))
    click.echo("\nCtrl-C stops everything; the next start goes on with what is there.")


@asynccontextmanager
async def _serving(databases: Databases, port: int) -> AsyncIterator[str]:
    """The server as a process of its own, stopped in order at the end."""
    base_url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "valueplatform", "serve", "--host", HOST, "--port", str(port)]
    environment = {**os.environ, "DATABASE_URL": databases.url, "VALUEPLATFORM_PUBLIC_URL": base_url}
    # A session of its own: Ctrl-C is for this process, which stops the server before the database.
    server = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603, ASYNC220 - our own program, once
    try:
        await _until_ready(base_url, server)
        yield base_url
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOPPING)
        if server.poll() is None:
            server.kill()
            server.wait()


async def _until_ready(base_url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTING
    async with httpx.AsyncClient() as client:
        while time.monotonic() < deadline and server.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{base_url}/readyz")).is_success:
                    return
            await asyncio.sleep(0.1)
    raise InstallationError("The server did not start; what it printed above says why.")


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} of {HOST} is taken ({error.strerror}); stop what uses it, or name another with --port."
            ) from error
