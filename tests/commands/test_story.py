import pytest

from tests.commands.factories import run
from tests.conftest import Databases
from tests.value.factories import new_account, put_model
from tests.value.three_parties import THREE_PARTIES, put_jobs, put_syncs, validate
from valueplatform.core.clock import system_clock
from valueplatform.core.periods import ONE_DAY


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """Jobs and syncs of yesterday, which no worker has seen yet."""
    await put_model(databases, THREE_PARTIES)
    account_id = await new_account(databases)
    await validate(databases, account_id)
    day = system_clock().date() - ONE_DAY
    await put_jobs(databases, account_id, day, 10)
    await put_syncs(databases, account_id, day, 30)
    return account_id


async def test_it_tells_what_no_worker_has_worked_off_yet(databases: Databases, harbor: int) -> None:
    told = (await run(databases, "story", "harbor", "--format", "json")).json
    assert (told["account"], told["audience"], told["version"]) == ("harbor", "customer", 1)
    assert {number["value"] for number in told["headline_insight"]["numbers"]} >= {"150.0000"}
    again = (await run(databases, "story", "harbor", "--format", "json")).json
    assert (again["version"], again["headline"]) == (1, told["headline"])


async def test_text_and_markdown_say_the_same(databases: Databases, harbor: int) -> None:
    text = await run(databases, "story", "harbor")
    markdown = await run(databases, "story", "harbor", "--format", "markdown")
    assert "$150" in text.out
    assert "$150" in markdown.out
    assert markdown.out.splitlines()[2].startswith("# ")


async def test_every_audience_has_one(databases: Databases, harbor: int) -> None:
    for audience in ("steward", "executive", "partner"):
        ran = await run(databases, "story", "harbor", "--audience", audience, "--format", "json")
        assert ran.json["audience"] == audience
    ran = await run(databases, "story", "harbor", "--audience", "partner", "--provider", "tessera", "--format", "json")
    assert {number["value"] for number in ran.json["headline_insight"]["numbers"]} >= {"60.0000"}


async def test_an_account_without_anything_has_a_story_that_says_so(databases: Databases, harbor: int) -> None:
    await new_account(databases, "globex")
    told = (await run(databases, "story", "globex", "--format", "json")).json
    assert told["status"] == "insufficient-data"


async def test_what_is_not_there_cannot_be_told(databases: Databases, harbor: int) -> None:
    ran = await run(databases, "story", "nobody")
    assert (ran.code, ran.out) == (1, "")
    assert "no account 'nobody'" in ran.err
    assert (await run(databases, "story", "harbor", "--audience", "everybody")).code == 2


async def test_without_a_model_it_says_what_to_do(databases: Databases) -> None:
    await new_account(databases)
    ran = await run(databases, "story", "harbor")
    assert (ran.code, "model apply" in ran.err) == (1, True)


async def test_it_is_told_in_german_with_the_same_numbers(databases: Databases, harbor: int) -> None:
    english, german = [
        (await run(databases, "story", "harbor", "--language", language, "--format", "json")).json
        for language in ("en", "de")
    ]
    assert (german["language"], german["version"]) == ("de", english["version"])
    assert german["headline"].startswith("Sie haben ")
    values = [[number["value"] for number in told["headline_insight"]["numbers"]] for told in (english, german)]
    assert values[0] == values[1]
    text = await run(databases, "story", "harbor", "--language", "de")
    assert "150\N{NO-BREAK SPACE}$" in text.out
