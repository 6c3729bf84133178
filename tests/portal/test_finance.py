"""The finance pages, on a real record: a sentence, its numbers, and each opened to the last contract."""

import csv
import io
import re

import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, VALIDATOR, Browser, Portal, hrefs
from tests.stewardship.finance_world import put_contracts, put_costs, put_rates
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.users import create_user
from valueplatform.stewardship import finance_positions
from valueplatform.stewardship.finance_definitions import Metric

ACCOUNTANT, REGIONAL = "fin@fieldnote.example", "region@fieldnote.example"
PATHS = ("/finance", "/finance/nrr", "/finance/measures.csv", "/finance/accounts.csv")


@pytest.fixture
async def paying(portal: Portal) -> Portal:
    """Two accounts that pay, one of them since the window began, and somebody of finance."""
    databases = portal.world.databases
    await put_contracts(databases, "harbor c 2025-01-01 - 2 month", "globex =x 2025-08-01 - 1200 year")
    await put_costs(databases, "harbor internal 2025-07 5", "- service 2025-07 10", "- acquisition 2025-07 90")
    async with databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, ACCOUNTANT, UserRole.FINANCE, name="Fin")
        await create_user(tx, REGIONAL, UserRole.STEWARD, name="Reg", account_ids=[portal.world.harbor])
    return portal


@pytest.mark.parametrize("who", [STEWARD, ADMIN, LEADER, ACCOUNTANT])
async def test_who_answers_for_it_finds_it_among_the_pages(paying: Portal, who: str) -> None:
    browser = await paying.browser(who)
    page = await browser.get("/finance")
    assert page.status_code == 200
    assert 'aria-current="page">Finance' in page.text
    assert "Finance</a>" in (await browser.get("/portfolio")).text


@pytest.mark.parametrize("who", [CHAMPION, VALIDATOR, PARTNER, OPERATOR, REGIONAL])
async def test_for_everybody_else_there_is_no_such_page_and_no_way_to_it(paying: Portal, who: str) -> None:
    browser = await paying.browser(who)
    assert [(await browser.get(path)).status_code for path in PATHS] == [404] * len(PATHS)
    home = await browser.get("/")
    shown = await browser.get(home.headers.get("location", "/"))
    assert 'href="/finance"' not in shown.text


async def test_finance_is_the_home_of_finance(paying: Portal) -> None:
    browser = await paying.browser(ACCOUNTANT)
    assert (await browser.get("/")).headers["location"] == "/finance"


async def test_the_first_sentence_says_what_a_dollar_delivered_and_opens(paying: Portal) -> None:
    browser = await paying.browser(STEWARD)
    page = (await browser.get("/finance")).text
    headline = re.sub(r"<[^>]+>", "", page.split("<h1")[1].split("</h1>")[0])
    assert re.search(r"Every US dollar that customers invested delivered \$[\d.]+ of counted value\.", headline)
    assert "1 Jun 2025 to 31 May 2026, 2 accounts, in USD." in page
    assert "Counted value by class:" in page
    opened = await browser.get(hrefs(page, "/finance/value-per-dollar")[0])
    assert "they agree." in opened.text


async def test_every_number_of_the_page_opens(paying: Portal) -> None:
    browser = await paying.browser(STEWARD)
    page = (await browser.get("/finance")).text
    paths = {path for metric in Metric for path in hrefs(page, f"/finance/{metric.value}")}
    assert len(paths) >= len(Metric)
    for path in sorted(paths):
        assert (await browser.get(path)).status_code == 200, path


async def test_a_measure_opens_to_its_definition_accounts_contracts_and_costs(paying: Portal) -> None:
    page = (await (await paying.browser(STEWARD)).get("/finance/gross-margin")).text
    assert "What is left of what customers paid us once they are served" in page
    assert "= (paid to us − service − shared service) ÷ paid to us" in page  # noqa: RUF001 - as it is written
    assert "$2.00 a month" in page
    assert "Contract, new" in page or "Contract, contraction" in page
    assert "Jul 2025" in page
    assert "/accounts/harbor/story" in page


