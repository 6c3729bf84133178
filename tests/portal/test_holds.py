"""Holding bad news back, on the account's page and by the API."""

from datetime import timedelta

from tests.portal.browsers import LEADER, Browser, Portal
from tests.portal.test_notices import tell

PAGE, HOLD = "/accounts/harbor/story", "/accounts/harbor/hold"
API = f"/api/v1{HOLD}"


async def test_the_steward_holds_and_releases_with_a_reason_that_is_kept(portal: Portal, steward: Browser) -> None:
    await portal.run("UPDATE bad_news SET over_at = told_at")
    assert "Hold this news" not in (await steward.get(PAGE)).text
    await tell(portal, bad=True)
    assert "You may hold this back until 17 Jun 2026" in (await steward.get(PAGE)).text

    assert (await steward.post(HOLD, reason="I call <b>Carl</b> first.")).status_code == 303
    held = (await steward.get(PAGE)).text
    assert "Held by maya@fieldnote.example until 17 Jun 2026" in held
    assert "I call &lt;b&gt;Carl&lt;/b&gt; first." in held
    assert "Hold this news" not in held

    portal.world.clock.advance(timedelta(hours=1))
    assert (await steward.post(f"{HOLD}/release")).status_code == 303
    assert (await steward.post(f"{HOLD}/release")).status_code == 303, "released twice is released"
    assert "Released by maya@fieldnote.example" in (await steward.get(PAGE)).text


async def test_a_hold_without_a_reason_says_what_is_missing_and_holds_nothing(portal: Portal, steward: Browser) -> None:
    await tell(portal, bad=True)
    answer = await steward.post(HOLD, reason="  ")

    assert answer.status_code == 400
    assert "why the news is held" in answer.text
    assert await portal.run("SELECT 1 FROM news_hold") == []


async def test_without_bad_news_there_is_nothing_to_hold(portal: Portal, steward: Browser) -> None:
    await portal.run("UPDATE bad_news SET over_at = told_at")
    assert (await steward.post(HOLD, reason="r")).status_code == 400


async def test_nobody_else_holds_or_sees_a_hold(portal: Portal, steward: Browser, customer: Browser) -> None:
    await tell(portal, bad=True)
    leader = await portal.browser(LEADER)
    assert (await leader.post(HOLD, reason="r")).status_code == 403
    assert (await customer.post(HOLD, reason="r")).status_code == 404
    await steward.post(HOLD, reason="A secret between us.")

    assert "A secret" not in (await customer.get("/story")).text
    assert "A secret" not in (await leader.get(PAGE)).text
    assert (await portal.world.get(API, "champion")).status_code == 403


async def test_the_api_holds_reads_and_releases(portal: Portal) -> None:
    world = portal.world
    await tell(portal, bad=True)
    placed = await world.send("POST", API, "admin", {"reason": "r"}, **{"Idempotency-Key": "once"})
    replayed = await world.send("POST", API, "admin", {"reason": "r"}, **{"Idempotency-Key": "once"})
    assert (placed.status_code, replayed.status_code) == (201, 201)
    assert placed.json() == replayed.json()
    assert placed.json()["author"] == "key admin"
    assert (await world.send("POST", API, "admin", {"reason": "r"})).status_code == 409

    released = await world.send("DELETE", API, "admin")
    assert released.status_code == 200
    assert not released.json()["stands"]
    assert (await world.send("DELETE", API, "admin")).status_code == 404
    (kept,) = (await world.get(API)).json()["items"]
    assert kept == released.json()


async def test_the_api_refuses_a_hold_beyond_two_working_days(portal: Portal) -> None:
    await tell(portal, bad=True)
    until = (portal.world.clock() + timedelta(days=9)).isoformat()

    assert (await portal.world.send("POST", API, "admin", {"reason": "r", "until": until})).status_code == 422
