"""What the expected days come to in value: the sizes by which contracts, plans and truths are made.

These are floats for planning; what the platform shows is computed by the platform from the events.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from valueplatform.sample.cast import Account
from valueplatform.sample.fieldnote import drivers_of
from valueplatform.sample.inputs import expected_inputs
from valueplatform.sample.rates import AccountDay, Expectation

Monthly = dict[str, dict[date, float]]
"""Value by driver and first day of the month, in the driver's unit."""

PRICED = (
    "dispatch_time",
    "calls_avoided",
    "repeat_visits_avoided",
    "faster_invoicing",
    "retyping_avoided",
    "late_arrivals_avoided",
    "quotes_on_site",
    "outage_overtime",
)
"""The drivers whose unit is money."""


def value_of(day: AccountDay, inputs: dict[str, float]) -> dict[str, float]:
    """The formulas of fieldnote.toml on means."""
    an_hour = inputs["dispatcher_hourly_cost"] * inputs["redeployed_share"]
    minutes = sum(t.jobs * (inputs["manual_minutes_per_job"] - t.minutes) for t in day.teams)
    call = inputs["calls_avoided_per_open"] * inputs["minutes_per_call"]
    spared = sum(t.visits * (inputs["baseline_repeat_rate"] - t.repeat_rate) for t in day.teams)
    sooner = day.invoiced * (inputs["baseline_days_to_invoice"] - day.invoice_days)
    return {
        "dispatch_time": minutes / 60 * an_hour,
        "calls_avoided": day.opens * call / 60 * an_hour,
        "repeat_visits_avoided": spared * inputs["cost_per_repeat_visit"],
        "faster_invoicing": sooner * inputs["cost_of_capital"] / 365,
        "retyping_avoided": day.documents * inputs["cost_per_typed_document"],
        "late_arrivals_avoided": day.arrivals
        * (inputs["baseline_late_rate"] - day.late_rate)
        * inputs["penalty_per_late_arrival"],
        "quotes_on_site": day.quotes * day.quote * inputs["quote_margin"] * inputs["incremental_quote_share"],
        "outage_overtime": -day.outage * day.technicians / 60 * inputs["overtime_hourly_cost"],
        "incidents_avoided": day.crew_hours * inputs["baseline_incidents_per_hour"] - day.incidents,
    }


def monthly_value(
    account: Account, seed: int, days: Iterable[date] | None = None, extra: frozenset[str] = frozenset()
) -> Monthly:
    """Expected value by driver and month over `days` (default: all days before today)."""
    inputs = expected_inputs(account, seed)
    expectation = Expectation(account, inputs, extra)
    wanted = set(drivers_of(account)) | ({"incidents_avoided", "quotes_on_site", "calls_avoided"} if extra else set())
    found: Monthly = {driver: defaultdict(float) for driver in sorted(wanted)}
    for day in account.days() if days is None else days:
        expected = expectation.on(day) if day < account.today else None
        if expected is None:
            continue
        for driver, amount in value_of(expected, inputs).items():
            if driver in found:
                found[driver][day.replace(day=1)] += amount
    return found


def priced_total(value: Monthly) -> float:
    return sum(amount for driver in PRICED for amount in value.get(driver, {}).values())


def yearly_run_rate(account: Account, seed: int, extra: frozenset[str] = frozenset()) -> float:
    """Expected value of money of the last 90 days of use, stretched to a year."""
    if account.live is None:
        return 0.0
    end = min(account.ended or account.today, account.today)
    start = max(account.live, end - timedelta(days=91))
    days = [start + timedelta(days=n) for n in range((end - start).days)]
    return priced_total(monthly_value(account, seed, days, extra)) * 365 / max(1, len(days))
