"""A story in another language is the same story."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.narrative.factories import TODAY, admitted, harbor, summit
from tests.narrative.further_accounts import delmar
from valueplatform.narrative.document import Audience, Language, Sentence, StoryDocument
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.forms import story_json, story_markdown, story_text
from valueplatform.narrative.since import since, told
from valueplatform.narrative.story import compose, sentences_in
from valueplatform.narrative.wording import wording_in

WORLDS = (harbor, summit, delmar)


def in_(language: Language, facts: AccountFacts, audience: Audience = Audience.CUSTOMER) -> StoryDocument:
    return compose(facts, admitted(facts), audience, wording_in(language))


def said(sentence: Sentence) -> tuple[object, ...]:
    numbers = tuple((n.name, n.value, n.unit, n.standing) for n in sentence.numbers)
    return sentence.insight_id, sentence.kind, numbers, sentence.period_from, sentence.period_to


def texts(document: StoryDocument) -> Iterator[str]:
    yield document.reason
    yield from (sentence.text for sentence in told(document))
    for chapter in document.chapters:
        yield chapter.title
        yield from (f"{note.title} {''.join(span.text for span in note.spans)}" for note in chapter.notes)


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("world", WORLDS)
def test_german_tells_the_same_insights_with_the_same_values_in_the_same_order(
    world: Callable[[], AccountFacts], audience: Audience
) -> None:
    english, german = (in_(language, world(), audience) for language in (Language.ENGLISH, Language.GERMAN))
    assert [said(sentence) for sentence in told(german)] == [said(sentence) for sentence in told(english)]
    assert german.status is english.status
    assert german.series == english.series
    for ours, theirs in zip(german.chapters, english.chapters, strict=True):
        assert (ours.id, ours.status, ours.strip) == (theirs.id, theirs.status, theirs.strip)
        assert [(n.insight_id, n.kind, n.beside) for n in ours.notes] == [
            (n.insight_id, n.kind, n.beside) for n in theirs.notes
        ]


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("world", WORLDS)
def test_no_english_word_of_ours_is_left(world: Callable[[], AccountFacts], audience: Audience) -> None:
    ours = re.compile(
        r"\b(the|and|since|of|you|your|has|have|value|committed|contributed|brought|rose|fell|came|not|yet)\b"
    )
    for text in texts(in_(Language.GERMAN, world(), audience)):
        assert not ours.search(re.sub(r"„[^“]*“", "", text)), text


def test_the_headline_reads_in_german_with_german_figures() -> None:
    text = in_(Language.GERMAN, harbor()).headline.text.replace("\N{NO-BREAK SPACE}", " ")
    assert text == "Sie haben 1,66 Mio. $ der bis heute zugesagten 1,88 Mio. $ realisiert."


def test_a_german_day_does_not_end_a_sentence() -> None:
    text = "Der Vertrag läuft bis zum 30. November 2026. Damit haben Sie „Visit cost“ gesenkt. „A“ stieg auf 5."
    assert len(sentences_in(text)) == 3


def test_what_changed_is_told_in_the_language_of_the_story() -> None:
    before, now = (in_(Language.GERMAN, harbor(day)) for day in (TODAY - timedelta(days=5), TODAY))
    english = [in_(Language.ENGLISH, harbor(day)) for day in (TODAY - timedelta(days=5), TODAY)]
    lines = since(before, now)
    assert [line.insight_id for line in lines] == [line.insight_id for line in since(*english)]
    assert any(line.text.startswith("Der realisierte Wert stieg um ") for line in lines)


def test_every_form_is_german_and_says_so() -> None:
    document = in_(Language.GERMAN, harbor())
    assert story_json("harbor", 1, document)["language"] == "de"
    for form in (story_text(document), story_markdown(document)):
        assert "1. September 2025 bis 21. August 2026" in form
        assert "Im Plan" in form
        assert "On plan" not in form


def test_a_company_with_a_long_name_is_called_by_what_it_is() -> None:
    facts = harbor()
    object.__setattr__(facts, "name", "The Very Long Name of a Company")
    told_of = [sentence.text for sentence in told(in_(Language.GERMAN, facts, Audience.STEWARD))]
    assert told_of[0].startswith("Dieser Kunde hat ")
    assert any(" dieser Kunde " in text for text in told_of)
