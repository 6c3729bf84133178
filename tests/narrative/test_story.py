"""Stories as a whole: length, order, tone, and what they must and must not say."""

import re
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.narrative.factories import (
    TODAY,
    Wave,
    account,
    admitted,
    assumption,
    contract,
    driver,
    harbor,
    rows,
    steady,
    targets,
)
from valueplatform.narrative.document import Audience, Language, Status, StoryDocument
from valueplatform.narrative.facts import AccountFacts, Person, for_provider
from valueplatform.narrative.since import told
from valueplatform.narrative.story import NothingToTellError, compose, fingerprint, sentences_in
from valueplatform.narrative.wording import wording_in
from valueplatform.value.states import State

OWN = (Audience.CUSTOMER, Audience.STEWARD, Audience.EXECUTIVE)
FORBIDDEN = re.compile(
    r"!|\b(unlock|journey|thanks to|caused|drove|boost|seamless|leverage)\b|\bundefined\b|\bNone\b(?! of)",
    re.IGNORECASE,
)
START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def story(facts: AccountFacts, audience: Audience = Audience.CUSTOMER) -> StoryDocument:
    """The story, in which every sentence could be said: none was withheld."""
    with capture_logs() as logs:
        document = compose(facts, admitted(facts), audience)
    assert logs == []
    return document


def assert_well_written(document: StoryDocument) -> None:
    """Headline of at most 14 words; insights of at most 2 sentences and 4 numbers; notes of at most 35 words."""
    assert len(document.headline.text.split()) <= 14, document.headline.text
    assert sum(len(sentences_in(sentence.text)) for sentence in document.lead) <= 2
    for sentence in told(document):
        assert len(sentences_in(sentence.text)) <= 2, sentence.text
        assert sum(span.name is not None for span in sentence.spans) <= 4, sentence.text
        assert not FORBIDDEN.search(sentence.text), sentence.text
        assert sentence.text[0] == sentence.text[0].upper()
    for chapter in document.chapters:
        assert 1 <= len(chapter.insights) <= 6
        assert not FORBIDDEN.search(chapter.title)
        assert len(chapter.notes) <= 2
        for note in chapter.notes:
            words = "".join(span.text for span in note.spans).split()
            assert len(words) <= 35, words
            assert note.beside in {sentence.insight_id for sentence in chapter.insights}
    ids = [sentence.insight_id for sentence in told(document)]
    assert len(ids) == len(set(ids)), "something is told twice"


@pytest.mark.parametrize("audience", OWN)
def test_a_rich_story_is_well_written(audience: Audience) -> None:
    assert_well_written(story(harbor(), audience))


def test_the_customers_story_reads_as_it_should() -> None:
    document = story(harbor())
    assert document.status is Status.ON_PLAN
    assert document.reason == "Realized value lies inside the committed range."
    assert [sentence.text for sentence in (document.headline, *document.lead)] == [
        "You have realized $1.66M of the $1.88M committed by now.",
        "That is inside the $1.60M to $2.16M committed, $63.4K above its low end.",
        "Repeat visits avoided fell $192K behind plan and held the total back.",
    ]
    assert [chapter.title for chapter in document.chapters] == [
        "“Send fewer people twice” fell behind plan, with a question open",
        "“Get paid sooner” fell behind plan",
        "“Dispatch without waiting” kept to plan",
        "The total fell in July 2026",
        "Overtime after app outages took value away",
        "Safety incidents avoided stayed without a price",
        "Calls to the dispatch desk avoided stood outside the total",
        "Work quoted and won on site brought first value",
    ]
    assert [sentence.text for sentence in document.chapters[0].insights] == [
        "Repeat visits avoided contributed $415K by now, $192K behind the $607K committed.",
        "Repeat visits avoided fell by $17.0K in July 2026, to $22.4K. Visits went from 7,088 to 4,394.",
    ]


def test_audiences_differ_in_choice_and_tone_and_never_in_facts() -> None:
    facts = harbor()
    kept = admitted(facts)
    numbers: dict[tuple[str, str | None], str | None] = {}
    for audience in OWN:
        for sentence in told(compose(facts, kept, audience)):
            for span in sentence.numbers:
                key = (sentence.insight_id, span.name)
                assert numbers.setdefault(key, span.value) == span.value


def test_the_executive_reads_less() -> None:
    assert len(list(told(story(harbor(), Audience.EXECUTIVE)))) < len(list(told(story(harbor())))) / 2


def test_the_same_facts_make_the_same_story() -> None:
    facts = harbor()
    kept = admitted(facts)
    assert compose(facts, kept, Audience.CUSTOMER) == compose(facts, list(reversed(kept)), Audience.CUSTOMER)


