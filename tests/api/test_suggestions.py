from decimal import Decimal

import pytest

from tests.api.world import GLOBEX, HARBOR, World, suggest

SUGGESTIONS = f"/api/v1/accounts/{HARBOR}/suggestions"


async def test_they_are_ranked_with_value_interval_reason_and_state(world: World) -> None:
    ids = await suggest(world, "eta-link", "erp-connector")
    answer = (await world.get(SUGGESTIONS, "champion")).json()
    assert [(one["rank"], one["state"]) for one in answer["items"]] == [(1, "open"), (2, "open")]
    assert {one["id"] for one in answer["items"]} == set(ids.values())
    first = answer["items"][0]
    assert (first["expected"], first["standing"]) == ("1100.0000", "predicted")
    assert Decimal(first["interval"]["low"]) < Decimal(1100) < Decimal(first["interval"]["high"])
    assert first["reason"]
    assert "chance" not in first


async def test_where_nothing_is_open_it_says_why(world: World) -> None:
    answer = (await world.get(SUGGESTIONS)).json()
    assert answer == {"account": HARBOR, "items": [], "next_cursor": None, "empty": answer["empty"]}
    assert "accounts have not been compared" in answer["empty"]


async def test_a_decision_is_kept_and_taken_again_changes_nothing(world: World) -> None:
    one = (await suggest(world, "erp-connector"))["erp-connector"]
    for _ in range(2):
        answer = await world.send("POST", f"{SUGGESTIONS}/{one}/accept", "champion")
        assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert (await world.send("POST", f"{SUGGESTIONS}/{one}/done", "champion")).json()["state"] == "done"
    refused = await world.send("POST", f"{SUGGESTIONS}/{one}/dismiss", "champion")
    assert (refused.status_code, refused.json()["state"]) == (409, "done")
    assert (await world.get(SUGGESTIONS)).json()["items"][0]["state"] == "done"


async def test_who_may_not_decide_does_not(world: World) -> None:
    one = (await suggest(world, "erp-connector"))["erp-connector"]
    for who in ("validator", "ingest"):
        assert (await world.send("POST", f"{SUGGESTIONS}/{one}/accept", who)).status_code == 403


@pytest.mark.parametrize("one", ["nothing", "a%00b", "sug_" + "0" * 20])
async def test_what_is_not_there_cannot_be_decided(world: World, one: str) -> None:
    assert (await world.send("POST", f"{SUGGESTIONS}/{one}/accept", "champion")).status_code in {400, 404}


async def test_a_partner_is_shown_what_its_own_drivers_draw_on_without_the_reckoning(world: World) -> None:
    ids = await suggest(world, "eta-link", "erp-connector")
    (own,) = (await world.get(SUGGESTIONS, "tessera")).json()["items"]
    assert (own["feature"], own["reason"], own["numbers"]) == ("erp-connector", "", [])
    assert (await world.get(SUGGESTIONS, "waypoint")).json()["items"] == []
    rival = await world.send("POST", f"{SUGGESTIONS}/{ids['eta-link']}/accept", "tessera")
    assert rival.status_code == 404
    accepted = await world.send("POST", f"{SUGGESTIONS}/{ids['erp-connector']}/accept", "tessera")
    assert (accepted.json()["state"], accepted.json()["numbers"]) == ("accepted", [])


async def test_another_account_s_suggestions_are_not_there(world: World) -> None:
    one = (await suggest(world, "erp-connector"))["erp-connector"]
    path = f"/api/v1/accounts/{GLOBEX}/suggestions"
    assert (await world.get(path, "champion")).status_code == 404
    assert (await world.send("POST", f"{path}/{one}/accept", "admin")).status_code == 404
