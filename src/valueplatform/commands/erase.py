"""`valueplatform erase`: a person out of what an account has sent."""

import rich_click as click
from click.exceptions import Exit

from valueplatform.accounts.accounts import account_by_key
from valueplatform.commands.context import asynchronous, data_dir_option, examples, json_option, opened, say
from valueplatform.core.authorization import operator_scope
from valueplatform.telemetry.erasure import erase_person


@click.command()
@click.argument("account")
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask; it cannot be undone.")
@data_dir_option
@json_option
@examples("valueplatform erase harbor-logistics kim@harbor.example", "valueplatform erase acme user-4711 --yes --json")
@click.pass_context
@asynchronous
async def erase(ctx: click.Context, account: str, person: str, yes: bool) -> None:  # noqa: FBT001 - click calls it so
    """Erase PERSON, an id or an e-mail address, from the events of ACCOUNT: in the database, the archive, conflicts,
    rejected events and the catalog. Numbers stay; a stand-in takes the place of the name.

    It cannot be undone. Who is listed as a person of the account, or has written on a page, is not touched.
    """
    async with opened(ctx) as databases:
        async with databases.worker.transaction(operator_scope()) as tx:
            found = await account_by_key(tx, account)
        if not yes and not click.confirm(f"Erase {person} from the events of {account} for good?", err=True):
            click.echo("Nothing was erased.", err=True)
            raise Exit(1)
        erased = await erase_person(databases.worker, operator_scope(), found.account_id, person)
    say(
        ctx,
        erased,
        f"{erased.events:,} events, {erased.archived:,} archived events, {erased.rejected:,} rejected events and "
        f"{erased.conflicts:,} conflicts named the person, and do not any more.",
    )
