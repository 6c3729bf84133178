"""The page of scenarios over HTTP: levers, what they add, and what is kept of it."""

import re
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlparse

from tests.api.world import GLOBEX, HARBOR
from tests.portal.browsers import Browser, Portal
from tests.portal.test_assumptions import button, press
from valueplatform.core.scope import grant_all
from valueplatform.portal.names import names_of
from valueplatform.value.adopted import Adopted
from valueplatform.value.benchmark import Figure, Per
from valueplatform.value.benchmark_store import begin, show
from valueplatform.value.benchmarks import Benchmarks

JUNE = date(2026, 6, 1)
PLAN = "/plan?a.hourly_cost=90&months=2"


async def keep(browser: Browser, query: str = "a.hourly_cost=90&months=2", name: str = "Dearer") -> Any:
    fields = {key: values[0] for key, values in parse_qs(query).items()}
    return await browser.post("/plan/keep", name=name, **fields)


async def test_at_first_it_says_what_carrying_on_is_worth_and_what_can_be_moved(customer: Browser) -> None:
    page = (await customer.get("/plan")).text
    assert "Carried on as today, this is worth about" in page
    assert 'name="seats"' in page
    assert 'name="a.hourly_cost"' in page
    assert "Hourly cost" in page


async def test_a_moved_lever_says_what_it_adds_with_bounds_and_by_which_formulas(customer: Browser) -> None:
    page = (await customer.get(PLAN)).text
    assert re.search(r"This adds about .*\$\d", page)
    assert "Likely between" in page
    assert "A projection: no total of value counts it." in page
    assert "(jobs * manual_minutes - minutes) / 60 * hourly_cost" in page
    assert 'data-chart="scenario"' in page


async def test_the_part_that_changes_is_answered_alone_with_the_hints_of_all_levers(customer: Browser) -> None:
    part = (await customer.part("/plan/preview?a.hourly_cost=90&seats=150")).text
    assert "<html" not in part
    assert part.count('hx-swap-oob="true"') >= 2
    assert part.count("alone</span>") == 2


async def test_less_is_told_as_what_it_takes_away(customer: Browser) -> None:
    assert "This takes away about" in (await customer.get("/plan?seats=50")).text


async def test_what_cannot_be_read_is_named_beside_the_levers(customer: Browser) -> None:
    page = (await customer.get("/plan?a.hourly_cost=ninety")).text
    assert "Hourly cost: " in page
    assert "Nothing to show yet" in page


async def test_addresses_that_make_no_sense_stand_as_today(customer: Browser) -> None:
    page = (await customer.get("/plan?seats=abc&months=999&since=never&over=-1&f.nothing=100&a.nothing=3")).text
    assert "Carried on as today" in page


async def test_a_lever_that_the_model_does_not_have_is_refused_in_words(customer: Browser) -> None:
    assert "no feature" in (await customer.get("/plan?f.nothing=150")).text


async def test_what_is_kept_is_found_again_under_its_name(customer: Browser, validator: Browser) -> None:
    answer = await keep(customer)
    assert answer.status_code == 303
    page = (await customer.get(answer.headers["location"])).text
    assert "Kept. Only you see it until you share it." in page
    assert ">Dearer</a>" in page
    assert ">Dearer</a>" not in (await validator.get("/plan")).text

    assert (await press(customer, page, "Share Dearer")).status_code == 303
    assert ">Dearer</a>" in (await validator.get("/plan")).text


async def test_a_feature_that_is_not_in_use_is_switched_on_kept_and_found_again(
    portal: Portal, customer: Browser
) -> None:
    await unused(portal)
    page = (await customer.get("/plan")).text
    assert "Not in use yet" in page
    assert re.search(r'id="o.eta-link"[^>]* disabled', page)
    assert "Fewer than five comparable companies use it, so it cannot be told." in page

    await comparable_use_etas(portal)
    page = (await customer.get("/plan")).text
    assert "As 6 companies use it" in page
    assert 'name="o.eta-link" value="0"' in page  # what keeping sends

    page = (await customer.get("/plan?o.eta-link=100&months=2")).text
    assert re.search(r'id="o.eta-link"[^>]* checked', page)
    assert re.search(r"This adds about .*\$", page)
    assert "Arrival link, as 6 companies use it: etas, 150 a month (100 to 400)." in page

    answer = await keep(customer, "o.eta-link=50&months=2", "With the link")
    changes = await portal.run("SELECT changes->0->'lever' FROM scenario WHERE name = 'With the link'")
    assert changes == [({"kind": "switch-on", "feature": "eta-link", "times": "0.5"},)]
    assert "o.eta-link=50" in answer.headers["location"]
    assert "As 6 companies use it, times 50%" in (await customer.get(answer.headers["location"])).text


async def test_a_feature_in_use_is_no_switch_and_asking_for_it_says_why(customer: Browser) -> None:
    page = (await customer.get("/plan?o.eta-link=100")).text
    assert 'id="o.eta-link"' not in page
    assert "is in use already" in page
    assert "Nothing to show yet" in page


async def unused(portal: Portal) -> None:
    """As if nobody had used the arrival link of late."""
    await portal.run("DELETE FROM rollup WHERE meter LIKE 'etas%'")


