from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from tests.narrative.factories import TODAY, Wave, account, driver, record_of, rows
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Place, PracticeGap, for_provider
from valueplatform.narrative.faithful import Admitted, Record, admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.benchmark import benchmarks
from valueplatform.narrative.wording import render
from valueplatform.value.derivation import Benchmark

START, END = date(2026, 5, 1), date(2026, 8, 1)


def _place(slug: str, percentile: str, accounts: int = 7, per: str = "scale") -> Place:
    return Place(3, START, END, slug, "USD", "big", per, accounts, Decimal(percentile))


def _gap(slug: str, feature: str, using: tuple[int, int]) -> PracticeGap:
    title = feature.capitalize()
    return PracticeGap(3, START, END, slug, "USD", "", "account", feature, title, using[0], 8, using[1], 20)


def _facts(*places: Place, gaps: tuple[PracticeGap, ...] = ()) -> AccountFacts:
    daily = [*rows("routing", Wave(100).days(START, TODAY)), *rows("billing", Wave(100).days(START, TODAY))]
    drivers = (driver("routing", "Shorter routes"), driver("billing", "Invoices out sooner"))
    return account(daily, drivers=drivers, places=places, practice_gaps=gaps)


def _record(facts: AccountFacts) -> Record:
    """The record with the run that the facts were read from."""
    found: dict[Benchmark, Fraction] = {}
    for place in facts.places:
        of = (place.run, place.start, place.end, place.driver, place.unit, place.segment, place.per)
        found[Benchmark(*of, "percentile")] = Fraction(place.percentile)
        found[Benchmark(*of, "accounts")] = Fraction(place.accounts)
    for gap in facts.practice_gaps:
        of = (gap.run, gap.start, gap.end, gap.driver, gap.unit, gap.segment, gap.per)
        for what in ("top_using", "top", "rest_using", "rest"):
            found[Benchmark(*of, what, gap.feature)] = Fraction(getattr(gap, what))
        found[Benchmark(*of, "uses", gap.feature)] = Fraction(0)
    base = record_of(facts)
    features = {f"feature:{gap.feature}": gap.feature_title for gap in facts.practice_gaps}
    return replace(base, compared=found, titles={**base.titles, **features})


def _admitted(facts: AccountFacts, record: Record | None = None) -> list[Admitted]:
    found = benchmarks(facts)
    return admit(found, rederive_from(record or _record(facts), found))[0]


def _said(facts: AccountFacts, to: Audience = Audience.CUSTOMER) -> str:
    (found,) = _admitted(facts)
    return render(found, to).text.replace("\N{NO-BREAK SPACE}", " ")


def test_only_the_driver_farthest_from_the_middle_is_told() -> None:
    (found,) = benchmarks(_facts(_place("routing", "83.3"), _place("billing", "0")))
    assert (found.subject, found.terms["side"], found.favorable) == ("billing", "low", False)


@pytest.mark.parametrize("percentile", ["25.1", "50", "74.9"])
def test_the_middle_half_is_nothing_to_tell(percentile: str) -> None:
    assert benchmarks(_facts(_place("routing", percentile))) == []


def test_a_driver_that_is_no_longer_in_the_model_has_no_place() -> None:
    assert benchmarks(_facts(_place("gone", "100"))) == []


@pytest.mark.parametrize(
    ("percentile", "per", "said"),
    [
        (
            "83.3",
            "scale",
            "For your size, shorter routes brought more from 1 May 2026 to 31 Jul 2026 than at 5 of 6 ",
        ),
        ("100", "scale", "For your size, shorter routes brought more from 1 May 2026 to 31 Jul 2026 than at any of "),
        ("80", "account", "Shorter routes brought more from 1 May 2026 to 31 Jul 2026 than at 80% of "),
        ("16.7", "scale", "For their size, 5 of 6 "),
        ("91.7", "account", "Shorter routes brought more from 1 May 2026 to 31 Jul 2026 than at 91.7% of "),
        ("0", "account", "All 6 companies"),
    ],
)
def test_a_place_is_said_among_the_others(percentile: str, per: str, said: str) -> None:
    text = _said(_facts(_place("routing", percentile, per=per)))
    assert text.startswith(said)
    assert "6 companies that can be compared" in text


def test_what_the_best_use_is_said_without_calling_it_a_cause() -> None:
    text = _said(_facts(gaps=(_gap("routing", "tracking", (7, 4)), _gap("billing", "lists", (6, 9)))))
    assert text == (
        "Of the companies that get most from shorter routes, 7 of 8 use Tracking, against 20% of the others; you do "
        "not yet. It goes with a high value, and need not be its cause."
    )


