"""From raw events and contracts to proposals, and from an accepted one to value, on the real database."""

from datetime import date, timedelta
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import Databases
from tests.value.discovery_worlds import EACH, NOISE, PLANTED, a_world, look
from tests.value.factories import NOW, new_account, put_model
from tests.value.worth_worlds import install, work
from tests.value.worths import the_model
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.value.discovery import Finding, Outcome, Proposed
from valueplatform.value.discovery_accepting import Edits, accept, carry_out, reject, suggest, withdraw
from valueplatform.value.discovery_says import sentences
from valueplatform.value.discovery_store import Act, Kept, State, proposal_of
from valueplatform.value.models import newest_model
from valueplatform.value.proof_record import read_source
from valueplatform.value.verify import verify_account

WHO: Final = "ada@fieldnote.example"


def of(kept: list[Kept], kind: str, path: str = "", what: Proposed = Proposed.METER) -> Kept:
    return next(one for one in kept if (one.proposal.type, one.proposal.path, one.proposal.kind) == (kind, path, what))


async def test_nothing_is_proposed_without_a_model(databases: Databases) -> None:
    assert await look(databases) == []


async def test_nothing_is_proposed_of_an_empty_catalog(databases: Databases) -> None:
    await put_model(databases, the_model())
    await new_account(databases, "silent")
    assert await look(databases) == []


async def test_one_account_alone_has_its_types_proposed_and_nothing_claimed_of_them(databases: Databases) -> None:
    day = (NOW - timedelta(days=9)).date()
    await install(databases, {"one": [(day, "märz/<b>🦊", {"größe": 1, "": 2, "a@b.example": 3})]})
    (meter, driver) = await look(databases)
    assert {meter.proposal.kind, driver.proposal.kind} == {Proposed.METER, Proposed.DRIVER}
    evidence = meter.proposal.evidence
    assert evidence.coverage is not None
    assert (evidence.coverage.accounts, evidence.coverage.of) == (1, 1)
    assert {one.finding for one in evidence.relations} == {Finding.TOO_FEW}
    assert evidence.stability is not None
    assert evidence.stability.variation is None


