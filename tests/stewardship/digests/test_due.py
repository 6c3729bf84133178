"""Who is due to be told, of what, and who waits for whom."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.stewardship.digests.factories import (
    CHAMPION,
    DAILY,
    MONDAY,
    SPONSOR,
    STEWARD,
    USER,
    Readers,
    news,
    readers,
)
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.authorization import operator_scope
from valueplatform.narrative.document import Language
from valueplatform.stewardship.digests.choice import Cadence, Choice
from valueplatform.stewardship.digests.content import Digest
from valueplatform.stewardship.digests.sending import Means
from valueplatform.stewardship.holds import place_hold, release_hold

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT_NINE = msgspec.structs.replace(DAILY, hour=9)


async def queued(harbor: Readers) -> list[tuple[str, tuple[str, ...]]]:
    """Whose digests, and the new lines in each."""
    rows = await harbor.rows("""
        SELECT u.email, d.body FROM digest d JOIN app_user u USING (user_id) ORDER BY d.queued_at, d.since_at, u.email
    """)
    found = [(row["email"], msgspec.convert(row["body"], Digest)) for row in rows]
    return [(email, tuple(line.text for line in digest.lines)) for email, digest in found]


async def hold(harbor: Readers) -> None:
    async with harbor.databases.worker.transaction(operator_scope()) as tx:
        account = await account_by_id(tx, harbor.account_id)
        await place_hold(tx, account, STEWARD, "I call first.", harbor.clock())


async def release(harbor: Readers) -> None:
    async with harbor.databases.worker.transaction(operator_scope()) as tx:
        await release_hold(tx, await account_by_id(tx, harbor.account_id), STEWARD, harbor.clock())


async def test_whoever_chose_nothing_is_told_nothing(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(CHAMPION, Choice())
    harbor.clock.advance(3 * DAY)
    await harbor.tell(news("a", "Value rose."))
    await harbor.look()

    assert await queued(harbor) == []


async def test_what_was_told_before_somebody_chose_is_no_news(harbor: Readers) -> None:
    await harbor.tell(news("old", "Old."))
    await harbor.choose(CHAMPION)
    await harbor.tell(news("new", "New."))
    harbor.clock.advance(DAY)
    await harbor.look()

    assert await queued(harbor) == [(CHAMPION, ("New.",))]


async def test_nothing_is_sent_before_the_hour_that_was_chosen(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(CHAMPION)
    harbor.clock.advance(HOUR)
    await harbor.tell(news("new", "New."))
    harbor.clock.advance(DAY - HOUR - timedelta(seconds=1))
    await harbor.look()
    assert await queued(harbor) == []

    harbor.clock.advance(timedelta(seconds=1))
    await harbor.look()
    assert len(await queued(harbor)) == 1


async def test_nothing_new_is_nothing_sent(harbor: Readers) -> None:
    await harbor.tell(news("a", "A."))
    await harbor.choose(CHAMPION)
    await harbor.tell()  # a version that tells nothing worth a line
    for _ in range(5):
        harbor.clock.advance(DAY)
        await harbor.look()

    assert await queued(harbor) == []


async def test_before_the_first_story_nothing_is_sent_and_the_first_is_news_whole(harbor: Readers) -> None:
    await harbor.choose(CHAMPION)
    harbor.clock.advance(DAY)
    await harbor.look()
    assert await queued(harbor) == []

    await harbor.tell(news("a", "A."))
    harbor.clock.advance(DAY)
    await harbor.look()
    assert await queued(harbor) == [(CHAMPION, ("A headline.",))]


async def test_the_same_version_is_queued_once_however_often_it_is_looked_at(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(CHAMPION)
    await harbor.tell(news("a", "A."))
    harbor.clock.advance(DAY)
    await harbor.look()
    await harbor.run("UPDATE digest_mark SET next_at = :now", now=harbor.clock())
    await harbor.run("UPDATE digest SET state = 'given-up'")
    await harbor.look()

    assert len(await queued(harbor)) == 1


async def test_a_digest_that_is_on_its_way_is_waited_for(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(CHAMPION)
    for number in range(3):
        await harbor.tell(news(f"n{number}", f"News {number}."))
        harbor.clock.advance(DAY)
        await harbor.look()

    assert await queued(harbor) == [(CHAMPION, ("News 0.",))]


async def test_choosing_other_times_does_not_lose_what_is_new(harbor: Readers, means: Means) -> None:
    await harbor.tell()
    await harbor.choose(CHAMPION)
    await harbor.tell(news("a", "A."))
    user = await harbor.principal(CHAMPION)
    await harbor.run("UPDATE digest_choice SET hour = 20 WHERE user_id = :user", user=user.user_id)
    harbor.clock.advance(2 * DAY)
    await harbor.look()

    assert await queued(harbor) == [(CHAMPION, ("A.",))]


async def test_each_audience_is_told_its_own_version(harbor: Readers) -> None:
    await harbor.tell()
    for email in (USER, SPONSOR, STEWARD):
        await harbor.choose(email)
    await harbor.tell(news("a", "A."))
    harbor.clock.advance(DAY)
    await harbor.look()
    rows = await harbor.rows("SELECT u.email, d.audience FROM digest d JOIN app_user u USING (user_id)")

    assert {row["email"]: row["audience"] for row in rows} == {
        USER: "customer", SPONSOR: "executive", STEWARD: "steward",
    }  # fmt: skip


@pytest.mark.parametrize("gone", [
    "UPDATE app_user SET disabled_at = now() WHERE email = :email",
    "DELETE FROM person WHERE email = :email",
])  # fmt: skip
async def test_whoever_may_no_longer_read_is_forgotten(harbor: Readers, gone: str) -> None:
    await harbor.tell()
    await harbor.choose(USER)
    await harbor.tell(news("a", "A."))
    await harbor.run(gone, email=USER)
    harbor.clock.advance(DAY)
    await harbor.look()

    assert await queued(harbor) == []
    assert await harbor.rows("SELECT 1 FROM digest_mark") == []


async def test_a_steward_is_told_of_their_own_accounts_alone(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(STEWARD)
    await harbor.tell(news("a", "A."))
    await harbor.run("""
        INSERT INTO app_user (email, name, role, account_ids)
        SELECT 'own@f.example', 'Own', 'steward', array_agg(account_id) FROM account WHERE account_id > 0
    """)
    harbor.clock.advance(DAY)
    await harbor.look()

    assert await queued(harbor) == []


async def test_a_new_role_begins_with_its_own_story(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(USER)
    await harbor.tell(news("a", "A."))
    await harbor.run("UPDATE person SET role = 'sponsor' WHERE email = :email", email=USER)
    harbor.clock.advance(DAY)
    await harbor.look()
    assert await queued(harbor) == []

    await harbor.tell(news("b", "B."))
    harbor.clock.advance(DAY)
    await harbor.look()
    assert await queued(harbor) == [(USER, ("B.",))]


async def test_a_digest_with_held_news_waits_whole_and_goes_when_the_hold_ends(harbor: Readers) -> None:
    await harbor.tell()
    for email in (USER, STEWARD):
        await harbor.choose(email)
    await harbor.tell(news("good", "Value rose."))
    harbor.clock.advance(12 * HOUR)
    await harbor.tell_bad("bad", "Savings fell.")
    await hold(harbor)
    harbor.clock.advance(12 * HOUR)
    await harbor.look()
    assert [email for email, _ in await queued(harbor)] == [STEWARD], "a steward is never kept waiting"

    harbor.clock.advance(36 * HOUR - timedelta(seconds=1))
    await harbor.look()
    assert len(await queued(harbor)) == 1

    harbor.clock.advance(timedelta(minutes=1))
    await harbor.look()
    assert (await queued(harbor))[1:] == [(USER, ("Value rose.", "Savings fell."))]


async def test_what_waited_goes_at_once_when_a_hold_is_released(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(USER)
    harbor.clock.advance(HOUR)
    await harbor.tell_bad()
    await hold(harbor)
    harbor.clock.advance(DAY)
    await harbor.look()
    assert await queued(harbor) == []

    await release(harbor)
    harbor.clock.advance(timedelta(minutes=1))
    await harbor.look()
    assert len(await queued(harbor)) == 1


async def test_the_executive_waits_until_the_champion_was_sent_theirs(harbor: Readers, means: Means) -> None:
    await harbor.tell()
    await harbor.choose(SPONSOR)
    await harbor.choose(CHAMPION, AT_NINE)
    harbor.clock.advance(2 * HOUR)
    await harbor.look()
    await harbor.tell_bad()
    harbor.clock.advance(DAY - 2 * HOUR)
    await harbor.serve(means)
    assert await queued(harbor) == []

    await harbor.serve(means, HOUR + timedelta(minutes=2))
    rows = await harbor.rows("""
        SELECT u.email, d.ended_at FROM digest d JOIN app_user u USING (user_id) ORDER BY d.ended_at
    """)
    assert [row["email"] for row in rows] == [CHAMPION, SPONSOR]
    assert rows[1]["ended_at"] <= MONDAY + DAY + HOUR + timedelta(minutes=2)


async def test_the_executive_waits_one_working_day_and_no_longer(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(SPONSOR)
    await harbor.choose(CHAMPION, msgspec.structs.replace(DAILY, cadence=Cadence.MONTHLY))
    await harbor.tell_bad()
    harbor.clock.advance(4 * DAY)  # Friday: the working day after it is Monday
    await harbor.look()
    harbor.clock.advance(3 * DAY - timedelta(seconds=1))
    await harbor.look()
    assert await queued(harbor) == []

    harbor.clock.advance(timedelta(minutes=1))
    await harbor.look()
    assert [email for email, _ in await queued(harbor)] == [SPONSOR]


async def test_the_executive_does_not_wait_for_a_champion_without_a_digest(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(SPONSOR)
    await harbor.tell_bad()
    harbor.clock.advance(DAY)
    await harbor.look()

    assert [email for email, _ in await queued(harbor)] == [SPONSOR]


async def test_an_account_with_a_name_from_hell_is_told_in_one_line(databases: Databases) -> None:
    name = "Härbor\r\nBcc: all@x.example\0 <b>&\u202eé" * 3
    harbor = await readers(databases, name=name.replace("\0", ""))
    await harbor.tell()
    await harbor.choose(USER)
    await harbor.tell(news("a", "A."))
    harbor.clock.advance(DAY)
    await harbor.look()
    (row,) = await harbor.rows("SELECT body FROM digest")
    subject = msgspec.convert(row["body"], Digest).subject

    assert subject.isprintable()
    assert "Bcc" in subject


async def test_a_digest_is_told_in_the_language_that_was_chosen(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(CHAMPION, msgspec.structs.replace(DAILY, language=Language.GERMAN))
    await harbor.tell(news("a", "Value rose."))
    async with harbor.databases.worker.transaction(operator_scope()) as tx:
        german = """replace(jsonb_set(document, '{language}', '"de"')::text, 'Value rose.', 'Der Wert stieg.')::jsonb"""
        await tx.execute(text(f"UPDATE story SET translations = jsonb_build_object('de', {german})"))
    harbor.clock.advance(DAY)
    await harbor.look()

    (row,) = await harbor.rows("SELECT body FROM digest")
    digest = msgspec.convert(row["body"], Digest)
    assert digest.language is Language.GERMAN
    assert [line.text for line in digest.lines] == ["Der Wert stieg."]
