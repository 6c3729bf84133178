"""How a joint driver is shared: agreed by all three parties, masked, and proved by code of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.api.world import HARBOR, MAY_4, World, a_world
from tests.conftest import Server
from tests.value.factories import NOW, TODAY, put_model
from tests.value.three_parties import (
    JOINT_DRIVER,
    JOINTLY,
    commit_to,
    put_etas,
    put_jobs,
    put_syncs,
    validate_joint,
)
from valueplatform.core.authorization import KeyKind
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import month_of, month_start
from valueplatform.core.scope import grant_accounts
from valueplatform.value import splits
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source
from valueplatform.value.verify import Discrepancy, verify_account

SPLITS = f"/api/v1/accounts/{HARBOR}/splits"
VALUE = f"/api/v1/accounts/{HARBOR}/value"
THREE = ("admin", "validator", "tessera")


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """A joint driver, worth 30 in May before anybody has agreed, and 11 today."""
    async with a_world(server) as world:
        await put_model(world.databases, JOINTLY)
        await validate_joint(world.databases, world.harbor)
        await put_syncs(world.databases, world.harbor, TODAY, 11)
        await world.refresh(world.harbor)
        yield world


async def propose(world: World, who: str = "admin", **given: Any) -> tuple[int, Any]:
    body = {"driver": JOINT_DRIVER, "provider": "tessera", "share": "0.3", "supplier_share": "0.5", "reason": "r"}
    answer = await world.send("POST", SPLITS, who, body | given)
    return answer.status_code, answer.json()


async def say(world: World, number: int, who: str, act: str = "agree") -> tuple[int, Any]:
    answer = await world.send("POST", f"{SPLITS}/{number}/{act}", who, {"reason": "r"})
    return answer.status_code, answer.json()


async def agree(world: World, partner: str = "tessera", **given: Any) -> Any:
    status, made = await propose(world, provider=partner, **given)
    assert status == 201, made
    for who in (partner, "validator"):
        status, made = await say(world, made["split_id"], who)
        assert status == 201, made
    return made


async def by_provider(world: World, who: str = "admin", **asked: Any) -> dict[str, str]:
    read = (await world.get(VALUE, who, group_by="driver,provider", **asked)).json()
    return {row["provider"]: row["realized"] for row in read["rows"] if row["driver"] == JOINT_DRIVER}


async def test_until_all_three_agree_everything_stays_joint_and_then_it_is_cut_from_that_day_on(world: World) -> None:
    _, made = await propose(world)
    await say(world, made["split_id"], "tessera")
    assert await by_provider(world) == {"joint": "41.0000"}
    assert await by_provider(world, "tessera") == {}
    _, settled = await say(world, made["split_id"], "validator")
    assert (settled["state"], settled["since"]) == ("in-force", str(TODAY))
    assert await by_provider(world) == {"joint": "32.2000", "supplier": "5.5000", "tessera": "3.3000"}
    assert await by_provider(world, "tessera") == {"tessera": "3.3000"}
    assert await by_provider(world, "waypoint") == {}


async def test_no_total_moves_by_a_split(world: World) -> None:
    before = (await world.get(VALUE)).json()
    await agree(world)
    after = (await world.get(VALUE)).json()
    assert after["rows"] == before["rows"]
    assert after["totals"] == before["totals"]


async def test_who_agreed_and_when_is_told_and_a_partner_is_not_told_who_spoke_for_others(world: World) -> None:
    await agree(world)
    (full,), (own,) = [(await world.get(SPLITS, who)).json()["items"] for who in ("validator", "tessera")]
    assert [(one["side"], one["action"], one["author"]) for one in full["said"]] == [
        ("supplier", "propose", "key admin"),
        ("partner", "agree", "key tessera"),
        ("customer", "agree", "vera@harbor.example"),
    ]
    assert {one["known_at"] for one in full["said"]} == {"2026-06-15T12:00:00Z"}
    assert [one["author"] for one in own["said"]] == [None, "key tessera", None]
    assert (await world.get(SPLITS, "waypoint")).json()["items"] == []


async def test_a_partner_speaks_of_its_own_line_alone(world: World) -> None:
    assert (await propose(world, "waypoint"))[0] == 403
    _, made = await propose(world)
    for act in ("agree", "refuse", "withdraw"):
        assert (await say(world, made["split_id"], "waypoint", act))[0] == 404
    assert (await say(world, made["split_id"], "champion"))[0] == 403


async def test_a_refused_split_is_not_agreed_to_any_more(world: World) -> None:
    _, made = await propose(world)
    assert (await say(world, made["split_id"], "validator", "withdraw"))[0] == 403
    assert (await say(world, made["split_id"], "validator", "refuse"))[1]["state"] == "refused"
    assert (await say(world, made["split_id"], "tessera"))[0] == 409


async def test_all_three_at_once_make_one_agreement(world: World) -> None:
    _, made = await propose(world)
    said = await asyncio.gather(*(say(world, made["split_id"], who) for who in (*THREE, *THREE)))
    assert {status for status, _ in said} <= {201, 409}
    (one,) = (await world.get(SPLITS)).json()["items"]
    assert (one["state"], len(one["said"])) == ("in-force", 3)


async def test_the_supplier_cannot_give_away_more_than_all_and_partners_cannot_find_out(world: World) -> None:
    await agree(world)
    assert (await propose(world, provider="waypoint", share="0.3", supplier_share="0"))[0] == 422
    # Waypoint may ask for all of it: what it is answered tells nothing of Tessera.
    status, made = await propose(world, "waypoint", provider="waypoint", share="1", supplier_share="0")
    assert status == 201
    assert (await say(world, made["split_id"], "validator"))[0] == 201
    assert (await say(world, made["split_id"], "admin"))[0] == 422
    assert (await propose(world, provider="waypoint", share="0.2", supplier_share="0"))[0] == 201


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"share": "-0.1"}, 422),
        ({"share": "0.6"}, 422),
        ({"share": "NaN"}, 400),
        ({"share": "0.0000000001"}, 400),
        ({"driver": "invoices_synced"}, 404),
        ({"provider": "nobody"}, 404),
        ({"provider": "supplier"}, 404),
        ({"provider": "joint"}, 404),
        ({"reason": ""}, 400),
    ],
)
async def test_what_cannot_be_is_refused(world: World, given: dict[str, Any], status: int) -> None:
    assert (await propose(world, **given))[0] == status


def _all_joint(amount: Decimal, *_: object) -> dict[str, Decimal]:
    return {"joint": amount}


async def split_faults(world: World) -> list[Discrepancy]:
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        source = await read_source(tx, world.harbor)
        assert source is not None
        found = await verify_account(tx, source, TODAY - timedelta(days=90), TODAY + timedelta(days=9))
    return [one for one in found.discrepancies if one.what == "split"]


async def test_verify_shares_anew_and_notices_a_part_that_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await agree(world, share="0.333333333", supplier_share="0.1")
    await agree(world, "waypoint", share="0.1", supplier_share="0.466666667")
    assert await split_faults(world) == []
    assert await by_provider(world, **{"from": str(TODAY)}) == {
        "supplier": "6.2334", "tessera": "3.6666", "waypoint": "1.1000",
    }  # fmt: skip
    monkeypatch.setattr(splits, "cut_amount", _all_joint)
    assert {one.where.split(", ")[1] for one in await split_faults(world)} == {
        "joint",
        "supplier",
        "tessera",
        "waypoint",
    }


async def test_what_is_adjusted_later_is_shared_as_the_day_that_it_was_earned_on(world: World) -> None:
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        assert await close_month(tx, world.harbor, "America/New_York", month_of(MAY_4), NOW)
    await agree(world)
    await put_syncs(world.databases, world.harbor, MAY_4, 5)
    await world.refresh(world.harbor)
    june = {"from": str(month_start(TODAY))}
    assert await by_provider(world, **june) == {"joint": "7.2000", "supplier": "5.5000", "tessera": "3.3000"}
    assert await split_faults(world) == []


async def test_the_offering_is_told_whole_beside_what_was_committed_together(world: World) -> None:
    await commit_to(world.databases, world.harbor, JOINT_DRIVER, month_start(TODAY), 30, NOW)
    assert "offering" not in (await world.get(VALUE, "tessera")).json()["totals"]
    await agree(world)
    told = (await world.get(VALUE, "tessera")).json()["totals"]["offering"]
    # One of the thirty days of June: one of the thirty committed, and eleven came.
    assert told == {
        "drivers": [JOINT_DRIVER], "realized": "11.0000", "counted": "11.0000", "committed": "1.0000",
        "attainment": "11.0000",
    }  # fmt: skip
    for who in ("admin", "waypoint"):
        assert "offering" not in (await world.get(VALUE, who)).json()["totals"]


async def test_a_joint_part_that_can_be_reckoned_does_not_hide_the_one_other_partner(world: World) -> None:
    """Tessera knows its part and share, so the whole joint amount; what else there is would be Waypoint's."""
    await put_etas(world.databases, world.harbor, TODAY, 4)
    await world.refresh(world.harbor)
    today = {"from": str(TODAY)}
    assert (await world.get(VALUE, "tessera", **today)).json()["totals"]["combined"] is not None
    await agree(world)
    assert (await world.get(VALUE, "tessera", **today)).json()["totals"]["combined"] is None
    await put_jobs(world.databases, world.harbor, TODAY, 1)
    await world.refresh(world.harbor)
    assert (await world.get(VALUE, "tessera", **today)).json()["totals"]["combined"] is not None


async def test_the_combined_report_holds_contributions_splits_and_the_combined_total(world: World) -> None:
    await agree(world)
    report = (await world.get(f"/api/v1/accounts/{HARBOR}/report", "tessera")).json()
    assert [one["provider"] for one in report["splits"]] == ["tessera"]
    assert report["contributions"] == []
    assert {"combined", "offering"} <= report["totals"].keys()
    assert (await world.get(f"/api/v1/accounts/{HARBOR}/report", "waypoint")).json()["splits"] == []


async def test_nobody_holds_a_key_as_several(world: World) -> None:
    with pytest.raises(InvalidInputError, match="several"):
        await world.make_key(KeyKind.PARTNER, "all", provider="joint")
