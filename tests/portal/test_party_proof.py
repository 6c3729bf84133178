"""Every amount of the pages of partners opens, to those who see it and to nobody else, and is worked out again."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.api.world import HARBOR, MAY_4, MAY_5
from tests.conftest import Server
from tests.portal.browsers import (
    CHAMPION,
    LEADER,
    PARTNER,
    STEWARD,
    STRANGER,
    VALIDATOR,
    Browser,
    Portal,
    a_portal,
    hrefs,
    plain,
)
from tests.portal.test_partners import PATH, STEWARDS, let, report
from tests.value.factories import put_model
from tests.value.three_parties import JOINT_DRIVER, JOINTLY, agree_on, put_etas, validate_joint
from valueplatform.portal.party_ref import PartyRef, ReportRef, Whose

SHARED = f"/shared/{HARBOR}"
LINK = re.compile(r'<a class="num[^>]* href="([^"]+)" data-value="([^"]+)" data-unit="([^"]+)"[^>]*>([^<]+)</a>')
YEAR = PartyRef(HARBOR, date(2026, 1, 1), date(2027, 1, 1), "USD", Whose.PARTY, "tessera")


@pytest.fixture
async def portal(server: Server) -> AsyncIterator[Portal]:
    """In May jobs worth 180, Tessera's syncs worth 60, Waypoint's arrivals worth 20, and 30 of a joint driver, of which
    Tessera has 30 parts in a hundred from the second day on, and Fieldnote 50."""
    async with a_portal(server) as portal:
        world = portal.world
        await put_model(world.databases, JOINTLY)
        await validate_joint(world.databases, world.harbor)
        await agree_on(world.databases, world.harbor, "0.3", "0.5", MAY_4)
        await world.refresh(world.harbor)
        await let(await portal.browser(VALIDATOR))
        await report(portal, "first", driver="invoices_synced", amount="40")
        await report(portal, "second", driver="invoices_synced", amount="15")
        await report(portal, "third")
        yield portal


def opened(page: str) -> list[tuple[str, str, str, str]]:
    """Address, exact value, unit and text of every amount that opens."""
    main = page[page.index("<main") : page.index("</main>")]
    return [(href.replace("&amp;", "&"), *rest) for href, *rest in LINK.findall(main)]


async def assert_all_open(browser: Browser, path: str) -> int:
    page = (await browser.get(path)).text
    links = opened(page)
    main = re.sub(LINK, "", page[page.index("<main") : page.index("</main>")])
    assert re.findall(r"\$[\d,.]+", plain(main)) == [], "an amount that does not open"
    for href, value, unit, text in links:
        proof = await browser.get(href)
        assert proof.status_code == 200, (href, text)
        assert f'data-value="{value}"' in proof.text, (text, unit)
        assert "Stated " in proof.text, text
        assert "We have taken this number back" not in proof.text, (text, plain(proof.text[-3000:]))
    return len(links)


@pytest.mark.parametrize(("email", "path"), [(VALIDATOR, PATH), (STEWARD, STEWARDS)])
async def test_every_amount_of_the_page_of_an_account_opens_and_agrees(portal: Portal, email: str, path: str) -> None:
    """By party, of the joint driver, and of what was reported, with what telemetry counts beside it."""
    assert await assert_all_open(await portal.browser(email), path) >= 20


@pytest.mark.parametrize("path", ["/shared", SHARED])
async def test_every_amount_of_a_partner_s_own_pages_opens_and_agrees(portal: Portal, path: str) -> None:
    """Its part, its rows, what it brings together with others, its story, what it reports."""
    count = await assert_all_open(await portal.browser(PARTNER), path)
    assert count >= (2 if path == "/shared" else 12)


async def test_a_party_opens_to_its_drivers_and_each_of_them_to_what_it_rests_on(portal: Portal) -> None:
    steward = await portal.browser(STEWARD)
    proof = (await steward.get(f"/proof/{YEAR.text}?number=realized")).text
    assert "Stated $69.00, recomputed $69.00." in proof
    assert "Share of" in proof
    drivers = [href for href in hrefs(proof, "/proof/pty_") if href != f"/proof/{YEAR.text}?number=realized"]
    assert len(drivers) == 2
    texts = [(await steward.get(href)).text for href in drivers]
    assert sorted("syncs" in text for text in texts) == [False, True], "one is the partner's own, with its formula"
    assert any("30%" in text and "from 4 May 2026" in text for text in texts)


async def test_a_partner_opens_nothing_of_others_nor_a_total_that_would_tell_it(portal: Portal) -> None:
    partner = await portal.browser(PARTNER)
    everybody = YEAR.of(whose=Whose.ALL)
    assert (await partner.get(f"/proof/{everybody.text}?number=realized")).status_code == 200
    for ref in (
        YEAR.of(party="supplier"),
        YEAR.of(party="waypoint"),
        YEAR.of(party="joint"),
        YEAR.of(party="supplier", driver=JOINT_DRIVER),
        YEAR.of(whose=Whose.ALL, driver=JOINT_DRIVER),
        YEAR.of(whose=Whose.ALL, driver="invoices_synced"),
        YEAR.of(party="tessera", driver="dispatch_time"),
        YEAR.of(party="tessera", driver="no-such"),
    ):
        assert (await partner.get(f"/proof/{ref.text}")).status_code == 404, ref
    await put_etas(portal.world.databases, portal.world.harbor, MAY_5 + timedelta(days=1), 3)
    await portal.world.refresh(portal.world.harbor)
    assert (await partner.get(f"/proof/{everybody.text}?number=realized")).status_code == 404


async def test_what_a_partner_opens_names_no_people_events_or_other_parties(portal: Portal) -> None:
    partner = await portal.browser(PARTNER)
    for href, *_ in opened((await partner.get(SHARED)).text):
        proof = (await partner.get(href)).text
        for hidden in ("Vera", "Maya", "Waypoint", "evt_", "Events", "Dispatch"):
            assert hidden not in proof[proof.index("<main") :], (href, hidden)
        assert f'href="{SHARED}"' in proof


@pytest.mark.parametrize(("email", "status"), [(CHAMPION, 200), (LEADER, 403), (STRANGER, 404), (PARTNER, 200)])
async def test_it_is_for_those_who_have_the_page(portal: Portal, email: str, status: int) -> None:
    assert (await (await portal.browser(email)).get(f"/proof/{YEAR.text}")).status_code == status


async def test_what_is_no_address_of_such_an_amount_is_not_found(portal: Portal) -> None:
    steward = await portal.browser(STEWARD)
    turned = PartyRef(HARBOR, YEAR.end, YEAR.start, "USD", Whose.PARTY, "tessera")
    wrong: list[Any] = [turned, PartyRef("nobody", YEAR.start, YEAR.end, "USD", Whose.PARTY, "tessera")]
    wrong += [ReportRef(HARBOR, 2**70), ReportRef(HARBOR, 0), ReportRef(HARBOR, 999), YEAR.of(whose=Whose.OFFERING)]
    texts = [*(one.text for one in wrong), "pty_", "pty_%20", "pty_W10", "rep_", "rep_W10", f"{YEAR.text}?number=paid"]
    for text in texts:
        assert (await steward.get(f"/proof/{text}")).status_code == 404, text


async def test_a_report_of_another_partner_and_a_number_that_it_has_not_are_not_found(portal: Portal) -> None:
    partner = await portal.browser(PARTNER)
    refs = [href for href, *_ in opened((await partner.get(SHARED)).text) if "/proof/rep_" in href]
    own = next(href for href in refs if href.endswith("number=measured"))
    assert "Stated $60.00, recomputed $60.00." in (await partner.get(own)).text
    claimed = [(await partner.get(href)).text for href in refs if href.endswith("number=claimed")]
    assert [("Stated $40.00, recomputed $40.00." in text) for text in claimed] == [True]
    reported = {href.partition("?")[0] for href in refs if href.endswith("number=reported")}
    without = reported - {href.partition("?")[0] for href in refs if href.endswith("number=measured")}
    for path in without:
        assert (await partner.get(f"{path}?number=measured")).status_code == 404
    await portal.run("ALTER TABLE contribution DISABLE TRIGGER USER")
    await portal.run("UPDATE contribution SET provider = 'waypoint'")
    assert (await partner.get(own)).status_code == 404


@pytest.mark.parametrize(
    ("fault", "of"),
    [
        ("UPDATE accrual SET expected = expected + 1 WHERE provider = 'tessera'", YEAR),
        ("UPDATE accrual SET expected = expected + 1 WHERE provider = 'joint'", YEAR),
        ("UPDATE accrual SET expected = expected + 1 WHERE provider = 'supplier'", YEAR.of(whose=Whose.ALL)),
        ("UPDATE split_entry SET share = 0.35", YEAR),
    ],
)
async def test_what_the_events_do_not_bear_out_is_taken_back(portal: Portal, fault: str, of: PartyRef) -> None:
    steward = await portal.browser(STEWARD)
    if "split_entry" in fault:
        stated = (await steward.get(f"/proof/{of.text}")).text
        await portal.run("ALTER TABLE split_entry DISABLE TRIGGER USER")
        await portal.run(fault)
        changed = (await steward.get(f"/proof/{of.text}")).text
        assert "Stated $69.00" in stated
        assert "Stated $70.50, recomputed $70.50." in changed, "both read what was agreed on"
        return
    await portal.run("DELETE FROM changed_day")  # what waits would set it right
    await portal.run(fault)
    assert "We have taken this number back" in (await steward.get(f"/proof/{of.text}")).text
