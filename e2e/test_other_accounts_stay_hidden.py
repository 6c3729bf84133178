"""A customer sees one account. Every other address says the same as one that does not exist."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import OTHER_ACCOUNT, SPONSOR, STEWARD, SignIn, Watch

NOT_FOUND = "There is no such page."


@pytest.mark.parametrize(
    "path",
    [
        f"/accounts/{OTHER_ACCOUNT}/story",
        f"/accounts/{OTHER_ACCOUNT}/together",
        f"/accounts/{OTHER_ACCOUNT}/assumptions",
        f"/accounts/{OTHER_ACCOUNT}/story.md",
        "/accounts/no-such-account/story",
        "/portfolio",
        "/together/999999",
        "/proof/ins_00000000000000000000",
        "/no-such-page",
    ],
)
def test_a_customer_finds_nothing_there(sign_in: SignIn, watch: Watch, path: str) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 404")
    page = sign_in(SPONSOR)
    answer = page.goto(path)

    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text(NOT_FOUND)


def test_another_accounts_number_opens_for_its_steward_and_for_no_other_customer(sign_in: SignIn, watch: Watch) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 404")
    steward = sign_in(STEWARD)
    steward.goto(f"/accounts/{OTHER_ACCOUNT}/story")
    href = steward.locator("h1 a[data-value]").first.get_attribute("href") or ""
    assert steward.request.get(href).status == 200
    customer = sign_in(SPONSOR)

    assert customer.request.get(href).status == 404
