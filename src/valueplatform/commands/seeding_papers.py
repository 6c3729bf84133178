"""Loading what both sides of the sample keep in writing, through the rules that hold for everybody."""

from collections.abc import Sequence
from datetime import datetime

from valueplatform.accounts.accounts import Account, account_by_key
from valueplatform.core.authorization import Side, accounts_or_all, operator_scope
from valueplatform.core.database import Database, Transaction
from valueplatform.core.periods import month_of
from valueplatform.sample.papers import Foreseen, Signed
from valueplatform.value.assumption_record import Author
from valueplatform.value.levers import Change, Seats
from valueplatform.value.scenario import look
from valueplatform.value.scenarios import Draft, ground_of, keep_scenario, scenarios_of, share_scenario
from valueplatform.value.statements import make_statement, sign_statement, statements_of


async def load_papers(database: Database, papers: Sequence[Signed | Foreseen], now: datetime) -> None:
    """As of `now`, when the value until then is known. What is there already stays as it is."""
    for paper in papers:
        async with database.transaction(operator_scope()) as tx:
            account = await account_by_key(tx, paper.account)
        async with database.transaction(accounts_or_all([account.account_id])) as tx:
            if isinstance(paper, Signed):
                await _sign(tx, account, paper, now)
            else:
                await _keep(tx, account, paper, now)


async def _sign(tx: Transaction, account: Account, paper: Signed, now: datetime) -> None:
    name = f"value-{paper.month:%Y-%m}"
    if name in {one.statement_id for one in await statements_of(tx, account.account_id)}:
        return
    steward, sponsor = Author(paper.steward_email, Side.SUPPLIER), Author(paper.sponsor_email, Side.CUSTOMER)
    title = f"Value of {paper.month:%B %Y}"
    made = await make_statement(tx, account, name, title, month_of(paper.month), steward, now)
    for author in (steward, sponsor):
        await sign_statement(tx, account.account_id, name, made.digest, author, now)


async def _keep(tx: Transaction, account: Account, paper: Foreseen, now: datetime) -> None:
    kept = await scenarios_of(tx, account.account_id, paper.author_email)
    if paper.name in {one.draft.name for one in kept}:
        return
    draft = Draft(paper.name, paper.start, paper.months, (Change(Seats(paper.crews), paper.start),))
    look(await ground_of(tx, account, now), draft.changes, draft.start, draft.months)
    author = Author(paper.author_email, Side.CUSTOMER)
    saved = await keep_scenario(tx, account.account_id, draft, author, now)
    await share_scenario(tx, account.account_id, saved.scenario_id, author.name)
