"""A champion opens a prompt, makes the draft their own and sends it; the steward sees it with the insight."""

import re
from typing import Any

import httpx
from playwright.sync_api import expect

from e2e.conftest import ACCOUNT, OTHER_ACCOUNT, STEWARD, Platform, SignIn
from valueplatform.core.authorization import KeyKind

CHAMPION = "lena.whitfield@harbor-logistics.example"
OWN_WORDS = "Could we go through it on Monday? I will bring the desk's log."


def prompts(platform: Platform, account: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {platform.key(KeyKind.ADMIN)}"}
    answer = httpx.get(f"{platform.base_url}/api/v1/accounts/{account}/collaborations", headers=headers)
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


def test_what_is_planted_in_the_sample_prompts_whom_it_should(platform: Platform) -> None:
    found = [p for p in prompts(platform, OTHER_ACCOUNT) if p["occasion"] == "behind"]
    assert [p["receiver"]["name"] for p in found] == ["Rosa Delgado"]
    assert found[0]["stake"] is not None
    assert found[0]["draft"].startswith("Hello Rosa Delgado,")


def test_a_prompt_becomes_a_message_in_the_senders_own_words(sign_in: SignIn) -> None:
    champion = sign_in(CHAMPION)
    talk = champion.locator("#talk")
    expect(talk).to_contain_text(re.compile("^\\s*Next: ask Ana Brandt to validate"))
    write = talk.get_by_role("link", name="Write to Ana Brandt")
    prompt = write.get_attribute("href")
    write.click()
    draft = champion.get_by_label("Write to Ana Brandt")
    expect(draft).to_have_value(re.compile("^Hello Ana Brandt,.*Thank you,\nLena Whitfield$", re.DOTALL))
    quoted = champion.locator("blockquote [data-insight-id]").get_attribute("data-insight-id")
    draft.fill(OWN_WORDS)
    champion.get_by_role("button", name="Send").click()
    expect(champion.get_by_text(OWN_WORDS)).to_be_visible()

    steward = sign_in(STEWARD)
    path = re.sub("^.*/together", f"/accounts/{ACCOUNT}/together", champion.url)
    steward.goto(path)
    expect(steward.get_by_text(OWN_WORDS)).to_be_visible()
    expect(steward.locator(f'blockquote [data-insight-id="{quoted}"]')).to_be_visible()

    champion.goto("/story")
    expect(champion.get_by_role("heading", level=1)).to_be_visible()
    expect(champion.locator(f'a[href="{prompt}"]')).to_have_count(0)
