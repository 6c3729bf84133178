"""What people say of types that are not sent: nothing said is ever lost, and the newest holds."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import Databases
from tests.telemetry.factories import NOW
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError
from valueplatform.telemetry import wanted
from valueplatform.telemetry.wanted import Size, Wish, efforts, set_effort, set_wish, wishes, withdraw_wish

PLACE = ("job.done", "minutes")


async def say(tx: Transaction, effort: Size | None, reason: str = "r", place: tuple[str, str] = PLACE) -> object:
    return await set_effort(tx, place, effort, reason, author="pia", now=NOW)


def a_wish(event_type: str = "part.returned", why: str = "to know", effort: Size = Size.MEDIUM) -> Wish:
    return Wish(event_type, "Parts returned", why, effort, "pia", NOW)


async def test_the_newest_effort_holds_and_all_are_kept(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        await say(tx, Size.LARGE)
        await say(tx, Size.SMALL, " it is easy ")
        await say(tx, Size.SMALL, "it is easy")  # the same again
        held = (await efforts(tx))[PLACE]
        assert (held.size, held.reason, held.set_by, held.set_at) == (Size.SMALL, "it is easy", "pia", NOW)
        assert len(await tx.rows(text("SELECT 1 FROM catalog_effort"))) == 2


async def test_an_effort_is_taken_back_so_that_the_rule_holds_again(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        assert await say(tx, None) is None  # nothing was said
        await say(tx, Size.LARGE)
        assert await say(tx, None) is None
        assert await efforts(tx) == {}
        assert len(await tx.rows(text("SELECT 1 FROM catalog_effort"))) == 2


async def test_a_property_and_its_type_have_efforts_of_their_own(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        await say(tx, Size.LARGE, place=("job.done", ""))
        await say(tx, Size.SMALL)
        assert {place: said.size for place, said in (await efforts(tx)).items()} == {
            ("job.done", ""): Size.LARGE,
            PLACE: Size.SMALL,
        }


async def test_a_wish_is_made_corrected_and_taken_back_and_the_record_keeps_all(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        await set_wish(tx, a_wish())
        await set_wish(tx, a_wish())  # the same again
        await set_wish(tx, a_wish(why="to count", effort=Size.LARGE))
        (held,) = await wishes(tx)
        assert (held.why, held.effort) == ("to count", Size.LARGE)
        await withdraw_wish(tx, "part.returned", author="maya", now=NOW + timedelta(hours=1))
        assert await wishes(tx) == []
        rows = await tx.rows(text("SELECT author, withdrawn FROM catalog_wish ORDER BY entry_id"))
        assert [(row.author, row.withdrawn) for row in rows] == [("pia", False), ("pia", False), ("maya", True)]
        await set_wish(tx, a_wish())
        assert len(await wishes(tx)) == 1


async def test_a_wish_that_nobody_has_cannot_be_taken_back(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        with pytest.raises(NotFoundError):
            await withdraw_wish(tx, "nothing", author="pia", now=NOW)


@pytest.mark.parametrize(
    "wish",
    [
        a_wish(""),
        a_wish("  "),
        a_wish("x" * 201),
        a_wish("a\0b"),
        a_wish(why=""),
        a_wish(why="x" * 1001),
        Wish("t", " ", "w", Size.SMALL, "pia", NOW),
    ],
)
async def test_a_wish_says_what_how_and_why(databases: Databases, wish: Wish) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        with pytest.raises(InvalidInputError):
            await set_wish(tx, wish)
        assert await wishes(tx) == []


async def test_a_wish_may_be_in_any_script(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        await set_wish(tx, a_wish("部品/返却 📦", why="Größe <b>"))
        assert [one.type for one in await wishes(tx)] == ["部品/返却 📦"]


async def test_a_list_that_people_read_does_not_grow_without_end(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted, "MOST_WISHES", 2)
    async with databases.web.transaction(operator_scope()) as tx:
        for name in ("a", "b"):
            await set_wish(tx, a_wish(name))
        with pytest.raises(ConflictError):
            await set_wish(tx, a_wish("c"))
        await set_wish(tx, a_wish("a", why="another reason"))  # one that stands may be corrected


@pytest.mark.parametrize("reason", ["x" * 1001, "a\0b"])
async def test_a_reason_is_text_that_can_be_kept(databases: Databases, reason: str) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        with pytest.raises(InvalidInputError):
            await say(tx, Size.SMALL, reason)


@pytest.mark.parametrize("table", ["catalog_effort", "catalog_wish"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET author = 'x'", "DELETE FROM {}"])
async def test_what_was_said_cannot_be_changed_by_anyone(databases: Databases, table: str, statement: str) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        await say(tx, Size.LARGE)
        await set_wish(tx, a_wish())
    with pytest.raises(DBAPIError, match="append-only"):
        async with databases.admin.transaction(operator_scope()) as tx:
            await tx.execute(text(statement.format(table)))
