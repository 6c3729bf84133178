"""Assumptions over HTTP: proposed with the effect in sight, settled by a validator, never by whoever proposed."""

import re
from typing import Any

import pytest

from tests.api.world import GLOBEX, HARBOR, MAY_4
from tests.portal.browsers import LEADER, STRANGER, Browser, Portal, hrefs
from tests.value.three_parties import put_jobs

THERE = f"/accounts/{HARBOR}/assumptions"
REASON = "As the payroll of May has it."


def button(page: str, label: str) -> dict[str, str] | None:
    """The hidden fields of the form with this button, and its action; None where there is no such button."""
    for form in re.findall(r"<form.*?</form>", page, flags=re.DOTALL):
        if re.search(rf">{re.escape(label)}</button>", form.replace("\N{NO-BREAK SPACE}", " ")):
            fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
            return {**fields, "action": re.findall(r'action="([^"]+)"', form)[0]}
    return None


async def press(browser: Browser, page: str, label: str) -> Any:
    form = button(page, label)
    assert form is not None, label
    action = form.pop("action")
    return await browser.post(action, **{name: value for name, value in form.items() if name != "_csrf"})


async def propose(browser: Browser, value: str = "60", slug: str = "hourly_cost", base: str = "/assumptions") -> Any:
    return await browser.post(f"{base}/{slug}/propose", value=value, reason=REASON)


async def headline(browser: Browser) -> str:
    page = (await browser.get("/story")).text
    found: list[str] = re.findall(r'num-key"[^>]*data-value="([^"]+)"', page)
    return found[0]


async def test_each_input_says_what_holds_who_stands_behind_it_and_what_it_carries(customer: Browser) -> None:
    page = (await customer.get("/assumptions")).text
    row = page[page.index('id="row-hourly_cost"') :]
    row = row[: row.index("</tr>")]

    assert "$45.00" in row
    assert "Validated" in row
    assert len(hrefs(row, "/proof/")) == 2
    for href in set(hrefs(page, "/proof/")):
        assert ">Stated " in (await customer.part(href)).text, href


async def test_the_effect_is_told_before_anything_is_written(portal: Portal, steward: Browser) -> None:
    before = await portal.run("SELECT count(*) FROM assumption_entry")
    answer = await steward.part(f"{THERE}/hourly_cost/preview?value=90")

    assert "Propose $90.00" in answer.text
    assert re.search(r"At \$90\.00.per.hour: ", answer.text)
    assert await portal.run("SELECT count(*) FROM assumption_entry") == before


async def test_the_effect_that_is_told_is_the_effect_that_comes(
    portal: Portal, customer: Browser, validator: Browser, steward: Browser
) -> None:
    before = await headline(customer)
    preview = (await steward.part(f"{THERE}/hourly_cost/preview?value=90")).text
    (after, was) = re.findall(r"dispatch time saved (\$\S+) instead of (\$\S+?)[,.] ", preview)[0]
    await propose(steward, "90", base=THERE)
    await portal.world.refresh(portal.world.harbor)
    assert await headline(customer) == before  # a proposal counts nowhere

    page = (await validator.get("/assumptions?open=hourly_cost")).text
    assert f"{after}, was {was}" in page
    assert (await press(validator, page, "Validate $90.00 per hour")).status_code == 303
    await portal.world.refresh(portal.world.harbor)
    told = await headline(customer)
    assert float(told) - float(before) == pytest.approx(float(after[1:]) - float(was[1:]))


async def test_what_the_customer_alone_agrees_on_changes_no_past(
    portal: Portal, customer: Browser, validator: Browser
) -> None:
    before = await headline(customer)
    await propose(customer, "90")
    page = (await validator.get("/assumptions?open=hourly_cost")).text
    assert "From the day on which a validator accepts it" in page
    await press(validator, page, "Validate $90.00 per hour")
    await portal.world.refresh(portal.world.harbor)

    assert await headline(customer) == before


async def test_who_proposed_cannot_validate_and_the_supplier_never_can(
    portal: Portal, validator: Browser, steward: Browser
) -> None:
    await propose(validator, "61")
    own = (await validator.get("/assumptions?open=hourly_cost")).text
    theirs = (await steward.get(f"{THERE}?open=hourly_cost")).text
    ((entry,),) = await portal.run("SELECT max(entry_id) FROM assumption_entry")

    assert button(own, "Validate $61.00 per hour") is None
    assert re.findall(r">Validate [^<]*</button>", theirs) == []
    assert (await validator.post("/assumptions/hourly_cost/validate", entry=str(entry))).status_code == 403
    assert (await steward.post(f"{THERE}/hourly_cost/validate", entry=str(entry))).status_code == 403


async def test_a_proposal_can_be_taken_back_by_its_own_side(
    portal: Portal, customer: Browser, steward: Browser
) -> None:
    await propose(customer, "61")
    theirs = (await steward.get(f"{THERE}?open=hourly_cost")).text
    assert button(theirs, "Withdraw $61.00 per hour") is None
    page = (await customer.get("/assumptions?open=hourly_cost")).text
    assert "Carl Berg proposes $61.00" in page.replace("\N{NO-BREAK SPACE}", " ")

    await press(customer, page, "Withdraw $61.00 per hour")
    assert "Carl Berg proposes" not in (await customer.get("/assumptions?open=hourly_cost")).text


