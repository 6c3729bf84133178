"""How a reader wants to be told: off until chosen, and turned off by one click."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conftest import Server
from tests.core.mail_server import SENDER
from tests.portal.browsers import CHAMPION, LEADER, PARTNER, STEWARD, Browser, Portal
from valueplatform.core.outbound import Outbound
from valueplatform.core.smtp import SmtpSettings, Tls
from valueplatform.stewardship.digests.choice import unsubscribe_token

GOOD = {"channel": "webhook", "cadence": "weekly", "weekday": "4", "hour": "7", "timezone": "Europe/Berlin"}
HOOK = "https://93.184.216.34/in"
"""A public address that needs no look-up; nothing calls it."""


async def chosen(portal: Portal) -> list[Any]:
    return [row._asdict() for row in await portal.run("SELECT * FROM digest_choice ORDER BY user_id")]


async def test_nothing_is_chosen_at_first_and_the_page_says_so(customer: Browser) -> None:
    page = (await customer.get("/settings")).text

    assert "Nothing is sent until you choose it here." in page
    assert re.search(r'value="none" checked', page)


async def test_without_a_mail_server_e_mail_is_not_offered_and_the_page_says_who_can_change_that(
    customer: Browser, portal: Portal
) -> None:
    page = (await customer.get("/settings")).text

    assert 'value="email"' not in page
    assert "VALUEPLATFORM_SMTP_HOST" in page
    refused = await customer.post("/settings", **{**GOOD, "channel": "email"})
    assert refused.status_code == 400
    assert await chosen(portal) == []


async def test_a_webhook_is_kept_and_its_secret_is_shown_once(customer: Browser, portal: Portal) -> None:
    saved = await customer.post("/settings", **GOOD, webhook_url=HOOK)
    again = await customer.get("/settings")
    (row,) = await chosen(portal)

    assert saved.status_code == 200
    assert saved.headers["cache-control"] == "no-store"
    assert re.search(r"whsec_[A-Za-z0-9+/=]{44}", saved.text)
    assert "whsec_" not in again.text
    assert (row["webhook_url"], row["weekday"], row["hour"]) == (HOOK, 4, 7)
    assert (await customer.post("/settings", **GOOD, webhook_url=HOOK)).status_code == 303
    assert "whsec_" in (await customer.post("/settings", **GOOD, webhook_url=HOOK, new_secret="1")).text


@pytest.mark.parametrize("wrong", [
    {"webhook_url": ""}, {"webhook_url": "http://93.184.216.34/"}, {"webhook_url": "https://127.0.0.1/"},
    {"webhook_url": "https://169.254.169.254/latest"}, {"webhook_url": "https://[::1]/"}, {"channel": "pigeon"},
    {"cadence": ""}, {"weekday": "7"}, {"weekday": "-1"}, {"hour": "24"}, {"hour": "x"}, {"timezone": "Mars/Base"},
    {"timezone": ""}, {"timezone": "\0"}, {"hour": "1e9"}, {"webhook_url": "https://93.184.216.34/\r\nX: y"},
])  # fmt: skip
async def test_what_cannot_be_is_refused_and_nothing_is_kept(
    customer: Browser, portal: Portal, wrong: dict[str, str]
) -> None:
    answer = await customer.post("/settings", **{**GOOD, "webhook_url": HOOK, **wrong})

    assert answer.status_code == 400
    assert "settings-error" in answer.text
    assert await chosen(portal) == []


async def test_a_choice_follows_the_story_from_its_version_of_today(customer: Browser, portal: Portal) -> None:
    await customer.post("/settings", **GOOD, webhook_url=HOOK)
    (mark,) = await portal.run("SELECT audience, version, sent_at FROM digest_mark")
    newest = (await portal.run("SELECT max(version) FROM story WHERE audience = 'customer'"))[0][0]

    assert (mark.audience, mark.version, mark.sent_at) == ("customer", newest, None)


async def test_a_steward_follows_the_accounts_of_theirs_and_may_be_told_bad_news_at_once(
    steward: Browser, portal: Portal
) -> None:
    assert 'name="bad_news"' in (await steward.get("/settings")).text
    await steward.post("/settings", **GOOD, webhook_url=HOOK, bad_news="1")
    marks = await portal.run("SELECT DISTINCT audience FROM digest_mark")
    count = (await portal.run("SELECT count(*) FROM digest_mark"))[0][0]

    assert [mark.audience for mark in marks] == ["steward"]
    assert count == 2
    assert (await chosen(portal))[0]["bad_news"]


async def test_a_customer_cannot_ask_for_what_the_steward_is_told(customer: Browser, portal: Portal) -> None:
    assert 'name="bad_news"' not in (await customer.get("/settings")).text
    await customer.post("/settings", **GOOD, webhook_url=HOOK, bad_news="1")

    assert not (await chosen(portal))[0]["bad_news"]


@pytest.mark.parametrize("email", [PARTNER, LEADER])
async def test_whoever_has_no_story_has_no_settings(portal: Portal, email: str) -> None:
    browser = await portal.browser(email)

    assert (await browser.get("/settings")).status_code == 404
    assert (await browser.post("/settings", **GOOD, webhook_url=HOOK)).status_code == 404


async def test_a_form_of_another_site_changes_nothing(customer: Browser, portal: Portal) -> None:
    given = {**GOOD, "webhook_url": HOOK, "_csrf": "x" * 43}
    answer = await customer.send("/settings", given, {"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403
    assert await chosen(portal) == []


async def test_what_could_not_be_delivered_is_told(customer: Browser, portal: Portal) -> None:
    await customer.post("/settings", **GOOD, webhook_url=HOOK)
    await portal.run("""
        INSERT INTO digest (account_id, digest_id, user_id, audience, kind, version, since_at, channel, body, queued_at,
                            next_at, attempts, state, ended_at, error)
        SELECT account_id, gen_random_uuid(), user_id, audience, 'digest', 9, now(), 'webhook', '{}', now(), now(), 9,
               'given-up', now(), 'The address answered 500.' FROM digest_mark
    """)
    page = (await customer.get("/settings")).text

    assert "could not be delivered" in page
    assert "The address answered 500." in page


async def link(portal: Portal) -> str:
    (row,) = await chosen(portal)
    return f"/unsubscribe/{unsubscribe_token(row['user_id'], row['unsubscribe_key'])}"


async def test_one_click_of_a_mail_program_turns_digests_off_without_a_session(
    customer: Browser, portal: Portal
) -> None:
    await customer.post("/settings", **GOOD, webhook_url=HOOK)
    path = await link(portal)
    client = portal.world.client
    opened = await client.get(path)
    assert opened.status_code == 200
    assert "Stop digests" in opened.text
    assert (await chosen(portal))[0]["channel"] == "webhook", "a scanner that opens every link changes nothing"

    for _ in range(2):
        clicked = await client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert clicked.status_code == 200
        assert (await chosen(portal))[0]["channel"] == "none"


@pytest.mark.parametrize("token", ["x", "1.", "1.ab", "9999.ab", "%00", "1.%F0%9F%99%82", "9" * 40 + ".a"])
async def test_a_link_that_was_not_made_here_turns_nothing_off(customer: Browser, portal: Portal, token: str) -> None:
    await customer.post("/settings", **GOOD, webhook_url=HOOK)
    for method in ("GET", "POST"):
        assert (await portal.world.client.request(method, f"/unsubscribe/{token}")).status_code == 404

    assert (await chosen(portal))[0]["channel"] == "webhook"


@pytest.fixture
async def with_mail(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Portal]:
    """A portal of an installation that can send e-mail, and call its own network."""
    from tests.api import world as worlds  # noqa: PLC0415 - only here
    from tests.portal.browsers import a_portal  # noqa: PLC0415 - only here
    from valueplatform.app import create_app  # noqa: PLC0415 - only here
    from valueplatform.stewardship.digests.sending import Means  # noqa: PLC0415 - only here

    means = Means("http://127.0.0.1:8000", SmtpSettings("127.0.0.1", 25, Tls.NONE, SENDER), Outbound(private=True))
    monkeypatch.setattr(worlds, "create_app", lambda *given, **named: create_app(*given, **named, means=means))
    async with a_portal(server) as portal:
        yield portal


async def test_with_a_mail_server_e_mail_is_offered_to_the_readers_own_address(with_mail: Portal) -> None:
    customer = await with_mail.browser(CHAMPION)
    page = (await customer.get("/settings")).text
    assert f"To {CHAMPION}." in page
    assert "VALUEPLATFORM_SMTP_HOST" not in page

    saved = await customer.post("/settings", **{**GOOD, "channel": "email"})
    assert saved.headers["location"] == "/settings?saved=1"
    assert "Saved." in (await customer.get("/settings?saved=1")).text
    assert (await chosen(with_mail))[0]["channel"] == "email"


async def test_private_addresses_are_allowed_where_the_installation_says_so(with_mail: Portal) -> None:
    customer = await with_mail.browser(STEWARD)

    saved = await customer.post("/settings", **GOOD, webhook_url="http://127.0.0.1:9/in")
    assert "whsec_" in saved.text
