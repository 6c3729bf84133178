"""Loading what the sample's parties said of partners, line by line, through the record's own rules."""

from collections import defaultdict

from valueplatform.accounts.accounts import Account, account_by_key
from valueplatform.accounts.consents import Purpose, Wish, consents_of, say_consent
from valueplatform.commands.context import Databases
from valueplatform.core.authorization import Side, operator_scope
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ConflictError
from valueplatform.core.periods import local_day, month_of
from valueplatform.sample import SampleSupplier
from valueplatform.sample.partners import JOINT_DRIVER, PARTNER, Claimed, Consented, Replied, Saying, Shared
from valueplatform.value.contribution_record import answer, contribute, contributions_of, withdraw
from valueplatform.value.contributions import Answer, Answering, Reported
from valueplatform.value.models import newest_model
from valueplatform.value.split_record import Proposal, Speaker, answer_split, propose_split, read_splits
from valueplatform.value.splits import Act


async def load_sayings(databases: Databases, supplier: SampleSupplier) -> None:
    """Each line at its own moment. An account of which something was said already is left as it is."""
    by_account: defaultdict[str, list[Saying]] = defaultdict(list)
    for line in supplier.sayings:
        by_account[line.account].append(line)
    for key, lines in by_account.items():
        async with databases.worker.transaction(operator_scope()) as tx:
            account = await account_by_key(tx, key)
            if await read_splits(tx, account.account_id) or await consents_of(tx, account.account_id):
                continue
            for line in lines:
                await _say(tx, account, line)


async def _say(tx: Transaction, account: Account, line: Saying) -> None:
    match line:
        case Consented():
            await _consent(tx, account, line)
        case Claimed():
            await _report(tx, account, line)
        case Replied():
            await _reply(tx, account, line)
        case Shared():
            await _share(tx, account, line)


async def _consent(tx: Transaction, account: Account, line: Consented) -> None:
    wish = Wish(PARTNER, Purpose(line.what), line.granted, line.reason)
    await say_consent(tx, account.account_id, wish, line.author_email, line.at)


async def _report(tx: Transaction, account: Account, line: Claimed) -> None:
    driver = (await newest_model(tx)).driver(line.driver) if line.driver else None
    reported = Reported(
        provider=PARTNER,
        id=line.id,
        driver=line.driver,
        title=line.title or (driver.label if driver else ""),
        amount=line.amount,
        unit=account.currency,
        period=month_of(line.month),
        evidence=line.reason,
        source="ledger",
    )
    await contribute(tx, account.account_id, reported, line.author_email, line.at)


async def _reply(tx: Transaction, account: Account, line: Replied) -> None:
    if line.action == "withdraw":
        await withdraw(tx, account.account_id, PARTNER, line.id, line.author_email, line.at, line.reason)
        return
    held = next(one for one in await contributions_of(tx, account.account_id) if one.reported.id == line.id)
    said = Answer(Answering(line.action), line.author_email, Side(line.party), line.reason, line.at)
    await answer(tx, account.account_id, held.contribution_id, said)


async def _share(tx: Transaction, account: Account, line: Shared) -> None:
    provider = PARTNER if line.party == "partner" else None
    who = Speaker(line.author_email, Side(line.party), provider, local_day(line.at, account.timezone), line.at)
    if line.share is not None and line.supplier_share is not None:
        wanted = Proposal(JOINT_DRIVER, PARTNER, line.share, line.supplier_share, line.reason)
        await propose_split(tx, account.account_id, await newest_model(tx), wanted, who)
        return
    held = await read_splits(tx, account.account_id)
    if not held:
        raise ConflictError(f"The sample agrees to a split of {account.key} that nobody has proposed.")
    await answer_split(tx, account.account_id, held[-1].split_id, Act(line.action), line.reason, who)
