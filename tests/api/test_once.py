import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.api.world import HARBOR, World
from valueplatform.core.scope import grant_all

OBJECTIVES = f"/api/v1/accounts/{HARBOR}/objectives"
PROPOSAL = {"slug": "per_sync", "expected": "2.50", "reason": "Measured in June"}
ASSUMPTIONS = f"/api/v1/accounts/{HARBOR}/assumptions"


async def entries(world: World) -> int:
    async with world.databases.worker.transaction(grant_all()) as tx:
        return int(await tx.scalar(text("SELECT count(*) FROM assumption_entry WHERE action = 'propose'")))


async def propose(world: World, key: str, who: str = "champion", **changes: str) -> tuple[int, dict[str, object], bool]:
    answer = await world.send("POST", ASSUMPTIONS, who, PROPOSAL | changes, **{"idempotency-key": key})
    return answer.status_code, answer.json(), "idempotent-replayed" in answer.headers


async def test_the_same_write_again_answers_the_same_and_is_not_done(bare_world: World) -> None:
    first = await propose(bare_world, "a")
    again = await propose(bare_world, "a")
    assert first[:2] == again[:2]
    assert (first[2], again[2], await entries(bare_world)) == (False, True, 1)


async def test_the_same_key_with_another_body_is_a_conflict(bare_world: World) -> None:
    await propose(bare_world, "a")
    status, problem, _ = await propose(bare_world, "a", expected="2.51")
    assert (status, problem["code"], await entries(bare_world)) == (409, "idempotency_key_reused", 1)


async def test_the_same_key_at_another_address_is_a_conflict(bare_world: World) -> None:
    await propose(bare_world, "a")
    answer = await bare_world.send("POST", OBJECTIVES, "champion", PROPOSAL, **{"idempotency-key": "a"})
    assert answer.status_code == 400  # the body does not fit there
    answer = await bare_world.send("POST", OBJECTIVES, "champion", {"title": "x"}, **{"idempotency-key": "a"})
    assert answer.status_code == 409


async def test_keys_of_different_callers_do_not_meet(bare_world: World) -> None:
    await propose(bare_world, "a")
    status, _, replayed = await propose(bare_world, "a", "validator", expected="3")
    assert (status, replayed, await entries(bare_world)) == (201, False, 2)


async def test_a_write_that_failed_may_be_sent_again(bare_world: World) -> None:
    assert (await propose(bare_world, "a", slug="nothing"))[0] == 404
    assert (await propose(bare_world, "a"))[0] == 201


async def test_after_a_day_the_key_is_free(bare_world: World) -> None:
    await propose(bare_world, "a")
    await propose(bare_world, "b")
    bare_world.clock.advance(timedelta(hours=24))
    status, _, replayed = await propose(bare_world, "a", expected="9")
    assert (status, replayed, await entries(bare_world)) == (201, False, 3)
    async with bare_world.databases.worker.transaction(grant_all()) as tx:
        kept = await tx.scalar(text("SELECT array_agg(idempotency_key) FROM idempotency"))
    assert kept == ["a"]


async def test_twenty_at_once_are_one_write(bare_world: World) -> None:
    answers = await asyncio.gather(*(propose(bare_world, "a") for _ in range(20)))
    assert {status for status, _, _ in answers} == {201}
    assert len({str(body["entry_id"]) for _, body, _ in answers}) == 1
    assert await entries(bare_world) == 1


async def test_without_a_key_every_sending_is_a_write(bare_world: World) -> None:
    for _ in range(2):
        assert (await bare_world.send("POST", ASSUMPTIONS, "champion", PROPOSAL)).status_code == 201
    assert await entries(bare_world) == 2


@pytest.mark.parametrize("key", [" ", "x" * 256])
async def test_a_key_that_cannot_be_is_refused(bare_world: World, key: str) -> None:
    assert (await propose(bare_world, key))[0] == 400


async def test_a_right_that_is_gone_is_gone_for_what_was_kept_too(bare_world: World) -> None:
    await propose(bare_world, "a")
    async with bare_world.databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("DELETE FROM person"))
    assert (await propose(bare_world, "a"))[0] == 403
