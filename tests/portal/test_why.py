"""Why value changed, as its readers see it: one sentence, the steps, each driver with parts that add up and open."""

import html
import json
import re
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs

from tests.api.world import GLOBEX, HARBOR
from tests.portal.browsers import OPERATOR, PARTNER, STRANGER, Browser, Portal, hrefs
from tests.value.factories import CUSTOMER, NOW
from tests.value.factories import VALIDATOR as JUDGE
from tests.value.three_parties import put_jobs, put_syncs
from valueplatform.core.periods import month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.portal.bridge_ref import bridge_ref
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import Action
from valueplatform.value.postings import close_month
from valueplatform.value.ranges import Range

APRIL = month_of(date(2026, 4, 1))


@pytest.fixture
async def april(portal: Portal) -> Portal:
    """Before May there was less: 12 jobs, 40 syncs. In May an hour was agreed to cost more."""
    world = portal.world
    await put_jobs(world.databases, world.harbor, date(2026, 4, 7), 12)
    await put_syncs(world.databases, world.harbor, date(2026, 4, 7), 40)
    async with world.databases.web.transaction(grant_accounts([world.harbor])) as tx:
        said = Statement("hourly_cost", Range.point(Decimal(60)), "USD/hour", date(2026, 5, 1), "new agreement")
        entry = await record.state_value(tx, world.harbor, Action.PROPOSE, said, CUSTOMER, NOW)
        await record.validate(tx, world.harbor, entry.entry_id, JUDGE, NOW, date(2026, 5, 1))
    await world.refresh(world.harbor)
    return portal


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))).replace("\u202f", " ")


def numbers(page: str) -> list[dict[str, str]]:
    """What opens: where, and what it says."""
    found = re.findall(r'<a class="num[^"]*" href="([^"]+)" data-value="([^"]+)" data-unit="([^"]+)"', page)
    return [{"href": html.unescape(href), "value": value, "unit": unit} for href, value, unit in found]


async def test_the_last_whole_month_is_told_against_the_one_before_it(customer: Browser, april: Portal) -> None:
    page = (await customer.get("/why")).text
    text = text_of(page)
    assert "May brought $320 , $132 more than April." in text
    assert "Jobs dispatched" not in text  # a meter without a title is told by its slug
    assert "Jobs: 12 → 20, up 67%, over 1 and then 2 days" in text
    assert "Hourly cost: $45.00 per hour → $60.00 per hour" in text
    assert '<a href="/why" aria-current="page">Why</a>' in page


async def test_the_steps_add_up_in_the_chart_the_table_and_by_driver(customer: Browser, april: Portal) -> None:
    page = (await customer.get("/why")).text
    by_name = {n["href"]: Decimal(n["value"]) for n in numbers(page)}
    ends = {
        name: [v for href, v in by_name.items() if href.endswith(f"number={name}")]
        for name in ("before", "after", "change")
    }
    changes = [n for n in numbers(page[page.index('class="cause"') :]) if n["href"].endswith("number=change")]
    for change in changes:
        ref = change["href"].partition("?")[0]
        parts = {
            href: v for href, v in by_name.items() if href.startswith(f"{ref}?") and href.rpartition("=")[2] not in ends
        }
        assert sum(parts.values()) == Decimal(change["value"])
    drawing = html.unescape(re.search(r"data-drawing='([^']+)'", page)[1])  # type: ignore[index]
    rows: list[dict[str, Any]] = json.loads(drawing)["datasets"]["rows"]
    assert (rows[0]["kind"], rows[-1]["kind"]) == ("start", "realized")
    assert all(before["end"] == after["a"] for before, after in pairwise(rows[:-1]))
    assert rows[-2]["end"] == rows[-1]["b"]


async def test_every_number_opens_to_a_proof_that_agrees(customer: Browser, april: Portal) -> None:
    page = (await customer.get("/why")).text
    found = {n["href"]: n["value"] for n in numbers(page)}
    assert len(found) > 12
    for href, value in found.items():
        proof = (await customer.part(href)).text
        assert "verdict" in proof, text_of(proof)
        verdict = re.search(r"<strong>Stated (.+?), recomputed (.+?)\.</strong>", proof)
        assert verdict is not None, (href, text_of(proof)[:400])
        assert verdict[1] == verdict[2]
        assert f"{int(abs(Decimal(value))):,}" in verdict[1]


