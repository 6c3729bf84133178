import msgspec
import pytest

from tests.narrative.factories import harbor, record_of
from valueplatform.narrative.faithful import Admitted, admit, rederive_from
from valueplatform.narrative.insights import discover

FACTS = harbor()
RECORD = record_of(FACTS)
INSIGHTS = discover(FACTS)


def test_what_re_computes_is_admitted_under_its_id() -> None:
    kept, refused = admit(INSIGHTS, rederive_from(RECORD, INSIGHTS))
    assert refused == []
    assert [a.id for a in kept] == [insight.id("harbor") for insight in INSIGHTS]


def test_nothing_but_admit_can_admit() -> None:
    with pytest.raises(TypeError):
        Admitted(INSIGHTS[0], "ins_1", "A", "B", frozenset(), seal=object())


def test_a_number_that_differs_in_the_last_place_is_refused_with_both_values() -> None:
    insight = next(i for i in INSIGHTS if (i.kind, i.subject) == ("realized", "account"))
    number = insight.numbers[0]
    wrong = msgspec.structs.replace(number, value=number.value + number.value.__class__("0.0001"))
    altered = msgspec.structs.replace(insight, numbers=(wrong, *insight.numbers[1:]))
    kept, refused = admit([altered], rederive_from(RECORD, [altered]))
    assert kept == []
    assert str(number.value) in refused[0].reasons[0]


def test_a_number_without_a_derivation_in_the_record_is_refused() -> None:
    rederived = rederive_from(RECORD, [])
    kept, refused = admit(INSIGHTS, rederived)
    assert all(not admitted.insight.numbers for admitted in kept)
    assert any("cannot be derived" in refusal.reasons[0] for refusal in refused)


def test_two_numbers_of_one_name_are_refused() -> None:
    insight = next(i for i in INSIGHTS if i.numbers)
    doubled = msgspec.structs.replace(insight, numbers=(insight.numbers[0], insight.numbers[0]))
    assert admit([doubled], rederive_from(RECORD, [doubled]))[1] != []
