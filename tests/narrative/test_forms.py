import json
from datetime import date

import msgspec

from tests.narrative.factories import account, admitted, driver, harbor, rows
from valueplatform.narrative.document import Audience, StoryDocument
from valueplatform.narrative.facts import Milestone
from valueplatform.narrative.forms import WIDTH, story_json, story_markdown, story_text
from valueplatform.narrative.story import compose


def _story(audience: Audience = Audience.CUSTOMER) -> StoryDocument:
    facts = harbor()
    return compose(facts, admitted(facts), audience)


def test_the_json_has_the_form_of_the_contract() -> None:
    form = story_json("harbor", 3, _story())
    assert (form["account"], form["version"], form["status"]) == ("harbor", 3, "on-plan")
    assert form["headline"] == "You have realized $1.66M of the $1.88M committed by now."
    chapter = form["chapters"][0]
    assert set(chapter) >= {"id", "title", "period", "insights"}
    insight = chapter["insights"][0]
    assert set(insight) >= {"id", "kind", "text", "numbers", "strength", "period"}
    assert insight["period"] == {"from": "2025-09-01", "to": "2026-08-22"}
    assert set(insight["numbers"][0]) >= {"name", "value", "unit"}


def test_amounts_in_the_json_are_exact_decimal_strings() -> None:
    form = json.loads(json.dumps(story_json("harbor", 1, _story())))
    numbers = {number["name"]: number["value"] for number in form["headline_insight"]["numbers"]}
    assert numbers["realized"] == "1660502.0135"


def test_the_text_fits_a_terminal_and_holds_every_sentence() -> None:
    document = _story()
    text = story_text(document)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    flowing = " ".join(text.replace("  | ", "").split())
    for chapter in document.chapters:
        for sentence in chapter.insights:
            assert " ".join(sentence.text.split()) in flowing


def test_the_text_of_an_empty_story_is_short() -> None:
    facts = account(drivers=(driver("a"),))
    text = story_text(compose(facts, admitted(facts), Audience.CUSTOMER))
    assert "There is not enough data yet" in text
    assert "Insufficient data" in text


def test_names_cannot_become_markup_in_markdown() -> None:
    facts = account(
        rows("a", {date(2026, 7, 1): 5, date(2026, 8, 12): 5}),
        drivers=(driver("a"),),
        milestones=(Milestone("m", "rollout", date(2026, 8, 12), "[Reno](javascript:alert) <script>"),),
    )
    text = story_markdown(compose(facts, admitted(facts), Audience.CUSTOMER))
    assert "\\[Reno\\](javascript:alert) \\<script\\>" in text


def test_markdown_has_a_heading_for_each_chapter_and_a_quote_for_each_note() -> None:
    document = _story()
    text = story_markdown(document)
    assert text.count("\n## ") == len(document.chapters)
    assert text.count("\n> ") == sum(len(chapter.notes) for chapter in document.chapters)


def test_a_period_of_nothing_still_has_a_dateline() -> None:
    document = _story()
    empty = msgspec.structs.replace(document, period_to=document.period_from)
    assert story_text(empty).startswith("1 Sep 2025   ")
