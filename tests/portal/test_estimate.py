"""A prospect's own estimate: open to everybody, from cohorts alone, and nothing kept."""

import re
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from tests.api.world import World, a_world
from tests.conftest import Server
from tests.portal.browsers import Portal, a_benchmark_portal
from tests.portal.test_benchmarks import plain
from tests.value.benchmark_worlds import model
from tests.value.factories import put_model
from valueplatform.portal.visitors import BURST
from valueplatform.value.model import BenchmarkSection


@pytest.fixture
async def portal(server: Server) -> AsyncIterator[Portal]:
    async with a_benchmark_portal(server) as portal:
        yield portal


async def ask(world: World, **query: str | list[str]) -> tuple[int, str]:
    answer = await world.client.get("/estimate", params=query, headers={"accept": "text/html"})
    return answer.status_code, plain(answer.text)


def amount(page: str) -> float:
    found = re.search(r"about \$([\d.,]+)", page)
    assert found
    return float(found[1].replace(",", ""))


async def test_without_an_answer_it_is_what_all_companies_realize(portal: Portal) -> None:
    status, page = await ask(portal.world)
    assert status == 200
    assert "What companies like yours realize" in page
    assert "Projection" in page
    assert "24 companies" in page
    assert "Per company" in page


async def test_a_segment_a_size_and_an_own_value_change_it_as_the_formula_does(portal: Portal) -> None:
    _, once = await ask(portal.world, segment="big", scale="10", driver=["time"])
    _, twice = await ask(portal.world, segment="big", scale="20", driver=["time"])
    _, own = await ask(portal.world, segment="big", scale="20", driver=["time"], **{"value.per_minute": "4"})
    assert "15 companies in Big" in once
    assert "per seat, times 10" in once
    assert amount(twice) == pytest.approx(2 * amount(once), rel=0.02)
    assert amount(own) == pytest.approx(2 * amount(twice), rel=0.02)
    assert "times 4 ÷ 2 (per minute)" in own
    assert "Calls avoided" not in once[once.index("A month, by driver") :]


async def test_in_a_currency_without_a_cohort_only_the_reason_is_told(portal: Portal) -> None:
    _, page = await ask(portal.world, currency="JPY")
    assert "There is no such group for these answers" in page
    assert "about" not in page[page.index("A month, by driver") :]


@pytest.mark.parametrize("scale", ["-1", "0", "many", "1e99", "٣"])
async def test_what_is_no_number_is_said_at_its_field_and_the_rest_stands(portal: Portal, scale: str) -> None:
    status, page = await ask(portal.world, scale=scale)
    assert status == 400
    assert "Write a number above zero" in page
    assert "24 companies" in page


async def test_what_nobody_asked_for_is_left_out_and_shown_to_nobody(portal: Portal) -> None:
    odd = '"><script>alert(1)</script>\0'
    answer = await portal.world.client.get(
        "/estimate", params={"segment": odd, "driver": [odd], "currency": odd, "value.x": odd, odd: "1", "scale": odd}
    )
    assert answer.status_code == 400
    assert "<script>alert" not in answer.text


async def test_it_needs_no_session_names_no_account_and_writes_nothing(portal: Portal) -> None:
    before = await portal.run("SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables")
    _, page = await ask(portal.world, segment="small")
    assert [n for n in range(24) if f"a{n:02}" in page] == []
    assert await portal.run("SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables") == before


async def test_before_any_cohort_the_page_says_so(server: Server) -> None:
    async with a_world(server) as world:
        status, page = await ask(world)
    assert (status, "There is nothing to estimate from yet" in page) == (200, True)


async def test_a_model_may_close_it(portal: Portal) -> None:
    closed = replace(model(), benchmark=BenchmarkSection("seats", public_estimate=False))
    await put_model(portal.world.databases, closed)
    assert (await ask(portal.world))[0] == 404


async def test_who_asks_too_often_waits(portal: Portal) -> None:
    statuses = [(await ask(portal.world))[0] for _ in range(BURST + 30)]
    assert statuses[:BURST] == [200] * BURST
    assert 429 in statuses