@pytest.mark.parametrize(
    ("accounts", "percentile", "said"),
    [
        (20, "94.7", "than at 18 of 19 companies"),
        (21, "95", "than at 95% of 20 companies"),
        (5, "75", "than at 3 of 4 "),
    ],
)
def test_fewer_than_twenty_companies_are_counted(accounts: int, percentile: str, said: str) -> None:
    assert said in _said(_facts(_place("routing", percentile, accounts)))


def test_both_groups_are_counted_where_both_are_small() -> None:
    small = PracticeGap(3, START, END, "routing", "USD", "", "account", "tracking", "Tracking", 6, 7, 4, 19)
    assert "6 of 7 use Tracking, against 4 of 19 others; Harbor Logistics does not" in _said(
        _facts(gaps=(small,)), Audience.STEWARD
    )
    large = PracticeGap(3, START, END, "routing", "USD", "", "account", "tracking", "Tracking", 15, 20, 9, 60)
    assert "75% use Tracking, against 15% of the others" in _said(_facts(gaps=(large,)))


@pytest.mark.parametrize(("percentile", "others"), [("83.3", "6"), ("16.7", "6"), ("94.1", "17"), ("77.8", "18")])
def test_what_is_counted_is_the_percentage_of_whole_companies(percentile: str, others: str) -> None:
    (found,) = benchmarks(_facts(_place("routing", percentile, int(others) + 1)))
    numbers = {number.name: number.value for number in found.numbers}
    assert abs(numbers["passed"] / Decimal(others) - Decimal(percentile) / 100) <= Decimal("0.0005")
    assert numbers["passed"] + numbers["ahead"] == Decimal(others)


def test_a_count_that_is_not_its_percentage_is_refused() -> None:
    facts = _facts(_place("routing", "83.3"))
    (found,) = benchmarks(facts)
    by_name = {number.name: number for number in found.numbers}
    swapped = {
        "passed": msgspec.structs.replace(by_name["ahead"], name="passed"),
        "ahead": msgspec.structs.replace(by_name["passed"], name="ahead"),
    }
    faulty = msgspec.structs.replace(found, numbers=tuple((by_name | swapped).values()))
    assert admit([faulty], rederive_from(_record(facts), [faulty]))[0] == []


def test_a_partner_is_told_of_no_comparison() -> None:
    facts = for_provider(_facts(_place("routing", "100"), gaps=(_gap("routing", "tracking", (7, 4)),)), "supplier")
    assert benchmarks(facts) == []


def test_a_place_that_the_run_does_not_bear_out_is_refused() -> None:
    facts = _facts(_place("routing", "83.3"))
    assert len(_admitted(facts)) == 1
    assert _admitted(facts, _record(_facts(_place("routing", "80")))) == []
    assert _admitted(facts, _record(_facts())) == [], "the run is gone"


def test_a_cohort_of_four_is_never_told() -> None:
    assert _admitted(_facts(_place("routing", "100", accounts=4))) == []


def _altered(insight: Insight, **terms: str) -> Insight:
    return msgspec.structs.replace(insight, terms=insight.terms | terms)


@pytest.mark.parametrize(
    "terms", [{"side": "low"}, {"driver_name": "Invoices out sooner"}, {"since_day": "2026-04-01"}]
)
def test_a_false_word_about_a_place_is_refused(terms: dict[str, str]) -> None:
    facts = _facts(_place("routing", "83.3"))
    faulty = _altered(benchmarks(facts)[0], **terms)
    assert admit([faulty], rederive_from(_record(facts), [faulty]))[0] == []


def test_another_feature_than_the_one_that_was_compared_is_refused() -> None:
    facts = _facts(gaps=(_gap("routing", "tracking", (7, 4)), _gap("billing", "lists", (6, 9))))
    faulty = _altered(benchmarks(facts)[0], feature_name="Lists")
    assert admit([faulty], rederive_from(_record(facts), [faulty]))[0] == []


def test_a_feature_that_the_account_uses_is_no_gap() -> None:
    facts = _facts(gaps=(_gap("routing", "tracking", (7, 4)),))
    record = _record(facts)
    uses = {leaf: Fraction(1) if leaf.what == "uses" else value for leaf, value in record.compared.items()}
    assert _admitted(facts, replace(record, compared=uses)) == []
