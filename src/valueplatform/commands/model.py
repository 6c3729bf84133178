"""`valueplatform model`: the value model as a file."""

from pathlib import Path

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
from valueplatform.value.applying import apply_counted
from valueplatform.value.model_export import export_model
from valueplatform.value.model_file import read_model, warnings_of
from valueplatform.value.model_versions import Change, diff, revise
from valueplatform.value.models import newest_model, stored_model

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
MOST_SHOWN = 60


@click.group()
def model() -> None:
    """The value model as a file: meters, baselines, assumptions, drivers, features."""


@model.command()
@FILE
@json_option
@examples("valueplatform model check model.toml")
@click.pass_context
@asynchronous
async def check(ctx: click.Context, file: Path) -> None:
    """Read FILE and list everything that is wrong with it, with line and cure; nothing is changed."""
    text = file.read_text(encoding="utf-8")
    read = read_model(text, str(file))
    warnings = [str(warning) for warning in warnings_of(read, text, str(file))]
    summary = (
        f"{file} is in order: {len(read.meters)} meters, {len(read.drivers)} drivers, "
        f"{len(read.assumptions) + len(read.baselines)} assumptions and baselines, {len(read.features)} features."
    )
    say(ctx, {"ok": True, "warnings": warnings}, "\n".join([summary, *warnings]))


@model.command()
@FILE
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@data_dir_option
@json_option
@examples("valueplatform model apply model.toml", "valueplatform model apply model.toml --dry-run")
@click.pass_context
@asynchronous
async def apply(ctx: click.Context, file: Path, dry_run: bool) -> None:  # noqa: FBT001 - click calls it so
    """Put FILE in force. Shows what changes; the same file again changes nothing.

    Meters that are new or changed are counted over all history first, while events come in; then all is put in force
    at once. Amounts follow as the worker gets to them.
    """
    wanted = read_model(file.read_text(encoding="utf-8"), str(file))
    async with opened(ctx) as databases:
        async with databases.worker.transaction(operator_scope()) as tx:
            held = await stored_model(tx)
        changes = diff(held, revise(held, wanted))
        click.echo(described(changes), err=True)
        if dry_run:
            say(ctx, {"changes": changes, "applied": False}, "Nothing was changed.")
            return
        with counted_events("Counting meters") as told:
            applied = await apply_counted(databases.worker, operator_scope(), wanted, told, databases.ingest)
    outcome = f"Revision {applied.revision} is in force." if changes else "This model is in force already."
    say(ctx, {"revision": applied.revision, "changes": applied.changes, "applied": bool(changes)}, outcome)


@model.command()
@data_dir_option
@examples("valueplatform model export > model.toml")
@click.pass_context
@asynchronous
async def export(ctx: click.Context) -> None:
    """Print the model in force as TOML; applying it changes nothing."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        click.echo(export_model(await newest_model(tx)), nl=False)


def described(changes: list[Change]) -> str:
    """One line a changed definition, one a changed field beneath it."""
    if not changes:
        return "No changes."
    marks = {"added": "+", "removed": "-", "changed": "~"}
    lines = []
    for change in changes:
        lines.append(f"{marks[change.action]} {change.kind} {change.slug}")
        lines += [f"    {f.field}: {f.before!r} → {f.after!r}" for f in change.fields if change.action == "changed"]
    rest = len(lines) - MOST_SHOWN
    return "\n".join([*lines[:MOST_SHOWN], *([f"… and {rest} more lines"] if rest > 0 else [])])
