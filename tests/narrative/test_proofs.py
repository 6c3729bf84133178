"""Opening a number on the real database."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, TODAY, VALIDATOR, new_account, put_events, put_model
from tests.value.seven_meters import SEVEN
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.scope import grant_accounts, grant_all, no_accounts
from valueplatform.narrative.proofs import Proof, prove_insight, read_insight
from valueplatform.narrative.verification import verify_insights
from valueplatform.telemetry.archiving import archive_events
from valueplatform.value.assumption_record import validate_stated
from valueplatform.value.assumptions import Default
from valueplatform.value.derivation import Metered
from valueplatform.value.proof_numbers import Prover, UnprovableError
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.verify import verify_account
from valueplatform.worker import Worker

NOON = datetime(2026, 5, 4, 16, tzinfo=UTC)


async def told(databases: Databases) -> int:
    """An account of 45 days whose inputs are validated, and whose story is told."""
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(
        databases, account_id, [(NOON - timedelta(days=i), {"minutes": 3, "crew": "a"}) for i in range(45)]
    )
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        for slug, value, unit in (("manual_minutes", 14, "minute/job"), ("hourly_cost", 45, "USD/hour")):
            default = Default(Range.point(Decimal(value)), unit)
            await validate_stated(tx, account_id, slug, default, VALIDATOR, NOW, TODAY)
    await Worker(databases.worker, lambda: NOW).drain()
    return account_id


async def insight_of(databases: Databases, account_id: int, kind: str) -> str:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        query = text("SELECT insight_id FROM insight WHERE kind = :kind AND until IS NULL AND subject = 'account'")
        return str(await tx.scalar(query, {"kind": kind}))


async def opened(databases: Databases, account_id: int, insight_id: str, cursor: str | None = None) -> Proof:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        return await prove_insight(tx, await read_insight(tx, insight_id), cursor=cursor)


async def test_numbers_that_rest_on_averages_and_extremes_are_told_and_proved(databases: Databases) -> None:
    """Some days have no number, so that amounts are missing for a stated reason; nothing else may differ."""
    account_id = await new_account(databases)
    await put_model(databases, SEVEN)
    days = [(NOON - timedelta(days=i), {"minutes": 3 if i % 9 else None, "crew": "a"}) for i in range(60)]
    await put_events(databases, account_id, days * 2)
    await Worker(databases.worker, lambda: NOW).drain()
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        checked = await verify_account(tx, source, date(2026, 1, 1), date(2027, 1, 1))
        _, differing = await verify_insights(tx, source)
        numbers = "jsonb_array_length(body->'numbers') AS numbers"
        rows = await tx.rows(text(f"SELECT insight_id, subject, kind, {numbers} FROM insight WHERE until IS NULL"))
    assert (checked.discrepancies, tuple(differing)) == ((), ())
    assert checked.accruals > 0
    assert {"pace", "spread"} <= {row.subject for row in rows if row.kind == "days-without-amount"}
    told_of = set()
    for row in (row for row in rows if row.numbers):
        proof = await opened(databases, account_id, row.insight_id)
        assert proof.agrees
        told_of |= {meter.value for meter in proof.meters if meter.slug in {"mean", "least", "level"}}
    assert told_of == {"3", ""}  # and nothing where a period has no number


async def test_return_is_proved_over_payments_and_known_effort(databases: Databases) -> None:
    """And where the effort on record is another than was told, verify says so."""
    account_id = await told(databases)
    contract = """INSERT INTO contract (account_id, contract_id, start_day, amount, currency, period, kind, provider)
        VALUES (:account, 'c1', DATE '2026-04-01', 30, 'USD', 'month', 'new', 'supplier')"""
    effort = """INSERT INTO cost (cost_id, account_id, kind, month, amount, currency)
        VALUES ('k1', :account, 'internal', DATE '2026-05-01', 70, 'USD'),
               ('k2', :account, 'service', DATE '2026-05-01', 7000, 'USD'),
               ('k3', NULL, 'internal', DATE '2026-05-01', 7000, 'USD')"""
    mark = """INSERT INTO changed_day (account_id, day, through, cause)
        VALUES (:account, DATE '2026-05-01', DATE '2026-05-02', 'effort')"""
    async with databases.worker.transaction(grant_all()) as tx:
        for statement in (contract, effort, mark):
            await tx.execute(text(statement), {"account": account_id})
    await Worker(databases.worker, lambda: NOW).drain()
    insight_id = await insight_of(databases, account_id, "return-on-paid")
    found = {}
    for name in ("paid", "effort", "put_in", "times_paid"):
        async with databases.web.transaction(grant_accounts([account_id])) as tx:
            proof = await prove_insight(tx, await read_insight(tx, insight_id), number=name)
        assert proof.agrees
        found[name] = Decimal(proof.stated)
    assert found["effort"] == 70
    assert found["put_in"] == found["paid"] + 70
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE cost SET amount = 71 WHERE cost_id = 'k1'"))
        source = await read_source(tx, account_id)
        assert source is not None
        _, differing = await verify_insights(tx, source)
    assert [one for one in differing if "return-on-paid" in str(one)]


async def test_a_meter_without_a_number_in_the_period_has_no_value_in_the_proof(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases, SEVEN)
    await put_events(databases, account_id, [(NOON, {"minutes": 3})])
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        leaf = Metered("mean", NOON.date() + timedelta(days=1), NOON.date() + timedelta(days=2))
        prover = await Prover.prepare(tx, source, [leaf])
    with pytest.raises(UnprovableError, match="mean has no value from 2026-05-05 to 2026-05-06"):
        prover.value(leaf)


async def test_a_number_opens_to_its_formula_inputs_validator_meters_and_events(databases: Databases) -> None:
    account_id = await told(databases)
    proof = await opened(databases, account_id, await insight_of(databases, account_id, "realized"))
    assert proof.agrees
    assert Decimal(proof.stated) == Decimal(proof.recomputed) == Decimal("371.2500")  # 45 x (14 - 3) / 60 x 45
    assert proof.formula == "(jobs * manual_minutes - minutes) / 60 * hourly_cost"
    (baseline,), (assumption,) = proof.baselines, proof.assumptions
    assert (baseline.slug, baseline.method, baseline.state) == ("manual_minutes", "measured-before", "validated")
    assert (assumption.slug, assumption.validator) == ("hourly_cost", VALIDATOR.name)
    assert {meter.slug: meter.value for meter in proof.meters} == {"jobs": "45", "minutes": "135"}
    assert proof.events.count == 45


async def test_events_come_in_pages_newest_first_with_people_masked(databases: Databases) -> None:
    account_id = await told(databases)
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("UPDATE event SET subject = 'Marcus Boyd'"))
    insight_id = await insight_of(databases, account_id, "realized")
    times, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = (await opened(databases, account_id, insight_id, cursor)).events
        assert all(event.subject == "•••" and event.data is None for event in page.sample)
        times += [event.time for event in page.sample]
        cursor, pages = page.next_cursor, pages + 1
    assert pages == 3
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 45


@pytest.mark.parametrize("late", [0, 3])
async def test_archived_events_are_opened_and_prove_the_same_numbers(
    databases: Databases, tmp_path: Path, late: int
) -> None:
    """Some days are archived, some not; `late` events come in for archived days after that."""
    account_id = await told(databases)
    insight_id = await insight_of(databases, account_id, "realized")
    before = await opened(databases, account_id, insight_id)
    moved = await archive_events(databases.worker, grant_all(), str(tmp_path), NOON.replace(day=1), NOW)
    assert 0 < moved.events < 45
    await put_events(
        databases, account_id, [(NOON - timedelta(days=40, hours=i), {"minutes": 1, "crew": "a"}) for i in range(late)]
    )
    await Worker(databases.worker, lambda: NOW).drain()
    insight_id = await insight_of(databases, account_id, "realized")
    events, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        proof = await opened(databases, account_id, insight_id, cursor)
        assert (proof.agrees, proof.events.count) == (True, 45 + late)
        events += [(event.time, event.id) for event in proof.events.sample]
        cursor, pages = proof.events.next_cursor, pages + 1
    assert len(set(events)) == len(events) == 45 + late
    assert [time for time, _ in events] == sorted((time for time, _ in events), reverse=True)
    assert late or (before.stated, before.events.sample) == (proof.stated, before.events.sample)
    async with databases.worker.transaction(grant_accounts([account_id]), steady=True) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        checked = await verify_account(tx, source, date(2025, 1, 1), date(2027, 1, 1))
        assert (checked.discrepancies, checked.events) == ((), 45 + late)
        assert (await verify_insights(tx, source))[1] == []


@pytest.mark.parametrize("cursor", ["x", "!!!", "e30", "////"])
async def test_a_cursor_that_is_not_ours_is_refused(databases: Databases, cursor: str) -> None:
    account_id = await told(databases)
    insight_id = await insight_of(databases, account_id, "realized")
    with pytest.raises(InvalidInputError, match="cursor"):
        await opened(databases, account_id, insight_id, cursor)


async def test_a_fault_in_the_record_makes_the_proof_disagree_and_verify_name_the_insight(databases: Databases) -> None:
    account_id = await told(databases)
    insight_id = await insight_of(databases, account_id, "realized")
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("DELETE FROM event WHERE utc_day = '2026-05-01'"))
    proof = await opened(databases, account_id, insight_id)
    assert not proof.agrees
    assert Decimal(proof.recomputed) == Decimal("363.0000")
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        checked, found = await verify_insights(tx, source)
    assert checked > len(found) > 0
    assert any(insight_id in one.where for one in found)


async def test_an_insight_of_another_account_is_not_there(databases: Databases) -> None:
    account_id = await told(databases)
    insight_id = await insight_of(databases, account_id, "realized")
    async with databases.web.transaction(no_accounts()) as tx:
        with pytest.raises(NotFoundError):
            await read_insight(tx, insight_id)


async def test_every_number_of_every_insight_re_computes(databases: Databases) -> None:
    account_id = await told(databases)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        checked, found = await verify_insights(tx, source)
    assert found == []
    assert checked > 5
