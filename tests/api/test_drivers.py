"""The driver library over the API."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.api.world import World
from tests.api.worth_world import a_worth_world
from tests.conftest import Server

DRIVERS = "/api/v1/drivers"


@pytest.fixture
async def worthy(server: Server) -> AsyncIterator[World]:
    async with a_worth_world(server) as world:
        yield world


async def test_every_driver_is_listed_page_by_page(worthy: World) -> None:
    whole = (await worthy.get(DRIVERS)).json()["items"]
    assert [one["slug"] for one in whole] == ["time", "calls", "safety"]
    first = (await worthy.get(DRIVERS, limit="2")).json()
    rest = (await worthy.get(DRIVERS, limit="2", cursor=first["next_cursor"])).json()
    assert [*first["items"], *rest["items"]] == whole
    assert rest["next_cursor"] is None


async def test_the_same_words_choose_as_on_the_page(worthy: World) -> None:
    found = (await worthy.get(DRIVERS, benefit_class="strategic")).json()["items"]
    assert [one["slug"] for one in found] == ["safety"]
    assert (await worthy.get(DRIVERS, persona="nobody")).json()["items"] == []
    assert (await worthy.get(DRIVERS, benefit_class="wealth")).status_code == 400


async def test_a_driver_opens_to_its_formula_versions_and_accounts_that_add_up(worthy: World) -> None:
    found = (await worthy.get(f"{DRIVERS}/time")).json()
    assert found["driver"]["formula"] == "(jobs * 10 - minutes) * per_minute"
    assert [one["action"] for one in found["versions"]] == ["added"]
    assert found["months"] == ["2026-03-01", "2026-04-01", "2026-05-01"]
    (total,) = found["totals"]
    accounts = found["accounts"]["items"]
    assert total["accounts"] == len(accounts) == 9
    for bound in ("low", "expected", "high", "counted"):
        assert sum(Decimal(one[bound]) for one in accounts) == Decimal(total[bound]), bound
    assert accounts[0]["expected"] == max((one["expected"] for one in accounts), key=Decimal)


async def test_accounts_come_in_pages(worthy: World) -> None:
    first = (await worthy.get(f"{DRIVERS}/time", limit="5")).json()["accounts"]
    rest = (await worthy.get(f"{DRIVERS}/time", limit="5", cursor=first["next_cursor"])).json()["accounts"]
    assert len({one["account"] for one in (*first["items"], *rest["items"])}) == 9


async def test_a_key_is_told_of_its_own_accounts_alone_and_without_the_right_of_none(worthy: World) -> None:
    some = (await worthy.get(f"{DRIVERS}/time", "some")).json()
    assert [one["account"] for one in some["accounts"]["items"]] == ["small"]
    counts = (await worthy.get(f"{DRIVERS}/time", "counts")).json()
    assert (counts["as_of"], counts["totals"], counts["accounts"]["items"]) == (None, [], [])
    assert counts["driver"]["slug"] == "time"
    assert (await worthy.get(DRIVERS, "champion")).status_code == 403


async def test_a_driver_that_is_not_there_is_not_found(worthy: World) -> None:
    answer = await worthy.get(f"{DRIVERS}/no_such")
    assert answer.status_code == 404
    assert "no_such" in answer.json()["detail"]
