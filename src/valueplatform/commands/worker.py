"""`valueplatform worker`: the continuous path."""

import asyncio
import signal

import rich_click as click

from valueplatform.commands.context import asynchronous, data_dir_option, examples, opened
from valueplatform.core.settings import RewordingSettings
from valueplatform.worker import Worker


@click.command()
@click.option("--drain", is_flag=True, help="Work off what is waiting now, and end.")
@data_dir_option
@examples("DATABASE_URL=postgresql://db/value valueplatform worker", "valueplatform worker --drain")
@click.pass_context
@asynchronous
async def worker(ctx: click.Context, drain: bool) -> None:  # noqa: FBT001 - click calls it so
    """Turn changed days into amounts, insights and stories, until told to stop. Any number may run."""
    async with opened(ctx) as databases:
        serving = Worker(databases.worker, intake=databases.ingest, rewording=RewordingSettings.from_environment())
        if drain:
            served = await serving.drain()
            click.echo(f"{served:,} accounts brought up to date.")
            return
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serving.run(stop)
