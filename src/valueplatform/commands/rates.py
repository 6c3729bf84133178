"""`valueplatform rates`: exchange rates, dated; what was said stays."""

from datetime import datetime

import rich_click as click
from rich.table import Table

from valueplatform.accounts.exchange_rates import ExchangeRate, known_rates, record_rate
from valueplatform.commands.context import asynchronous, data_dir_option, examples, json_option, opened, say, table_text
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.numbers import decimal_text, exact_decimal
from valueplatform.value.models import newest_model

AUTHOR = "command line"


@click.group()
def rates() -> None:
    """Exchange rates into the supplier's currency, dated and kept for ever.

    Many at once come by `valueplatform import rates`.
    """


@rates.command(name="set")
@click.argument("currency")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("rate")
@click.option("--source", required=True, help="Where the rate is from.")
@json_option
@data_dir_option
@examples("valueplatform rates set EUR 2026-01-01 1.0823 --source ECB")
@click.pass_context
@asynchronous
async def set_rate(ctx: click.Context, currency: str, day: datetime, rate: str, source: str) -> None:
    """Say what one unit of CURRENCY is worth from DAY on, in the supplier's currency."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        target = (await newest_model(tx)).supplier.currency
        said = ExchangeRate(
            currency=currency.upper(), target=target, day=day.date(), rate=exact_decimal(rate), source=source
        )
        known = await record_rate(tx, said, AUTHOR, system_clock())
    held = known.rate
    say(
        ctx, known, f"From {held.day} on, 1 {held.currency} is {decimal_text(held.rate)} {held.target} ({held.source})."
    )


@rates.command(name="list")
@json_option
@data_dir_option
@examples("valueplatform rates list --json")
@click.pass_context
@asynchronous
async def list_(ctx: click.Context) -> None:
    """List every rate that was said; of two for one day the later holds."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        target = (await newest_model(tx)).supplier.currency
        known = await known_rates(tx, target)
    table = Table("currency", "from", f"in {target}", "source", "said by", "said on")
    for one in known:
        rate = one.rate
        table.add_row(
            rate.currency,
            f"{rate.day}",
            f"{rate.rate.normalize():f}",
            rate.source,
            one.author,
            f"{one.known_at:%Y-%m-%d}",
        )
    say(ctx, known, table_text(table) if known else "There are no rates.")
