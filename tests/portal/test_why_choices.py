from datetime import date

import pytest

from valueplatform.core.periods import Period
from valueplatform.portal.bridge_words import period_name
from valueplatform.portal.why_choices import choices, option_of, period_of

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("text", "start", "end", "name"),
    [
        ("2026-05", date(2026, 5, 1), date(2026, 6, 1), "May"),
        ("2025-12", date(2025, 12, 1), date(2026, 1, 1), "December 2025"),
        ("2026-Q2", date(2026, 4, 1), date(2026, 7, 1), "Q2 2026"),
        ("2025-Q4", date(2025, 10, 1), date(2026, 1, 1), "Q4 2025"),
        ("2025", date(2025, 1, 1), date(2026, 1, 1), "2025"),
    ],
)
def test_an_option_names_a_month_a_quarter_or_a_year(text: str, start: date, end: date, name: str) -> None:
    assert period_of(text) == Period(start, end)
    assert option_of(Period(start, end)) == text
    assert period_name(Period(start, end), TODAY) == name


@pytest.mark.parametrize(
    "text", ["", "26-05", "2026-13", "2026-00", "2026-Q5", "2026-", "2026-5", "x", "0001", "٢٠٢٦", "2026-05-01"]
)
def test_nothing_else_is_one(text: str) -> None:
    assert period_of(text) is None


def test_other_days_have_a_name_and_no_option() -> None:
    days = Period(date(2026, 2, 3), date(2026, 3, 10))
    assert option_of(days) == ""
    assert period_name(days, TODAY) == "3 Feb to 9 Mar"
    assert period_name(Period(date(2025, 2, 3), date(2025, 2, 4)), TODAY) == "3 Feb 2025"


def test_there_is_everything_since_the_first_value_to_choose_from_newest_first() -> None:
    months, quarters, years = choices("2026-05", date(2025, 11, 20), TODAY)
    assert [choice.value for choice in months.choices][:2] == ["2026-06", "2026-05"]
    assert months.choices[-1].text == "November 2025"
    assert [choice.text for choice in months.choices if choice.selected] == ["May"]
    assert [choice.value for choice in quarters.choices] == ["2026-Q2", "2026-Q1", "2025-Q4"]
    assert [choice.value for choice in years.choices] == ["2026", "2025"]


def test_what_was_asked_for_is_among_them() -> None:
    asked, *_ = choices("2019-Q1", date(2026, 5, 1), TODAY)
    assert [(choice.value, choice.selected) for choice in asked.choices] == [("2019-Q1", True)]
    days, *others = choices("", None, TODAY)
    assert [(choice.text, choice.selected) for choice in days.choices] == [("other days", True)]
    assert not any(choice.selected for group in others for choice in group.choices)
