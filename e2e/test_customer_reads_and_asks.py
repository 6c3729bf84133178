"""A customer reads the story, opens a number, and asks about a sentence."""

import re

from playwright.sync_api import Page, expect

from e2e.conftest import SPONSOR, SignIn, Watch


def test_the_story_opens_on_one_sentence_whose_numbers_open(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)

    expect(page).to_have_url(re.compile("/story$"))
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    numbers = page.locator("h1 a[data-value]")
    assert numbers.count() >= 1
    expect(numbers.first).to_have_attribute("href", re.compile("^/proof/ins_"))
    expect(page.get_by_role("img", name=re.compile("Realized value reached"))).to_be_visible()
    expect(page.locator(".chart svg")).to_be_visible()


def test_a_number_opens_beside_the_story_and_agrees_with_its_recomputation(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    number = page.locator("h1 a[data-value]").first
    said = number.inner_text()
    number.click()

    proof = page.get_by_role("dialog", name=f"Proof of {said}")
    expect(proof).to_be_visible()
    verdict = proof.get_by_text(re.compile(r"^Stated .*, recomputed "))
    stated, recomputed = re.findall(r"[\d,.]+\d", verdict.inner_text())
    assert stated == recomputed
    for part in ("What it is made of", "Assumptions", "Meters", "Events"):
        expect(proof.get_by_role("heading", name=re.compile(f"^{part}"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(proof).to_be_hidden()
    expect(number).to_be_focused()


def test_more_events_come_without_leaving_the_proof(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.locator("h1 a[data-value]").first.click()
    rows = page.locator("#proof-events tr")
    expect(rows.first).to_be_visible()
    before = rows.count()
    page.get_by_role("link", name="Show more").click()

    expect(rows).to_have_count(before + 20)


def test_every_number_of_the_story_has_a_proof_that_agrees(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    hrefs = page.locator("a[data-value]").evaluate_all("links => [...new Set(links.map(link => link.href))]")
    assert len(hrefs) > 10

    for href in hrefs:
        proof = page.request.get(href, headers={"HX-Request": "true"})
        assert proof.status == 200, href
        assert ">Stated " in proof.text(), href


def test_the_charts_table_says_what_the_chart_draws(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.get_by_text("Show as a table").click()

    months = page.get_by_role("table", name="Value to the end of each month")
    expect(months).to_be_visible()
    expect(months.get_by_role("row").nth(1)).to_contain_text("2026")
    classes = page.get_by_role("table", name="Realized value by benefit class")
    expect(classes.get_by_role("rowheader", name="Cashable")).to_be_visible()


def ask(page: Page, text: str) -> None:
    page.locator("section.chapter").first.get_by_role("button", name=re.compile("^Ask Maya Okafor")).click()
    expect(page.locator("blockquote [data-insight-id]")).to_be_visible()
    page.get_by_label(re.compile("^Write to Maya")).fill(text)
    page.get_by_role("button", name="Send").click()


def test_a_question_goes_to_the_steward_with_its_sentence_attached(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    told = page.locator("section.chapter p.insight").first
    insight = told.get_attribute("data-insight-id")
    ask(page, "Is overtime in this?\nIt was a hard month.")

    expect(page).to_have_url(re.compile(r"/together/\d+$"))
    expect(page.locator("blockquote [data-insight-id]").first).to_have_attribute("data-insight-id", insight or "")
    message = page.get_by_role("article").filter(has_text="Is overtime in this?")
    expect(message).to_contain_text("Daniel Reyes")
    expect(message).to_contain_text("It was a hard month.")


def test_an_empty_question_is_kept_from_leaving(sign_in: SignIn, watch: Watch) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 400")
    page = sign_in(SPONSOR)
    ask(page, "  ")

    expect(page.locator(".field-error")).to_contain_text("empty")


def test_a_suggestion_can_be_set_aside_and_taken_back(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    suggestion = page.locator("section#next")
    what = suggestion.locator(".next-what").inner_text()
    suggestion.get_by_role("button", name="Not for us").click()

    expect(suggestion.locator(".next-what")).to_have_text(what)
    suggestion.get_by_role("button", name="Undo").click()
    expect(suggestion.get_by_role("button", name="Not for us")).to_be_visible()
    expect(suggestion.locator(".next-what")).to_have_text(what)


def test_a_suggestion_is_accepted_followed_up_and_taken_back(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    suggestion = page.locator("section#next")
    what = suggestion.locator(".next-what").inner_text()
    suggestion.get_by_role("button", name="We will do this").click()

    follow_up = page.locator("section.graded")
    expect(follow_up.get_by_role("heading", name="How earlier suggestions turned out")).to_be_visible()
    expect(follow_up).to_contain_text("Not graded yet")
    follow_up.get_by_role("button", name="Take it back").click()
    expect(follow_up).to_have_count(0)
    expect(suggestion.locator(".next-what")).to_have_text(what)
