"""What an insight said stays as it was said."""

from datetime import timedelta

import msgspec
import pytest

from tests.conftest import Databases
from tests.stewardship import factories
from tests.stewardship.factories import INSIGHT, NOON
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.document import Note
from valueplatform.stewardship.attachments import Attached, attached


async def read(databases: Databases, account_id: int, insight_id: str = INSIGHT) -> Attached:
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        return await attached(tx, account_id, insight_id)


async def test_an_account_without_a_story_has_nothing_to_attach(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id)
    with pytest.raises(NotFoundError, match="no sentence 'ins_repeat'"):
        await read(databases, account_id)


@pytest.mark.parametrize("insight_id", ["", "ins_unknown", '" || true', "\0", "$.**", "ins_repeat\u2028"])
async def test_an_insight_that_no_story_tells_is_not_found(databases: Databases, insight_id: str) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id)
    await factories.tell(databases, account_id, factories.document(factories.sentence()))
    with pytest.raises(NotFoundError):
        await read(databases, account_id, insight_id)


async def test_an_insight_of_another_account_is_not_found(databases: Databases) -> None:
    harbor, other = await factories.account(databases, "harbor"), await factories.account(databases, "other")
    await factories.keep_insight(databases, other)
    await factories.tell(databases, other, factories.document(factories.sentence()))
    with pytest.raises(NotFoundError):
        await read(databases, harbor)


async def test_what_only_the_steward_is_told_cannot_be_attached(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id)
    await factories.tell(databases, account_id, factories.document(factories.sentence(), audience="steward"))
    with pytest.raises(NotFoundError):
        await read(databases, account_id)


async def test_a_note_beside_the_insight_is_not_taken_for_its_sentence(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id)
    told = factories.document(factories.sentence())
    noted = msgspec.structs.replace(told.chapters[0], notes=(Note("risk", "A question", (), INSIGHT),))
    early = msgspec.structs.replace(noted, insights=())
    await factories.tell(databases, account_id, factories.document(chapters=(early, noted)))
    assert (await read(databases, account_id)).sentence == factories.sentence()


async def test_the_customers_wording_goes_before_the_executives(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id)
    plain = factories.sentence(text="You saved $486K so far.")
    await factories.tell(databases, account_id, factories.document(factories.sentence(), audience="executive"))
    await factories.tell(databases, account_id, factories.document(plain))
    assert (await read(databases, account_id)).sentence == plain


async def test_the_version_is_the_one_that_held_when_the_story_was_composed(databases: Databases) -> None:
    account_id = await factories.account(databases, "harbor")
    await factories.keep_insight(databases, account_id, version=1)
    await factories.tell(databases, account_id, factories.document(factories.sentence()), version=1)
    await factories.keep_insight(databases, account_id, version=2, since=NOON + timedelta(hours=1))
    later = NOON + timedelta(hours=1)
    await factories.tell(databases, account_id, factories.document(), version=2, at=later)
    # The newest story no longer tells it; the page that is still open shows the older one.
    assert await read(databases, account_id) == Attached(1, factories.sentence())
