"""A partner's home: what it sees, what stays masked, what it reports and agrees to."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.api.world import GLOBEX, HARBOR, MAY_4, MAY_5
from tests.conftest import Server
from tests.portal.browsers import CHAMPION, PARTNER, STEWARD, VALIDATOR, Browser, Portal, a_portal, plain
from tests.portal.test_partners import STEWARDS, let, propose
from tests.value.factories import put_model
from tests.value.three_parties import JOINT_DRIVER, JOINTLY, agree_on, put_etas, validate_joint

PATH = f"/shared/{HARBOR}"


@pytest.fixture
async def portal(server: Server) -> AsyncIterator[Portal]:
    async with a_portal(server) as portal:
        world = portal.world
        await put_model(world.databases, JOINTLY)
        await validate_joint(world.databases, world.harbor)
        await world.refresh(world.harbor)
        yield portal


@pytest.fixture
async def partner(portal: Portal) -> Browser:
    return await portal.browser(PARTNER)


async def report(partner: Browser, **given: str) -> Any:
    fields = {"id": "may", "driver": "", "title": "Paper saved", "amount": "1,200.50", "period": "2026-05",
              "evidence": "our ledger"}  # fmt: skip
    return await partner.post(f"{PATH}/contributions", **{**fields, **given})


async def test_it_lists_the_shared_accounts_with_its_part(partner: Browser) -> None:
    page = (await partner.get("/shared")).text
    assert "One account is shared with you." in page
    assert f'href="{PATH}"' in page
    assert "$60.00" in page
    assert GLOBEX not in page


async def test_a_combined_total_that_tells_of_one_other_partner_is_not_shown(portal: Portal, partner: Browser) -> None:
    assert "of it is yours" in (await partner.get(PATH)).text
    world = portal.world
    await put_etas(world.databases, world.harbor, MAY_5 + timedelta(days=1), 3)
    await world.refresh(world.harbor)
    page = (await partner.get(PATH)).text
    assert "of it is yours" not in page
    assert "would tell what one other party brings" in page
    assert "Not shown" in (await partner.get("/shared")).text


async def test_its_agreed_part_of_a_joint_driver_is_among_its_rows_and_in_its_story(
    portal: Portal, partner: Browser
) -> None:
    await agree_on(portal.world.databases, portal.world.harbor, "0.3", "0.5", MAY_4)
    page = (await partner.get(PATH)).text
    assert "You contributed $69.00" in plain(page)
    assert "$9.00" in page
    assert "Invoices paid sooner contributed $9" in plain(page)
    assert "Dispatch" not in page


async def test_who_spoke_for_others_is_not_told(portal: Portal, partner: Browser) -> None:
    await let(await portal.browser(VALIDATOR))
    await propose(await portal.browser(STEWARD), STEWARDS)
    page = (await partner.get(PATH)).text
    assert "Given by the customer on" in page
    assert "Proposed by Fieldnote on" in page
    assert "Waits for the customer and you" in page
    for name in ("Vera", "Maya"):
        assert name not in page


async def test_a_split_that_waits_is_named_at_home_until_it_is_answered(portal: Portal, partner: Browser) -> None:
    await propose(await portal.browser(STEWARD), STEWARDS)
    assert "One waiting for you" in (await partner.get("/shared")).text
    page = (await partner.get(PATH)).text
    number = page.split('id="split-', 1)[1].split('"', 1)[0]
    answer = await partner.post(f"{PATH}/splits/{number}", verb="refuse", reason="too little")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}#split-{number}")
    assert "Declined by Tess on 15 Jun 2026: too little" in (await partner.get(PATH)).text
    assert "waiting for you" not in (await partner.get("/shared")).text


async def test_it_proposes_its_own_share_and_takes_it_back(partner: Browser) -> None:
    fields = {"driver": JOINT_DRIVER, "share": "12,5", "supplier_share": "50", "reason": "as sold"}
    assert (await partner.post(f"{PATH}/splits", **fields)).status_code == 303
    page = (await partner.get(PATH)).text
    assert "12.5%" in page
    number = page.split('id="split-', 1)[1].split('"', 1)[0]
    assert (await partner.post(f"{PATH}/splits/{number}", verb="withdraw", reason="no")).status_code == 303
    assert (await partner.post(f"{PATH}/splits", **{**fields, "share": "101"})).status_code == 400


async def test_it_reports_under_consent_and_withdraws(portal: Portal, partner: Browser) -> None:
    assert "has not let you report value here" in (await partner.get(PATH)).text
    assert (await report(partner)).status_code == 403
    await let(await portal.browser(VALIDATOR))
    assert (await report(partner)).status_code == 303
    page = (await partner.get(PATH)).text
    assert "Paper saved" in page
    assert "$1,200.50" in page
    assert (await report(partner)).status_code == 303, "the same again is there already"
    other = await report(partner, amount="5")
    assert other.status_code == 400
    assert "sent before with other content" in other.text
    back = await partner.post(f"{PATH}/contributions/withdraw", id="may", number="1", reason="counted twice")
    assert back.status_code == 303
    assert "counted twice" in (await partner.get(PATH)).text


@pytest.mark.parametrize(
    "given",
    [{"amount": "much"}, {"amount": "NaN"}, {"amount": "0"}, {"period": "May"}, {"evidence": ""}, {"id": "a\0"}],
)
async def test_what_cannot_be_reported_is_said_beside_what_was_typed(
    portal: Portal, partner: Browser, given: dict[str, str]
) -> None:
    await let(await portal.browser(VALIDATOR))
    answer = await report(partner, **given)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Paper saved" in answer.text


async def test_that_something_is_disputed_is_not_told(portal: Portal, partner: Browser) -> None:
    validator = await portal.browser(VALIDATOR)
    await let(validator)
    await report(partner)
    await validator.post("/partners/contributions/1", verb="dispute", reason="not so")
    page = (await partner.get(PATH)).text
    assert "not so" not in page
    assert "Disputed" not in page
    assert "Partner-reported" in page


async def test_the_report_is_the_file_that_the_api_gives(portal: Portal, partner: Browser) -> None:
    await agree_on(portal.world.databases, portal.world.harbor, "0.3", "0.5", MAY_4)
    asked = f"/api/v1/accounts/{HARBOR}/report"
    for part in ("value", "partners"):
        answer = await partner.get(f"{PATH}/report.csv?part={part}")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.text == (await portal.world.get(asked, "tessera", format="csv", part=part)).text
    assert "split,tessera,paid_sooner,agreed,2026-05-04,,,,0.3" in answer.text
    assert (await partner.get(f"{PATH}/report.csv?part=neither")).status_code == 400


@pytest.mark.parametrize("who", [CHAMPION, STEWARD])
async def test_it_is_for_partners_alone(portal: Portal, who: str) -> None:
    browser = await portal.browser(who)
    for path in ("/shared", PATH, f"{PATH}/report.csv"):
        assert (await browser.get(path)).status_code == 404


async def test_another_account_is_as_if_it_were_not_there(partner: Browser) -> None:
    assert (await partner.get(f"/shared/{GLOBEX}")).status_code == 404
    assert (await partner.get("/shared/nobody")).status_code == 404


async def test_a_partner_reads_its_story_in_the_language_that_it_chose(partner: Browser) -> None:
    page = (await partner.get(PATH)).text
    assert re.search(r'<p class="insight"[^>]*>Your part of [^<]+', page)
    await partner.post("/settings/language", language="de", back=PATH)

    page = (await partner.get(PATH)).text
    assert re.search(r'<p lang="de" class="insight"[^>]*>Ihr Anteil [^<]+', page)
    assert '<b lang="de" aria-current="true">Deutsch</b>' in page


async def test_it_asks_to_be_let_report_and_the_customer_declines_or_gives_it_on_its_page(
    portal: Portal, partner: Browser
) -> None:
    asked = await partner.post(f"{PATH}/consents", reason="Our ledger has it.")
    assert (asked.status_code, asked.headers["location"]) == (303, f"{PATH}#consents")
    page = (await partner.get(PATH)).text
    assert "You asked on 15 Jun 2026: Our ledger has it." in page
    assert f'action="{PATH}/consents"' not in page
    (mark,) = await portal.run("SELECT cause FROM changed_day WHERE cause = 'conversation'")
    assert mark.cause, "the worker looks at prompts anew"

    validator = await portal.browser(VALIDATOR)
    page = (await validator.get("/partners")).text
    assert re.search(r"[Tt]essera[^<]* asked on 15 Jun 2026: Our ledger has it\.", page)
    no = await validator.post(
        "/partners/consents", provider="tessera", what="contribute", granted="yes", verb="decline", reason="Not yet."
    )
    assert no.status_code == 303
    assert "Declined by Vera Lind on 15 Jun 2026: Not yet." in (await validator.get("/partners")).text
    assert f'action="{PATH}/consents"' in (await partner.get(PATH)).text, "it may ask again"
    await let(validator)
    page = (await partner.get(PATH)).text
    assert f'action="{PATH}/consents"' not in page
    assert (await partner.post(f"{PATH}/consents", reason="again")).status_code == 400


async def test_a_request_needs_a_reason_and_a_partner(portal: Portal, partner: Browser) -> None:
    refused = await partner.post(f"{PATH}/consents", reason=" ")
    assert refused.status_code == 400
    assert "`reason` is empty" in refused.text
    validator = await portal.browser(VALIDATOR)
    assert (await validator.post(f"{PATH}/consents", reason="r")).status_code == 404
