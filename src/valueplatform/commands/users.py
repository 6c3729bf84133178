"""`valueplatform user`: people who sign in."""

from datetime import timedelta

import rich_click as click
from rich.table import Table

from valueplatform.accounts.accounts import ids_of, keys_of
from valueplatform.accounts.providers import ensure_providers
from valueplatform.commands.context import asynchronous, data_dir_option, examples, json_option, opened, say, table_text
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.sign_in import create_link, sign_in_url
from valueplatform.core.users import create_user, disable_user, enable_user, list_users, user_by_email


@click.group()
def user() -> None:
    """People: who may sign in, with which role, to which accounts."""


@user.command()
@click.argument("email")
@click.option("--role", type=click.Choice(UserRole, case_sensitive=False), required=True)
@click.option("--account", "accounts", metavar="KEY", multiple=True, help="An account that they may see; repeatable.")
@click.option("--name", help="What to call them. Default: the front of the address.")
@click.option("--provider", help="The partner that they belong to.")
@json_option
@data_dir_option
@examples(
    "valueplatform user create maya@fieldnote.example --role steward",
    "valueplatform user create vera@acme.example --role customer --account acme",
)
@click.pass_context
@asynchronous
async def create(
    ctx: click.Context, *, email: str, role: UserRole, accounts: tuple[str, ...], name: str | None, provider: str | None
) -> None:
    """Let somebody in. `user link` then gives them a way to sign in.

    A customer belongs to one account, and may there what their role among its people allows.
    """
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        account_ids = await ids_of(tx, accounts) if accounts else None
        if provider is not None:
            await ensure_providers(tx, [provider])
        made = await create_user(tx, email, role, account_ids=account_ids, name=name, provider=provider)
    shown = {"email": made.email, "name": made.name, "role": made.role, "accounts": list(accounts) or None}
    say(ctx, shown, f"{made.email} may sign in as {made.role}: `valueplatform user link {made.email}`.")


@user.command()
@click.argument("email")
@click.option("--hours", type=click.IntRange(1, 24 * 14), default=24, show_default=True, help="How long it is good.")
@json_option
@data_dir_option
@examples("valueplatform user link maya@fieldnote.example")
@click.pass_context
@asynchronous
async def link(ctx: click.Context, email: str, hours: int) -> None:
    """Print a link that signs somebody in, once."""
    lifetime = timedelta(hours=hours)
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        person = await user_by_email(tx, email)
        token = await create_link(tx, person, system_clock, lifetime)
        url = sign_in_url(databases.settings.public_url, token)
    say(ctx, {"email": person.email, "url": url, "hours": hours}, url)


@user.command(name="list")
@json_option
@data_dir_option
@examples("valueplatform user list --json")
@click.pass_context
@asynchronous
async def list_(ctx: click.Context) -> None:
    """List everybody who may sign in, and who may no longer."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        records = await list_users(tx)
        names = await keys_of(tx, [one for record in records for one in record.account_ids or ()])
    table = Table("email", "name", "role", "accounts", "disabled")
    shown = []
    for record in records:
        accounts = None if record.account_ids is None else [names[one] for one in record.account_ids if one in names]
        disabled = record.disabled_at is not None
        shown.append(
            {
                "email": record.email,
                "name": record.name,
                "role": record.role,
                "accounts": accounts,
                "provider": record.provider,
                "disabled": disabled,
            }
        )
        where = "all" if accounts is None else ", ".join(accounts)
        table.add_row(record.email, record.name, record.role, where, "yes" if disabled else "")
    say(ctx, shown, table_text(table) if records else "There is nobody yet.")


@user.command()
@click.argument("email")
@json_option
@data_dir_option
@examples("valueplatform user disable maya@fieldnote.example")
@click.pass_context
@asynchronous
async def disable(ctx: click.Context, email: str) -> None:
    """Shut somebody out at once, and end their sessions."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        await disable_user(tx, email, system_clock)
    say(ctx, {"email": email, "disabled": True}, f"{email} is shut out.")


@user.command()
@click.argument("email")
@json_option
@data_dir_option
@examples("valueplatform user enable maya@fieldnote.example")
@click.pass_context
@asynchronous
async def enable(ctx: click.Context, email: str) -> None:
    """Let somebody in again who was shut out."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        await enable_user(tx, email)
    say(ctx, {"email": email, "disabled": False}, f"{email} may sign in again, by a new link.")
