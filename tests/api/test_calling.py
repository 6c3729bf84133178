import pytest
from sqlalchemy import text

from tests.api.world import HARBOR, World
from valueplatform.api.calling import groups_of
from valueplatform.core.authorization import KeyKind
from valueplatform.core.scope import grant_all

ACCOUNTS = "/api/v1/accounts"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
async def test_the_scheme_is_read_in_any_case(bare_world: World, scheme: str) -> None:
    key = bare_world.keys["admin"]["authorization"].split()[1]
    answer = await bare_world.client.get(ACCOUNTS, headers={"authorization": f"{scheme} {key}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("way", ["Basic", "Token", ""])
async def test_no_other_way_lets_anybody_in(bare_world: World, way: str) -> None:
    key = bare_world.keys["admin"]["authorization"].split()[1]
    for answer in (
        await bare_world.client.get(ACCOUNTS, headers={"authorization": f"{way} {key}".strip()}),
        await bare_world.client.get(ACCOUNTS, params={"access_token": key, "key": key}),
        await bare_world.client.get(ACCOUNTS, headers={"cookie": f"authorization=Bearer {key}"}),
    ):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_every_reason_is_answered_in_the_same_words(bare_world: World) -> None:
    good = bare_world.keys["admin"]["authorization"].split()[1]
    front, secret = good.rsplit("_", 1)[0], good[-43:]
    wrong = [f"{front}_{'a' * 43}", f"vp_admin_{'0' * 32}_{secret}", good.replace("admin", "partner"), f"{good}x"]
    answers = [await bare_world.client.get(ACCOUNTS, headers={"authorization": f"Bearer {key}"}) for key in wrong]
    revoked = await bare_world.client.get(ACCOUNTS, headers=bare_world.keys["revoked"])
    assert {answer.text for answer in answers} == {revoked.text}
    assert revoked.status_code == 401


async def test_a_person_s_key_has_the_rights_that_the_person_has_today(bare_world: World) -> None:
    objectives = f"{ACCOUNTS}/{HARBOR}/objectives"
    assert (await bare_world.send("POST", objectives, "champion", {"title": "x"})).status_code == 201
    async with bare_world.databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE person SET role = 'user' WHERE email LIKE 'carl%'"))
    assert (await bare_world.send("POST", objectives, "champion", {"title": "y"})).status_code == 403


async def test_a_key_limited_to_no_account_sees_none(bare_world: World) -> None:
    key = await bare_world.make_key(KeyKind.PARTNER, "nobody's", [], provider="tessera")
    answer = await bare_world.client.get(ACCOUNTS, headers={"authorization": f"Bearer {key}"})
    assert answer.json()["items"] == []


def test_groups_are_a_comma_list_without_blanks_and_repeats() -> None:
    assert groups_of(" driver, , provider,driver", ("x",)) == ("driver", "provider")
    assert groups_of("", ("x",)) == ()
    assert groups_of(None, ("x",)) == ("x",)
