"""The question of the page that says why: which periods there are to choose from. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period, months_between
from valueplatform.portal.bridge_words import period_name
from valueplatform.portal.view.why import Choice, ChoiceGroup, DaysForm

MONTHS: Final = 36
QUARTERS: Final = 12


def period_of(text: str) -> Period | None:
    """The period that an option names: 2026-05, 2026-Q2 or 2026; None for anything else."""
    year, dash, part = text.partition("-")
    if not (year.isascii() and year.isdecimal() and len(year) == 4 and 1000 <= int(year) < 9000):
        return None
    if not dash:
        return Period(date(int(year), 1, 1), date(int(year) + 1, 1, 1))
    if part in {"Q1", "Q2", "Q3", "Q4"}:
        return _months(int(year), 3 * int(part[1]) - 2, 3)
    if len(part) == 2 and part.isascii() and part.isdecimal() and 1 <= int(part) <= 12:
        return _months(int(year), int(part), 1)
    return None


def _months(year: int, month: int, count: int) -> Period:
    years, last = divmod(month - 1 + count, 12)
    return Period(date(year, month, 1), date(year + years, last + 1, 1))


def option_of(period: Period) -> str:
    """How an option names a period; '' for other days."""
    year, month = period.start.year, period.start.month
    names = (f"{year}-{month:02}", f"{year}-Q{(month + 2) // 3}", f"{year}")
    return next((name for name in names if period_of(name) == period), "")


def choices(asked: str, first: date | None, today: date) -> tuple[ChoiceGroup, ...]:
    """What there is to choose from since the first day with value, newest first; what was asked for is among it."""
    months = [month.start for month in months_between(min(first or today, today), today + ONE_DAY)][::-1]
    kinds = {
        "Months": [f"{month.year}-{month.month:02}" for month in months][:MONTHS],
        "Quarters": list(dict.fromkeys(f"{month.year}-Q{(month.month + 2) // 3}" for month in months))[:QUARTERS],
        "Years": list(dict.fromkeys(f"{month.year}" for month in months)),
    }
    if not asked:
        return (ChoiceGroup("Days", (Choice("", "other days", selected=True),)), *_groups(kinds.items(), asked, today))
    if all(asked not in names for names in kinds.values()):
        kinds = {"Asked for": [asked], **kinds}
    return tuple(_groups(kinds.items(), asked, today))


def _groups(kinds: Iterable[tuple[str, Sequence[str]]], asked: str, today: date) -> Iterator[ChoiceGroup]:
    for title, names in kinds:
        found = [(name, period) for name in names if (period := period_of(name)) is not None]
        yield ChoiceGroup(
            title, tuple(Choice(name, period_name(period, today), selected=name == asked) for name, period in found)
        )


def days_form(before: Period, after: Period, *, is_open: bool) -> DaysForm:
    days = (after.start, after.end - ONE_DAY, before.start, before.end - ONE_DAY)
    first, last, against_first, against_last = (day.isoformat() for day in days)
    return DaysForm(first, last, against_first, against_last, open=is_open)
