"""A number opened over HTTP: what it shows, to whom, and what it says where it does not agree."""

import asyncio
import re
from typing import Any

import pytest

from tests.api.world import GLOBEX, HARBOR, MAY_4, MAY_5, suggest
from tests.portal.browsers import STEWARD, STRANGER, VALIDATOR, Browser, Portal, hrefs
from tests.value.factories import mark
from tests.value.three_parties import put_jobs
from valueplatform.core.database import Database, Role
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.portal import proof as proofs
from valueplatform.portal.open_pages import keep_open
from valueplatform.worker import refresh_account

TAKEN_BACK = "We have taken this number back."


async def headline(browser: Browser, path: str = "/story") -> str:
    """Where the first number of the headline opens."""
    page = (await browser.get(path)).text
    return hrefs(page[page.index("<h1") : page.index("</h1>")], "/proof/")[0]


async def test_the_address_is_a_page_and_for_htmx_a_drawer(customer: Browser) -> None:
    href = await headline(customer)
    page, drawer = await customer.get(href), await customer.part(href)

    assert "<!doctype html>" in page.text
    assert "<html" not in drawer.text
    assert "HX-Request" in page.headers["vary"]
    assert "HX-Request" in drawer.headers["vary"]
    (verdict,) = set(re.findall(r"<strong>(Stated .*?)</strong>", page.text + drawer.text))
    stated, recomputed = re.findall(r"\$[\d,.]*\d", verdict)
    assert stated == recomputed


async def test_a_total_shows_its_classes_first_then_what_it_rests_on(customer: Browser) -> None:
    proof = (await customer.part(await headline(customer))).text
    order = [proof.index(f">{title}") for title in ("What it is made of", "Formula", "Assumptions", "Meters", "Events")]

    assert order == sorted(order)
    assert "Cashable" in proof
    assert "Capacity" in proof


async def test_the_arithmetic_links_down_to_its_parts(customer: Browser) -> None:
    page = (await customer.get("/story")).text
    for href in hrefs(page, "/proof/"):
        proof = (await customer.part(href)).text
        for term in re.findall(r'class="term[^"]*" href="#([^"]+)"', proof):
            assert f'id="{term}"' in proof, (href, term)


async def test_the_same_number_stands_out_in_its_sentence(customer: Browser) -> None:
    proof = (await customer.part(await headline(customer))).text
    sentence = proof[proof.index('<p class="insight"') : proof.index("</p>")]

    assert sentence.count("<b data-value=") == 1


async def test_a_number_that_does_not_recompute_is_taken_back(portal: Portal, customer: Browser) -> None:
    href = await headline(customer)
    await portal.run("UPDATE event SET data = data || '{\"minutes\": 0}' WHERE type = 'job.dispatched'")
    proof = (await customer.part(href)).text

    assert TAKEN_BACK in proof
    assert 'role="alert"' in proof
    assert ">Stated " not in proof


