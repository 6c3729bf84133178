from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from valueplatform.narrative.grade_words import GradeWords, number_name
from valueplatform.narrative.grades import Grade
from valueplatform.narrative.grading import Outcome
from valueplatform.narrative.next_best_correction import Track

AT = datetime(2026, 1, 3, tzinfo=UTC)
GRADE = Grade(
    "sug_1", "a", "A", 90, 1, Outcome.MEASURED, AT, AT, "USD", date(2025, 10, 1), date(2025, 12, 30),
    Decimal(50), Decimal(200), Decimal(350), Decimal(-10), Decimal(410), Decimal(150), Decimal(1000),
    is_within=True, compared=6,
)  # fmt: skip
WORDS = GradeWords()


def said(grade: Grade) -> str:
    return "".join(span.text for span in WORDS.sentence(grade))


def test_a_loss_is_told_in_words_and_without_a_second_sign() -> None:
    lost = replace(GRADE, realized=Decimal(-150), is_within=False)
    assert "it went with $150 less than comparable accounts suggest." in said(lost)
    assert WORDS.verdict(lost) == "Landed below"


def test_it_never_says_that_the_step_caused_anything() -> None:
    assert "6 accounts without it were compared." in said(GRADE)
    assert "caus" not in said(GRADE)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome.NOT_TAKEN_UP, "not used within 90 days"),
        (Outcome.SHORT_RECORD, "too little value was on record"),
        (Outcome.FEW_COMPARABLE, "fewer than five comparable accounts"),
    ],
)
def test_what_was_not_measured_says_why_and_holds_no_number(outcome: Outcome, says: str) -> None:
    bare = Grade("sug_1", "a", "A", 90, 1, outcome, AT, AT, "USD")
    assert says in said(bare)
    assert all(span.name is None for span in WORDS.sentence(bare))


def test_each_number_is_named_by_its_horizon() -> None:
    names = [span.name for span in WORDS.sentence(GRADE) if span.name]
    assert names == [number_name(GRADE, name) for name in ("realized", "expected", "range_low", "range_high")]


def test_four_accounts_tell_nothing_of_how_predictions_turned_out() -> None:
    assert WORDS.track(Track(0, 40, 4, 40, Decimal(0))) == ""
    assert WORDS.track(Track(0, 6, 5, 6, None)) == "6 of 6 graded suggestions landed inside what was predicted."