async def test_a_part_shows_the_step_its_inputs_with_who_validated_them_and_events(
    customer: Browser, april: Portal
) -> None:
    page = (await customer.get("/why")).text
    href = next(n["href"] for n in numbers(page) if n["href"].endswith("number=assumption%3Ahourly_cost"))
    text = text_of((await customer.part(href)).text)
    assert "with the hourly cost of May" in text
    worked = (
        text.replace("\N{MULTIPLICATION SIGN}", "*").replace("\N{DIVISION SIGN}", "/").replace("\N{MINUS SIGN}", "-")
    )
    assert "(20 * 14 - 40) / 60 * 60 = $240.00" in worked
    assert "Validated by" in text
    assert "job.dispatched" in text
    assert text_of((await customer.get(href)).text).count("Back to why") == 1


async def test_periods_are_asked_for_by_name_or_by_days(customer: Browser, april: Portal) -> None:
    quarter = text_of((await customer.get("/why?period=2026-Q2&against=2026-Q1")).text)
    assert "Q2 2026 brought $508 ; Q1 2026 brought nothing." in quarter
    days = "first=2026-05-05&last=2026-05-05&against_first=2026-05-04&against_last=2026-05-04"
    assert "5 May brought $140 , $40 less than 4 May." in text_of((await customer.get(f"/why?{days}")).text)
    for wrong in (
        "period=may",
        "period=2026-13",
        "first=2026-05-05",
        "first=x&last=y",
        "first=2026-05-05&last=2026-05-01",
    ):
        assert (await customer.get(f"/why?{wrong}")).status_code == 400, wrong


async def test_what_does_not_count_yet_stands_beside_the_sum(customer: Browser, april: Portal) -> None:
    world = april.world
    async with world.databases.web.transaction(grant_accounts([world.harbor])) as tx:
        (stated, *_) = (await record.entries_of(tx, world.harbor))["per_eta"]
        await record.dispute(tx, world.harbor, stated.entry_id, CUSTOMER, NOW, "Too high")
    await world.refresh(world.harbor)
    page = (await customer.get("/why")).text
    text = text_of(page)
    assert "May brought $300 , $112 more than April." in text
    assert "$20 of May does not count yet" in text
    beside = text[text.index("Not in the sum") :]
    assert "Arrivals told" in beside
    assert "Under review" in beside
    for href in [n["href"] for n in numbers(page[page.index("Not in the sum") :])]:
        assert "verdict" in (await customer.part(href)).text


async def test_nothing_validated_is_told_as_an_estimate(bare_portal: Portal) -> None:
    world = bare_portal.world
    await put_jobs(world.databases, world.harbor, date(2026, 5, 4), 2)
    await world.refresh(world.harbor)
    reader = await bare_portal.browser("carl@harbor.example")
    text = text_of((await reader.get("/why")).text)
    assert "May brought about $18 ; April brought nothing." in text
    assert "None of it counts yet" in text


async def test_without_any_value_it_says_when_there_will_be_some(bare_portal: Portal) -> None:
    reader = await bare_portal.browser("carl@harbor.example")
    text = text_of((await reader.get("/why")).text)
    assert "There is nothing to explain: neither May nor April has any value." in text
    assert "Value begins with the first events" in text


async def test_adjustments_are_told_with_their_month_day_and_cause(customer: Browser, april: Portal) -> None:
    world = april.world
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        await close_month(tx, world.harbor, "America/New_York", APRIL, NOW)
    await put_syncs(world.databases, world.harbor, date(2026, 4, 20), 5)
    await world.refresh(world.harbor)
    page = (await customer.get("/why?period=2026-06&against=2026-04")).text
    href = next(n["href"] for n in numbers(page) if n["href"].endswith("number=adjusted"))
    text = text_of((await customer.part(href)).text)
    assert "Of April, shown on 15 Jun in June +$10.00 events came in later" in text
    assert "Of April, shown on 15 Jun not in April +$10.00" in text


async def test_a_steward_has_the_page_below_the_account(steward: Browser, april: Portal) -> None:
    page = (await steward.get(f"/accounts/{HARBOR}/why")).text
    assert "May brought $320" in text_of(page)
    assert f'action="/accounts/{HARBOR}/why"' in page
    proof = await steward.part(numbers(page)[0]["href"])
    assert proof.status_code == 200


async def test_another_account_stays_hidden(customer: Browser, april: Portal) -> None:
    own = numbers((await customer.get("/why")).text)[0]["href"]
    stranger = await april.browser(STRANGER)
    assert (await stranger.get(own)).status_code == 404
    assert (await customer.get(f"/accounts/{GLOBEX}/why")).status_code == 404
    for who in (OPERATOR, PARTNER):
        assert (await (await april.browser(who)).get("/why")).status_code in {403, 404}
    for wrong in ("brg_", "brg_AAAA", "brg_WzFd", "brg_é"):
        assert (await customer.get(f"/proof/{wrong}")).status_code == 404
    assert (await customer.get(own.partition("?")[0] + "?number=nothing")).status_code == 404
    for broken in (
        {"account": "a\0b"},
        {"driver": "\0"},
        {"after_to": date(2026, 4, 1)},
        {"unit": "EUR", "driver": None},
    ):
        ref = structs.replace(bridge_ref(own.removeprefix("/proof/").partition("?")[0]), **broken).text()
        assert (await customer.get(f"/proof/{ref}")).status_code == 404, broken


