"""What came of suggestions, from the grades to the story and its proof, on the real database."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from tests.conftest import Databases
from tests.narrative.graded_accounts import NOW, START, graded, kept, put_supplier
from valueplatform.core.authorization import accounts_or_all
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import Admitted, admit, rederive
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.insights.followed import followed
from valueplatform.narrative.proofs import ProvedNumber, prove_numbers
from valueplatform.narrative.wording import render
from valueplatform.value.proof_record import read_source


async def _facts(databases: Databases, account: int) -> AccountFacts:
    async with databases.worker.transaction(accounts_or_all([account])) as tx:
        return await gather(tx, account, NOW)


async def _told(databases: Databases, account: int) -> tuple[list[Admitted], tuple[ProvedNumber, ...]]:
    found = followed(await _facts(databases, account))
    async with databases.web.transaction(accounts_or_all([account])) as tx:
        admitted, _ = admit(found, await rederive(tx, account, found))
        source = await read_source(tx, account)
        assert source is not None
        return admitted, await prove_numbers(tx, source, [n for insight in found for n in insight.numbers])


async def test_the_longest_grade_of_an_accepted_suggestion_is_told_and_proved(databases: Databases) -> None:
    account = await put_supplier(databases)
    await graded(databases)
    (one,) = (await _facts(databases, account)).followed
    _, quarter = await kept(databases, account)
    assert (one.horizon, one.start, one.end) == (90, START, START + timedelta(days=90))
    assert (one.accepted, one.realized, one.expected) == (START - timedelta(days=15), Decimal(180), quarter.expected)
    (admitted,), proved = await _told(databases, account)
    assert len(proved) == 8
    assert all(number.agrees for number in proved)
    said = render(admitted, Audience.CUSTOMER).text.replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith(
        "You accepted A on 26 Aug 2025. In the 90 days from 10 Sep 2025 it went with $180 more than 6"
    )


async def test_a_grade_of_another_account_bears_nothing_out(databases: Databases) -> None:
    account = await put_supplier(databases)
    await graded(databases)
    found = followed(await _facts(databases, account))
    async with databases.worker.transaction(accounts_or_all([account + 1])) as tx:
        admitted, refused = admit(found, await rederive(tx, account + 1, found))
    assert (admitted, len(refused)) == ([], 1)


async def test_what_was_not_taken_up_or_cannot_be_measured_is_not_told(databases: Databases) -> None:
    account = await put_supplier(databases, others=4)
    await graded(databases)
    assert (await _facts(databases, account)).followed == ()


async def test_a_grade_in_another_currency_than_the_accounts_is_not_told(databases: Databases) -> None:
    account = await put_supplier(databases)
    await graded(databases)
    changed = text("""
        INSERT INTO account_currency (account_id, effective_from, currency)
        SELECT account_id, DATE '2025-12-01', 'EUR' FROM account WHERE account_id = :account
    """)
    found = followed(await _facts(databases, account))
    async with databases.admin.engine.begin() as connection:
        await connection.execute(changed, {"account": account})
    assert (await _facts(databases, account)).followed == ()
    async with databases.worker.transaction(accounts_or_all([account])) as tx:
        assert admit(found, await rederive(tx, account, found))[0] == []
