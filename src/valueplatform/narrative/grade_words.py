"""Grades in words. What was realized is told as measured against others, never as caused (value rule 6)."""

from collections.abc import Iterator, Mapping
from gettext import NullTranslations
from string import Formatter
from typing import Final

from babel import Locale

from valueplatform.narrative.document import Span
from valueplatform.narrative.grades import Grade
from valueplatform.narrative.grading import Outcome
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best_correction import Track
from valueplatform.narrative.wording.numbers import day_text, number_text

_STANDING: Final = {"realized": Standing.ESTIMATED, "without": Standing.ESTIMATED}


def number_name(grade: Grade, name: str) -> str:
    """How a number of a grade is called among those of its suggestion."""
    return f"grade.{grade.horizon}.{name}"


class GradeWords:
    """One language. `translations` is a gettext catalog of the messages below; without it, English."""

    def __init__(self, locale: str = "en_US", translations: NullTranslations | None = None) -> None:
        self._locale = Locale.parse(locale)
        self._translations = translations or NullTranslations()

    def verdict(self, grade: Grade) -> str:
        """A word or two."""
        _ = self._translations.gettext
        if grade.outcome is Outcome.MEASURED:
            return _("Landed inside") if grade.is_within else self._side(grade)
        return {
            Outcome.NOT_TAKEN_UP: _("Not taken up"),
            Outcome.NOT_PRICED: _("Nothing was predicted"),
            Outcome.SHORT_RECORD: _("Not measured"),
            Outcome.FEW_COMPARABLE: _("Not measured"),
        }[grade.outcome]

    def sentence(self, grade: Grade) -> tuple[Span, ...]:
        terms = {
            "days": str(grade.horizon),
            "start": day_text(grade.start, self._locale) if grade.start else "",
            "compared": str(grade.compared),
        }
        return tuple(self._filled(self._message(grade), grade, terms))

    def track(self, track: Track) -> str:
        """How predictions turned out over all accounts; '' where fewer than a cohort tell (value rule 20)."""
        _ = self._translations.gettext
        if not track.may_be_told:
            return ""
        said = _("{within} of {graded} graded suggestions landed inside what was predicted.").format(
            within=track.within, graded=track.graded
        )
        if track.bias is None:
            return said
        share = number_text(abs(track.bias), "share", self._locale)
        more = _("In sum, {share} more was realized than predicted.")
        less = _("In sum, {share} less was realized than predicted.")
        return f"{said} {(less if track.bias < 0 else more).format(share=share)}"

    def _side(self, grade: Grade) -> str:
        _ = self._translations.gettext
        is_below = grade.realized is not None and grade.range_low is not None and grade.realized < grade.range_low
        return _("Landed below") if is_below else _("Landed above")

    def _message(self, grade: Grade) -> str:
        _ = self._translations.gettext
        match grade.outcome:
            case Outcome.NOT_TAKEN_UP:
                return _("It was accepted, and not used within {days} days.")
            case Outcome.SHORT_RECORD:
                return _("It cannot be measured: too little value was on record before it was first used.")
            case Outcome.FEW_COMPARABLE:
                return _("It cannot be measured: fewer than five comparable accounts went without it.")
            case _:
                return " ".join(self._measured(grade))

    def _measured(self, grade: Grade) -> Iterator[str]:
        _ = self._translations.gettext
        is_loss = grade.realized is not None and grade.realized < 0
        less = _("In the {days} days from {start} it went with {realized} less than comparable accounts suggest.")
        more = _("In the {days} days from {start} it went with {realized} more than comparable accounts suggest.")
        yield less if is_loss else more
        yield _("{compared} accounts without it were compared.")
        if grade.outcome is Outcome.MEASURED:
            yield _("{expected} was predicted; as months scatter, {range_low} to {range_high} is in line with that.")
        else:
            yield _("No value had been predicted.")

    def _filled(self, message: str, grade: Grade, terms: Mapping[str, str]) -> Iterator[Span]:
        for text, name, _, _ in Formatter().parse(message):
            if text:
                yield Span(text)
            if name is None:
                continue
            if name in terms:
                yield Span(terms[name])
                continue
            value = getattr(grade, name)
            # Words carry the sign of what was realized.
            shown = number_text(value, grade.unit, self._locale, signed=name != "realized")
            standing = _STANDING.get(name, Standing.PREDICTED)
            yield Span(shown, number_name(grade, name), format(value, "f"), grade.unit, standing)
