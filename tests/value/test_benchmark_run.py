"""From raw events to how accounts compare, on the real database, and recomputed by other code."""

import statistics
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.benchmark_worlds import compare, compared, segment_of, sent, size
from tests.value.factories import new_account
from tests.value.recount_worth import MONTHS, recount
from tests.value.worth_worlds import DAYS, estimate, jobs, put_sent, work
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.scope import grant_all, no_accounts
from valueplatform.value.benchmark import Per, Withheld
from valueplatform.value.benchmark_store import Stored, begin, newest_benchmarks, own_rows
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.verify import verify_benchmarks


async def stored(databases: Databases) -> Stored:
    async with databases.web.transaction(no_accounts()) as tx:
        found = await newest_benchmarks(tx)
    assert found is not None
    return found


async def benchmarks(databases: Databases) -> Benchmarks:
    return (await stored(databases)).benchmarks


async def differing(databases: Databases) -> list[str]:
    async with databases.worker.transaction(grant_all()) as tx:
        checked, found = await verify_benchmarks(tx)
    assert checked > 100
    return [one.where for one in found]


async def test_every_figure_is_what_other_code_makes_of_the_raw_events(databases: Databases) -> None:
    ids = await compared(databases)
    seats = {key: 10 + at % 2 for at, key in enumerate(ids)}
    other = await recount(databases)
    values: defaultdict[tuple[str, Per], list[Fraction]] = defaultdict(list)
    for key in sent():
        if set(other.time.get(key, {})) >= set(MONTHS):
            for segment in {"", segment_of(key) or ""}:
                values[segment, Per.ACCOUNT].append(other.total("time", key) / 3)
                values[segment, Per.SCALE].append(other.total("time", key) / 3 / seats[key])
    found = await benchmarks(databases)
    assert {segment: len(told) for (segment, per), told in values.items() if per is Per.SCALE} == {
        "": 24, "big": 15, "small": 8
    }  # fmt: skip
    for (segment, per), told in values.items():
        figure = found.exactly(segment, "time", "USD", per)
        assert figure is not None
        cuts = [
            Context(prec=3, rounding=ROUND_HALF_EVEN).divide(Decimal(cut.numerator), Decimal(cut.denominator))
            for cut in statistics.quantiles(told, n=4, method="inclusive")
        ]
        assert (figure.accounts, [figure.lower, figure.median, figure.upper]) == (len(told), cuts)
    few = found.exactly("big", "calls", "USD", Per.ACCOUNT)
    assert few is not None
    assert few.accounts == 6


async def test_verify_finds_nothing_and_then_whatever_is_changed_by_hand(databases: Databases) -> None:
    await compared(databases)
    assert await differing(databases) == []
    tampered = (
        "UPDATE benchmark_run SET document = jsonb_set(document, '{figures,0,median}', '\"1.23\"')",
        "UPDATE benchmark_member SET standings = jsonb_set(standings, '{0,percentile}', '\"12.3\"')",
        "UPDATE benchmark_member SET total = total + 1 WHERE driver = 'time'",
        "UPDATE benchmark_use SET is_used = false WHERE feature = 'tracking'",
    )
    for statement in tampered:
        async with databases.worker.transaction(grant_all()) as tx:
            await tx.execute(text(statement))
        assert await differing(databases) != [], statement


async def test_what_the_top_quartile_does_is_told_in_the_order_of_its_first_days(databases: Databases) -> None:
    """The six that save most open tracking, weeks after their first job; nobody else does."""
    await compared(databases)
    practice = (await benchmarks(databases)).practice("", "time")
    assert practice is not None
    assert (practice.per, practice.top, practice.rest, practice.compared) == (Per.SCALE, 6, 18, 3)
    (habit,) = practice.habits
    assert (habit.feature, habit.top_using, habit.rest_using, habit.position) == ("tracking", 6, 0, Decimal("2.0"))


async def two_habits(databases: Databases) -> None:
    """The six that save most take to lists too, after tracking."""
    accounts = {
        key: [*given, *((day, "list.done", {}) for day in DAYS[4:] if key >= "a18" and key[0] == "a")]
        for key, given in sent().items()
    }
    await compared(databases, accounts)


async def test_what_the_top_took_to_first_comes_first_though_its_name_comes_last(databases: Databases) -> None:
    await two_habits(databases)
    practice = (await benchmarks(databases)).practice("", "time")
    assert practice is not None
    assert [(one.feature, one.position) for one in practice.habits] == [
        ("tracking", Decimal("2.0")),
        ("lists", Decimal("3.0")),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        "jsonb_set(document, '{practices,0,habits,0,position}', '\"1.0\"')",
        "jsonb_set(document, '{practices,0,habits,1,position}', 'null')",
        """jsonb_set(document, '{practices,0,habits}', (SELECT jsonb_agg(one ORDER BY place DESC) FROM
           jsonb_array_elements(document #> '{practices,0,habits}') WITH ORDINALITY AS habits (one, place)))""",
    ],
    ids=["another place", "no place", "the other way around"],
)
async def test_verify_finds_another_order_than_that_of_first_days(databases: Databases, changed: str) -> None:
    await two_habits(databases)
    assert await differing(databases) == []
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text(f"UPDATE benchmark_run SET document = {changed}"))
    assert [one for one in await differing(databases) if "time" in one]