async def test_newer_events_are_no_disagreement(
    portal: Portal, customer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PAUSE", 0.01)
    href = await headline(customer)
    await put_jobs(portal.world.databases, portal.world.harbor, MAY_5, 30)
    proof = (await customer.part(href)).text

    assert TAKEN_BACK not in proof
    assert "New events have come in." in proof
    assert await portal.run("SELECT 1 FROM open_page") != []  # so the worker serves the account first


async def test_a_number_is_opened_anew_once_the_worker_has_told_it(
    portal: Portal, customer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, account_id, now = portal.world.databases.url, portal.world.harbor, portal.world.clock()

    async def work() -> None:
        database = Database(url, Role.WORKER)
        async with database.transaction(grant_accounts([account_id])) as tx:
            await refresh_account(tx, account_id, now)
        await database.dispose()

    async def served_first(*page: Any) -> None:
        await keep_open(*page)
        await asyncio.to_thread(asyncio.run, work())  # the server has a loop of its own, and so has a worker

    monkeypatch.setattr(proofs, "PAUSE", 0.0)
    monkeypatch.setattr(proofs, "keep_open", served_first)
    href = await headline(customer)
    await put_jobs(portal.world.databases, account_id, MAY_5, 30)

    assert ">Stated $530.00, recomputed $530.00." in (await customer.part(href)).text


async def test_what_is_no_longer_told_says_so_calmly(portal: Portal, customer: Browser) -> None:
    href = await headline(customer)
    await portal.run("UPDATE insight SET until = now()")
    await portal.run("DELETE FROM event WHERE type = 'job.dispatched'")
    proof = (await customer.part(href)).text

    assert "This is no longer told." in proof
    assert TAKEN_BACK not in proof


async def test_single_events_are_masked_but_for_who_has_the_right(portal: Portal, customer: Browser) -> None:
    await portal.run("UPDATE event SET subject = 'person-17'")
    href = await headline(customer)
    masked = (await customer.part(href)).text
    whole = (await (await portal.browser(VALIDATOR)).part(href)).text

    assert ("person-17" in masked, "•••" in masked) == (False, True)
    assert "person-17" in whole
    assert "minutes" in whole[whole.index("p-events") :]


async def test_more_events_follow_without_a_repeat(portal: Portal, customer: Browser) -> None:
    await put_jobs(portal.world.databases, portal.world.harbor, MAY_4, 50)
    await portal.world.refresh(portal.world.harbor)
    first = (await customer.part(await headline(customer))).text
    (more,) = set(hrefs(first, "/proof/")) & {href for href in hrefs(first, "/proof/") if "/events?" in href}
    second = await customer.part(more)

    assert second.status_code == 200
    assert "<html" not in second.text
    assert second.text.count("<tr>") == 21  # twenty, and the way on


@pytest.mark.parametrize(
    "path",
    [
        "/proof/ins_00000000000000000000",
        "/proof/ins_00000000000000000000/events?cursor=x",
        "/proof/sug_00000000000000000000",
        "/proof/input?slug=nothing",
        "/proof/input",
        "/proof/anything",
    ],
)
async def test_what_is_not_there_cannot_be_opened(customer: Browser, path: str) -> None:
    assert (await customer.get(path)).status_code == 404


async def test_a_number_of_another_account_is_not_there(portal: Portal, customer: Browser) -> None:
    href = await headline(customer)
    stranger = await portal.browser(STRANGER)
    answers = [await stranger.get(path) for path in (href, "/proof/ins_00000000000000000000?number=realized")]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_a_name_that_the_insight_does_not_have_is_not_there(customer: Browser) -> None:
    href = (await headline(customer)).partition("?")[0]

    assert (await customer.get(f"{href}?number=nothing")).status_code == 404


async def test_the_steward_opens_every_number_of_an_account_s_page(portal: Portal) -> None:
    steward = await portal.browser(STEWARD)
    page = (await steward.get(f"/accounts/{HARBOR}/story")).text
    found = sorted(set(hrefs(page, "/proof/")))
    assert found

    for href in found:
        proof = await steward.get(href)
        assert (proof.status_code, ">Stated " in proof.text) == (200, True), href
        assert hrefs(proof.text, f"/accounts/{HARBOR}/story")


async def test_an_input_opens_by_itself(portal: Portal, customer: Browser) -> None:
    own = await customer.part("/proof/input?slug=hourly_cost")
    steward = await portal.browser(STEWARD)
    theirs = await steward.part(f"/proof/input?slug=hourly_cost&account={GLOBEX}")

    assert "Stated $45.00" in own.text
    assert "Hourly cost" in own.text
    assert "Stated $45.00" in theirs.text


async def test_a_customer_opens_inputs_of_no_other_account(customer: Browser) -> None:
    assert (await customer.get(f"/proof/input?slug=hourly_cost&account={GLOBEX}")).status_code == 404


async def test_a_suggestion_s_number_says_how_it_is_predicted(portal: Portal, customer: Browser) -> None:
    ids = await suggest(portal.world, "erp-connector")
    page = (await customer.get("/story")).text
    found = [href for href in set(hrefs(page, "/proof/")) if ids["erp-connector"] in href]
    assert found

    for href in found:
        proof = await customer.part(href)
        assert proof.status_code == 200
        assert "compared with themselves before" in proof.text
        assert TAKEN_BACK not in proof.text


async def test_marks_of_another_account_do_not_delay_a_proof(portal: Portal, customer: Browser) -> None:
    href = await headline(customer)
    async with portal.world.databases.worker.transaction(grant_all()) as tx:
        await mark(tx, portal.world.globex, MAY_4, "events")

    assert ">Stated " in (await customer.part(href)).text