def test_a_partners_story_holds_its_own_rows_alone() -> None:
    document = story(for_provider(harbor(), "tessera"), Audience.PARTNER)
    assert_well_written(document)
    assert document.headline.text == "Your part of what Harbor Logistics realized since 6 Apr 2026 is $44.8K."
    assert document.reason == "What was committed to is between the customer and the supplier."
    text = " ".join(sentence.text for sentence in told(document))
    for secret in ("Priya", "Repeat visits", "committed", "paid", "Dispatch"):
        assert secret not in text
    assert all(not chapter.notes for chapter in document.chapters)


def _unvalidated(**given: Any) -> AccountFacts:
    return account(
        rows("calls", Wave(420).days(START, TOMORROW), state=State.ESTIMATED),
        drivers=(driver("calls", "Calls to the desk avoided", inputs=("call_minutes",)),),
        inputs=(assumption("call_minutes", "5", "minute/call", State.ESTIMATED),),
        **given,
    )


def test_where_nothing_is_validated_the_headline_says_about_and_the_lead_who_can_settle_it() -> None:
    document = story(_unvalidated(people=(Person("Priya Nair", "validator"),)))
    assert_well_written(document)
    assert re.fullmatch(r"You have gained about \$\S+ since 1 Jan 2026, not yet validated\.", document.headline.text), (
        document.headline.text
    )
    assert "Priya Nair can validate it." in document.lead[0].text
    assert document.status is Status.INSUFFICIENT
    assert document.reason == "No commitment has been agreed for this stretch."


def test_a_commitment_that_nothing_validated_answers_is_insufficient_data() -> None:
    plan = tuple(targets("o", "calls", START, date(2027, 1, 1), 10))
    document = story(_unvalidated(targets=plan))
    assert (document.status, document.reason) == (
        Status.INSUFFICIENT,
        "Nothing that was committed to is validated yet.",
    )


def test_a_commitment_of_last_week_is_too_early_to_judge() -> None:
    plan = tuple(targets("o", "a", date(2026, 8, 1), date(2027, 1, 1), 10))
    facts = account(rows("a", steady(START, TOMORROW, 5)), drivers=(driver("a"),), targets=plan, today=date(2026, 8, 9))
    assert story(facts).reason == "Less than two weeks of the commitment fall into this stretch."


def test_an_account_without_an_event_is_told_how_value_begins() -> None:
    document = story(account(drivers=(driver("a"),)))
    assert document.headline.text == "There is not enough data yet to state your value."
    assert [sentence.text for sentence in document.lead] == ["Value begins with the first event that a driver uses."]
    assert document.chapters == ()
    assert document.status is Status.INSUFFICIENT


def _fallen_silent(ended: date, state: State = State.ESTIMATED, **given: Any) -> AccountFacts:
    """Two drivers, one of which took value away, until a day."""
    daily = [
        *rows("a", Wave(100).days(START, ended), state=state),
        *rows("b", Wave(-10).days(START, ended), state=state),
    ]
    return account(daily, drivers=(driver("a", "Work saved"), driver("b", "Time lost to errors")), **given)


LONG_AGO = TODAY - timedelta(days=120)


@pytest.mark.parametrize("audience", OWN)
def test_an_account_from_which_nothing_came_for_long_has_one_plain_story(audience: Audience) -> None:
    document = story(_fallen_silent(LONG_AGO), audience)
    assert_well_written(document)
    assert document.headline.kind == "estimated"
    assert [sentence.kind for sentence in document.lead] == ["silent-account"]
    assert document.chapters == ()
    assert document.next is not None
    assert document.next.act == "arrive"


def test_the_plain_story_says_since_when_what_came_last_what_was_estimated_and_what_to_do() -> None:
    document = story(_fallen_silent(LONG_AGO))
    told_in = [document.headline.text, *(sentence.text for sentence in document.lead)]
    assert re.fullmatch(r"You have gained about \$\S+ since 1 Jan 2026, not yet validated\.", told_in[0]), told_in
    silence = r"Nothing has come in since 23 Apr 2026, after about \$\S+ from 26 Mar 2026 on\."
    assert re.fullmatch(silence, told_in[1]), told_in
    assert document.next is not None
    assert document.next.text == "Check with Fieldnote that events still arrive."
    assert document.period_from == START


def test_the_plain_story_is_told_in_german_too() -> None:
    facts = _fallen_silent(LONG_AGO)
    document = compose(facts, admitted(facts), Audience.CUSTOMER, wording_in(Language.GERMAN))
    assert document.lead[0].text.startswith("Seit dem 23. April 2026 kam nichts herein; ab dem 26. März 2026")
    assert document.chapters == ()


def test_a_driver_that_was_alone_falls_silent_with_its_account_once_it_is_lost() -> None:
    facts = account(rows("a", Wave(100).days(START, LONG_AGO), state=State.ESTIMATED), drivers=(driver("a"),))
    assert [sentence.kind for sentence in story(facts).lead] == ["silent-account"]
    assert story(facts).chapters == ()


