"""`valueplatform story`: the story of an account, as it stands."""

from datetime import datetime

import msgspec
import rich_click as click

from valueplatform.accounts.accounts import Account, account_by_key
from valueplatform.commands.context import Databases, asynchronous, data_dir_option, examples, opened
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.database import lock_account
from valueplatform.core.keys import SUPPLIER
from valueplatform.narrative.document import Audience, Language
from valueplatform.narrative.forms import story_markdown, story_text
from valueplatform.narrative.story_read import StoryRead, read_story
from valueplatform.worker import refresh_account

_JSON = msgspec.json.Encoder(decimal_format="string")


@click.command()
@click.argument("account", metavar="ACCOUNT")
@click.option(
    "--audience",
    type=click.Choice(Audience, case_sensitive=False),
    default=Audience.CUSTOMER,
    show_default=True,
    help="Who reads it.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"], case_sensitive=False),
    default="text",
    show_default=True,
    help="As what.",
)
@click.option("--provider", default=SUPPLIER, show_default=True, help="Whose rows a partner's story is made of.")
@click.option(
    "--language",
    type=click.Choice([language.value for language in Language], case_sensitive=False),
    default=Language.ENGLISH.value,
    show_default=True,
    help="In which language it is told.",
)
@data_dir_option
@examples(
    "valueplatform story harbor-logistics",
    "valueplatform story harbor-logistics --audience executive --format markdown",
    "valueplatform story harbor-logistics --language de",
    "valueplatform story harbor-logistics --audience partner --provider tessera",
)
@click.pass_context
@asynchronous
async def story(ctx: click.Context, account: str, audience: Audience, form: str, provider: str, language: str) -> None:
    """Tell the story of ACCOUNT as it stands. What waits for the worker is worked off first."""
    now = system_clock()
    async with opened(ctx) as databases:
        found = await brought_up_to_date(databases, account, now)
        async with databases.worker.transaction(accounts_or_all([found.account_id])) as tx:
            read = await read_story(tx, found, audience, now, provider=provider, language=Language(language))
    click.echo(_told(read, form), nl=False)


def _told(read: StoryRead, form: str) -> str:
    match form:
        case "json":
            return _JSON.encode(read.json).decode() + "\n"
        case "markdown":
            return story_markdown(read.document)
        case _:
            return story_text(read.document)


async def brought_up_to_date(databases: Databases, key: str, now: datetime) -> Account:
    """The account, once its marks are worked off. Raises NotFoundError."""
    async with databases.worker.transaction(operator_scope()) as tx:
        account = await account_by_key(tx, key)
    async with databases.worker.transaction(accounts_or_all([account.account_id])) as tx:
        await lock_account(tx, account.account_id)
        await refresh_account(tx, account.account_id, now)
    return account