async def test_a_value_is_put_under_review_with_its_reason(
    portal: Portal, customer: Browser, validator: Browser
) -> None:
    page = (await customer.get("/assumptions?open=hourly_cost")).text
    form = button(page, "Put under review")
    assert form is not None
    answer = await customer.post(form["action"], entry=form["entry"], reason="Overtime is in it twice.")
    assert answer.status_code == 303
    page = (await customer.get("/assumptions?open=hourly_cost")).text

    assert "“Overtime is in it twice.”" in page
    assert "Carl Berg questions it" in page
    assert button(page, "Put under review") is None
    await press(customer, page, "Withdraw the question")
    assert "questions it" not in (await customer.get("/assumptions?open=hourly_cost")).text


async def test_a_question_without_a_reason_is_kept_from_leaving(customer: Browser) -> None:
    form = button((await customer.get("/assumptions?open=hourly_cost")).text, "Put under review")
    assert form is not None
    answer = await customer.post(form["action"], entry=form["entry"], reason=" ")

    assert answer.status_code == 400
    assert "Say why the value is questioned" in answer.text


async def test_what_the_model_states_is_validated_as_it_stands(bare_portal: Portal) -> None:
    validator = await bare_portal.browser("vera@harbor.example")
    page = (await validator.get("/assumptions?open=hourly_cost")).text
    assert "from the value model" in page
    answer = await press(validator, page, "Validate $45.00 per hour")

    assert answer.status_code == 303
    rows = await bare_portal.run("SELECT action, author FROM assumption_entry ORDER BY entry_id")
    assert [tuple(row) for row in rows] == [("estimate", "value model"), ("validate", "vera@harbor.example")]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "about fifty",
        "--",
        "1e400",
        "12.12.12",
        "\N{MINUS SIGN}5",
        "-5",
        "50%",
        "9" * 30,
        "1 2",
        "1,25",
        "12,50",
        "0x10",
        "NaN",
        "$",
    ],
)
async def test_what_is_no_value_is_told_beside_the_field(portal: Portal, customer: Browser, value: str) -> None:
    sent = await propose(customer, value)
    preview = await customer.world.client.get(
        "/assumptions/hourly_cost/preview", params={"value": value}, headers=customer.headers
    )

    assert sent.status_code == 400
    assert "field-error" in sent.text
    assert "disabled" in preview.text
    assert await portal.run("SELECT 1 FROM assumption_entry WHERE action = 'propose'") == []


@pytest.mark.parametrize(
    ("typed", "kept"), [("60", "60"), (" $60.50 ", "60.5"), ("1,250.25", "1250.25"), ("60 USD", "60"), ("+60", "60")]
)
async def test_a_value_is_taken_as_people_type_it(portal: Portal, customer: Browser, typed: str, kept: str) -> None:
    assert (await propose(customer, typed)).status_code == 303
    ((low, expected, high),) = await portal.run(
        "SELECT low, expected, high FROM assumption_entry WHERE action = 'propose'"
    )

    assert low == expected == high
    assert f"{expected.normalize():f}" == kept


async def test_a_proposal_needs_its_reason(customer: Browser) -> None:
    answer = await customer.post("/assumptions/hourly_cost/propose", value="60", reason=" ")

    assert answer.status_code == 400
    assert "Say where the value comes from" in answer.text
    assert 'value="60"' in answer.text


async def test_reasons_are_text_wherever_they_are_shown(customer: Browser) -> None:
    await customer.post("/assumptions/hourly_cost/propose", value="60", reason="<img src=x onerror=alert(1)>{{7*7}}")
    page = (await customer.get("/assumptions?open=hourly_cost")).text

    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/assumptions/nothing/propose", {"value": "1", "reason": "r"}),
        ("/assumptions/nothing/validate", {}),
        ("/assumptions/hourly_cost/validate", {"entry": "999999"}),
        ("/assumptions/hourly_cost/withdraw", {}),
        ("/assumptions/hourly_cost/anything", {}),
    ],
)
async def test_what_is_not_there_cannot_be_answered(validator: Browser, path: str, fields: dict[str, str]) -> None:
    assert (await validator.post(path, **fields)).status_code == 404


async def test_an_entry_of_another_account_is_not_there(portal: Portal, customer: Browser) -> None:
    await propose(customer)
    ((entry,),) = await portal.run("SELECT max(entry_id) FROM assumption_entry")
    stranger = await portal.browser(STRANGER)

    assert (await stranger.post("/assumptions/hourly_cost/dispute", entry=str(entry), reason="r")).status_code == 404
    steward = await portal.browser("maya@fieldnote.example")
    path = f"/accounts/{GLOBEX}/assumptions/hourly_cost/dispute"
    assert (await steward.post(path, entry=str(entry), reason="r")).status_code == 404


async def test_who_only_reads_is_offered_nothing_to_do(portal: Portal) -> None:
    leader = await portal.browser(LEADER)
    page = (await leader.get(f"{THERE}?open=hourly_cost")).text

    assert 'method="post" action="/accounts' not in page
    assert (await propose(leader, base=THERE)).status_code == 403


async def test_a_note_in_the_margin_leads_to_its_row(portal: Portal, customer: Browser) -> None:
    form = button((await customer.get("/assumptions?open=hourly_cost")).text, "Put under review")
    assert form is not None
    await customer.post(form["action"], entry=form["entry"], reason="Overtime is in it twice.")
    await put_jobs(portal.world.databases, portal.world.harbor, MAY_4, 1)
    await portal.world.refresh(portal.world.harbor)
    page = (await customer.get("/story")).text
    (both_sides, *_) = hrefs(page, "/assumptions?about=")
    led = await customer.get(both_sides)

    assert (led.status_code, led.headers["location"]) == (303, "/assumptions?open=hourly_cost#row-hourly_cost")
    assert (await customer.get("/assumptions?about=ins_x")).headers["location"] == "/assumptions"