async def test_a_type_that_goes_with_renewal_is_told_so_and_noise_is_not(databases: Databases) -> None:
    await a_world(databases)
    kept = await look(databases)
    planted = of(kept, PLANTED).proposal.evidence
    renewal = next(one for one in planted.relations if one.outcome is Outcome.RENEWAL)
    assert (renewal.finding, renewal.having, renewal.lacking) == (Finding.MORE, EACH, EACH)
    assert (renewal.used_having, renewal.used_lacking) == (EACH, EACH // 2)
    assert renewal.low is not None
    assert renewal.low > 0
    assert planted.coverage is not None
    assert (planted.coverage.accounts, planted.coverage.of) == (15, 20)
    noise = of(kept, NOISE).proposal.evidence
    assert [one.finding for one in noise.relations if one.outcome is Outcome.RENEWAL] == [Finding.NOT_CLEAR]
    places = [one.proposal.type for one in kept if one.proposal.kind is Proposed.METER]
    assert places.index(PLANTED) < places.index(NOISE)
    says = " ".join(sentences(of(kept, PLANTED).proposal))
    assert "that it brings them about is not shown" in says


async def test_the_same_catalog_gives_the_same_proposals(databases: Databases) -> None:
    await a_world(databases)
    first = await look(databases)
    assert [(one.id, one.proposal) for one in await look(databases)] == [(one.id, one.proposal) for one in first]


async def test_numbers_become_meters_and_codes_dimensions_but_never_what_may_name_a_person(
    databases: Databases,
) -> None:
    await a_world(databases)
    kept = await look(databases)
    pages = of(kept, PLANTED, "pages").proposal.parts.meters[0]
    assert (pages.aggregation, pages.dimensions, pages.unit) == ("SUM", ("mode",), "page")
    assert all("user" not in meter.dimensions for one in kept for meter in one.proposal.parts.meters)
    assert not any(one.proposal.path == "user" for one in kept)


async def test_an_accepted_driver_counts_the_events_that_were_there_already(databases: Databases) -> None:
    ids = await a_world(databases)
    driver = of(await look(databases), PLANTED, what=Proposed.DRIVER)
    edits = Edits(formula="scan_made * per_page")
    async with databases.web.transaction(grant_all()) as tx:
        with pytest.raises(InvalidInputError, match="per_page"):
            await accept(tx, driver.id, edits, WHO, NOW)
    async with databases.web.transaction(grant_all()) as tx:
        kept = await accept(tx, driver.id, Edits(slug="scans", title="Scans"), WHO, NOW)
    assert kept.state is State.ACCEPTED
    assert await carry_out(databases.worker, grant_all(), lambda: NOW, databases.ingest) == 1
    async with databases.worker.transaction(grant_all()) as tx:
        kept, model = await proposal_of(tx, driver.id), await newest_model(tx)
        metered = await tx.scalar(
            text("SELECT sum(events) FROM rollup WHERE account_id = :account AND meter LIKE 'scan_made@%'"),
            {"account": ids["stays-1"]},
        )
        sent = await tx.scalar(
            text("SELECT count(*) FROM event WHERE account_id = :account AND type = :type"),
            {"account": ids["stays-1"], "type": PLANTED},
        )
    assert kept.state is State.IN_FORCE
    assert (last := kept.last) is not None
    assert last.revision == 2
    assert model.driver("scans") is not None
    assert metered == sent == 4 * 15
    await work(databases, ids.values())
    async with databases.worker.transaction(grant_all()) as tx:
        amounts = await tx.scalar(
            text("SELECT sum(expected) FROM accrual WHERE account_id = :account AND driver = 'scans'"),
            {"account": ids["stays-1"]},
        )
    assert amounts == sent
    async with databases.worker.transaction(grant_accounts([ids["stays-1"]]), steady=True) as tx:
        source = await read_source(tx, ids["stays-1"])
        assert source is not None
        checked = await verify_account(tx, source, date(2025, 1, 1), date(2027, 1, 1))
    assert (checked.accruals > 0, checked.discrepancies) == (True, ())


async def test_what_was_accepted_can_be_taken_out_again(databases: Databases) -> None:
    await a_world(databases)
    before = the_model()
    driver = of(await look(databases), PLANTED, what=Proposed.DRIVER)
    async with databases.web.transaction(grant_all()) as tx:
        await accept(tx, driver.id, Edits(), WHO, NOW)
    await carry_out(databases.worker, grant_all(), lambda: NOW)
    async with databases.web.transaction(grant_all()) as tx:
        await withdraw(tx, driver.id, "Nobody uses it.", WHO, NOW)
    await carry_out(databases.worker, grant_all(), lambda: NOW)
    async with databases.web.transaction(grant_all()) as tx:
        kept, model = await proposal_of(tx, driver.id), await newest_model(tx)
    assert [one.action for one in kept.decisions] == [Act.ACCEPTED, Act.APPLIED, Act.WITHDRAWING, Act.WITHDRAWN]
    assert {one.slug for one in model.meters} == {one.slug for one in before.meters}
    assert {one.slug for one in model.drivers} == {one.slug for one in before.drivers}


async def test_a_meter_stays_while_another_driver_reads_it_and_says_so(databases: Databases) -> None:
    await a_world(databases)
    kept = await look(databases)
    meter, driver = of(kept, PLANTED), of(kept, PLANTED, what=Proposed.DRIVER)
    for one in (meter, driver):
        async with databases.web.transaction(grant_all()) as tx:
            await accept(tx, one.id, Edits(), WHO, NOW)
    assert await carry_out(databases.worker, grant_all(), lambda: NOW) == 2
    async with databases.web.transaction(grant_all()) as tx:
        await withdraw(tx, meter.id, "Too much.", WHO, NOW)
    await carry_out(databases.worker, grant_all(), lambda: NOW)
    async with databases.web.transaction(grant_all()) as tx:
        kept_meter = await proposal_of(tx, meter.id)
    assert kept_meter.state is State.IN_FORCE
    assert (last := kept_meter.last) is not None
    assert last.action is Act.KEPT
    assert "scan_made" in last.reason


async def test_a_rejected_one_stays_rejected_until_its_evidence_changes_much(databases: Databases) -> None:
    ids = await a_world(databases)
    one = of(await look(databases), NOISE)
    async with databases.web.transaction(grant_all()) as tx:
        await reject(tx, one.id, "It is only a screen.", WHO, NOW)
    assert of(await look(databases), NOISE).state is State.REJECTED
    async with databases.web.transaction(grant_all()) as tx:
        with pytest.raises(ConflictError, match="not open"):
            await accept(tx, one.id, Edits(), WHO, NOW)
    gone = [account_id for key, account_id in ids.items() if key.endswith(("1", "2", "3"))]
    async with databases.worker.transaction(grant_all()) as tx:
        for table in ("catalog_day", "catalog_type"):
            await tx.execute(
                text(f"DELETE FROM {table} WHERE type = :type AND account_id = ANY(:gone)"),
                {"type": NOISE, "gone": gone},
            )
    assert of(await look(databases), NOISE).state is State.OPEN


async def test_a_suggestion_leaves_it_open_and_a_decision_needs_a_reason(databases: Databases) -> None:
    await a_world(databases)
    one = of(await look(databases), NOISE)
    async with databases.web.transaction(grant_all()) as tx:
        kept = await suggest(tx, one.id, "Worth a look.", "sam@fieldnote.example", NOW)
        assert kept.state is State.OPEN
        assert kept.decisions[-1].author == "sam@fieldnote.example"
        for reason in ("", "  ", "x" * 1001, "a\0b"):
            with pytest.raises(InvalidInputError, match="reason"):
                await reject(tx, one.id, reason, WHO, NOW)
        with pytest.raises(NotFoundError):
            await proposal_of(tx, "no\0such")


async def test_what_nobody_decided_goes_with_its_events_and_decisions_stay(databases: Databases) -> None:
    await a_world(databases)
    one = of(await look(databases), NOISE)
    async with databases.web.transaction(grant_all()) as tx:
        await reject(tx, one.id, "No.", WHO, NOW)
    async with databases.worker.transaction(grant_all()) as tx:
        for table in ("catalog_day", "catalog_type"):
            await tx.execute(text(f"DELETE FROM {table} WHERE type <> 'job.done'"))
    (left,) = [one for one in await look(databases) if one.proposal.type in {PLANTED, NOISE}]
    assert (left.id, left.found) == (one.id, False)
    with pytest.raises(DBAPIError, match="append"):
        async with databases.admin.transaction(grant_all()) as tx:
            await tx.execute(text("UPDATE proposal_decision SET reason = ''"))
