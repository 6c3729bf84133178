"""The pages of proposals on a real record."""

import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Browser, Portal, hrefs
from tests.telemetry.factories import cloud_event, send
from tests.value.factories import NOW
from valueplatform.core.scope import grant_all
from valueplatform.portal.proposals import edits_of
from valueplatform.telemetry.catalog_count import count_some, note_marks
from valueplatform.value.discovery_accepting import carry_out
from valueplatform.value.discovery_run import discover

PATH = "/catalog/proposals"
ODD = 'ünfug/<b>\'s & "more"</b>'


@pytest.fixture
async def proposed(portal: Portal) -> Portal:
    """Two types that no meter reads, counted, and what follows from them."""
    databases = portal.world.databases
    await send(databases, *(cloud_event(type=ODD, account=f"a{n}") for n in range(3)))
    await send(databases, cloud_event(type="export.made", data=None))
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
        while await count_some(tx):
            pass
    async for _ in discover(databases.worker, grant_all(), NOW):
        pass
    return portal


async def opened(browser: Browser, title: str = "Meter: Export made") -> str:
    """The address of a proposal by its heading."""
    for href in hrefs((await browser.get(PATH)).text, f"{PATH}/"):
        if title in (await browser.get(href)).text:
            return href
    raise AssertionError(title)


@pytest.mark.parametrize(
    ("email", "status"),
    [(STEWARD, 200), (ADMIN, 200), (LEADER, 404), (OPERATOR, 404), (CHAMPION, 404), (PARTNER, 404)],
)
async def test_they_are_for_those_who_have_the_catalog(portal: Portal, email: str, status: int) -> None:
    assert (await (await portal.browser(email)).get(PATH)).status_code == status


async def test_the_catalog_leads_to_them_and_an_empty_list_says_when_they_come(
    portal: Portal, steward: Browser
) -> None:
    assert PATH in hrefs((await steward.get("/catalog")).text, "/catalog")
    assert "Nothing is proposed for the value model." in (await steward.get(PATH)).text


async def test_evidence_opens_down_to_counts_and_odd_names_stay_text(proposed: Portal, steward: Browser) -> None:
    page = (await steward.get(PATH)).text
    assert "<b>'s" not in page
    assert "&lt;b&gt;" in page
    one = (await steward.get(await opened(steward))).text
    assert "Last 13 weeks" in one
    assert "Too few accounts" in one
    assert "COUNT of events in export.made" in one
    assert "style=" not in one.split("<main")[1]


async def test_a_steward_suggests_and_an_administrator_accepts(proposed: Portal, steward: Browser) -> None:
    href = await opened(steward)
    assert f"{href}/accept" not in (await steward.get(href)).text
    assert (await steward.post(f"{href}/accept")).status_code == 403
    assert (await steward.post(f"{href}/suggest", reason="Customers ask for it.")).status_code == 303
    admin = await proposed.browser(ADMIN)
    page = (await admin.get(href)).text
    assert "Customers ask for it." in page
    wrong = await admin.post(f"{href}/accept", title="Exports", slug="Not a slug")
    assert wrong.status_code == 400
    assert "cannot be a slug" in wrong.text
    assert (await admin.post(f"{href}/accept", title="Exports", slug="exports")).status_code == 303
    assert "Being counted" in (await admin.get(f"{href}/state")).text
    await carry_out(proposed.world.databases.worker, grant_all(), lambda: NOW)
    assert "In the model" in (await admin.get(f"{href}/state")).text
    assert (await admin.post(f"{href}/withdraw", reason="Too much.")).status_code == 303


async def test_edits_are_shown_before_and_change_nothing(proposed: Portal) -> None:
    admin = await proposed.browser(ADMIN)
    href = await opened(admin)
    page = (await admin.get(f"{href}?title=Exports&slug=exports_made")).text
    assert "New meter exports_made" in page
    assert "cannot be a slug" in (await admin.get(f"{href}?slug=9")).text
    assert "exports_made" not in (await admin.get(href)).text
    assert "csrf" not in page.split("<form")[2].split(">")[0]


@pytest.mark.parametrize("text", ["many", "NaN", "1e", "9" * 41, "Infinity"])
def test_a_value_that_is_no_number_is_named(text: str) -> None:
    with pytest.raises(Exception, match="low"):
        edits_of({"low": text})
