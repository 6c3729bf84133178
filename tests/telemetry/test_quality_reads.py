"""Reading the quality of what comes in: every source of an account in scope, once, whatever the size of a page."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Databases
from tests.telemetry.factories import cloud_event, execute, make_account, send
from tests.telemetry.intakes import TODAY, before, changed, steady
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import Page, cursor_at
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.telemetry.findings import ALL_ACCOUNTS, keep_findings
from valueplatform.telemetry.intake_sums import sum_intake
from valueplatform.telemetry.quality import FAILURE, NOTICE, WARNING, Found
from valueplatform.telemetry.quality_reads import (
    Freshness,
    Intake,
    Shown,
    SourceQuality,
    Volume,
    intake_of,
    quality_counts,
    quality_page,
    volume_of,
)

NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)


@pytest.fixture
async def filled(databases: Databases) -> dict[str, int]:
    """Two accounts with three sources each, what came in for nobody, and findings with and without a source."""
    ids = {key: await make_account(databases, key) for key in ("acme", "globex")}
    for key in ids:
        for name in ("b", "a", "c/d"):
            await send(databases, cloud_event(account=key, source=name, time=NOON.isoformat()), now=NOON)
    await send(databases, cloud_event(account=None), now=NOON)
    async with databases.worker.transaction(grant_all()) as tx:
        await sum_intake(tx)
        silent = Found("freshness", "a", "every day", "none", WARNING, "a", before(3), before(1))
        shape = Found("schema", "login appeared", "not known", "login", NOTICE, since=before(2))
        await keep_findings(tx, ids["acme"], [silent, shape], NOON, looked=())
        await keep_findings(tx, ALL_ACCOUNTS, [Found("intake", "part 1", "2", "1", FAILURE)], NOON, looked=())
    return ids


async def page(databases: Databases, **asked: Any) -> Page[SourceQuality]:
    async with databases.web.transaction(asked.pop("scope", grant_all())) as tx:
        return await quality_page(tx, NOON, **({"limit": 50, "cursor": None} | asked))


def names(found: Page[SourceQuality]) -> list[tuple[str | None, str | None]]:
    return [(one.account, one.source) for one in found.items]


EVERY = [
    (None, None), (None, "http"), ("acme", None), ("acme", "a"), ("acme", "b"), ("acme", "c/d"), ("globex", "a"),
    ("globex", "b"), ("globex", "c/d"),
]  # fmt: skip


async def test_every_source_is_listed_once_whatever_the_size_of_a_page(
    databases: Databases, filled: dict[str, int]
) -> None:
    assert names(await page(databases)) == EVERY
    for limit in (1, 2, 4, 9):
        found: list[tuple[str | None, str | None]] = []
        cursor = None
        while cursor is not None or not found:
            one = await page(databases, limit=limit, cursor=cursor)
            found += names(one)
            cursor = one.next_cursor
        assert found == EVERY, limit


async def test_it_is_cut_to_what_is_asked_for(databases: Databases, filled: dict[str, int]) -> None:
    assert names(await page(databases, account="globex")) == EVERY[6:]
    assert names(await page(databases, source="b")) == [("acme", "b"), ("globex", "b")]
    assert names(await page(databases, account="acme", source="b")) == [("acme", "b")]
    assert names(await page(databases, shown=Shown.OPEN)) == [(None, None), ("acme", None), ("acme", "a")]
    assert names(await page(databases, shown=Shown.OPEN, account="acme", source="a")) == [("acme", "a")]
    assert names(await page(databases, account="nobody")) == []


async def test_a_scope_sees_its_own_accounts_and_nothing_of_all_together(
    databases: Databases, filled: dict[str, int]
) -> None:
    assert names(await page(databases, scope=grant_accounts([filled["acme"]]))) == EVERY[2:6]
    async with databases.web.transaction(grant_accounts([filled["acme"]])) as tx:
        counts = await quality_counts(tx)
    assert (counts.places, counts.troubled, counts.findings, counts.failures) == (3, 2, 2, 0)


async def test_a_source_tells_its_findings_and_what_came_in(databases: Databases, filled: dict[str, int]) -> None:
    (one,) = (await page(databases, account="acme", source="a")).items
    assert one.freshness == Freshness(NOON, TODAY, 0)
    assert one.intake == Intake(1, 0, 0, 0, None)
    assert one.volume == Volume(0, None)
    (finding,) = one.findings
    assert (finding.what, finding.usual, finding.seen, finding.since) == ("freshness", "every day", "none", before(3))


async def test_what_has_ended_is_not_told(databases: Databases, filled: dict[str, int]) -> None:
    await execute(databases, "UPDATE quality_finding SET ended_at = now()")
    assert names(await page(databases, shown=Shown.OPEN)) == []
    async with databases.web.transaction(grant_all()) as tx:
        counts = await quality_counts(tx)
    assert (counts.places, counts.troubled) == (7, 0)


@pytest.mark.parametrize("cursor", ["x", cursor_at(7), cursor_at("a\x1fb"), cursor_at("-5\x1f"), cursor_at(f"{2**70}")])
async def test_a_cursor_that_is_not_ours_is_refused(databases: Databases, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        await page(databases, cursor=cursor)


@pytest.mark.parametrize("asked", [{"account": "\0"}, {"source": "\0"}, {"limit": 0}, {"limit": 501}])
async def test_what_cannot_be_asked_for_is_refused(databases: Databases, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        await page(databases, **asked)


def test_volume_is_compared_with_the_weeks_that_are_known() -> None:
    assert volume_of([], TODAY) == Volume(0, None)
    assert volume_of(steady(13, 10, 10), TODAY) == Volume(70, None)
    assert volume_of(steady(21, 10, 10), TODAY) == Volume(70, 70)
    assert volume_of(changed(steady(70, 10, 10), {9: {"happened": 900}, 3: {"happened": 0}}), TODAY) == Volume(60, 70)
    assert volume_of(changed([], {0: {"happened": 5}}), TODAY) == Volume(0, None)


def test_what_came_in_is_told_of_seven_days_with_today() -> None:
    days = changed([], {ago: {"stored": 1, "rejected": 1, "duplicates": 2} for ago in range(8)})
    assert intake_of(days, TODAY) == Intake(28, 14, 0, 7, None)
    assert intake_of(changed(days, {0: {"ahead": 1, "lead": 90}}), TODAY).clock_ahead_seconds == 90
