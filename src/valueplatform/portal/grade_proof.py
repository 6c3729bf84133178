"""A number of a grade, opened: how it was measured, from what, and what the record says now."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.grade_words import GradeWords, number_name
from valueplatform.narrative.grades import Grade, grades_of
from valueplatform.narrative.grading import BEFORE_DAYS
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import day_text, exact_text, moment_text, short_text
from valueplatform.portal.sentences import spans_view
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words

PREFIX: Final = "grade."
METHOD: Final = (
    "What this account brought in the days after the first use, less what it would have brought had it gone on like "
    "comparable accounts without the step: what it brought in the 90 days before, times the median of after over "
    "before among them. They are of its segment where that gives five, and the nearest in size. The predicted interval "
    "and the scatter of the same accounts, from the 5th to the 95th percentile, are joined by the root of the sum of "
    "squares. It compares, and proves no cause."
)
LABELS: Final = {
    "expected": "Predicted for these days, before costs",
    "range_low": "Low end of what is in line with that",
    "range_high": "High end of what is in line with that",
    "without": "Suggested by comparable accounts",
    "realized": "Realized beyond that",
}
_BROUGHT: Final = text("""
    SELECT coalesce(sum(v.expected), 0) FROM accrual v JOIN basis b USING (account_id, basis_id)
    WHERE v.account_id = :account AND v.day >= :start AND v.day < :end
      AND b.unit = :unit AND b.benefit_class <> 'strategic'
""")
_WORDS: Final = GradeWords()


async def open_grade(tx: Transaction, place: Place, suggestion_id: str, name: str, now: datetime) -> view.Proof:
    """`name` as in `grade_words.number_name`. Raises NotFoundError for a number that is not there."""
    grades = [one for one in await grades_of(tx, place.account.account_id) if one.suggestion_id == suggestion_id]
    found = ((one, label) for one in grades for label in LABELS if number_name(one, label) == name)
    grade, label = next(found, (None, ""))
    value = getattr(grade, label, None)
    if grade is None or grade.start is None or grade.end is None or not isinstance(value, Decimal):
        raise NotFoundError("This suggestion has no such number.")
    before = await _brought(tx, place, grade, grade.start - timedelta(days=BEFORE_DAYS), grade.start)
    after = await _brought(tx, place, grade, grade.start, grade.end)
    again = after - grade.without if label == "realized" and grade.without is not None else value
    return view.Proof(
        ref=f"{suggestion_id}?number={name}",
        number=short_text(value, grade.unit),
        sentence=words.Sentence(suggestion_id, "grade", spans_view(_WORDS.sentence(grade), suggestion_id, name)),
        verdict=_verdict(place, grade, value, again, now),
        back=words.Link("Back to the story", place.path("/story#graded")),
        rests=words.Chip("estimated", "Measured against comparable accounts"),
        method=METHOD,
        facts=tuple(_facts(grade, before, after)),
    )


async def _brought(tx: Transaction, place: Place, grade: Grade, start: date, end: date) -> Decimal:
    days = {"account": place.account.account_id, "start": start, "end": end, "unit": grade.unit}
    return Decimal(await tx.scalar(_BROUGHT, days))


def _verdict(place: Place, grade: Grade, value: Decimal, again: Decimal, now: datetime) -> view.Verdict:
    stated, repeated = exact_text(value, grade.unit), exact_text(again, grade.unit)
    zone = place.account.timezone
    if again == value:
        graded = moment_text(grade.graded_at, zone)
        how = f"Graded {graded}, version {grade.version}; held against the account's record {moment_text(now, zone)}."
        return view.Verdict(True, stated, repeated, how)
    return view.Verdict(
        False, stated, repeated, "It is graded anew with the next training.", "The record has moved on."
    )


def _facts(grade: Grade, before: Decimal, after: Decimal) -> Iterator[words.Fact]:
    if grade.start is not None and grade.end is not None:
        days = f"{day_text(grade.start)} to {day_text(grade.end - timedelta(days=1))}"
        yield words.Fact("Days that are graded", days)
    yield words.Fact(f"Brought in the {BEFORE_DAYS} days before", exact_text(before, grade.unit))
    yield words.Fact("Brought in the days graded", exact_text(after, grade.unit))
    yield words.Fact("Comparable accounts", str(grade.compared))
    for name, label in LABELS.items():
        value = getattr(grade, name)
        if value is not None:
            yield words.Fact(label, exact_text(value, grade.unit))
