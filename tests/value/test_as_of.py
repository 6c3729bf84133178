"""What was read as of a day is read again the same, whatever is adjusted afterwards (value rule 12)."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_events, put_model
from tests.value.test_refreshing import MAY, refresh, validate_everything, verified
from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.periods import ONE_DAY, Window
from valueplatform.core.scope import grant_accounts
from valueplatform.value.answer import value_answer
from valueplatform.value.postings import close_month
from valueplatform.value.reading import Question, read_value

DAYS = [datetime(2026, 5, 1, 16, tzinfo=UTC) + number * ONE_DAY for number in range(31)]
ROUNDS = 40


async def test_as_of_reads_are_unchanged_after_a_thousand_adjustments(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(day, {"minutes": 2, "crew": "a"}) for day in DAYS])
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await close_month(tx, account_id, "America/New_York", MAY, NOW)

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


async def as_of(databases: Databases, account_id: int, day: date) -> object:
    """The value of May and June, month by month, as it was known by the end of a day."""
    question = Question(date(2026, 5, 1), date(2026, 9, 1), as_of=day, window=Window.MONTH)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        read = await read_value(tx, await account_by_key(tx, "harbor"), question, NOW + timedelta(days=ROUNDS + 9))
    return value_answer(read)
