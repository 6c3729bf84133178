"""Where a change sits, from events to the sentence and its proof, on the real database."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import VALIDATOR, new_account, put_events, put_model
from valueplatform.core.periods import month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.narrative.document import Audience, Language
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.proofs import ProvedNumber, prove_numbers
from valueplatform.narrative.telling import discover_admitted
from valueplatform.narrative.wording import render, wording_in
from valueplatform.value import assumption_record as record
from valueplatform.value.assumptions import Default
from valueplatform.value.model_file import read_model
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value

NOW = datetime(2026, 6, 9, 16, tzinfo=UTC)
START, TURN, END = date(2026, 3, 2), date(2026, 5, 1), date(2026, 6, 9)
MODEL = """
supplier = { name = "Fieldnote", currency = "USD", timezone = "America/New_York" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"
dimensions = ["site.region", "crew_member", "technician"]

[[assumption]]
slug = "worth"
unit = "USD/job"
default = { low = "20", expected = "33.3333", high = "52" }

[[driver]]
slug = "routing"
title = "Shorter routes"
benefit_class = "cashable"
evidence = "measured"
unit = "USD"
formula = "jobs * worth"
"""
_CATALOG = text("""
    INSERT INTO catalog_property (account_id, type, path, events, kinds, first_day, last_day)
    VALUES (:account, 'job.done', 'technician', 1000, '{string}', DATE '2026-03-02', DATE '2026-06-09')
    ON CONFLICT DO NOTHING
""")
REGIONS = {"West Coast": 5, "North": 4, "South": 4}


def events(turned: str | None, *, persons: int = 9, left: int = 5) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Jobs of three regions every day, a few more or fewer; from May on one of them has a fifth of what it had,
    or less."""
    day = START
    while day < END:
        for region, usual in REGIONS.items():
            count = usual + (day.toordinal() * 7919) % 3 - 1
            if day >= TURN and turned in {region, "all"}:
                count //= left
            for number in range(count):
                noon = datetime(day.year, day.month, day.day, 16, number, tzinfo=UTC)
                yield noon, {"site": {"region": region}, "technician": f"{region} {(day.day + number) % persons}"}
        day += timedelta(days=1)


async def told(
    databases: Databases, turned: str | None, *, persons: int = 9, left: int = 5, closed: bool = False
) -> tuple[list[Admitted], tuple[ProvedNumber, ...]]:
    account = await new_account(databases)
    await put_model(databases, read_model(MODEL, "model.toml"))
    await put_events(databases, account, events(turned, persons=persons, left=left), kind="job.done")
    worth = Default(Range(Decimal(20), Decimal("33.3333"), Decimal(52)), "USD/job")
    async with databases.worker.transaction(grant_accounts([account])) as tx:
        await record.validate_stated(tx, account, "worth", worth, VALIDATOR, NOW, START)
        await refresh_value(tx, account, NOW)
        if closed:
            await close_month(tx, account, "America/New_York", month_of(date(2026, 4, 1)), NOW)
            await refresh_value(tx, account, NOW)
        await tx.execute(_CATALOG, {"account": account})
    async with databases.worker.transaction(grant_accounts([account])) as tx:
        admitted = await discover_admitted(tx, account, await gather(tx, account, NOW))
        found = [one for one in admitted if one.insight.kind == "change-sits-in"]
        source = await read_source(tx, account)
        assert source is not None
        numbers = [number for one in found for number in one.insight.numbers]
        assert "period-over-period" in {one.insight.kind for one in admitted} or turned is None
    async with databases.web.transaction(grant_accounts([account])) as tx:
        return found, await prove_numbers(tx, source, numbers)


async def test_a_change_that_one_region_made_is_told_of_it_and_proved(databases: Databases) -> None:
    (found,), proved = await told(databases, "West Coast")
    assert found.insight.terms["member_name"] == "West Coast"
    assert found.insight.number("part").value <= found.insight.number("change").value * Decimal("0.9")
    said = render(found, Audience.CUSTOMER).text.replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("$4.")
    assert "by which shorter routes fell in May 2026 sits in region “West Coast”. In April 2026 it had 38" in said
    assert render(found, Audience.CUSTOMER, wording_in(Language.GERMAN)).text.endswith(
        "38,5\N{NO-BREAK SPACE}% des Ganzen."
    )
    assert [number for number in proved if not number.agrees] == []
    assert len(proved) == 4


async def test_a_region_that_stopped_altogether_is_named_too(databases: Databases) -> None:
    (found,), proved = await told(databases, "West Coast", left=99)
    assert found.insight.terms["member_name"] == "West Coast"
    assert all(number.agrees for number in proved)


async def test_in_a_closed_month_it_is_the_same(databases: Databases) -> None:
    (found,), proved = await told(databases, "West Coast", closed=True)
    assert found.insight.terms["member_name"] == "West Coast"
    assert all(number.agrees for number in proved)


async def test_a_change_that_all_had_in_proportion_sits_nowhere(databases: Databases) -> None:
    assert await told(databases, "all") == ([], ())


async def test_without_a_change_nothing_is_opened(databases: Databases) -> None:
    assert await told(databases, None) == ([], ())


async def test_regions_of_fewer_than_five_persons_are_never_named(databases: Databases) -> None:
    """Value rule 18."""
    assert await told(databases, "West Coast", persons=4) == ([], ())
