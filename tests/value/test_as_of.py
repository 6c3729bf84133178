"""What was read as of a day, and what was signed, is read again the same, whatever is adjusted afterwards (value rule
12)."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, NOW, SUPPLIER, new_account, put_events, put_model
from tests.value.test_refreshing import MAY, refresh, validate_everything, verified
from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.periods import ONE_DAY, Period, Window
from valueplatform.core.scope import grant_accounts
from valueplatform.value.answer import value_answer
from valueplatform.value.postings import close_month
from valueplatform.value.reading import Question, read_value
from valueplatform.value.statement_check import check_statements
from valueplatform.value.statements import Statement, document_of, make_statement, sign_statement, statement_of

DAYS = [datetime(2026, 5, 1, 16, tzinfo=UTC) + number * ONE_DAY for number in range(31)]
ROUNDS = 40


async def test_reads_as_of_a_day_and_signed_statements_outlast_a_thousand_adjustments(
    databases: Databases,
) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(day, {"minutes": 2, "crew": "a"}) for day in DAYS])
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await close_month(tx, account_id, "America/New_York", MAY, NOW)

    signed, frozen = await a_signed_statement(databases, account_id)
    told = {}
    for round_ in range(ROUNDS):
        at = NOW + timedelta(days=round_ + 1)
        late = [(day, {"minutes": round_ % 7, "crew": "b"}) for day in DAYS[: 26 + round_ % 5]]
        await put_events(databases, account_id, late)
        await refresh(databases, account_id, at)
        if round_ % 8 == 0:
            told[at.date()] = await as_of(databases, account_id, at.date())

    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        query = text("SELECT count(*) FROM posting WHERE kind = 'adjustment' AND driver = 'dispatch_time'")
        assert int(await tx.scalar(query) or 0) >= 1000
    assert len({str(read) for read in told.values()}) == len(told)
    for day, before in told.items():
        assert await as_of(databases, account_id, day) == before, day
    assert (await verified(databases, account_id)).discrepancies == ()
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        assert await statement_of(tx, account_id, "may") == signed
        account = await account_by_key(tx, "harbor")
        later = NOW + timedelta(days=ROUNDS + 9)
        assert await document_of(tx, account, signed.period, signed.as_of, later) == frozen
        compared, differences = await check_statements(tx, account_id, account.timezone)
    assert (compared > 0, differences) == (True, [])


async def a_signed_statement(databases: Databases, account_id: int) -> tuple[Statement, str]:
    """Of May, signed by both sides, and its text."""
    at = NOW + timedelta(days=1)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        account = await account_by_key(tx, "harbor")
        period = Period(date(2026, 5, 1), date(2026, 6, 1))
        made = await make_statement(tx, account, "may", "May", period, SUPPLIER, at)
        for side in (SUPPLIER, CUSTOMER):
            made = await sign_statement(tx, account_id, "may", made.digest, side, at)
    assert made.is_signed
    return made, made.document


async def as_of(databases: Databases, account_id: int, day: date) -> object:
    """The value of May and June, month by month, as it was known by the end of a day."""
    question = Question(date(2026, 5, 1), date(2026, 9, 1), as_of=day, window=Window.MONTH)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        read = await read_value(tx, await account_by_key(tx, "harbor"), question, NOW + timedelta(days=ROUNDS + 9))
    return value_answer(read)
