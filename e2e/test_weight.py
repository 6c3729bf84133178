"""The first view of the story stays light, on the wire and after it (P11)."""

from playwright.sync_api import Response, expect

from e2e.conftest import SPONSOR, SignIn

FIRST_VIEW = 400 * 1024
AFTERWARDS = 30 * 1024


def weight(answers: list[Response]) -> int:
    """Bytes of bodies as they were sent; an answer from the browser's own store weighs nothing."""
    own = (answer for answer in answers if "event-stream" not in answer.headers.get("content-type", ""))
    return sum(answer.request.sizes()["responseBodySize"] for answer in own if answer.ok)


def test_the_story_weighs_at_most_400_kilobytes_with_its_chart(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    fresh = page.context.browser
    assert fresh is not None
    context = fresh.new_context(storage_state=page.context.storage_state(), base_url=page.url.removesuffix("/story"))
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    first = context.new_page()
    first.on("response", note)
    first.goto("/story")
    expect(first.locator(".chart svg")).to_be_visible()
    first_weight = weight(answers)
    answers.clear()
    first.goto("/story")
    expect(first.locator(".chart svg")).to_be_visible()
    again = weight(answers)
    context.close()

    assert 100 * 1024 < first_weight <= FIRST_VIEW
    assert again <= AFTERWARDS


def test_nothing_comes_from_anywhere_else(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto("/story")
    expect(page.locator(".chart svg")).to_be_visible()

    assert hosts == {page.url.split("/")[2]}
