from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.portal.exact import (
    ago_text,
    bare_text,
    cents_text,
    count_text,
    exact_text,
    machine_time,
    moment_text,
    range_text,
    short_day,
    short_moment,
    unit_words,
)

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("486080", "USD", "$486,080.00"),
        ("486080.5", "USD", "$486,080.50"),
        ("231883.318", "USD", "$231,883.3180"),
        ("-6962.3983", "USD", "\N{MINUS SIGN}$6,962.3983"),
        ("0", "USD", "$0.00"),
        ("1250000", "JPY", "¥1,250,000"),
        ("99.5", "JPY", "¥99.5000"),
        ("109000", "DKK", f"DKK{NBSP}109,000.00"),
        ("0.0895", "share", "8.95%"),
        ("1", "share", "100%"),
        ("2.7793", "ratio", f"2.7793{NBSP}times"),
        ("1568", "visit", f"1,568{NBSP}visits"),
        ("1", "visit", f"1{NBSP}visit"),
        ("0.000295", "incident/hour", f"0.000295{NBSP}incidents per{NBSP}hour"),
        ("45.5", "USD/hour", f"$45.50 per{NBSP}hour"),
        ("0.0869", "share/year", f"8.69% a{NBSP}year"),
        ("14", "", "14"),
    ],
)
def test_every_digit_is_shown_with_its_unit(value: str, unit: str, text: str) -> None:
    assert exact_text(Decimal(value), unit) == text


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=4))
def test_no_digit_of_an_amount_is_lost(value: Decimal) -> None:
    shown = exact_text(value, "USD").replace("\N{MINUS SIGN}", "-").replace("$", "").replace(",", "")

    assert Decimal(shown) == value


@given(st.decimals(min_value=0, max_value=10**9, places=9))
def test_what_a_form_is_given_it_can_hand_back(value: Decimal) -> None:
    assert Decimal(bare_text(value)) == value
    assert "E" not in bare_text(value)


def test_beside_an_exact_number_money_is_shown_to_its_smallest_coin() -> None:
    assert cents_text(Decimal("272092.3372"), "USD") == "$272,092.34"
    assert cents_text(Decimal("272092.3372"), "JPY") == "¥272,092"
    assert range_text(Decimal(412), Decimal("560.005"), "USD") == "$412.00 to $560.00"
    assert range_text(Decimal(1), Decimal(1), "USD") == ""


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("USD/visit", "US dollars per visit"),
        ("minute/job", "minutes per job"),
        ("share/year", "parts of 1 (0.25 is 25%) a year"),
    ],
)
def test_a_unit_reads_after_in(unit: str, words: str) -> None:
    assert unit_words(unit) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 s ago"),
        (40, "40 s ago"),
        (720, "12 min ago"),
        (10_800, "3 h ago"),
        (90_000, "1 day ago"),
        (200_000, "2 days ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, text: str) -> None:
    now = datetime(2026, 9, 2, 12, tzinfo=UTC)

    assert ago_text(now - timedelta(seconds=seconds), now) == text


def test_times_are_those_of_the_reader() -> None:
    moment = datetime(2026, 9, 1, 23, 30, tzinfo=UTC)

    assert moment_text(moment, "Europe/Berlin") == "2 Sep 2026, 01:30"
    assert short_moment(moment, date(2026, 9, 2), "America/New_York") == "1 Sep, 19:30"
    assert short_day(date(2025, 9, 1), date(2026, 9, 2)) == "1 Sep 2025"
    assert machine_time(moment) == "2026-09-01T23:30:00Z"


@pytest.mark.parametrize(("count", "said"), [(0, "no"), (1, "one"), (12, "twelve"), (13, "13"), (1200, "1,200")])
def test_a_count_inside_a_sentence_is_a_word_up_to_twelve(count: int, said: str) -> None:
    assert count_text(count) == said
