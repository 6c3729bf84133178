"""`valueplatform archive`: events older than the hot period move to Parquet files."""

from datetime import timedelta

import rich_click as click
from sqlalchemy import text

from valueplatform.commands.context import (
    Databases,
    asynchronous,
    counted_events,
    data_dir_option,
    examples,
    json_option,
    opened,
    say,
)
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.telemetry.archiving import HOT, Archived, archive_events, relocate
from valueplatform.telemetry.storage import Storage, Taken, storage

_HOT = text("SELECT hot_days FROM archive")
_OLD = text("SELECT count(*) FROM event WHERE time < :before")


@click.command()
@click.option("--to", "place", help="Where: a folder, or an address such as s3://bucket/folder. Needed the first time.")
@click.option("--keep-days", type=click.IntRange(min=60),
              help="Events of so many days stay in the database; whole months before that are moved. "
              f"[default: as last time; at first {HOT.days}]")  # fmt: skip
@click.option("--status", is_flag=True, help="Move nothing; tell what events take up.")
@click.option("--moved-to", "moved", help="The files of the archive were copied to this place: read them there.")
@data_dir_option
@json_option
@examples(
    "valueplatform archive --to /srv/value/archive",
    "valueplatform archive --keep-days 90",
    "valueplatform archive --status --json",
    "valueplatform archive --moved-to s3://acme-value/archive",
)
@click.pass_context
@asynchronous
async def archive(
    ctx: click.Context,
    place: str | None,
    keep_days: int | None,
    status: bool,  # noqa: FBT001 - click calls it so
    moved: str | None,
) -> None:
    """Move old events out of the database into Parquet files by month and account bucket.

    Every figure, proof, back-fill and retraction covers both, and keys stay, so that nothing is ever stored twice. The
    folder must be open to every process of the product. Once there is an archive, the worker moves events each day by
    itself; interrupted, it goes on where it was.

    An object store is reached by what the environment of every process says; the bucket must exist. Of s3://:
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; for a store that is not Amazon's also AWS_ENDPOINT_URL, and
    AWS_ALLOW_HTTP=true where that is no https. Of gs://: GOOGLE_APPLICATION_CREDENTIALS. Of az://:
    AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY.
    """
    async with opened(ctx) as databases:
        if moved is not None:
            store = await relocate(databases.worker, operator_scope(), moved)
            say(ctx, {"archive": store.root}, f"The archive is read at {store.root} from now on.")
            return
        done = None if status else await _archived(databases, place, keep_days)
        async with databases.ingest.transaction(operator_scope(), steady=True) as tx:
            taken = await storage(tx)
    say(ctx, {"moved": done, "storage": taken}, "\n".join([*_done(done), *_taken(taken)]))


async def _archived(databases: Databases, place: str | None, keep_days: int | None) -> Archived:
    now = system_clock()
    async with databases.worker.transaction(operator_scope()) as tx:
        before = now - timedelta(days=keep_days or await tx.scalar(_HOT) or HOT.days)
        old = int(await tx.scalar(_OLD, {"before": before}) or 0)
    done = 0
    with counted_events("Archiving") as told:

        def moved(events: int) -> None:
            nonlocal done
            done += events
            told(done, old)

        told(0, old)
        archived = await archive_events(databases.worker, operator_scope(), place, before, now, moved)
    if archived.events:
        await databases.admin.vacuum("event")  # else whoever looks for events next goes past those that are gone
    return archived


def _done(done: Archived | None) -> list[str]:
    if done is None:
        return []
    said = [f"{done.events:,} events of months before {done.before:%Y-%m} moved to {done.files} files at {done.root}."]
    if done.rewritten or done.swept:
        said.append(f"{done.rewritten} files were written anew, {done.swept} that nothing needs were deleted.")
    return said


def _taken(taken: Storage) -> list[str]:
    return [
        _line("in the database", taken.hot),
        _line("in the archive", taken.archived),
        _line("keys, kept for ever", taken.keys),
    ]


def _line(name: str, taken: Taken) -> str:
    each = "" if taken.each is None else f", {taken.each:,.0f} bytes an event"
    return f"{taken.events:>14,} {name}: {taken.bytes / 2**20:,.1f} MiB{each}"