async def test_why_a_measure_cannot_be_told_is_said(paying: Portal) -> None:
    browser = await paying.browser(STEWARD)
    assert "Fewer than 5 accounts paid on the day before the window" in (await browser.get("/finance")).text
    assert "cannot be told: Fewer than 5 accounts" in (await browser.get("/finance/ltv")).text


async def test_an_account_without_a_rate_is_named_on_the_page_and_in_the_file(paying: Portal) -> None:
    await paying.run("UPDATE contract SET currency = 'EUR' WHERE contract_id = '=x'")
    browser = await paying.browser(STEWARD)
    for path in ("/finance", "/finance/nrr"):
        page = (await browser.get(path)).text
        assert "Left out of every total" in page
        assert "no rate of EUR is known on 1 Aug 2025" in page
    listed = list(csv.DictReader(io.StringIO((await browser.get("/finance/accounts.csv")).text)))
    assert [(row["account"], row["in_totals"]) for row in listed] == [("globex", "false"), ("harbor", "true")]
    await put_rates(paying.world.databases, "EUR 2025-01-01 1.1")
    assert "Left out of every total" not in (await browser.get("/finance")).text


async def test_the_days_of_the_form_are_those_of_the_page_the_last_one_in_it(paying: Portal) -> None:
    browser = await paying.browser(STEWARD)
    page = (await browser.get("/finance?from=2025-07-01&through=2025-12-31&by=QUARTER&cut=provider")).text
    assert "1 Jul 2025 to 31 Dec 2025" in page
    assert 'value="2025-12-31"' in page
    assert "Q3 2025" in page
    assert 'aria-current="true">By provider' in page
    assert "from=2025-07-01&amp;to=2026-01-01" in page
    for wrong in ("from=soon", "from=2026-01-01&to=2025-01-01", "to=2027-01-01"):
        assert (await browser.get(f"/finance?{wrong}")).status_code == 400
    assert (await browser.get("/finance?segment=space")).status_code == 404
    assert (await browser.get("/finance/magic")).status_code == 404


async def test_files_hold_every_measure_and_no_formula_of_a_spreadsheet(paying: Portal) -> None:
    browser = await paying.browser(STEWARD)
    answer = await browser.get("/finance/measures.csv?cut=driver")
    assert answer.headers["content-disposition"] == 'attachment; filename="finance.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    window = [row["measure"] for row in rows if row["section"] == "window"]
    assert window == [metric.value for metric in Metric]
    revenue = {row["section"]: 0.0 for row in rows if row["measure"] == "revenue"}
    assert set(revenue) == {f"revenue by {cut}" for cut in ("driver", "feature", "product", "provider")}
    assert not [cell for row in rows for cell in row.values() if cell and cell[0] in "=@"]


async def test_before_anything_is_known_the_page_says_what_is_missing_and_what_to_do(bare_portal: Portal) -> None:
    page = (await (await bare_portal.browser(STEWARD)).get("/finance")).text
    assert "cannot be told for this window" in page
    assert "valueplatform import contracts" in page


async def test_names_are_text_and_never_markup(paying: Portal) -> None:
    await paying.run("UPDATE account SET name = '<b>x</b>', segment = '<i>s</i>' WHERE key = 'globex'")
    browser = await paying.browser(STEWARD)
    for path in ("/finance", "/finance/arpa", "/finance?segment=%3Ci%3Es%3C%2Fi%3E"):
        page = (await browser.get(path)).text
        assert "<b>x</b>" not in page
        assert "<i>s</i>" not in page


async def test_a_number_that_separate_code_does_not_confirm_says_so(
    paying: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finance_positions, "first_paid", lambda _contracts: None)
    browser: Browser = await paying.browser(STEWARD)
    page = (await browser.get("/finance/cac")).text
    assert "Does not agree." in page
    assert "Do not rely on this number." in page
