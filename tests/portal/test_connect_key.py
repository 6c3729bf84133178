"""The page of one key: waiting, turning green, and what became of its last events."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import GLOBEX, HARBOR
from tests.portal.browsers import ADMIN, OPERATOR, STEWARD, Browser, Portal, hrefs
from tests.portal.test_connect import PRODUCT, add_product
from tests.telemetry.factories import cloud_event
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.errors import NotFoundError, UnauthenticatedError
from valueplatform.core.users import create_user
from valueplatform.portal import connect_key
from valueplatform.portal.connect_key import key_feed
from valueplatform.portal.live import UNTOLD
from valueplatform.portal.streams import events as stream_of
from valueplatform.telemetry.requests import Outcome


@pytest.fixture
async def steward(bare_portal: Portal) -> Browser:
    return await bare_portal.browser(STEWARD)


async def key_of(portal: Portal, name: str = "ingest") -> Any:
    ((key_id,),) = await portal.run("SELECT key_id FROM api_key WHERE name = :name", name=name)
    return key_id


async def give(portal: Portal, *events: object) -> None:
    headers = {"content-type": "application/cloudevents-batch+json"}
    assert (await portal.world.send("POST", "/api/v1/events", "ingest", list(events), **headers)).is_success


async def page_of(portal: Portal, browser: Browser, query: str = "") -> str:
    answer = await browser.get(f"/connect/{await key_of(portal)}{query}")
    assert answer.status_code == 200
    return str(answer.text)


async def test_before_the_first_event_the_page_waits_with_a_snippet_that_works_here(
    bare_portal: Portal, steward: Browser
) -> None:
    page = await page_of(bare_portal, steward)
    assert "Waiting for your first event" in page
    assert "Nothing has come in yet." in page
    assert '<details class="more conn-snippet" id="snippet" open>' in page
    assert "http://127.0.0.1:8000/api/v1/events" in page
    segment = await page_of(bare_portal, steward, "?client=segment-python")
    assert "from segment.analytics.client import Client" in segment
    assert "Send with Segment for Python" in segment
    assert "Send with curl" in await page_of(bare_portal, steward, "?client=nobody")


async def test_once_an_event_is_stored_it_says_so_and_the_snippet_steps_back(
    bare_portal: Portal, steward: Browser
) -> None:
    await give(bare_portal, cloud_event(account=HARBOR))
    page = await page_of(bare_portal, steward)
    assert 'class="conn-state conn-on"' in page
    assert "Your first event is here" in page
    assert '<details class="more conn-snippet" id="snippet">' in page


async def test_as_long_as_everything_is_rejected_it_says_that(bare_portal: Portal, steward: Browser) -> None:
    await give(bare_portal, cloud_event(account=HARBOR, time="soon"))
    page = await page_of(bare_portal, steward)
    assert 'class="conn-state conn-refused"' in page
    assert "time must be an RFC 3339 string with a zone" in page


async def test_every_verdict_is_shown_with_what_it_means(bare_portal: Portal, steward: Browser) -> None:
    event = cloud_event(id="1", account=HARBOR, subject="kim-the-subject")
    await give(bare_portal, event, event, event | {"data": {"other": 1}}, cloud_event(id="2", time="soon"))
    page = await page_of(bare_portal, steward)
    assert re.findall(r'class="chip chip-[a-z-]+">.*?</svg>([A-Z][a-z]+)<', page) == [
        "Rejected",
        "Conflict",
        "Duplicate",
        "Stored",
    ]
    assert "No meter reads events of this type" in page
    assert "It counts once." in page
    assert "The first received holds" in page
    assert "kim-the-subject" in page
    assert "Local day" in page
    assert "invalid_time" in page


async def test_filters_count_what_they_list_and_pages_follow(bare_portal: Portal, steward: Browser) -> None:
    world = bare_portal.world
    for _ in range(4):
        await give(bare_portal, *(cloud_event(account=HARBOR) for _ in range(20)), cloud_event(time="soon"))
        world.clock.advance(timedelta(seconds=1))
    page = await page_of(bare_portal, steward)
    filters = re.findall(r'href="([^"]+)"[^>]*>[A-Z][a-z]+ <span class="count">(\d+)</span>', page)
    assert [int(count) for _, count in filters] == [84, 80, 0, 0, 4]
    assert page.count('<li class="ev"') == 50
    (more,) = [href for href in hrefs(page, "/connect/") if "cursor" in href]
    second = (await steward.get(more)).text
    assert second.count('<li class="ev"') == 34
    assert 'sse-connect="/connect/' not in second, "an older page stands still"
    rejected = (await steward.get(filters[4][0].replace("&amp;", "&"))).text
    assert rejected.count('<li class="ev"') == 4


async def test_what_senders_write_is_text_and_never_markup(bare_portal: Portal, steward: Browser) -> None:
    odd = "<b>'\"&{{ 7 * 7 }}</b>"
    await give(
        bare_portal,
        cloud_event(account=odd, id=odd, type=odd, source=odd, subject=odd, data={odd: odd}),
        cloud_event(id=odd, time=odd),
    )
    page = (await page_of(bare_portal, steward)).split("<main")[1]
    assert "<b>'" not in page
    assert "{{ 7 * 7 }}" in page
    assert "style=" not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


async def test_who_may_not_see_single_events_sees_verdicts_without_subjects(bare_portal: Portal) -> None:
    await add_product(bare_portal)
    data = {"team": "team-of-kim", "user": "kim-in-data"}
    await give(
        bare_portal,
        cloud_event(id="1", account=HARBOR, subject="kim-the-subject", data=data),
        cloud_event(id="1", account=HARBOR, subject="kim-in-conflict"),
        cloud_event(id="2", account=HARBOR, subject="kim-rejected", time="soon"),
    )
    page = await page_of(bare_portal, await bare_portal.browser(PRODUCT))
    assert "kim" not in page
    assert "•••" in page
    assert "seeing single events is a right of its own" in page
    assert "Replay" not in page


async def test_events_of_accounts_out_of_reach_are_not_there(bare_portal: Portal) -> None:
    await give(bare_portal, cloud_event(id="h", account=HARBOR), cloud_event(id="g", account=GLOBEX, type="of.globex"))
    async with bare_portal.world.databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, "some@fieldnote.example", UserRole.STEWARD, account_ids=[bare_portal.world.harbor])
    page = await page_of(bare_portal, await bare_portal.browser("some@fieldnote.example"))
    assert "of.globex" not in page
    assert "job.done" in page


async def test_a_rejected_event_is_replayed_from_the_page_once_its_cause_is_gone(bare_portal: Portal) -> None:
    world = bare_portal.world
    soon = world.clock() + timedelta(days=2)
    await give(bare_portal, cloud_event(id="early", account=HARBOR, time=soon.isoformat()))
    operator = await bare_portal.browser(OPERATOR)
    page = await page_of(bare_portal, operator)
    (action,) = re.findall(r'action="(/connect/[^"]+/replay/\d+)"', page)

    again = await operator.post(action)
    assert again.status_code == 303
    assert "Waiting for an event that can be taken" in await page_of(bare_portal, operator)

    world.clock.advance(timedelta(days=2))
    assert (await operator.post(action)).status_code == 303
    page = await page_of(bare_portal, operator)
    assert "Your first event is here" in page
    assert "It was replayed on" in page
    assert "/replay/" not in page


async def test_replaying_needs_its_right_and_a_rejected_event_of_this_key(
    bare_portal: Portal, steward: Browser
) -> None:
    await give(bare_portal, cloud_event(id="early", account=HARBOR, time="soon"))
    ((rejected_id,),) = await bare_portal.run("SELECT rejected_id FROM rejected_event")
    key_id = await key_of(bare_portal)
    assert (await steward.post(f"/connect/{key_id}/replay/{rejected_id}")).status_code == 403
    operator = await bare_portal.browser(OPERATOR)
    assert (await operator.post(f"/connect/{key_id}/replay/{rejected_id + 1}")).status_code == 404
    other = (await (await bare_portal.browser(ADMIN)).post("/connect/keys", name="other")).text
    (address,) = re.findall(r'data-address="([^"]+)"', other)
    assert (await operator.post(f"{address}/replay/{rejected_id}")).status_code == 404
    answer = await operator.send(
        f"/connect/{key_id}/replay/{rejected_id}", {"_csrf": "x"}, {"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["{unknown}", "{unknown}/live", "not-a-key", "{key}?show=lost", "{key}?cursor=x"])
async def test_what_is_not_there_is_refused(bare_portal: Portal, steward: Browser, path: str) -> None:
    named = path.format(unknown=uuid4(), key=await key_of(bare_portal))
    assert (await steward.get(f"/connect/{named}")).status_code in {400, 404}


async def test_the_stream_sends_the_events_as_they_come_and_turns_the_page_green(
    bare_portal: Portal, steward: Browser
) -> None:
    served = bare_portal.served()
    page = await page_of(bare_portal, steward)
    (seen,) = re.findall(r"/connect/[^\"]+/live\?seen=([0-9a-f]+)", page)
    key_id = await key_of(bare_portal)
    feed = await key_feed(served, steward.opened.cookie, key_id, None, seen)
    assert feed.every == 1
    stream = stream_of(served.live, steward.opened.cookie, feed)
    assert (await anext(stream)).startswith("retry:")
    assert served.live.open_of(UNTOLD) == 1

    await give(bare_portal, cloud_event(account=HARBOR))
    text = ""
    while "event: recent" not in text:
        text = await anext(stream)

    assert "conn-on" in text
    assert 'hx-swap-oob="true"' in text
    assert "job.done" in text
    assert steward.csrf not in text  # nothing here is to be sent
    served.live.close()
    assert [left async for left in stream if "event:" in left] == []
    assert served.live.open_of(UNTOLD) == 0


async def test_a_stream_that_has_nothing_new_to_say_reads_one_line(bare_portal: Portal, steward: Browser) -> None:
    served = bare_portal.served()
    key_id = await key_of(bare_portal)
    feed = await key_feed(served, steward.opened.cookie, key_id, Outcome.STORED, None)
    first = await feed.read(None)
    assert first is not None
    assert await feed.read(first.mark) is None
    await give(bare_portal, cloud_event(account=HARBOR, time="soon"))
    second = await feed.read(first.mark)
    assert second is not None
    assert "conn-refused" in second.html
    assert '<li class="ev"' not in second.html


async def test_a_stream_ends_with_its_session_and_shows_no_other_key(bare_portal: Portal, steward: Browser) -> None:
    served = bare_portal.served()
    key_id = await key_of(bare_portal)
    feed = await key_feed(served, steward.opened.cookie, key_id, None, None)
    await bare_portal.run("DELETE FROM session")
    with pytest.raises(UnauthenticatedError):
        await feed.read(None)
    champion = await bare_portal.browser("carl@harbor.example")
    with pytest.raises(NotFoundError):
        await key_feed(served, champion.opened.cookie, key_id, None, None)


async def test_only_so_many_streams_are_open_at_once(
    bare_portal: Portal, steward: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_key, "MOST_OPEN", 0)
    answer = await steward.get(f"/connect/{await key_of(bare_portal)}/live", accept="text/event-stream")
    assert answer.status_code == 204
