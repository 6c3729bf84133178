"""The arithmetic that a proof shows must be true: each test works the shown terms out again."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from valueplatform.narrative.proof_events import EventPage
from valueplatform.narrative.proofs import DriverLine, InputLine, MeterLine, Proof
from valueplatform.portal.proof_formula import (
    Leaf,
    anchor,
    derived_formula,
    driver_formula,
    period_words,
    summed_formula,
)
from valueplatform.portal.view.proof import Formula
from valueplatform.value import derivation as d

FORMULA = "(jobs * manual_minutes - minutes) / 60 * hourly_cost"
MINUS, TIMES, OVER = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}"


def meter(slug: str, value: str) -> MeterLine:
    return MeterLine(slug, slug.capitalize(), "COUNT", ("job.dispatched",), None, value, "job")


def given(slug: str, value: str, unit: str, state: str = "validated") -> InputLine:
    return InputLine(
        slug, slug.replace("_", " ").capitalize(), unit, value, value, value, state, "maya", None, None, None, None, ""
    )


def proof(stated: str, formula: str = FORMULA, **changes: Any) -> Proof:
    made = Proof(
        insight={},
        number="realized",
        formula=formula,
        drivers=(DriverLine("dispatch_time", "Dispatch time saved", formula, 3, "capacity", "measured", "USD"),),
        baselines=(given("manual_minutes", "14", "minute/job"),),
        assumptions=(given("hourly_cost", "45", "USD/hour", "estimated"),),
        meters=(meter("jobs", "60"), meter("minutes", "120")),
        events=EventPage(60, (), None),
        stated=stated,
        recomputed=stated,
        agrees=True,
        unit="USD",
        numbers=(),
        period_from=date(2026, 6, 1),
        period_to=date(2026, 6, 3),
    )
    return msgspec.structs.replace(made, **changes)


@dataclass
class Worked:
    """The tokens as a person would type them into a calculator."""

    formula: Formula

    @property
    def result(self) -> Fraction:
        signs = {MINUS: "-", TIMES: "*", OVER: "/"}
        parts = []
        for token in self.formula.tokens[:-1]:
            text = signs.get(token.text, token.text)
            if token.kind == "term":
                digits = text.lstrip("$").replace(",", "").split("\N{NO-BREAK SPACE}")[0]
                value = Fraction(digits.rstrip("%")) / (100 if digits.endswith("%") else 1)
                text = f"Fraction({value.numerator}, {value.denominator})"
            parts.append(text)
        return Fraction(eval("".join(parts), {"Fraction": Fraction, "min": min, "max": max}))  # noqa: S307 - our own tokens


def test_the_terms_work_out_to_the_stated_number() -> None:
    found = driver_formula(proof("540.0000"), proof("0").drivers[0], "$540.00")

    assert found is not None
    assert Worked(found).result == 540
    assert [token.text for token in found.tokens if token.kind == "operator"] == ["(", TIMES, MINUS, ")", OVER, TIMES]
    assert found.tokens[-1].text == "$540.00"
    assert found.note == "version 3"
    assert found.spoken.endswith("equals $540.00")


def test_each_term_leads_to_what_it_is_and_shows_its_doubt() -> None:
    found = driver_formula(proof("540.0000"), proof("0").drivers[0], "$540.00")
    assert found is not None
    terms = {token.label: token for token in found.tokens if token.kind == "term" and token.label}

    assert terms["jobs"].href == "#m-jobs"
    assert terms["hourly cost"].href == "#a-hourly_cost"
    assert terms["hourly cost"].state == "estimated"
    assert terms["manual minutes"].state == "validated"


def test_days_may_differ_by_their_rounding_and_by_no_more() -> None:
    driver = proof("0").drivers[0]

    assert driver_formula(proof("540.0001"), driver, "x") is not None
    assert driver_formula(proof("540.0002"), driver, "x") is None


@pytest.mark.parametrize("stated", ["539.0000", "0.0000", "-540.0000"])
def test_arithmetic_that_is_not_true_is_not_shown(stated: str) -> None:
    assert driver_formula(proof(stated), proof("0").drivers[0], "x") is None


def test_a_formula_without_a_value_is_not_shown() -> None:
    divided = "jobs / minutes"
    nothing = proof("1.0000", divided, meters=(meter("jobs", "60"), meter("minutes", "0")))

    assert driver_formula(nothing, nothing.drivers[0], "x") is None
    empty = proof("1.0000", divided, meters=(meter("jobs", "60"), meter("minutes", "")))
    assert driver_formula(empty, empty.drivers[0], "x") is None
    unknown = proof("1.0000", "jobs * nobody_knows")
    assert driver_formula(unknown, unknown.drivers[0], "x") is None


def test_min_and_max_are_shown_as_they_are_written() -> None:
    capped = proof("60.0000", "min(jobs, minutes)")
    found = driver_formula(capped, capped.drivers[0], "x")

    assert found is not None
    assert Worked(found).result == 60


def test_a_case_is_told_in_words_instead() -> None:
    chosen = proof("60.0000", "case when jobs > 10 then jobs else 0 end")
    found = driver_formula(chosen, chosen.drivers[0], "x")

    assert found is None


REALIZED = d.Realized(date(2026, 1, 1), date(2026, 7, 1), "USD")
COMMITTED = d.Committed(date(2026, 1, 1), date(2026, 7, 1))
PAID = d.Paid(date(2026, 1, 1), date(2026, 7, 1))
LEAVES: dict[d.Derivation, Leaf] = {
    REALIZED: Leaf(Fraction(900), "USD", "realized"),
    COMMITTED: Leaf(Fraction(1000), "USD", "committed"),
    PAID: Leaf(Fraction(300), "USD", "paid"),
}


@pytest.mark.parametrize(
    ("node", "worth"),
    [
        (d.Difference(REALIZED, COMMITTED), Fraction(-100)),
        (d.Ratio(REALIZED, PAID), Fraction(3)),
        (d.Total((REALIZED, PAID)), Fraction(1200)),
        (d.Difference(REALIZED, d.Difference(COMMITTED, PAID)), Fraction(200)),
        (d.Ratio(d.Difference(REALIZED, PAID), PAID), Fraction(2)),
    ],
)
def test_what_is_derived_works_out_with_its_parentheses(node: d.Derivation, worth: Fraction) -> None:
    found = derived_formula(node, LEAVES, "x")

    assert found is not None
    assert Worked(found).result == worth


def test_a_number_that_is_read_as_it_is_has_no_arithmetic() -> None:
    assert derived_formula(REALIZED, LEAVES, "x") is None
    assert derived_formula(d.Difference(REALIZED, d.Paid(date(2025, 1, 1), date(2026, 1, 1))), LEAVES, "x") is None


def test_a_total_is_the_sum_of_its_drivers_also_where_one_takes_away() -> None:
    parts = [Leaf(Fraction("231883.318"), "USD", "visits"), Leaf(Fraction("-6962.3983"), "USD", "overtime")]
    found = summed_formula(parts, "$224,920.92", "in all")

    assert found is not None
    assert Worked(found).result == sum((part.value for part in parts), Fraction(0))
    assert summed_formula(parts[:1], "x", "in all") is None


def test_an_anchor_is_fit_for_an_address() -> None:
    assert anchor("a", "driver:calls avoided") == "a-driver-calls-avoided"


def test_a_period_names_its_last_day() -> None:
    today = date(2026, 9, 2)

    assert period_words(date(2026, 7, 4), date(2026, 8, 1), today) == "4 Jul to 31 Jul"
    assert period_words(date(2026, 7, 4), date(2026, 7, 5), today) == "4 Jul"


def test_a_forecast_is_one_term_and_what_is_missing_leaves_no_formula() -> None:
    past = d.Realized(date(2026, 1, 5), date(2026, 10, 5), "USD", ("a",))
    so_far, ahead = d.Realized(date(2026, 7, 1), date(2026, 10, 5), "USD", ("a",)), d.Forecast(past, 4)
    known = Leaf(Fraction(70), "USD", "so far")
    leaves: dict[d.Derivation, Leaf] = {so_far: known, ahead: Leaf(Fraction(30), "USD", "forecast of 4 weeks")}
    found = derived_formula(d.Total((so_far, ahead)), leaves, "$100.00")
    assert found is not None
    assert Worked(found).result == 100
    assert [token.label for token in found.tokens if token.kind == "term"] == ["so far", "forecast of 4 weeks"]
    assert derived_formula(d.Difference(d.Total((so_far, ahead)), so_far), {so_far: known}, "x") is None
