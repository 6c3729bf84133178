"""`valueplatform report`: the value report of an account."""

from datetime import datetime
from pathlib import Path

import rich_click as click

from valueplatform.commands.context import asynchronous, data_dir_option, examples, opened
from valueplatform.commands.story import brought_up_to_date
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.clock import system_clock
from valueplatform.narrative.report import Asked, Format, Part, read_report, report_bytes

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("account", metavar="ACCOUNT")
@click.option("--format", "form", type=click.Choice(Format, case_sensitive=False), required=True, help="As what.")
@click.option(
    "-o", "output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output."
)
@click.option("--from", "start", metavar="DAY", type=_DAY, help="First day; without it, the first with value.")
@click.option("--to", "end", metavar="DAY", type=_DAY, help="The day after the last; without it, tomorrow.")
@click.option(
    "--part",
    type=click.Choice(Part, case_sensitive=False),
    default=Part.VALUE,
    show_default=True,
    help="Of CSV: rows of value, or what partners reported and the splits agreed on.",
)
@click.option("--provider", help="The report as this partner may see it.")
@data_dir_option
@examples(
    "valueplatform report harbor-logistics --format csv -o value.csv",
    "valueplatform report harbor-logistics --format json --from 2026-01-01 --to 2026-04-01",
)
@click.pass_context
@asynchronous
async def report(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: click.Context,
    account: str,
    form: Format,
    output: Path | None,
    start: datetime | None,
    end: datetime | None,
    part: Part,
    provider: str | None,
) -> None:
    """Write the value report of ACCOUNT, byte by byte as the API gives it. What waits for the worker is worked off
    first."""
    now = system_clock()
    asked = Asked(start.date() if start else None, end.date() if end else None, provider)
    async with opened(ctx) as databases:
        found = await brought_up_to_date(databases, account, now)
        async with databases.worker.transaction(accounts_or_all([found.account_id])) as tx:
            written = report_bytes(await read_report(tx, found, asked, now), form, part)
    if output is None:
        click.echo(written, nl=False)
    else:
        output.write_bytes(written)
        click.echo(f"{output}: {len(written):,} bytes.", err=True)
