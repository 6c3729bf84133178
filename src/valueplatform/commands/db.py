"""`valueplatform db`: the schema of the database."""

import rich_click as click

from valueplatform.commands.context import (
    asynchronous,
    data_dir_option,
    examples,
    json_option,
    opened,
    say,
    schema_status,
    upgrade_schema,
)
from valueplatform.core.migrate import SchemaStatus


@click.group()
def db() -> None:
    """Bring the database to the schema of this release, or see where it stands."""


@db.command()
@json_option
@data_dir_option
@examples("DATABASE_URL=postgresql://admin@db/value valueplatform db upgrade")
@click.pass_context
@asynchronous
async def upgrade(ctx: click.Context) -> None:
    """Create roles and tables, or bring them up to date. Doing it again changes nothing.

    The login needs the right to create roles the first time, and to own the tables later.
    """
    async with opened(ctx, any_schema=True) as databases:
        before = await schema_status(databases)
        after = await upgrade_schema(databases)
    was = "as it was before" if before == after else f"it was at {before.current or 'nothing yet'}"
    say(ctx, _shown(after), f"The schema is at {after.current}: up to date ({was}).")


@db.command()
@json_option
@data_dir_option
@examples("valueplatform db status --json")
@click.pass_context
@asynchronous
async def status(ctx: click.Context) -> None:
    """Show the schema's version; exit code 1 where it is not that of this release."""
    async with opened(ctx, any_schema=True) as databases:
        found = await schema_status(databases)
    said = f"The schema is at {found.current or 'nothing yet'}, this release has {found.newest}"
    say(ctx, _shown(found), f"{said}." if found.up_to_date else f"{said}: run `valueplatform db upgrade`.")
    if not found.up_to_date:
        ctx.exit(1)


def _shown(found: SchemaStatus) -> dict[str, object]:
    return {"current": found.current, "newest": found.newest, "up_to_date": found.up_to_date}