async def test_verify_finds_a_first_day_that_would_turn_the_order_around(databases: Databases) -> None:
    await two_habits(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE benchmark_use SET first_day = DATE '2025-01-01' WHERE feature = 'lists'"))
    assert [one for one in await differing(databases) if one.startswith("lists")]


async def test_accounts_that_were_worked_on_since_are_not_held_against_the_record(databases: Databases) -> None:
    ids = await compared(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE accrual SET expected = expected + 1"))
    assert await differing(databases) != []
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE account SET refreshed_at = now() + interval '1 day' * 9999"))
    assert await differing(databases) == []
    assert ids


async def test_an_account_reads_where_it_stands_and_nobody_else_does(databases: Databases) -> None:
    ids = await compared(databases)
    run = (await stored(databases)).run
    async with databases.web.transaction(accounts_or_all([ids["a23"]])) as tx:
        own = await own_rows(tx, run, ids["a23"])
        assert await own_rows(tx, run, ids["a01"]) == []
        assert {row.account_id for row in await tx.rows(text("SELECT account_id FROM benchmark_member"))} == {
            ids["a23"]
        }
    (time,) = [one for one in own if one.driver == "time"]
    assert {(one.segment, one.per) for one in time.standings} == {(s, p) for s in ("", "big") for p in Per}
    assert all(one.accounts >= 5 for one in time.standings)


async def test_who_began_within_the_months_is_not_compared(databases: Databases) -> None:
    ids = await compared(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        run = await tx.scalar(text("SELECT max(run) FROM benchmark_run"))
        assert await own_rows(tx, run, ids["begun"]) == []


async def test_the_document_names_no_account_and_no_number_of_a_cohort_that_is_too_small(databases: Databases) -> None:
    ids = await compared(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        document = str(await tx.scalar(text("SELECT document::text FROM benchmark_run")))
    assert not [key for key in ids if f'"{key}"' in document]
    found = await benchmarks(databases)
    assert {one.withheld for one in found.figures} == {None}
    await size(databases, dict.fromkeys(ids, "no number"))
    await compare(databases)
    assert {one.per for one in (await benchmarks(databases)).figures} == {Per.ACCOUNT}


@pytest.mark.parametrize("scale", ["0", "-3", "1e3", "many", "", None, True, {"a": 1}, "1.0000000001", "9" * 19])
async def test_what_is_no_positive_number_tells_no_scale(databases: Databases, scale: object) -> None:
    await compared(databases, {f"a{n:02}": jobs(n + 1) for n in range(5)})
    await size(databases, {"a00": scale})
    await compare(databases)
    figure = (await benchmarks(databases)).exactly("", "time", "USD", Per.SCALE)
    assert figure is not None
    assert figure.withheld is Withheld.FEW


async def test_a_scale_may_be_a_number_or_its_text(databases: Databases) -> None:
    ids = await compared(databases, {f"a{n:02}": jobs(n + 1) for n in range(5)})
    await size(databases, {key: 12.5 if key == "a00" else "12.5" for key in ids})
    await compare(databases)
    figure = (await benchmarks(databases)).exactly("", "time", "USD", Per.SCALE)
    assert figure is not None
    assert figure.accounts == 5


async def test_before_a_whole_month_there_is_a_run_and_nothing_in_it(databases: Databases) -> None:
    await compared(databases, {"a01": []})
    assert (await benchmarks(databases)).figures == ()


async def test_without_a_model_or_before_amounts_are_summed_nothing_is_made(databases: Databases) -> None:
    await new_account(databases)
    assert await compare(databases) == 0


async def test_a_run_that_finds_the_same_stays_and_the_next_one_that_does_not_replaces_it(databases: Databases) -> None:
    ids = await compared(databases)
    before = await stored(databases)
    await compare(databases)
    assert (await stored(databases)).run == before.run
    async with databases.worker.transaction(grant_all()) as tx:
        abandoned = await begin(tx, before.as_of)
    await put_sent(databases, ids["a03"], jobs(1))
    await work(databases, [ids["a03"]])
    await estimate(databases)
    await compare(databases)
    assert (await stored(databases)).run > abandoned
    async with databases.worker.transaction(grant_all()) as tx:
        assert len(await tx.rows(text("SELECT run FROM benchmark_run"))) == 1
        assert len(await tx.rows(text("SELECT DISTINCT run FROM benchmark_member"))) == 1
