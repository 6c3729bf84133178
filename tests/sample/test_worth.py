"""Expected value, by which contracts and plans are sized."""

import ast
from datetime import date
from fractions import Fraction

import pytest

from tests.sample.recount import evaluate
from valueplatform.sample.cast import settle, written_cast
from valueplatform.sample.fieldnote import formulas
from valueplatform.sample.inputs import expected_inputs
from valueplatform.sample.rates import Expectation
from valueplatform.sample.worth import monthly_value, priced_total, value_of, yearly_run_rate

TODAY = date(2026, 11, 22)
SPECS = {spec.key: spec for spec in written_cast()}


@pytest.mark.parametrize("key", ["aero-faerger", "calder-water", "harbor-logistics"])
def test_the_formulas_are_those_of_the_model(key: str) -> None:
    account = settle(SPECS[key], TODAY, 548)
    inputs = expected_inputs(account, 7)
    day = Expectation(account, inputs).on(date(2026, 10, 16))
    assert day is not None
    meters = {
        "jobs_dispatched": sum(t.jobs for t in day.teams),
        "dispatch_minutes": sum(t.jobs * t.minutes for t in day.teams),
        "tracking_opens": day.opens,
        "visits": day.visits,
        "repeat_visits": sum(t.visits * t.repeat_rate for t in day.teams),
        "invoiced_amount": day.invoiced,
        "invoiced_amount_days": day.invoiced * day.invoice_days,
        "documents_synced": day.documents,
        "arrivals": day.arrivals,
        "late_arrivals": day.arrivals * day.late_rate,
        "quoted_amount": day.quotes * day.quote,
        "outage_minutes": day.outage * day.technicians,
        "crew_hours": day.crew_hours,
        "incidents": day.incidents,
    }
    values = {name: Fraction(number) for name, number in {**meters, **inputs}.items()}
    found = value_of(day, inputs)
    for driver, formula in formulas().items():
        exact = evaluate(ast.parse(formula, mode="eval").body, values)
        assert found[driver] == pytest.approx(float(exact))


def test_a_missing_feature_adds_to_the_run_rate() -> None:
    account = settle(SPECS["cascade-elevator"], TODAY, 548)
    assert yearly_run_rate(account, 7, frozenset({"guided-checklists"})) > 1.3 * yearly_run_rate(account, 7)


def test_who_sends_nothing_is_worth_nothing_yet() -> None:
    account = settle(SPECS["lakeshore-hvac"], TODAY, 548)
    assert yearly_run_rate(account, 7) == 0
    assert priced_total(monthly_value(account, 7)) == 0


def test_incidents_are_in_no_total_of_money() -> None:
    assert priced_total({"incidents_avoided": {date(2026, 1, 1): 5.0}, "dispatch_time": {date(2026, 1, 1): 2.0}}) == 2
