"""How an account compares, as its people and its steward see it."""

import re
from collections.abc import AsyncIterator
from datetime import date

import pytest

from tests.api.benchmark_world import TOP
from tests.conftest import Server
from tests.portal.browsers import CHAMPION, PARTNER, STEWARD, STRANGER, Portal, a_benchmark_portal, a_portal
from tests.value.benchmark_worlds import PROSPECT
from valueplatform.portal.benchmark_view import months_text, scale_word

CAUSAL = re.compile(r"(?i)\b(because|thanks to|due to|drives?|leads? to|results? in|helps?|improves?|causes)\b")


@pytest.fixture
async def portal(server: Server) -> AsyncIterator[Portal]:
    async with a_benchmark_portal(server) as portal:
        yield portal


async def test_a_customer_reads_its_place_in_each_driver_and_how_it_is_told(portal: Portal) -> None:
    page = (await (await portal.browser(CHAMPION)).get("/benchmarks")).text
    assert "You stand in the top quarter in" in page
    assert "You realized more a month per seat than 12½ of the 14 others among 15 companies in Big." in page
    assert 'data-th="Higher than">14 of 14<' in page
    assert "A month per seat" in page
    assert "Hyndman and Fan" in page
    assert re.search(r"Own value: \$[\d,.]+ in all ÷ 3 months ÷ 11 seats = \$[\d,.]+\.", page)


async def test_what_the_top_quarter_does_is_a_table_in_the_order_of_adoption(portal: Portal) -> None:
    page = (await (await portal.browser(CHAMPION)).get("/benchmarks")).text
    assert "6 of 6" in page
    assert "0 of 18" in page
    assert "Tracking" in page
    assert "Newcombe" in page


async def test_the_page_says_nothing_of_causes(portal: Portal) -> None:
    """The one word is in the sentence that says so."""
    page = (await (await portal.browser(CHAMPION)).get("/benchmarks")).text
    main = page[page.index("<main") : page.index("</main>")].replace("not what causes it", "")
    assert CAUSAL.findall(re.sub(r"<[^>]+>", " ", main)) == []


async def test_no_other_account_is_named(portal: Portal) -> None:
    page = (await (await portal.browser(CHAMPION)).get("/benchmarks")).text
    assert re.findall(r"\ba(?:[01]\d|2[0-2])\b", page) == []


async def test_a_steward_sees_it_for_an_account_by_its_name(portal: Portal) -> None:
    steward = await portal.browser(STEWARD)
    page = (await steward.get(f"/accounts/{TOP}/benchmarks")).text
    assert f"{TOP} stands in the top quarter in" in page
    assert f'href="/accounts/{TOP}/benchmarks"' in (await steward.get(f"/accounts/{TOP}/story")).text


async def test_who_has_sent_nothing_reads_what_others_realize(portal: Portal) -> None:
    page = (await (await portal.browser(STRANGER)).get("/benchmarks")).text
    assert "What companies like yours realize" in page
    assert "Half of 15 companies in Big realize" in page


async def test_partners_and_strangers_to_the_account_have_no_such_page(portal: Portal) -> None:
    assert (await (await portal.browser(PARTNER)).get("/benchmarks")).status_code == 404
    assert (await (await portal.browser(STRANGER)).get(f"/accounts/{TOP}/benchmarks")).status_code == 404


async def test_before_accounts_were_compared_the_page_says_when_they_will_be(server: Server) -> None:
    async with a_portal(server) as portal:
        page = await (await portal.browser(CHAMPION)).get("/benchmarks")
        assert page.status_code == 200
        assert "There is nothing to compare with yet" in page.text
        assert "once a whole month has been recorded" in page.text


async def test_a_prospect_s_story_shows_its_projection_marked_as_one(portal: Portal) -> None:
    page = (await (await portal.browser(STRANGER)).get("/story")).text
    section = page[page.index('class="projection"') : page.index("</section>")]
    assert "chip-predicted" in section
    assert "Projection" in section
    assert re.search(r"about \$[\d.,]+ a month, Time, a projection, open how it is made", section)
    assert "15 companies in Big" in section
    assert re.search(r"\$[\d.,]+ per seat, times 11", section)
    assert 'href="/benchmarks#d-time"' in section


async def test_a_steward_sees_the_same_projection_and_an_account_with_value_has_none(portal: Portal) -> None:
    steward = await portal.browser(STEWARD)
    page = (await steward.get(f"/accounts/{PROSPECT}/story")).text
    assert "What companies like this one realize" in page
    assert f'href="/accounts/{PROSPECT}/benchmarks#d-time"' in page
    assert 'class="projection"' not in (await steward.get(f"/accounts/{TOP}/story")).text


async def test_where_nothing_is_comparable_the_story_says_so(server: Server) -> None:
    async with a_portal(server) as portal:
        page = (await (await portal.browser(STRANGER)).get("/story")).text
        assert "There is no projection yet" in page


async def test_an_assumption_says_what_similar_companies_validated_and_a_steward_may_take_it(portal: Portal) -> None:
    steward, path = await portal.browser(STEWARD), f"/accounts/{PROSPECT}/assumptions"
    page = plain((await steward.get(path)).text)
    assert "From 5 similar companies in Big: $2.20 per minute ($1.80 per minute to $3.00 per minute)" in page
    opened = (await steward.get(f"{path}?open=per_minute")).text
    assert "Estimate $2.20 per minute from 5 similar companies" in plain(opened)
    assert "sign test" in opened
    assert (await steward.post(f"{path}/per_minute/estimate")).status_code == 303
    page = plain((await steward.get(path)).text)
    assert "From 5 similar companies" not in page
    assert "$2.20" in page


async def test_a_customer_sees_it_and_cannot_take_it(portal: Portal) -> None:
    stranger = await portal.browser(STRANGER)
    page = plain((await stranger.get("/assumptions?open=per_minute")).text)
    assert "From 5 similar companies in Big" in page
    assert "Estimate $2.20" not in page
    assert (await stranger.post("/assumptions/per_minute/estimate")).status_code == 403


def plain(page: str) -> str:
    """Without marks, and with plain spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page).replace("\N{NO-BREAK SPACE}", " "))


def test_months_and_units_of_scale_read_as_people_say_them() -> None:
    assert months_text([date(2026, 3, 1), date(2026, 4, 1)]) == "Mar 2026 to Apr 2026"
    assert months_text([date(2026, 3, 1)]) == "Mar 2026"
    assert [scale_word(one) for one in ("technicians", "seats", "glass", "staff_members", "fte")] == [
        "technician", "seat", "glass", "staff member", "fte",
    ]  # fmt: skip
