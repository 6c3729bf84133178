"""The page of partners, for each side of an account: the same rights and masks as the API's."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.world import HARBOR, MAY_4
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
    plain,
)
from tests.value.factories import put_model
from tests.value.three_parties import JOINT_DRIVER, JOINTLY, agree_on, validate_joint

PATH = "/partners"
STEWARDS = f"/accounts/{HARBOR}/partners"
REPORTED = {"account": HARBOR, "amount": "7", "period": "2026-05", "evidence": "our ledger"}


@pytest.fixture
async def portal(server: Server) -> AsyncIterator[Portal]:
    """In May jobs worth 180, Tessera's syncs worth 60, Waypoint's arrivals worth 20, and 30 of a joint driver."""
    async with a_portal(server) as portal:
        world = portal.world
        await put_model(world.databases, JOINTLY)
        await validate_joint(world.databases, world.harbor)
        await portal.run("UPDATE provider SET name = 'Tessera Inc' WHERE slug = 'tessera'")
        await world.refresh(world.harbor)
        yield portal


@pytest.fixture
async def validator(portal: Portal) -> Browser:
    return await portal.browser(VALIDATOR)


async def let(validator: Browser, *, granted: bool = True, what: str = "contribute") -> Any:
    fields = {"provider": "tessera", "what": what, "reason": "they keep the ledger"}
    return await validator.post(f"{PATH}/consents", **fields, **({"granted": "yes"} if granted else {}))


async def report(portal: Portal, name: str = "may", **given: str) -> int:
    sent = await portal.world.send(
        "POST", "/api/v1/contributions", "tessera", {**REPORTED, "id": name, "title": "Paper saved", **given}
    )
    assert sent.status_code == 201, sent.text
    return int(sent.json()["contribution_id"])


async def propose(browser: Browser, path: str = PATH, **given: str) -> Any:
    wanted = {"driver": JOINT_DRIVER, "provider": "tessera", "share": "30", "supplier_share": "50", "reason": "sold so"}
    return await browser.post(f"{path}/splits", **{**wanted, **given})


async def test_everyone_of_the_account_and_its_steward_see_who_brings_what(portal: Portal) -> None:
    for who, path in ((CHAMPION, PATH), (VALIDATOR, PATH), (STEWARD, STEWARDS)):
        page = await (await portal.browser(who)).get(path)
        assert page.status_code == 200
        assert "Tessera Inc" in page.text
        assert "$30.00" in page.text
        assert "Joint drivers without an agreed share" in page.text


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [(STRANGER, STEWARDS, 404), (PARTNER, PATH, 404), (PARTNER, STEWARDS, 404), (LEADER, STEWARDS, 403),
     (STEWARD, PATH, 404)],
)  # fmt: skip
async def test_nobody_else_sees_it(portal: Portal, who: str, path: str, status: int) -> None:
    assert (await (await portal.browser(who)).get(path)).status_code == status


async def test_it_is_reached_from_the_menu_and_from_the_story(portal: Portal, validator: Browser) -> None:
    story = (await validator.get("/story")).text
    assert story.count('href="/partners"') == 2
    steward = await portal.browser(STEWARD)
    assert f'href="{STEWARDS}"' in (await steward.get(f"/accounts/{HARBOR}/story")).text


async def test_consent_is_given_and_withdrawn_with_who_and_when(portal: Portal, validator: Browser) -> None:
    assert "Nobody has given it." in (await validator.get(PATH)).text
    given = await let(validator)
    assert (given.status_code, given.headers["location"]) == (303, f"{PATH}#partner-tessera")
    assert "Given by Vera Lind on 15 Jun 2026: they keep the ledger" in (await validator.get(PATH)).text
    await let(validator, granted=False)
    assert "Withdrawn by Vera Lind on 15 Jun 2026" in (await validator.get(PATH)).text
    await let(validator, granted=False, what="see")
    partner = await portal.browser(PARTNER)
    assert "No account is shared with you yet." in (await partner.get("/shared")).text
    assert (await partner.get(f"/shared/{HARBOR}")).status_code == 404


async def test_consent_is_the_customers_alone(portal: Portal) -> None:
    steward = await portal.browser(STEWARD)
    page = (await steward.get(STEWARDS)).text
    assert "Give consent" not in page
    said = await steward.post(f"{STEWARDS}/consents", provider="tessera", what="see", reason="r", granted="yes")
    assert said.status_code == 403


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"provider": "tessera", "what": "contribute", "reason": " "}, "`reason` is empty"),
        ({"provider": "tessera", "what": "everything", "reason": "r"}, "Choose what the partner may do"),
        ({"provider": "tessera", "what": "see", "reason": "a\0b"}, "zero byte"),
    ],
)
async def test_what_cannot_be_is_said_on_the_page(validator: Browser, fields: dict[str, str], said: str) -> None:
    answer = await validator.post(f"{PATH}/consents", **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert (await validator.post(f"{PATH}/consents", provider="nobody", what="see", reason="r")).status_code == 404


async def test_a_validator_corroborates_and_anybody_disputes(portal: Portal, validator: Browser) -> None:
    await let(validator)
    number = await report(portal)
    page = (await validator.get(PATH)).text
    assert "Partner-reported" in page
    assert "Nothing bears it out yet" in page
    champion = await portal.browser(CHAMPION)
    assert ">Corroborate<" not in (await champion.get(PATH)).text
    path = f"{PATH}/contributions/{number}"
    assert (await champion.post(path, verb="corroborate", reason="r")).status_code == 403
    assert (await validator.post(path, verb="corroborate", reason="as in our books")).status_code == 303
    assert "Corroborated by Vera Lind: as in our books" in (await validator.get(PATH)).text
    assert (await champion.post(path, verb="dispute", reason="half of it")).status_code == 303
    assert "Disputed by Carl Berg: half of it" in (await validator.get(PATH)).text
    steward = await portal.browser(STEWARD)
    answer = await steward.post(f"{STEWARDS}/contributions/{number}", verb="dispute", reason="r")
    assert answer.status_code == 403
    assert (await validator.post(path, verb="praise", reason="r")).status_code == 404


async def test_what_telemetry_bears_out_shows_with_what_it_counts(portal: Portal, validator: Browser) -> None:
    await let(validator)
    await report(portal, "first", driver="invoices_synced", amount="40")
    await report(portal, "second", driver="invoices_synced", amount="30")
    page = (await validator.get(PATH)).text
    assert "Invoices synced counts $60.00 by telemetry in May 2026." in plain(page)
    assert "Telemetry bears it out." in page
    assert "of which $40.00 was claimed before" in plain(page)


async def test_a_split_is_in_force_once_all_three_have_agreed(portal: Portal, validator: Browser) -> None:
    steward, partner = await portal.browser(STEWARD), await portal.browser(PARTNER)
    assert (await propose(steward, STEWARDS)).status_code == 303
    page = (await validator.get(PATH)).text
    assert "Waits for your side and Tessera Inc" in page
    number = page.split('id="split-', 1)[1].split('"', 1)[0]
    assert (await validator.post(f"{PATH}/splits/{number}", verb="agree", reason="fair")).status_code == 303
    assert (await partner.post(f"/shared/{HARBOR}/splits/{number}", verb="agree", reason="fine")).status_code == 303
    page = (await steward.get(STEWARDS)).text
    assert "In force" in page
    assert "From 15 Jun 2026 on" in page
    assert "Tessera Inc 30%, Fieldnote 50%, 20% stays joint" in page
    assert "Agreed by Vera Lind" in page
    again = await validator.post(f"{PATH}/splits/{number}", verb="refuse", reason="late")
    assert again.status_code == 400
    assert "in-force already; propose a new one" in again.text


async def test_parts_of_a_joint_driver_stand_by_party(portal: Portal, validator: Browser) -> None:
    await agree_on(portal.world.databases, portal.world.harbor, "0.3", "0.5", MAY_4)
    page = (await validator.get(PATH)).text
    assert "$30.00 together; 20.0% of it stays joint" in plain(page)
    for part in ("$9.00", "$15.00", "$6.00"):
        assert part in page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"share": "seventy"}, "write a number from 0 to 100"),
        ({"share": "70", "supplier_share": "40"}, "together at most 1"),
        ({"share": "-1"}, "write a number from 0 to 100"),
        ({"reason": ""}, "`reason` is empty"),
    ],
)
async def test_a_proposal_that_cannot_be_keeps_what_was_typed(
    validator: Browser, given: dict[str, str], said: str
) -> None:
    answer = await propose(validator, **given)
    assert answer.status_code == 400
    assert said in answer.text
    assert 'value="' + given.get("share", "30") + '"' in answer.text


async def test_htmx_is_answered_so_that_it_shows_the_error(validator: Browser) -> None:
    fields = {"_csrf": validator.csrf, "driver": JOINT_DRIVER, "provider": "tessera", "share": "x", "reason": "r"}
    sent = {"sec-fetch-site": "same-origin", "HX-Request": "true"}
    answer = await validator.send(f"{PATH}/splits", fields, sent)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text


async def test_a_champion_reads_splits_and_agrees_to_none(portal: Portal) -> None:
    champion = await portal.browser(CHAMPION)
    await propose(await portal.browser(STEWARD), STEWARDS)
    page = (await champion.get(PATH)).text
    assert "Propose a split" not in page
    assert ">Agree<" not in page
    assert (await propose(champion)).status_code == 403
