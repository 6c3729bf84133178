"""Values that know where they come from: each function gives an exact value together with its derivation.

Insights are built from figures alone, so a number cannot be stated without the tree that other code evaluates again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from valueplatform.accounts.costs import effort_in
from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import Period, months_between, years_later
from valueplatform.narrative.facts import AccountFacts, Contract
from valueplatform.narrative.insight import Number, Standing
from valueplatform.value.derivation import (
    Adjusted,
    Bound,
    Closed,
    Committed,
    Constant,
    Days,
    Derivation,
    Difference,
    Effort,
    Forecast,
    Input,
    Metered,
    Paid,
    Ratio,
    Realized,
    Sent,
    Statistic,
    Tally,
    Total,
)
from valueplatform.value.states import State

RATIO_PLACES = 4
INPUT_PLACES = 9


@dataclass(frozen=True, slots=True)
class Figure:
    value: Fraction
    derivation: Derivation


def decimal(value: Fraction, places: int = RATIO_PLACES) -> Decimal:
    """Rounded once, half to even."""
    return round_half_even(value.numerator, value.denominator, places)


def number(name: str, figure: Figure, unit: str, standing: Standing = Standing.VALIDATED) -> Number:
    """Exact: figures have at most 4 decimal places, stated inputs at most 9."""
    places = RATIO_PLACES if (figure.value * 10**RATIO_PLACES).denominator == 1 else INPUT_PLACES
    value = decimal(figure.value, places)
    return Number(name=name, value=value, unit=unit, derivation=figure.derivation, standing=standing)


def times(name: str, figure: Figure, standing: Standing) -> Number:
    """How many times one amount is another; as a share where it is less than once."""
    found = number(name, figure, "ratio", standing)
    return msgspec.structs.replace(found, unit="share") if 0 <= found.value < 1 else found


def realized(
    facts: AccountFacts,
    period: Period,
    drivers: Iterable[str],
    *,
    counted: bool = True,
    bound: Bound = Bound.EXPECTED,
) -> Figure:
    """Realized value of drivers that share one unit."""
    chosen = tuple(sorted(drivers))
    unit = facts.driver(chosen[0]).unit if chosen else facts.currency
    value = facts.ledger.total(
        period.start, period.end, unit=unit, drivers=chosen, providers=facts.providers, counted=counted, bound=bound
    )
    if not chosen:
        return constant("0")
    leaf = Realized(period.start, period.end, unit, chosen, facts.providers, counted, bound)
    return Figure(value, leaf)


def of_provider(facts: AccountFacts, period: Period, driver: str, provider: str, *, counted: bool) -> Figure:
    unit = facts.driver(driver).unit
    value = facts.ledger.total(
        period.start, period.end, unit=unit, drivers=(driver,), providers=(provider,), counted=counted
    )
    return Figure(value, Realized(period.start, period.end, unit, (driver,), (provider,), counted))


def committed(facts: AccountFacts, period: Period, drivers: Iterable[str], bound: Bound = Bound.EXPECTED) -> Figure:
    """Committed value; a month that the period cuts counts by its days."""
    chosen = tuple(sorted(set(drivers)))
    value = facts.commitments.total(period, chosen, bound)
    return Figure(value, Committed(period.start, period.end, chosen, bound))


def paid(facts: AccountFacts, period: Period) -> Figure:
    """What the contracts in the account's currency cost, by the day: a monthly price spreads evenly over each calendar
    month, a yearly one over each contract year; running totals from the contract's start, each rounded once."""
    value = Fraction(0)
    for contract in facts.contracts:
        last = min(period.end, contract.end or period.end)
        first = max(period.start, contract.start)
        if contract.currency == facts.currency and first < last:
            value += _cost_before(contract, last) - _cost_before(contract, first)
    return Figure(value, Paid(period.start, period.end))


def effort(facts: AccountFacts, period: Period) -> Figure:
    """What the account is known to have put in beside what it paid, in its currency (`accounts.costs.effort_in`)."""
    return Figure(Fraction(effort_in(facts.efforts, period, facts.currency)), Effort(period.start, period.end))


def _cost_before(contract: Contract, day: date) -> Fraction:
    elapsed = Fraction(0)
    for span in _billing(contract, day):
        shared = span.intersect(Period(contract.start, day))
        elapsed += Fraction(shared.days if shared else 0, span.days)
    return Fraction(decimal(Fraction(contract.amount) * elapsed))


def _billing(contract: Contract, day: date) -> Iterator[Period]:
    """The stretches that one price covers, up to the one that holds `day`."""
    if contract.period == "month":
        yield from months_between(contract.start, day)
        return
    start, years = contract.start, 0
    while start < day:
        years += 1
        yield Period(start, years_later(contract.start, years))
        start = years_later(contract.start, years)


