"""The page of the keys that products send with."""

import re

import pytest

from tests.portal.browsers import (
    ADMIN,
    CHAMPION,
    LEADER,
    OPERATOR,
    PARTNER,
    STEWARD,
    VALIDATOR,
    Browser,
    Portal,
    hrefs,
    token_in,
)
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.keys import KEY_PATTERN
from valueplatform.core.users import create_user

PRODUCT = "pia@fieldnote.example"


@pytest.fixture
async def admin(bare_portal: Portal) -> Browser:
    return await bare_portal.browser(ADMIN)


async def add_product(portal: Portal) -> None:
    async with portal.world.databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, PRODUCT, UserRole.PRODUCT, name="Pia")


async def test_a_key_is_made_on_the_page_and_shown_this_once(bare_portal: Portal, admin: Browser) -> None:
    answer = await admin.post("/connect/keys", name="My <product>")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    secret = KEY_PATTERN.search(answer.text)
    assert secret is not None
    assert "Waiting for your first event" in answer.text
    assert "My &lt;product&gt;" in answer.text

    (address,) = re.findall(r'data-address="([^"]+)"', answer.text)
    page = await admin.get(address)
    assert page.status_code == 200
    assert secret[0] not in page.text
    assert "data-address" not in page.text
    sent = await bare_portal.world.client.post(
        "/api/v1/events", json=[], headers={"authorization": f"Bearer {secret[0]}"}
    )
    assert sent.status_code == 204


async def test_the_list_says_how_far_each_key_has_come(bare_portal: Portal, admin: Browser) -> None:
    await admin.post("/connect/keys", name="second")
    page = (await admin.get("/connect")).text
    assert "Two keys wait for their first event." in page
    assert page.count("Waiting for its first event") == 2
    for href in sorted(set(hrefs(page, "/"))):
        if not href.startswith("/static/"):
            assert (await admin.get(href)).status_code in {200, 303}, href
    assert 'aria-current="page">Connect' in page


async def test_without_a_key_the_page_says_how_to_make_one(bare_portal: Portal) -> None:
    await bare_portal.run("DELETE FROM api_key WHERE kind = 'ingest'")
    page = (await (await bare_portal.browser(OPERATOR)).get("/connect")).text
    assert "No product is connected yet." in page
    assert "valueplatform key create --kind ingest --name my-product" in page
    assert 'action="/connect/keys"' not in page


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b", "a\nb"])
async def test_a_name_that_will_not_do_is_refused_beside_the_field(
    bare_portal: Portal, admin: Browser, name: str
) -> None:
    before = await bare_portal.run("SELECT count(*) FROM api_key")
    answer = await admin.post("/connect/keys", name=name)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert 'id="key-error"' in answer.text
    assert await bare_portal.run("SELECT count(*) FROM api_key") == before


async def test_a_revoked_key_takes_nothing_and_stands_apart(bare_portal: Portal, admin: Browser) -> None:
    made = (await admin.post("/connect/keys", name="gone")).text
    (address,) = re.findall(r'data-address="([^"]+)"', made)
    secret = KEY_PATTERN.search(made)
    assert secret is not None
    answer = await admin.post(f"{address}/revoke")
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    page = (await admin.get(address)).text
    assert "This key is revoked" in page
    assert "sse-connect" not in page
    assert 'id="snippet"' not in page
    assert "Revoked keys (1)" in (await admin.get("/connect")).text
    sent = await bare_portal.world.client.post(
        "/api/v1/events", json=[], headers={"authorization": f"Bearer {secret[0]}"}
    )
    assert sent.status_code == 401


async def test_keys_that_read_are_neither_listed_nor_revoked_here(bare_portal: Portal, admin: Browser) -> None:
    ((key_id,),) = await bare_portal.run("SELECT key_id FROM api_key WHERE name = 'tessera'")
    assert "tessera" not in (await admin.get("/connect")).text
    assert (await admin.post(f"/connect/{key_id}/revoke")).status_code == 404
    assert await bare_portal.run("SELECT 1 FROM api_key WHERE name = 'tessera' AND revoked_at IS NOT NULL") == []


async def test_a_form_from_elsewhere_makes_and_ends_no_key(bare_portal: Portal, admin: Browser) -> None:
    ((key_id,),) = await bare_portal.run("SELECT key_id FROM api_key WHERE name = 'ingest'")
    page = (await admin.get("/connect")).text
    assert token_in(page) == admin.csrf
    for path in ("/connect/keys", f"/connect/{key_id}/revoke"):
        for token, site in (("", "same-origin"), ("x" * 40, "same-origin"), (admin.csrf, "cross-site")):
            answer = await admin.send(path, {"_csrf": token, "name": "x"}, {"sec-fetch-site": site})
            assert answer.status_code == 403, (path, site)
    assert (
        await bare_portal.run("SELECT 1 FROM api_key WHERE name = 'x' OR (name = 'ingest' AND revoked_at > 'epoch')")
        == []
    )


async def test_it_is_for_whoever_connects_products_and_only_administrators_make_keys(bare_portal: Portal) -> None:
    await add_product(bare_portal)
    ((key_id,),) = await bare_portal.run("SELECT key_id FROM api_key WHERE name = 'ingest'")
    for who in (STEWARD, OPERATOR, PRODUCT):
        browser = await bare_portal.browser(who)
        page = await browser.get("/connect")
        assert page.status_code == 200, who
        assert 'action="/connect/keys"' not in page.text
        assert "/revoke" not in (await browser.get(f"/connect/{key_id}")).text
        assert (await browser.post("/connect/keys", name="x")).status_code == 403, who
        assert (await browser.post(f"/connect/{key_id}/revoke")).status_code == 403, who


@pytest.mark.parametrize("who", [CHAMPION, VALIDATOR, PARTNER, LEADER])
async def test_nobody_else_has_such_pages(bare_portal: Portal, who: str) -> None:
    browser = await bare_portal.browser(who)
    ((key_id,),) = await bare_portal.run("SELECT key_id FROM api_key WHERE name = 'ingest'")
    for path in ("/connect", "/connect/try", f"/connect/{key_id}", f"/connect/{key_id}/live"):
        assert (await browser.get(path)).status_code == 404, path
    for path in ("/connect/keys", "/connect/try", f"/connect/{key_id}/revoke", f"/connect/{key_id}/replay/1"):
        assert (await browser.post(path, name="x", body="{}")).status_code == 404, path
    assert 'href="/connect"' not in (await browser.get("/portfolio")).text


async def test_an_administrator_of_some_accounts_makes_no_key_for_all(bare_portal: Portal) -> None:
    async with bare_portal.world.databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, "some@fieldnote.example", UserRole.ADMIN, account_ids=[bare_portal.world.harbor])
    browser = await bare_portal.browser("some@fieldnote.example")
    assert 'action="/connect/keys"' not in (await browser.get("/connect")).text
    assert (await browser.post("/connect/keys", name="x")).status_code == 404
