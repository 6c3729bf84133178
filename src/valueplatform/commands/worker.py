"""`valueplatform worker`: the continuous path."""

import asyncio
import gc
import signal

import rich_click as click

from valueplatform.commands.context import asynchronous, data_dir_option, examples, opened
from valueplatform.commands.means import means_of
from valueplatform.core.settings import RewordingSettings
from valueplatform.stewardship.digests.service import DigestService
from valueplatform.worker import Worker


@click.command()
@click.option("--drain", is_flag=True, help="Work off what is waiting now, and end.")
@data_dir_option
@examples("DATABASE_URL=postgresql://db/value valueplatform worker", "valueplatform worker --drain")
@click.pass_context
@asynchronous
async def worker(ctx: click.Context, drain: bool) -> None:  # noqa: FBT001 - click calls it so
    """Turn changed days into amounts, insights and stories, and send digests of them, until told to stop. Any number
    may run.

    VALUEPLATFORM_PUBLIC_URL is where links in digests lead; VALUEPLATFORM_SMTP_HOST and its like name the mail server.
    """
    gc.freeze()  # what is loaded stays for good: looking through it again and again took a tenth of the time
    async with opened(ctx) as databases:
        serving = Worker(databases.worker, intake=databases.ingest, rewording=RewordingSettings.from_environment())
        digests = DigestService(databases.worker, means_of(databases.settings))
        if drain:
            served = await serving.drain()
            await digests.once()
            click.echo(f"{served:,} accounts brought up to date.")
            return
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with asyncio.TaskGroup() as both:
            both.create_task(serving.run(stop))
            both.create_task(digests.run(stop))
