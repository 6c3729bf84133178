"""`valueplatform key`: keys for machines."""

from dataclasses import asdict
from uuid import UUID

import rich_click as click
from rich.table import Table

from valueplatform.accounts.accounts import ids_of, keys_of
from valueplatform.accounts.providers import ensure_providers, slug_of
from valueplatform.commands.context import asynchronous, data_dir_option, examples, json_option, opened, say, table_text
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.keys import (
    SUPPLIER,
    UNLIMITED,
    KeyGrant,
    KeyRecord,
    Quota,
    create_key,
    limit_key,
    list_keys,
    revoke_key,
)


@click.group()
def key() -> None:
    """API keys: shown once when they are made, stored as a hash."""


def _listed(text: str | None) -> list[str] | None:
    """The parts of `A,B`; None where nothing was said."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


@key.command()
@click.option("--kind", type=click.Choice(KeyKind, case_sensitive=False), required=True, help="What the key is for.")
@click.option("--name", required=True, help="What people should call it.")
@click.option("--provider", help="Whose events or report it is. Default: the supplier; of a partner key, its name.")
@click.option("--accounts", metavar="A,B", help="Account keys that it is limited to. Default: every account.")
@click.option("--sources", metavar="S,T", help="Event sources that it may write. Default: any.")
@click.option("--scopes", metavar="S,T", help="What it may do, such as value:read. Default: all that its kind may.")
@click.option("--person", metavar="EMAIL", help="The customer's person whom it acts for, with that person's rights.")
@click.option("--rate-limit", type=click.IntRange(1), metavar="N", help="Events a second that it may send.")
@click.option("--burst", type=click.IntRange(1), metavar="N", help="Events at once. Default: those of ten seconds.")
@click.option("--daily-quota", type=click.IntRange(1), metavar="N", help="Events a day (UTC) that it may send.")
@json_option
@data_dir_option
@examples(
    "valueplatform key create --kind ingest --name production",
    "valueplatform key create --kind ingest --name staging --rate-limit 500 --burst 5000 --daily-quota 1000000",
    "valueplatform key create --kind partner --name Tessera --accounts acme,globex --json",
    "valueplatform key create --kind partner --name books --accounts acme --person vera@acme.example",
)
@click.pass_context
@asynchronous
async def create(  # noqa: PLR0913 - one argument an option
    ctx: click.Context,
    *,
    kind: KeyKind,
    name: str,
    provider: str | None,
    accounts: str | None,
    sources: str | None,
    scopes: str | None,
    person: str | None,
    rate_limit: int | None,
    burst: int | None,
    daily_quota: int | None,
) -> None:
    """Make a key, and show it this one time."""
    quota = Quota(rate_limit, burst, daily_quota)
    account_keys = _listed(accounts)
    slug = provider or (slug_of(name) if kind is KeyKind.PARTNER and person is None else SUPPLIER)
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        account_ids = None if account_keys is None else await ids_of(tx, account_keys)
        await ensure_providers(tx, [slug])
        grant = KeyGrant(kind, name, slug, account_ids, _listed(sources), _listed(scopes), person, quota)
        made = await create_key(tx, grant)
    shown = {"id": str(made.key_id), "key": made.key}
    say(ctx, shown, f"{made.key}\n\nKeep it now: it is shown this once. Its id is {made.key_id}.")


@key.command(name="list")
@json_option
@data_dir_option
@examples("valueplatform key list --json")
@click.pass_context
@asynchronous
async def list_(ctx: click.Context) -> None:
    """List all keys, without their secrets."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        records = await list_keys(tx)
        names = await keys_of(tx, [one for record in records for one in record.account_ids or ()])
    said = [asdict(record) | {"accounts": _accounts(record, names)} for record in records]
    for entry in said:
        entry.pop("account_ids")
    table = Table("id", "kind", "name", "provider", "accounts", "made", "revoked")
    for record in records:
        accounts = _accounts(record, names)
        table.add_row(
            str(record.key_id),
            record.kind,
            record.name,
            record.provider,
            "all" if accounts is None else ", ".join(accounts),
            f"{record.created_at:%Y-%m-%d}",
            f"{record.revoked_at:%Y-%m-%d}" if record.revoked_at else "",
        )
    say(ctx, said, table_text(table) if records else "There are no keys.")


@key.command()
@click.argument("key_id", metavar="ID", type=click.UUID)
@click.option("--rate-limit", type=click.IntRange(1), metavar="N", help="Events a second. Default: any number.")
@click.option("--burst", type=click.IntRange(1), metavar="N", help="Events at once. Default: those of ten seconds.")
@click.option("--daily-quota", type=click.IntRange(1), metavar="N", help="Events a day (UTC). Default: any number.")
@json_option
@data_dir_option
@examples("valueplatform key limit 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --rate-limit 500 --burst 5000")
@click.pass_context
@asynchronous
async def limit(
    ctx: click.Context, *, key_id: UUID, rate_limit: int | None, burst: int | None, daily_quota: int | None
) -> None:
    """Set how many events a key may send; what is not given is not limited. It holds within a second."""
    quota = Quota(rate_limit, burst, daily_quota)
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        held = await limit_key(tx, key_id, quota)
    shown = {"id": str(key_id), **asdict(held)}
    say(ctx, shown, "Limited." if quota != UNLIMITED else "It may send any number of events.")


@key.command()
@click.argument("key_id", metavar="ID", type=click.UUID)
@json_option
@data_dir_option
@examples("valueplatform key revoke 6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
@click.pass_context
@asynchronous
async def revoke(ctx: click.Context, key_id: UUID) -> None:
    """Revoke a key; it is refused within a second."""
    async with opened(ctx) as databases, databases.worker.transaction(operator_scope()) as tx:
        revoked = await revoke_key(tx, key_id, system_clock)
    say(ctx, {"id": str(key_id), "revoked": True}, "Revoked." if revoked else "It was revoked before.")


def _accounts(record: KeyRecord, names: dict[int, str]) -> list[str] | None:
    return None if record.account_ids is None else [names[one] for one in record.account_ids if one in names]