async def test_more_events_follow_at_the_address_of_the_number(customer: Browser, april: Portal) -> None:
    page = (await customer.get("/why")).text
    seen = 0
    for number in numbers(page):
        proof = (await customer.part(number["href"])).text
        for more in [one for one in hrefs(proof, "/proof/") if "/events?" in one]:
            assert more.startswith(number["href"].partition("?")[0])
            rows = (await customer.part(more)).text
            assert rows.count("<tr>") >= 1
            assert "<html" not in rows
            seen += 1
    assert seen


def cuts(page: str) -> dict[str, str]:
    """What the change may be cut by, with its address."""
    (nav,) = re.findall(r'<nav class="filters why-cuts.*?</nav>', page, re.DOTALL)
    return {text: html.unescape(href) for href, text in re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', nav)}


async def test_the_change_is_cut_by_whatever_the_bridge_can_be_cut_by_and_every_bar_opens(
    customer: Browser, april: Portal
) -> None:
    found = cuts((await customer.get("/why")).text)
    assert list(found)[:3] == ["Driver", "Provider", "Benefit class"]
    assert len(found) > 3, "a dimension of the meters"
    for text, href in list(found.items())[1:]:
        page = (await customer.get(href)).text
        assert f'aria-current="true">{text}</a>' in page
        drawing = json.loads(html.unescape(re.findall(r"data-drawing='([^']+)'", page)[0]))
        rows = drawing["datasets"]["rows"]
        for one, other in pairwise(rows):
            assert one["end"] == other["a"], text
        opened = {number["href"]: number for number in numbers(page) if "/proof/cut_" in number["href"]}
        assert opened, text
        for address, number in opened.items():
            proof = (await customer.get(address)).text
            assert "We have taken this number back" not in proof, (text, number)
            assert "by separate code" in proof, (text, number)


async def test_members_and_what_is_not_divided_add_up_to_the_change(customer: Browser, april: Portal) -> None:
    for by in ("provider", "benefit_class", "system"):
        page = (await customer.get(f"/why?by={by}")).text
        table = re.findall(rf"<caption[^>]*>Value by {by.replace('_', ' ')}</caption>(.*?)</table>", page, re.DOTALL)[0]
        money = [
            Decimal(text.replace("$", "").replace(",", "").replace("\N{MINUS SIGN}", "-"))
            for text in re.findall(r"[-\N{MINUS SIGN}]?\$[\d.,]+", text_of(table).replace("\N{NO-BREAK SPACE}", ""))
        ]
        columns = [money[at::3] for at in range(3)]
        for *members, total in columns:
            assert sum(members) == total, by


async def test_a_choice_of_days_keeps_the_cut_and_a_cut_keeps_the_days(customer: Browser, april: Portal) -> None:
    page = (await customer.get("/why?period=2026-05&against=2026-04&by=provider")).text
    assert page.count('<input type="hidden" name="by" value="provider">') == 2
    assert "period=2026-05&against=2026-04&by=system" in " ".join(cuts(page).values())
    days = "first=2026-05-01&last=2026-05-20&against_first=2026-04-01&against_last=2026-04-20"
    assert f"/why?{days}&by=provider" in cuts((await customer.get(f"/why?{days}")).text).values()


@pytest.mark.parametrize("by", ["nothing", "objective", "%00", "state"])
async def test_what_nothing_can_be_cut_by_is_named(customer: Browser, april: Portal, by: str) -> None:
    answer = await customer.get(f"/why?by={by}")
    assert answer.status_code == 422
    assert "provider, benefit_class" in answer.text


@pytest.mark.parametrize("ref", ["cut_", "cut_x", "cut_W10", "cut_" + "A" * 500])
async def test_an_address_that_is_no_cut_is_not_found(customer: Browser, april: Portal, ref: str) -> None:
    assert (await customer.get(f"/proof/{ref}")).status_code == 404


async def test_a_cut_of_another_account_stays_hidden(customer: Browser, steward: Browser, april: Portal) -> None:
    page = (await steward.get(f"/accounts/{HARBOR}/why?by=provider")).text
    address = next(number["href"] for number in numbers(page) if "/proof/cut_" in number["href"])
    assert (await customer.get(address)).status_code == 200
    stranger = await april.browser(STRANGER)
    assert (await stranger.get(address)).status_code == 404
    assert (await customer.get(f"{address.partition('?')[0]}?number=nonsense")).status_code == 404
