"""`valueplatform meters`: meters over all history."""

import rich_click as click

from valueplatform.commands.context import (
    asynchronous,
    counted_events,
    data_dir_option,
    examples,
    json_option,
    opened,
    say,
)
from valueplatform.core.authorization import operator_scope
from valueplatform.value.applying import count_anew


@click.group()
def meters() -> None:
    """The meters of the model in force."""


@meters.command()
@click.argument("slug")
@click.option("--engine", type=click.Choice(["polars"]), default="polars", show_default=True,
              help="What counts archived events.")  # fmt: skip
@data_dir_option
@json_option
@examples("valueplatform meters backfill jobs_dispatched", "valueplatform meters backfill jobs_dispatched --json")
@click.pass_context
@asynchronous
async def backfill(ctx: click.Context, slug: str, engine: str) -> None:  # noqa: ARG001 - there is one so far
    """Count meter SLUG over all history again, in the database and the archive.

    Events come in meanwhile, and stories read what was counted before; then the new counts take their place at once.
    `model apply` does the same by itself for meters that are new or changed.
    """
    async with opened(ctx) as databases:
        events = 0
        with counted_events(f"Counting {slug}") as told:

            def heard(done: int, total: int) -> None:
                nonlocal events
                events = done
                told(done, total)

            applied = await count_anew(databases.worker, operator_scope(), slug, heard, databases.ingest)
    say(
        ctx,
        {"meter": slug, "events": events, "revision": applied.revision},
        f"Meter {slug} was counted over {events:,} events, and is in force with revision {applied.revision}.",
    )
