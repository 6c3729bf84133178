"""Sums in frames are the rows that they would be one by one, in the database too."""

import random
from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import chain

import asyncpg
import polars as pl
import pytest

from tests.conftest import Databases
from tests.telemetry.factories import rows, scalar
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.increments import CellKey, Increments
from valueplatform.telemetry.rollup_frames import PLACE, SUMS, dimension_columns, merged, rollup_rows
from valueplatform.telemetry.rollups import copy_sums, raise_rollups

TEXTS = [
    "",
    " ",
    "a",
    'a"b',
    "a\\b",
    "\\",
    "{a,b}",
    "NULL",
    "null",
    "\\.",
    "a\nb",
    "a\r\n",
    "é",
    "a,b",
    "'",
    "\t",
    None,
]
TOTALS = ["0", "-0.000000001", "12.5", "100", "123456789012345678901234567.123456789", "-7"]
DAY = date(2026, 1, 1)


def frames(width: int) -> list[pl.DataFrame]:
    """Four, with rows of the same keys in them."""
    draw = random.Random(width)
    schema: dict[str, pl.DataType] = {name: pl.String() for name in dimension_columns(width)}
    schema = {"account_id": pl.Int64(), "day": pl.Date(), "provider": pl.String()} | schema | SUMS
    made = [
        [
            (
                draw.choice([1, 2]),
                DAY + timedelta(draw.choice([0, 1])),
                draw.choice(["p", "", 'p,"q"']),
                *(draw.choice(TEXTS) for _ in range(width)),
                draw.randint(1, 9),
                Decimal(draw.choice(TOTALS)),
                draw.randint(0, 2),
            )
            for _ in range(60)
        ]
        for _ in range(4)
    ]
    return [rollup_rows(pl.DataFrame(sums, schema=schema, orient="row"), f"meter{width}", {2: "#3"}) for sums in made]


def one_by_one(all_frames: list[pl.DataFrame]) -> dict[CellKey, tuple[int, Decimal, int]]:
    found: dict[CellKey, tuple[int, Decimal, int]] = {}
    with localcontext(prec=60):
        for account_id, meter, day, provider, *dimensions, events, total, unmetered in chain(
            *(frame.iter_rows() for frame in all_frames)
        ):
            key = (account_id, meter, day, provider, tuple(dimensions))
            held = found.get(key, (0, Decimal(), 0))
            found[key] = (held[0] + events, held[1] + total, held[2] + unmetered)
    return found


async def held(databases: Databases) -> dict[CellKey, tuple[int, Decimal, int]]:
    return {
        (row["account_id"], row["meter"], row["day"], row["provider"], tuple(row["dimensions"])): (
            row["events"],
            row["total"],
            row["unmetered"],
        )
        for row in await rows(databases, "SELECT * FROM rollup")
    }


def test_rows_have_the_name_of_the_edition_of_their_account() -> None:
    (made,) = merged(frames(1))
    assert set(made.select("account_id", "meter").iter_rows()) == {(1, "meter1"), (2, "meter1#3")}


@pytest.mark.parametrize("way", ["copied", "raised", "raised twice"])
async def test_rows_of_any_text_and_number_come_to_the_database_as_they_are(databases: Databases, way: str) -> None:
    made = [frame for width in (0, 1, 2) for frame in frames(width)]
    if way == "copied":
        for sums in merged(made):
            async with databases.ingest.transaction(grant_all()) as tx:
                assert await copy_sums(await tx.driver(), sums)
    else:
        for some in [made] if way == "raised" else [made[::2], made[1::2]]:
            increments = Increments()
            increments.sums = list(some)
            assert increments.days == {(account, day) for frame in some for account, _, day, *_ in frame.rows()}
            async with databases.worker.transaction(grant_all()) as tx:
                await raise_rollups(await tx.driver(), increments)
    assert await held(databases) == one_by_one(made)


async def test_whole_totals_are_written_as_whole_numbers(databases: Databases) -> None:
    for sums in merged(frames(1)):
        async with databases.ingest.transaction(grant_all()) as tx:
            await copy_sums(await tx.driver(), sums)
    assert await scalar(databases, "SELECT max(scale(total)) FROM rollup WHERE total % 1 = 0") == 0


async def test_a_row_that_is_there_already_is_not_copied_over(databases: Databases) -> None:
    (made,) = merged(frames(1))
    async with databases.ingest.transaction(grant_all()) as tx:
        await copy_sums(await tx.driver(), made.head(1))
    with pytest.raises(asyncpg.UniqueViolationError):
        async with databases.ingest.transaction(grant_all()) as tx:
            await copy_sums(await tx.driver(), made)
    assert len(await held(databases)) == 1


async def test_a_role_under_row_security_copies_nothing(databases: Databases) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        assert not await copy_sums(await tx.driver(), merged(frames(1))[0])
    assert await held(databases) == {}


def test_merged_rows_stand_in_the_order_of_their_key() -> None:
    for sums in merged([*frames(1), *frames(2)]):
        key = [*PLACE, *dimension_columns(sums.width - len(PLACE) - len(SUMS))]
        assert sums.equals(sums.sort(key, nulls_last=True))
        assert sums.select(key).is_unique().all()
