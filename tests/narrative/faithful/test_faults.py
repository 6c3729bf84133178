"""A quick form of figure J5: every fault that is planted in an insight or a sentence is caught."""

import pytest

from tests.narrative.factories import admitted, harbor, record_of, summit
from tests.narrative.faults import FAULTS_IN, INSIGHT_FAULTS, InsightFault, SentenceFault, stale
from tests.narrative.further_accounts import cascade, delmar, lakeshore, opened
from valueplatform.narrative.document import Audience, Language
from valueplatform.narrative.faithful import Admitted, admit, rederive_from
from valueplatform.narrative.faithful.sentences import check_sentence
from valueplatform.narrative.wording import english, render, wording_in
from valueplatform.value.derivation import Realized

FACTS = harbor()
RECORD = record_of(FACTS)
ADMITTED = admitted(FACTS)
TOLD = [
    given
    for facts in (FACTS, summit(), delmar(), cascade(), lakeshore())
    for given in admitted(facts)
    if english().has_sentence(given.insight.kind)
]
AUDIENCES = (Audience.CUSTOMER, Audience.STEWARD)
OPENED = opened(FACTS)
TOLD += OPENED[1]
WORLDS = [(record_of(facts), admitted(facts)) for facts in (FACTS, summit(), delmar(), cascade(), lakeshore())] + [
    OPENED
]
"""Accounts that together have nearly all there is to tell."""


@pytest.mark.parametrize("plant", INSIGHT_FAULTS, ids=lambda plant: plant.__name__)
def test_a_fault_in_an_insight_is_refused(plant: InsightFault) -> None:
    planted = [(record, f) for record, told in WORLDS for given in told for f in plant(given.insight, record)]
    assert planted, "nothing to plant this fault in"
    for record, faulty in planted:
        kept, _ = admit([faulty], rederive_from(record, [faulty]))
        assert kept == [], (faulty.kind, faulty.subject, faulty.terms, faulty.numbers)


def test_faults_are_planted_in_nearly_every_kind() -> None:
    kinds = {given.insight.kind for _, told in WORLDS for given in told}
    assert len(kinds) >= 40


@pytest.mark.parametrize(
    ("language", "plant"),
    [(language, plant) for language in Language for plant in FAULTS_IN[language]],
    ids=lambda given: given if isinstance(given, str) else given.__name__,
)
def test_a_fault_in_a_sentence_is_caught(language: Language, plant: SentenceFault) -> None:
    planted, wording = 0, wording_in(language)
    for given in TOLD:
        for audience in AUDIENCES:
            for faulty in plant(render(given, audience, wording).spans, given.insight):
                planted += 1
                assert check_sentence(faulty, given, str(wording.locale)) != [], (
                    given.insight.kind,
                    "".join(s.text for s in faulty),
                )
    assert planted, "nothing to plant this fault in"


def test_numbers_of_a_record_that_has_moved_on_are_refused() -> None:
    later = stale(RECORD)
    for given in ADMITTED:
        reaches_now = any(
            isinstance(number.derivation, Realized) and number.derivation.end > FACTS.today
            for number in given.insight.numbers
        )
        if reaches_now and given.insight.kind not in {"stalled-driver", "detractor", "partner-contribution"}:
            assert admit([given.insight], rederive_from(later, [given.insight]))[0] == []


def test_an_insight_of_another_account_is_refused() -> None:
    other = record_of(harbor(today=FACTS.today.replace(day=20)))
    kept, _ = admit([a.insight for a in ADMITTED], rederive_from(other, [a.insight for a in ADMITTED]))
    told_alike = {a.insight.kind for a in kept}
    assert "realized" not in told_alike or len(kept) < len(ADMITTED)


def test_more_than_a_thousand_faults_of_more_than_thirty_kinds_were_planted() -> None:
    count = sum(1 for plant in INSIGHT_FAULTS for a in ADMITTED for _ in plant(a.insight, RECORD))
    for plant in FAULTS_IN[Language.ENGLISH]:
        count += sum(1 for a in TOLD for to in AUDIENCES for _ in plant(render(a, to).spans, a.insight))
    assert count > 1000
    assert len(INSIGHT_FAULTS) + len(FAULTS_IN[Language.ENGLISH]) > 30


@pytest.mark.parametrize("language", Language)
def test_the_check_finds_no_fault_where_none_was_planted(language: Language) -> None:
    wording = wording_in(language)
    for given in TOLD:
        for audience in AUDIENCES:
            assert check_sentence(render(given, audience, wording).spans, given, str(wording.locale)) == []


def test_a_sentence_is_checked_as_what_it_is_written_in() -> None:
    """Words and numbers of one language are none of another."""
    for given in TOLD:
        spans = render(given, Audience.CUSTOMER, wording_in(Language.GERMAN)).spans
        if any(span.name is not None for span in spans):
            assert check_sentence(spans, given, "en_US") != []


def test_only_what_was_admitted_can_be_rendered() -> None:
    with pytest.raises(AttributeError):
        render(ADMITTED[0].insight, Audience.CUSTOMER)  # type: ignore[arg-type]  # what the type forbids
    assert isinstance(ADMITTED[0], Admitted)
