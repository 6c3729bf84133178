"""From raw events to what types are worth, on the real database, and recomputed by other code."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, new_account
from tests.value.recount_worth import recount
from tests.value.worth_worlds import BEFORE, DAYS, Sent, estimate, install, jobs, opens, put_sent, work
from tests.value.worths import the_model
from valueplatform.core.authorization import accounts_or_all
from valueplatform.value.feeds import Paths
from valueplatform.value.type_worth import WorthBook, read_worth
from valueplatform.value.worth import Basis, Reach, Reason
from valueplatform.value.worth_store import begin, keep_same, newest

FIRST = jobs(3, [BEFORE])
"""The record begins before the months."""


def world() -> Mapping[str, Sequence[Sent]]:
    """Six that send both, two that send jobs alone, one that began, one that stopped, one that is silent."""
    peers = {f"peer-{n}": [*FIRST, *jobs(n), *jobs(2), *opens(3 * n)] for n in range(1, 7)}
    return {
        **peers,
        "small": jobs(9),
        "large": [*jobs(1), *jobs(1), *jobs(2), *jobs(7)],
        "begun": [*jobs(4), *opens(5, DAYS[-2:])],
        "stopped": [*jobs(4), *opens(5, [BEFORE])],
        "silent": [],
    }


async def book_of(databases: Databases, accounts: Sequence[int] | None = None) -> WorthBook:
    async with databases.web.transaction(accounts_or_all(accounts)) as tx:
        book = await read_worth(tx, Paths(the_model()), "USD")
    assert book is not None
    return book


async def test_every_amount_is_what_other_code_makes_of_the_raw_events(databases: Databases) -> None:
    await install(databases, world())
    book, other = await book_of(databases), await recount(databases)
    (time,) = book.of("job.done").realized
    assert (time.low, time.expected, time.high) == other.realized_a_month("time")
    worth = book.of("tracking.opened")
    (calls,) = worth.realized
    assert (calls.low, calls.expected, calls.high) == other.realized_a_month("calls")
    (cohort,) = book.cohorts("tracking.opened", "calls")
    assert (cohort.peers, (cohort.low, cohort.expected, cohort.high)) == other.cohort()
    async with databases.admin.transaction(accounts_or_all(None)) as tx:
        rows = await tx.rows(text("SELECT a.key, p.* FROM catalog_potential p JOIN account a USING (account_id)"))
    stated = {
        row.key: (row.low, row.expected, row.high) for row in rows if (row.type, row.path) == ("tracking.opened", "")
    }
    expected = other.estimates()
    assert stated == expected
    assert set(expected) == {"small", "large", "stopped"}
    (potential,) = worth.potential
    assert potential.expected == sum((bounds[1] for bounds in expected.values()), Decimal(0))
    assert (potential.reach, potential.basis, potential.accounts) == (Reach.MORE, Basis.SIZE, 3)


async def test_a_reader_of_some_accounts_sees_the_sums_of_these(databases: Databases) -> None:
    ids = await install(databases, world())
    whole, small = await book_of(databases), await book_of(databases, [ids["small"]])
    rest = await book_of(databases, [one for key, one in ids.items() if key != "small"])
    parts = [sum(one.expected for one in book.of("tracking.opened").potential) for book in (small, rest)]
    assert sum(parts) == sum(one.expected for one in whole.of("tracking.opened").potential)
    assert small.of("tracking.opened").realized == []
    assert [one.accounts for one in small.of("tracking.opened").potential] == [1]
    assert (await book_of(databases, [])).of("job.done").realized == []


async def test_before_a_whole_month_there_is_no_amount_and_the_reason_says_so(databases: Databases) -> None:
    await install(databases, {"one": jobs(3, [NOW.date()])})
    book = await book_of(databases)
    assert book.stored.estimates.months == ()
    worth = book.of("job.done")
    assert ([one.reason for one in worth.not_estimated], worth.realized) == ([Reason.NO_MONTH], [])
    assert book.ranked == []


async def test_without_a_model_nothing_is_made(databases: Databases) -> None:
    await new_account(databases)
    assert await estimate(databases) == 0
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        assert await newest(tx) is None


async def test_without_accounts_there_is_a_run_and_nothing_in_it(databases: Databases) -> None:
    await install(databases, {})
    book = await book_of(databases)
    assert book.of("job.done").realized == []
    assert book.of("job.done").not_estimated != []


async def test_amounts_in_several_currencies_stay_apart(databases: Databases) -> None:
    accounts = {f"peer-{n}": [*FIRST, *jobs(n), *opens(3)] for n in range(1, 7)}
    await install(databases, {**accounts, "abroad": jobs(2), "home": jobs(2)}, abroad="EUR", home="USD")
    book = await book_of(databases)
    worth = book.of("tracking.opened")
    assert {one.unit for one in worth.potential} == {"USD"}  # what is priced in dollars tells no size in euros
    assert sum(one.accounts for one in worth.potential) == 1
    assert [one.accounts for one in book.of("job.done").realized] == [8]


async def test_a_run_that_finds_the_same_changes_nothing_but_its_time(databases: Databases) -> None:
    await install(databases, world())
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        before = await newest(tx)
    await estimate(databases, NOW + timedelta(minutes=5))
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        after = await newest(tx)
    assert before is not None
    assert after is not None
    assert (before.run, before.estimates) == (after.run, after.estimates)
    assert after.as_of == NOW + timedelta(minutes=5)


async def test_what_comes_in_since_is_in_the_next_run_and_the_one_before_is_gone(databases: Databases) -> None:
    ids = await install(databases, world())
    before = (await book_of(databases)).of("tracking.opened")
    await put_sent(databases, ids["small"], opens(2))
    await work(databases, [ids["small"]])
    after = (await book_of(databases)).of("tracking.opened")
    assert after.realized[0].expected > before.realized[0].expected
    assert [one.accounts for one in after.potential] == [before.potential[0].accounts - 1]
    async with databases.admin.transaction(accounts_or_all(None)) as tx:
        for table in ("catalog_realized", "catalog_potential", "catalog_gap", "catalog_estimate"):
            assert len(await tx.rows(text(f"SELECT DISTINCT run FROM {table}"))) == 1


async def test_a_run_that_ended_early_is_never_seen_and_swept_away(databases: Databases) -> None:
    ids = await install(databases, world())
    async with databases.worker.transaction(accounts_or_all(None)) as tx:
        abandoned = await begin(tx, NOW)
    seen = (await book_of(databases)).stored
    assert seen.run < abandoned
    await put_sent(databases, ids["small"], opens(2))
    await work(databases, [ids["small"]])
    assert (await book_of(databases)).stored.run > abandoned
    async with databases.worker.transaction(accounts_or_all(None)) as tx:
        assert not await keep_same(tx, "other", NOW)
        assert len(await tx.rows(text("SELECT run FROM catalog_estimate"))) == 1


async def test_types_of_any_name_and_number_are_taken(databases: Databases) -> None:
    many: list[Sent] = [(DAYS[0], f"ünfug/{n} 📦", {"x": n}) for n in range(300)]
    await install(databases, {f"a{n}": [*FIRST, *jobs(n), *many] for n in range(1, 7)})
    book = await book_of(databases)
    looked_at = book.stored.estimates.unmapped
    assert len(looked_at) == 50
    assert {one.reason for one in book.of(looked_at[0]).not_estimated} == {Reason.NOTHING_ALIKE}
    (left,) = [kind for _, kind, _ in many if kind not in looked_at][:1]
    assert {one.reason for one in book.of(left).not_estimated} == {Reason.NOT_LOOKED_AT}


async def test_many_accounts_are_read_and_written_in_bounded_steps(databases: Databases) -> None:
    await install(databases, world())
    async with databases.worker.transaction(accounts_or_all(None)) as tx:
        insert = "INSERT INTO account (key, name, timezone) SELECT 'n' || n, 'n', 'UTC' FROM generate_series(1, 500) n"
        await tx.execute(text(insert))
        await tx.execute(text("UPDATE catalog_estimate SET digest = ''"))
    assert await estimate(databases) >= 9  # to look, three to read, volumes, to compute, three to write
    assert [one.accounts for one in (await book_of(databases)).of("tracking.opened").potential] == [3]


async def test_the_document_names_no_account(databases: Databases) -> None:
    ids = await install(databases, world())
    async with databases.admin.transaction(accounts_or_all(None)) as tx:
        document = str(await tx.scalar(text("SELECT document::text FROM catalog_estimate")))
    assert not [key for key in ids if f'"{key}' in document]
