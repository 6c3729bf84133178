from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.api.world import GLOBEX, HARBOR, World, put_grade, suggest
from tests.narrative.test_next_best import a_fit
from valueplatform.core.scope import grant_all
from valueplatform.narrative import next_best_store
from valueplatform.narrative.next_best_correction import Track
from valueplatform.narrative.next_best_model import to_document

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


async def test_grades_say_what_was_predicted_and_what_was_realized(world: World) -> None:
    one = (await suggest(world, "erp-connector"))["erp-connector"]
    await put_grade(world, one)
    answer = (await world.get(f"{SUGGESTIONS}/grades", "champion")).json()
    (grade,) = answer["grades"]
    assert (grade["suggestion"], grade["verdict"], grade["within"]) == (one, "Landed inside", True)
    assert (grade["realized"], grade["range"]) == ("150.0000", {"low": "-10.0000", "high": "410.0000"})
    assert "$150 more than comparable accounts suggest" in grade["says"]
    assert "chance" not in grade
    assert answer["calibration"] == []


async def test_a_partner_reads_grades_of_its_own_features_and_not_what_else_was_brought(world: World) -> None:
    ids = await suggest(world, "eta-link", "erp-connector")
    await put_grade(world, ids["erp-connector"])
    await put_grade(world, ids["eta-link"], feature="eta-link")
    (own,) = (await world.get(f"{SUGGESTIONS}/grades", "tessera")).json()["grades"]
    assert (own["feature"], own["without"]) == ("erp-connector", None)


async def test_calibration_is_told_of_five_accounts_or_more(world: World) -> None:
    for accounts, told in ((4, 0), (5, 1)):
        document = to_document(replace(a_fit({}), tracks=(Track(0, 9, accounts, 7, Decimal("-0.1")),)))
        async with world.databases.worker.transaction(grant_all()) as tx:
            await tx.execute(next_best_store._STORE_FIT, {"now": world.clock(), "document": document.decode()})
        found = (await world.get(f"{SUGGESTIONS}/grades", "champion")).json()["calibration"]
        assert len(found) == told
    assert found[0]["says"] == (
        "7 of 9 graded suggestions landed inside what was predicted. In sum, 10% less was realized than predicted."
    )
