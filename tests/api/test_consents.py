"""What the customer lets each partner see and send; what it withdraws is gone at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.api.world import GLOBEX, HARBOR, World, bearer
from valueplatform.accounts.consents import open_requests
from valueplatform.core.authorization import KeyKind, operator_scope

CONSENTS = f"/api/v1/accounts/{HARBOR}/consents"


async def say(world: World, who: str = "validator", **given: Any) -> tuple[int, Any]:
    body = {"provider": "tessera", "what": "see", "granted": False, "reason": "We parted.", **given}
    answer = await world.send("POST", CONSENTS, who, body)
    return answer.status_code, answer.json()


async def seen(world: World, who: str = "tessera") -> list[str]:
    return [one["key"] for one in (await world.get("/api/v1/accounts", who)).json()["items"]]


async def test_a_partner_whose_key_was_made_for_an_account_sees_it_until_the_customer_withdraws(world: World) -> None:
    assert await seen(world) == [HARBOR]
    assert (await say(world))[0] == 201
    assert await seen(world) == []
    for path in ("", "/value", "/story", "/report", "/consents", "/plans", "/suggestions"):
        gone = await world.get(f"/api/v1/accounts/{HARBOR}{path}", "tessera")
        absent = await world.get(f"/api/v1/accounts/nobody{path}", "tessera")
        assert (gone.status_code, gone.json()["detail"].replace(HARBOR, "nobody")) == (404, absent.json()["detail"])
    await say(world, "champion", granted=True)
    assert await seen(world) == [HARBOR]


async def test_others_go_on_seeing(bare_world: World) -> None:
    await say(bare_world)
    assert [await seen(bare_world, who) for who in ("waypoint", "champion", "other")] == [[HARBOR], [HARBOR], [GLOBEX]]
    assert len(await seen(bare_world, "admin")) == 2


async def test_a_key_for_every_account_loses_this_one(bare_world: World) -> None:
    bare_world.keys["all"] = bearer(await bare_world.make_key(KeyKind.PARTNER, "all", provider="tessera"))
    assert await seen(bare_world, "all") == [GLOBEX, HARBOR]
    await say(bare_world)
    assert await seen(bare_world, "all") == [GLOBEX]


async def test_a_key_that_acts_for_a_person_is_no_partner(bare_world: World) -> None:
    assert (await say(bare_world, provider="supplier"))[0] == 404
    assert await seen(bare_world, "validator") == [HARBOR]


@pytest.mark.parametrize("who", ["admin", "tessera", "ingest"])
async def test_only_the_customer_says_it(bare_world: World, who: str) -> None:
    status, problem = await say(bare_world, who, granted=True)
    assert (status, problem["missing"]) == (403, "consents:manage")


async def test_all_is_kept_with_who_and_why_and_the_newest_holds(bare_world: World) -> None:
    await say(bare_world)
    await say(bare_world, "champion", granted=True, reason="Friends again.")
    found = (await bare_world.get(CONSENTS)).json()["items"]
    assert [(one["granted"], one["holds"], one["author"], one["reason"]) for one in found] == [
        (False, False, "vera@harbor.example", "We parted."),
        (True, True, "carl@harbor.example", "Friends again."),
    ]


async def test_a_partner_is_shown_its_own_and_not_who_said_it(bare_world: World) -> None:
    await say(bare_world, what="contribute", granted=True)
    await say(bare_world, provider="waypoint", what="contribute", granted=True)
    (own,) = (await bare_world.get(CONSENTS, "tessera")).json()["items"]
    assert (own["provider"], own["author"]) == ("tessera", None)


async def test_what_holds_already_is_not_written_again_even_at_once(bare_world: World) -> None:
    said = await asyncio.gather(*(say(bare_world) for _ in range(4)))
    assert len({one["consent_id"] for _, one in said}) == 1
    assert len((await bare_world.get(CONSENTS)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("given", "status"),
    [({"provider": "nobody"}, 404), ({"what": "all"}, 400), ({"reason": " "}, 400), ({"provider": "a\0"}, 400)],
)
async def test_what_cannot_be_is_refused(bare_world: World, given: dict[str, Any], status: int) -> None:
    assert (await say(bare_world, **given))[0] == status


async def ask(world: World, who: str = "tessera", reason: str = "Our ledger has it.") -> tuple[int, Any]:
    answer = await world.send("POST", f"{CONSENTS}/requests", who, {"reason": reason})
    return answer.status_code, answer.json()


async def test_a_partner_asks_once_until_it_is_answered(bare_world: World) -> None:
    first = await asyncio.gather(*(ask(bare_world) for _ in range(3)))
    assert {status for status, _ in first} == {201}
    assert len({one["request_id"] for _, one in first}) == 1
    bare_world.clock.advance(timedelta(days=1))
    await say(bare_world, what="contribute", granted=True)
    assert (await ask(bare_world))[0] == 409, "it is let already"

    bare_world.clock.advance(timedelta(days=1))
    await say(bare_world, what="contribute", granted=False)
    bare_world.clock.advance(timedelta(days=1))
    status, again = await ask(bare_world)
    assert (status, again["provider"], again["what"]) == (201, "tessera", "contribute")
    assert again["request_id"] != first[0][1]["request_id"]


async def test_saying_no_again_answers_a_request_and_is_kept(bare_world: World) -> None:
    for day in range(2):
        await ask(bare_world, reason=f"Time {day}.")
        bare_world.clock.advance(timedelta(days=1))
        await say(bare_world, what="contribute", granted=False, reason=f"No {day}.")
        bare_world.clock.advance(timedelta(days=1))
    found = (await bare_world.get(CONSENTS)).json()["items"]
    assert [(one["granted"], one["holds"], one["reason"]) for one in found] == [
        (False, False, "No 0."), (False, True, "No 1."),
    ]  # fmt: skip
    async with bare_world.databases.worker.transaction(operator_scope()) as tx:
        assert await open_requests(tx, bare_world.harbor) == []


async def test_each_partner_asks_for_itself_and_only_of_accounts_that_it_sees(bare_world: World) -> None:
    assert (await ask(bare_world))[0] == 201
    assert (await ask(bare_world, "waypoint"))[0] == 201
    async with bare_world.databases.worker.transaction(operator_scope()) as tx:
        assert [one.provider for one in await open_requests(tx, bare_world.harbor)] == ["tessera", "waypoint"]
    await say(bare_world)
    assert (await ask(bare_world))[0] == 404


@pytest.mark.parametrize("reason", ["", " ", "a\0b", "x" * 5000])
async def test_a_request_without_a_reason_that_can_be_kept_is_refused(bare_world: World, reason: str) -> None:
    assert (await ask(bare_world, reason=reason))[0] in {400, 413}
