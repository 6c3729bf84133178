import pytest

from tests.narrative.factories import admitted, harbor
from valueplatform.narrative.document import Audience, Language, Span
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.faithful.german import GERMAN
from valueplatform.narrative.faithful.sentences import check_sentence
from valueplatform.narrative.wording import english, render, wording_in

ADMITTED = {(a.insight.kind, a.insight.subject): a for a in admitted(harbor())}
SLUMP = ADMITTED["period-over-period", "repeat_visits"]
BEHIND = ADMITTED["attainment", "repeat_visits"]
TOP = ADMITTED["top-contributors", "account"]


def _said(given: Admitted, old: str, new: str) -> list[str]:
    """What the checker says of the sentence with a text span altered."""
    spans = render(given, Audience.CUSTOMER).spans
    assert any(old in span.text for span in spans if span.name is None), [span.text for span in spans]
    altered = [Span(span.text.replace(old, new)) if span.name is None and old in span.text else span for span in spans]
    return check_sentence(altered, given)


def test_a_sentence_as_rendered_has_nothing_wrong() -> None:
    for given in ADMITTED.values():
        if english().has_sentence(given.insight.kind):
            assert check_sentence(render(given, Audience.CUSTOMER).spans, given) == []


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        (SLUMP, "fell by", "rose by"),  # direction
        (SLUMP, "July 2026", "June 2026"),  # period: the month before
        (SLUMP, "July 2026", "July 2025"),  # period: another year
        (SLUMP, "July 2026", "1 Jul 2025"),
        (SLUMP, "Repeat visits avoided", "Dispatch hours saved"),  # another name of the record
        (SLUMP, ", to ", ", to 12 "),  # a number from nowhere
        (SLUMP, ", to ", ", twice, to "),  # a number in words
        (SLUMP, ", to ", ", half of it, to "),
        (BEHIND, "behind the", "ahead of the"),
        (BEHIND, "by now", "by 30 Jun 2026"),
        (TOP, "Dispatch hours saved", "Repeat visits avoided"),  # swapped names
        (ADMITTED["realized", "account"], "1 Sep 2025", "1 Oct 2025"),
    ],
)
def test_an_altered_word_is_caught(given: Admitted, old: str, new: str) -> None:
    assert _said(given, old, new) != []


def test_a_loss_may_not_lose_its_sign() -> None:
    given = ADMITTED["detractor", "overtime"]
    spans = render(given, Audience.CUSTOMER).spans
    bare = [
        Span(span.text.lstrip("\N{MINUS SIGN}"), span.name, span.value, span.unit, span.standing) if span.name else span
        for span in spans
    ]
    assert check_sentence(bare, given) == ["realized lost its sign"]


def test_numbers_of_another_insight_are_caught() -> None:
    assert check_sentence(render(TOP, Audience.CUSTOMER).spans, SLUMP) != []


def test_swapped_figures_are_caught() -> None:
    spans = list(render(TOP, Audience.CUSTOMER).spans)
    places = [i for i, span in enumerate(spans) if span.name in {"first", "second"}]
    spans[places[0]], spans[places[1]] = spans[places[1]], spans[places[0]]
    assert any("do not belong" in problem for problem in check_sentence(spans, TOP))


def test_swapped_classes_are_caught() -> None:
    given = ADMITTED["benefit-classes", "account"]
    assert _said(given, "cashable", "capacity") != []


def test_digits_in_a_title_of_the_record_are_no_numbers() -> None:
    given = ADMITTED["milestone", "reno"]
    assert check_sentence(render(given, Audience.CUSTOMER).spans, given) == []


def test_another_language_is_not_waved_through() -> None:
    assert check_sentence(render(TOP, Audience.CUSTOMER).spans, TOP, "fr_FR") == [
        "no sentence in fr_FR can be checked yet"
    ]


def test_a_record_with_an_empty_name_or_one_of_signs_is_read_like_any_other() -> None:
    object.__setattr__(odd := admitted(harbor())[0], "names", frozenset({"", "[", "a+b (c", "^x"}))
    assert check_sentence([Span("Nothing of the kind.")], odd) == []


@pytest.mark.parametrize(
    ("given", "old", "new"),
    [
        (SLUMP, "sank im", "stieg im"),
        (SLUMP, "Juli 2026", "Juni 2026"),
        (SLUMP, "Juli 2026", "Juli 2025"),
        (SLUMP, "Juli 2026", "1. Juli 2025"),
        (SLUMP, "Repeat visits avoided", "Dispatch hours saved"),
        (SLUMP, " auf ", " auf 12 "),
        (SLUMP, " auf ", ", doppelt so viel, auf "),
        (SLUMP, " auf ", ", die Hälfte, auf "),
        (SLUMP, " auf ", ", ein Viertel, auf "),
        (BEHIND, "weniger als", "mehr als"),
        (BEHIND, "weniger als", "vor dem Plan von"),
        (BEHIND, "bisher", "bis zum 30. Juni 2026"),
        (TOP, "Dispatch hours saved", "Repeat visits avoided"),
        (ADMITTED["realized", "account"], "1. September 2025", "1. Oktober 2025"),
        (ADMITTED["benefit-classes", "account"], "zahlungswirksam", "Kapazität"),
    ],
)
def test_an_altered_german_word_is_caught(given: Admitted, old: str, new: str) -> None:
    spans = render(given, Audience.CUSTOMER, wording_in(Language.GERMAN)).spans
    assert check_sentence(spans, given, "de_DE") == []
    assert any(old in span.text for span in spans if span.name is None), [span.text for span in spans]
    altered = [Span(span.text.replace(old, new)) if span.name is None and old in span.text else span for span in spans]
    assert check_sentence(altered, given, "de_DE") != []


@pytest.mark.parametrize(
    "word",
    ["zwei", "Dreizehn", "vierzig", "einundzwanzig", "zweihundert", "dreimal", "Drittel", "halbe", "verdreifacht"],
)
def test_a_german_number_in_words_is_seen(word: str) -> None:
    assert GERMAN.number_word.fullmatch(word.lower())


@pytest.mark.parametrize("word", ["ein", "eine", "einzige", "Vertrag", "allein", "beachtet", "und", "mit", "null"])
def test_a_german_word_that_states_no_number_is_none(word: str) -> None:
    assert not GERMAN.number_word.fullmatch(word.lower())