def metered(facts: AccountFacts, meter: str, period: Period) -> Figure:
    """Only for meters whose days add."""
    days = facts.meter_ledger.get(meter, ())
    value = sum((Fraction(total) for day, total in days if day in period), Fraction(0))
    return Figure(value, Metered(meter, period.start, period.end))


def sent(facts: AccountFacts, source: str, period: Period) -> Figure:
    """How many events of a source happened in the period."""
    value = sum(events for (name, day), events in facts.sent.items() if name == source and day in period)
    return Figure(Fraction(value), Sent(source, period.start, period.end))


def held(facts: AccountFacts, slug: str) -> Figure:
    """An assumption or baseline as it holds today."""
    given = next(given for given in facts.inputs if given.slug == slug)
    return Figure(Fraction(given.expected), Input(slug, facts.today))


def stated(slug: str, day: date, expected: Decimal) -> Figure:
    """An assumption or baseline as it held on another day."""
    return Figure(Fraction(expected), Input(slug, day))


def closed(facts: AccountFacts, month: date, driver: str) -> Figure:
    value = sum((Fraction(c.expected) for c in facts.closings if (c.driver, c.month) == (driver, month)), Fraction(0))
    return Figure(value, Closed(month, (driver,)))


def adjusted(facts: AccountFacts, period: Period, month: date, driver: str) -> Figure:
    value = sum(
        (
            Fraction(given.expected)
            for given in facts.adjustments
            if (given.driver, given.month) == (driver, month) and given.shown_day in period
        ),
        Fraction(0),
    )
    return Figure(value, Adjusted(period.start, period.end, (driver,), month))


def days(period: Period) -> Figure:
    return Figure(Fraction(period.days), Days(period.start, period.end))


def constant(value: str) -> Figure:
    return Figure(Fraction(value), Constant(value))


def minus(minuend: Figure, subtrahend: Figure) -> Figure:
    return Figure(minuend.value - subtrahend.value, Difference(minuend.derivation, subtrahend.derivation))


def plus(parts: Iterable[Figure]) -> Figure:
    """One part stays itself."""
    given = tuple(parts)
    if len(given) == 1:
        return given[0]
    return Figure(sum((part.value for part in given), Fraction(0)), Total(tuple(part.derivation for part in given)))


def ratio(numerator: Figure, denominator: Figure, places: int = RATIO_PLACES) -> Figure:
    """Raises ZeroDivisionError for a zero denominator."""
    value = Fraction(decimal(numerator.value / denominator.value, places))
    return Figure(value, Ratio(numerator.derivation, denominator.derivation, places))


def tally(items: Iterable[Figure], comparison: str, threshold: Figure) -> Figure:
    """How many items lie strictly 'above' or 'below' the threshold."""
    given = tuple(items)
    if comparison == "above":
        count = sum(item.value > threshold.value for item in given)
    else:
        count = sum(item.value < threshold.value for item in given)
    derivation = Tally(tuple(item.derivation for item in given), comparison, threshold.derivation)
    return Figure(Fraction(count), derivation)


def statistic(method: str, value: Fraction, values: Iterable[Figure], places: int = RATIO_PLACES) -> Figure:
    """A statistic that other code computed, of `values` in order."""
    return Figure(
        Fraction(decimal(value, places)), Statistic(method, tuple(given.derivation for given in values), places)
    )


def forecast_of(past: Realized, ahead: int, bound: Bound, value: Decimal, places: int = RATIO_PLACES) -> Figure:
    """What `judgment.pace` says of the weeks of `past`."""
    return Figure(Fraction(decimal(Fraction(value), places)), Forecast(past, ahead, bound, places))


def standing_of(facts: AccountFacts, period: Period, drivers: Iterable[str], *, counted: bool = True) -> Standing:
    """The weakest thing beneath realized value: its rows' states, else an open question on what it rests on. A vendor's
    own word is an estimate though all its inputs are validated (value rule 10).

    A question on an input of a single driver multiplies the number (under review); in a sum it touches it.
    """
    chosen = tuple(drivers)
    if not chosen:
        return Standing.VALIDATED
    unit = facts.driver(chosen[0]).unit
    state = facts.ledger.weakest(period.start, period.end, unit=unit, drivers=chosen, counted=counted)
    if state in {State.ESTIMATED, State.PROPOSED}:
        return Standing(state.value)
    if (
        state is not State.UNDER_REVIEW
        and not counted
        and facts.ledger.uncounted_rows(period.start, period.end, unit=unit, drivers=chosen)
    ):
        return Standing.ESTIMATED
    questioned = state is State.UNDER_REVIEW or any(facts.questioned(driver) for driver in chosen)
    if questioned:
        return Standing.UNDER_REVIEW if len(chosen) == 1 else Standing.TOUCHED
    return Standing.VALIDATED