async def comparable_use_etas(portal: Portal) -> None:
    figure = Figure("", "etas", "USD", "", Per.ACCOUNT, 6, Decimal(100), Decimal(150), Decimal(400))
    adopted = Adopted("eta-link", figure)
    async with portal.world.databases.worker.transaction(grant_all()) as tx:
        run = await begin(tx, portal.world.clock.now)
        await show(tx, run, Benchmarks((JUNE,), None, adopted=(adopted,)), "digest")


async def test_removing_can_be_undone(customer: Browser) -> None:
    page = (await customer.get((await keep(customer)).headers["location"])).text
    answer = await press(customer, page, "Remove")
    page = (await customer.get(answer.headers["location"])).text
    assert "None yet." in page
    answer = await press(customer, page, "Undo")
    assert ">Dearer</a>" in (await customer.get(answer.headers["location"])).text


async def test_scenarios_are_held_beside_each_other(customer: Browser) -> None:
    for name, query in (("Dearer", "a.hourly_cost=90&months=2"), ("More", "seats=150&months=2")):
        await keep(customer, query, name)
    page = (await customer.get("/plan")).text
    ids = re.findall(r'name="compare" value="(\d+)"', page)
    assert len(ids) == 2
    compared = (await customer.get("/plan?" + "&".join(f"compare={each}" for each in ids))).text
    assert compared.count('name="compare"') == compared.count(" checked") == 2
    assert re.search(r"<caption[^>]*>Compared</caption>", compared)


async def test_the_steward_commits_to_it_and_the_validator_may_not(
    portal: Portal, customer: Browser, validator: Browser, steward: Browser
) -> None:
    page = (await customer.get((await keep(customer)).headers["location"])).text
    await press(customer, page, "Share Dearer")
    assert button((await validator.get("/plan")).text, "Commit to it") is None

    there = (await steward.get(f"/accounts/{HARBOR}/plan")).text
    answer = await press(steward, there, "Commit to it")

    assert "said=committed" in answer.headers["location"]
    assert await portal.run("SELECT count(*) FROM plan_target WHERE plan_id LIKE 'scenario-%'") == [(2,)]


async def test_its_values_are_proposed_for_a_validator(portal: Portal, customer: Browser) -> None:
    page = (await customer.get((await keep(customer)).headers["location"])).text
    await press(customer, page, "Propose its values")
    assert await portal.run("SELECT reason FROM assumption_entry WHERE action = 'propose'") == [("Scenario: Dearer",)]


async def test_the_address_of_a_kept_scenario_moves_the_levers_as_they_stood(customer: Browser) -> None:
    page = (await customer.get((await keep(customer, "seats=150&months=3&over=2")).headers["location"])).text
    href = re.findall(r'href="(/plan\?[^"]*seats[^"]*)"', page)[0].replace("&amp;", "&")
    query = {key: values[0] for key, values in parse_qs(urlparse(href).query).items()}
    assert (query["seats"], query["months"], query["over"]) == ("150", "3", "2")


async def test_an_account_without_usage_says_so(steward: Browser) -> None:
    page = (await steward.get(f"/accounts/{GLOBEX}/plan")).text
    assert "0 days of usage in whole weeks" in page


async def test_nobody_acts_on_what_is_not_theirs(customer: Browser, validator: Browser) -> None:
    await keep(customer)
    for verb in ("share", "remove", "restore", "propose", "commit", "nonsense"):
        answer = await validator.post(f"/plan/1/{verb}")
        assert answer.status_code in {403, 404}, verb


async def test_more_levers_than_a_scenario_keeps_are_an_error_and_not_cut(portal: Portal, customer: Browser) -> None:
    query = "&".join(f"f.feature-{number}=150" for number in range(21))
    answer = await keep(customer, query)
    assert answer.status_code == 400
    assert "21 levers are moved, and a scenario keeps at most 20" in answer.text
    assert await portal.run("SELECT count(*) FROM scenario") == [(0,)]


async def test_a_scenario_that_cannot_be_computed_any_more_is_named_with_the_reason(
    portal: Portal, customer: Browser
) -> None:
    for name in ("Dearer", "Gone"):
        await keep(customer, name=name)
    changes = "replace(changes::text, 'hourly_cost', 'no_such_input')::jsonb"
    await portal.run(f"UPDATE scenario SET changes = {changes} WHERE name = 'Gone'")
    ids = re.findall(r'name="compare" value="(\d+)"', (await customer.get("/plan")).text)
    page = (await customer.get("/plan?" + "&".join(f"compare={each}" for each in ids))).text
    assert re.search(r"<caption[^>]*>Compared</caption>", page)
    assert re.search(r"Gone cannot be computed any more: [A-Z].*no_such_input", page)


async def test_the_part_that_changes_reads_no_kept_scenarios(customer: Browser, monkeypatch: Any) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr("valueplatform.portal.plan.scenarios_of", never)
    assert (await customer.part("/plan/preview?seats=150")).status_code == 200


async def test_the_names_of_all_authors_are_read_at_once(customer: Browser, monkeypatch: Any) -> None:
    for number in range(3):
        await keep(customer, name=f"Number {number}")
    read = []

    async def counted(tx: Any, account_id: int, emails: Any) -> Any:
        read.append(set(emails))
        return await names_of(tx, account_id, read[-1])

    monkeypatch.setattr("valueplatform.portal.plan.names_of", counted)
    assert "Number 2" in (await customer.get("/plan")).text
    assert len(read) == 1
