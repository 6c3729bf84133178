from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from tests.narrative.factories import TODAY, Wave, account, driver, followed, record_of, rows
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Followed, for_provider
from valueplatform.narrative.faithful import Admitted, admit, rederive_from
from valueplatform.narrative.insights.followed import followed as family
from valueplatform.narrative.wording import render

START = date(2026, 1, 5)


def _facts(*given: Followed) -> AccountFacts:
    daily = rows("routing", Wave(100).days(START, TODAY))
    return account(daily, drivers=(driver("routing", "Shorter routes"),), followed=given)


def _admitted(facts: AccountFacts) -> list[Admitted]:
    found = family(facts)
    return admit(found, rederive_from(record_of(facts), found))[0]


def _said(to: Audience = Audience.CUSTOMER, **given: Any) -> str:
    (found,) = _admitted(_facts(followed(**given)))
    return render(found, to).text.replace("\N{NO-BREAK SPACE}", " ")


def test_what_an_accepted_suggestion_came_to_is_told_beside_what_was_expected() -> None:
    assert _said() == (
        "You accepted Automatic dispatch on 7 Apr 2026. In the 90 days from 20 Apr 2026 it went with $2.95K more than "
        "14 companies without it suggest. That is inside the $1.50K to $4.10K expected for these days."
    )
    assert _said(Audience.STEWARD).startswith("Harbor Logistics accepted Automatic dispatch on 7 Apr 2026.")


def test_a_measurement_that_months_explain_is_in_line_although_it_lies_outside_what_was_expected() -> None:
    said = _said(realized=Decimal(-300))
    assert "it went with $300 less than 14 companies without it suggest." in said
    assert "as months scatter, \N{MINUS SIGN}$820 to $5.60K is in line with that." in said


@pytest.mark.parametrize(("realized", "side"), [("-820.5001", "below"), ("5600.7501", "above")])
def test_outside_the_range_by_the_last_place_the_promise_does_not_hold(realized: str, side: str) -> None:
    facts = _facts(followed(realized=Decimal(realized)))
    (found,) = family(facts)
    assert (found.terms["side"], found.favorable) == (side, side == "above")
    assert _said(realized=Decimal(realized)).endswith("it lies outside that, even as months scatter.")


@pytest.mark.parametrize("realized", ["-820.5", "5600.75"])
def test_on_the_edge_of_the_range_it_holds(realized: str) -> None:
    (found,) = family(_facts(followed(realized=Decimal(realized))))
    assert found.terms["side"] == "inside"


def test_it_never_says_what_caused_it() -> None:
    for realized in (-9000, -300, 0, 2000, 9000):
        said = _said(realized=Decimal(realized)).lower()
        assert not any(word in said for word in ("cause", "brought", "because", "led to", "thanks"))


def test_of_several_the_one_whose_days_ended_last_is_told() -> None:
    older = followed("tracking", "Tracking", end=date(2026, 7, 1), realized=Decimal(99999))
    (found,) = family(_facts(older, followed()))
    assert found.terms["feature_name"] == "Automatic dispatch"


@pytest.mark.parametrize(("days", "told"), [(0, 1), (91, 1), (92, 0)])
def test_it_is_news_for_a_quarter(days: int, told: int) -> None:
    end = TODAY - timedelta(days=days)
    given = followed(start=end - timedelta(days=90), end=end, accepted=end - timedelta(days=95))
    assert len(family(_facts(given))) == told


def test_a_partner_is_told_nothing_of_it() -> None:
    assert family(for_provider(_facts(followed()), "supplier")) == []


def test_a_number_that_the_grade_does_not_hold_is_refused() -> None:
    facts = _facts(followed())
    found = family(facts)
    record = record_of(facts)
    moved = {leaf: value + Fraction(1, 10_000) for leaf, value in record.graded.items()}
    assert len(admit(found, rederive_from(record, found))[0]) == 1
    assert admit(found, rederive_from(replace(record, graded=moved), found))[0] == []
    assert admit(found, rederive_from(replace(record, graded={}), found))[0] == []


def test_against_four_companies_nothing_is_told() -> None:
    assert _admitted(_facts(followed(compared=4))) == []


@pytest.mark.parametrize(
    "terms", [{"side": "above"}, {"feature_name": "Shorter routes"}, {"accepted_day": "2026-04-08"}]
)
def test_a_false_word_about_it_is_refused(terms: dict[str, str]) -> None:
    facts = _facts(followed())
    (found,) = family(facts)
    faulty = msgspec.structs.replace(found, terms=found.terms | terms)
    assert admit([faulty], rederive_from(record_of(facts), [faulty]))[0] == []


def test_the_measurement_of_another_suggestion_is_refused() -> None:
    other = followed("tracking", "Tracking", end=date(2026, 7, 18), realized=Decimal("2950.125"))
    facts = _facts(followed(), other)
    (found,) = family(facts)
    (foreign,) = family(_facts(other))
    mixed = msgspec.structs.replace(found, numbers=(foreign.numbers[0], *found.numbers[1:]))
    assert admit([mixed], rederive_from(record_of(facts), [mixed]))[0] == []
