from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stewardship.factories import NOON, document, sentence
from valueplatform.accounts.accounts import EVER, Account
from valueplatform.accounts.stewards import Steward
from valueplatform.narrative.document import Chapter, Note, Span, Status, Strip
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.since import SinceLine
from valueplatform.narrative.store import StoredStory
from valueplatform.portal.calling import Place
from valueplatform.portal.story_view import Told, mark_of, story_view
from valueplatform.portal.view.story import Story
from valueplatform.portal.visits import Before
from valueplatform.value.derivation import Constant

HARBOR = Account(
    account_id=7, key="harbor", name="Harbor Logistics", timezone="Europe/Berlin", currencies=((EVER, "USD"),)
)
PERIOD = (date(2026, 1, 1), date(2026, 9, 2))


def chapter(
    name: str, *, strip: Strip | None = None, notes: tuple[Note, ...] = (), status: Status | None = None
) -> Chapter:
    told = (sentence(f"ins_{name}"),)
    return Chapter(name, f"{name.capitalize()} kept to plan", *PERIOD, status, f"{name}, cashable", told, notes, strip)


def shown(*chapters: Chapter, base: str = "", **around: Any) -> Story:
    told = document(chapters=chapters or (chapter("repeat"),))
    stored = StoredStory(3, told, "f", NOON)
    given_: dict[str, Any] = {
        "place": Place(HARBOR, base),
        "stored": stored,
        "now": NOON,
        "public_url": "https://value.example",
    }
    return story_view(Told(**(given_ | around)))


def strip(realized: str, high: str, unit: str = "USD") -> Strip:
    return Strip(Decimal(realized), Decimal(0), Decimal(high) / 2, Decimal(high), unit)


def test_every_number_is_a_link_to_its_proof() -> None:
    (number,) = [span.number for span in shown().chapters[0].sentences[0].spans if span.number]

    assert (number.href, number.value, number.state) == (
        "/proof/ins_repeat?number=realized",
        "486080.0000",
        "validated",
    )


def test_strips_in_one_unit_share_a_scale() -> None:
    found = shown(
        chapter("visits", strip=strip("500", "400")),
        chapter("invoices", strip=strip("100", "1000")),
        chapter("safety", strip=strip("3", "4", "incident")),
    )
    strips = [one.strip for one in found.chapters if one.strip]

    assert [one.realized for one in strips] == [0.5, 0.1, 0.75]
    assert [one.high for one in strips] == [0.4, 1.0, 1.0]
    assert strips[2].realized_text == "3\N{NO-BREAK SPACE}incidents"


@given(realized=st.integers(-(10**12), 10**12), high=st.integers(0, 10**12))
def test_no_strip_leaves_its_scale(realized: int, high: int) -> None:
    found = shown(chapter("visits", strip=strip(str(realized), str(high)))).chapters[0].strip

    assert found is not None
    assert all(0 <= place <= 1 for place in (found.realized, found.low, found.expected, found.high))


def test_a_question_in_the_margin_leads_to_both_sides_and_says_its_state_once() -> None:
    note = Note("risk", "Under review", (Span("Priya asks."),), "ins_note", "ins_repeat")
    (found,) = shown(chapter("repeat", notes=(note,))).chapters[0].notes

    assert (found.title, found.beside) == ("", "ins_repeat")
    assert found.chip is not None
    assert found.links[0].href == "/assumptions?about=ins_note"


def test_below_an_account_every_address_stays_there() -> None:
    note = Note("risk", "Question", (Span("Priya asks."),), "ins_note", "ins_repeat")
    found = shown(chapter("repeat", notes=(note,)), base="/accounts/harbor")

    assert found.chapters[0].notes[0].links[0].href == "/accounts/harbor/assumptions?about=ins_note"
    assert (found.live_href or "").startswith("/accounts/harbor/story/live?seen=")
    assert found.ask is None


def test_who_may_ask_is_offered_the_steward_by_name() -> None:
    maya = Steward("maya@fieldnote.example", "Maya Okafor")
    found = shown(asks=True, steward=maya)

    assert found.ask is not None
    assert found.ask.label == "Talk to Maya Okafor"
    ask = found.chapters[0].ask
    assert ask is not None
    assert (ask.label, ask.fields) == ("Ask Maya Okafor about this", (("insight", "ins_repeat"),))
    without = shown(asks=True).chapters[0].ask
    assert without is not None
    assert without.label == "Ask your steward about this"


def test_what_is_new_is_told_with_its_day_and_leads_to_its_sentence() -> None:
    lines = [SinceLine("Visits kept to plan", "ins_visits"), SinceLine("A headline", "ins_headline")]
    changed = {"ins_visits": datetime(2026, 8, 30, 23, tzinfo=UTC)}
    found = shown(chapter("visits"), since=lines, changed=changed, before=Before(2, datetime(2026, 8, 21, tzinfo=UTC)))

    assert found.since is not None
    assert found.since.label == "Since your last visit, 21 Aug"
    assert found.since.short == "2 new since 21 Aug"
    assert [(item.href, item.when) for item in found.since.items] == [("#c-visits", "31 Aug"), ("#stand", "1 Sep")]
    assert found.headline.is_new
    assert found.chapters[0].sentences[0].is_new


@pytest.mark.parametrize(("age", "stale"), [(timedelta(days=2), False), (timedelta(days=4), True)])
def test_a_feed_that_has_been_silent_for_days_is_said_above_the_headline(age: timedelta, *, stale: bool) -> None:
    banner = shown(last_event=NOON - age).banner

    assert (banner is not None) is stale


def test_the_list_of_chapters_has_short_names() -> None:
    objective = Chapter("o", "“Send fewer crews back” kept to plan", *PERIOD, None, "Visits", (sentence("ins_o"),))

    assert [one.short for one in shown(objective, chapter("visits")).chapters] == ["Send fewer crews back", "visits"]


def test_printed_each_number_has_its_address() -> None:
    (line,) = shown().printed

    assert (line.number, line.rests) == ("$486K", "agreed values alone")
    assert line.address == "https://value.example/proof/ins_repeat?number=realized"


def test_a_story_composed_anew_has_another_mark() -> None:
    assert mark_of(3, NOON) != mark_of(3, NOON + timedelta(microseconds=1))
    assert mark_of(3, NOON) != mark_of(4, NOON)


def test_classes_open_like_any_number() -> None:
    number = Number("cashable", Decimal("1000.5"), "USD", Constant("1"), Standing.TOUCHED)
    insight = Insight("benefit-classes", "account", *PERIOD, (number,), Strength.STRONG, 0.5)
    found = shown(classes=("ins_classes", insight))

    assert found.chart is None  # nothing to draw, so no table either