@pytest.mark.parametrize(
    ("ended", "state"), [(LONG_AGO, State.VALIDATED), (TODAY - timedelta(days=40), State.ESTIMATED)]
)
def test_what_counts_and_what_stopped_lately_keep_their_chapters(ended: date, state: State) -> None:
    document = story(_fallen_silent(ended, state))
    assert document.headline.kind != "silent-account"
    assert document.chapters


def test_a_partner_is_not_told_that_nothing_was_measured_where_others_may_have() -> None:
    facts = for_provider(_fallen_silent(LONG_AGO), "supplier")
    assert story(facts, Audience.PARTNER).headline.kind == "estimated"


def test_without_a_plan_the_headline_is_what_was_realized_and_the_lead_what_it_cost() -> None:
    facts = account(
        rows("a", steady(START, TOMORROW, 100)),
        drivers=(driver("a"),),
        contracts=(contract(START, None, 36500),),
    )
    document = story(facts)
    assert document.headline.text == "You have realized $23.3K with Fieldnote since 1 Jan 2026."
    lead = document.lead[0].text.replace("\N{NO-BREAK SPACE}", " ")
    assert lead == "You have realized 1.00 times the $23.3K that you paid since 1 Jan 2026, counting only contracts."


def test_a_loss_is_said_with_its_sign() -> None:
    document = story(account(rows("a", {TODAY: -500}), drivers=(driver("a"),)))
    assert "\N{MINUS SIGN}$500" in document.headline.text


@pytest.mark.parametrize("unit", ["visit", "EUR"])
def test_an_account_in_whose_currency_nothing_is_priced_is_told_so_once(unit: str) -> None:
    document = story(
        account(rows("a", steady(START, TODAY, 1), unit=unit), drivers=(driver("a", "Visits saved", unit=unit),))
    )
    assert_well_written(document)
    assert document.headline.text == "Your results are counted and not priced in your currency."
    assert document.lead == ()
    (sentence,) = document.chapters[0].insights
    assert sentence.text.endswith("so it is in no total.")
    assert ("another currency" in sentence.text) is (unit == "EUR")


def test_insights_of_nobody_make_no_story() -> None:
    with pytest.raises(NothingToTellError):
        compose(harbor(), [], Audience.CUSTOMER)


def test_yen_and_euro_are_written_their_way() -> None:
    for currency, sign in (("JPY", "¥"), ("EUR", "€")):
        facts = account(
            rows("a", steady(START, TOMORROW, 10_000), unit=currency),
            drivers=(driver("a", unit=currency),),
            currency=currency,
        )
        assert sign in story(facts).headline.text


def test_the_fingerprint_stays_while_nothing_worth_telling_changes() -> None:
    document = story(harbor())
    later = msgspec.structs.replace(document, composed_at=None, period_to=document.period_to + timedelta(days=1))
    assert fingerprint(later) == fingerprint(document)


def test_the_fingerprint_changes_with_the_standing_and_with_a_number_that_moved_much() -> None:
    document = story(harbor())
    assert fingerprint(msgspec.structs.replace(document, status=Status.BEHIND)) != fingerprint(document)
    spans = tuple(
        msgspec.structs.replace(span, value="1900000.0000") if span.name == "realized" else span
        for span in document.headline.spans
    )
    moved = msgspec.structs.replace(document, headline=msgspec.structs.replace(document.headline, spans=spans))
    assert fingerprint(moved) != fingerprint(document)


def test_a_story_survives_its_way_to_the_database_and_back() -> None:
    document = story(harbor())
    assert msgspec.json.decode(msgspec.json.encode(document), type=StoryDocument) == document


amounts = st.integers(-2000, 20000)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(amounts, st.integers(0, 230), st.integers(1, 120), st.sampled_from(list(State))),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 60_000),
    st.booleans(),
)
def test_whatever_happened_the_story_is_well_written(
    parts: list[tuple[int, int, int, State]],
    target: int,
    signed: bool,  # noqa: FBT001 - Hypothesis gives it
) -> None:
    daily = []
    for index, (amount, offset, length, state) in enumerate(parts):
        begin = START + timedelta(days=offset)
        daily += rows(f"d{index}", steady(begin, min(begin + timedelta(days=length), TOMORROW), amount), state=state)
    facts = account(
        daily,
        drivers=tuple(driver(f"d{index}", inputs=("rate",)) for index in range(len(parts))),
        inputs=(assumption("rate", "3", "USD/job", State.PROPOSED),),
        targets=tuple(targets("Do more", "d0", START, date(2027, 1, 1), target)),
        contracts=(contract(START, date(2026, 11, 1), 30_000),) if signed else (),
    )
    for audience in OWN:
        assert_well_written(story(facts, audience))
