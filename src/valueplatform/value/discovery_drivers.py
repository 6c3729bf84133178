"""Drivers that are likely of a meter without one, made after those that the model has. Pure.

In this order, the first that passes the model check: a driver of capacity or strategic value that reads one meter, with
the new meter in that one's place, where both are alike; minutes or hours at an hourly cost of the model; a number of
things at a price of the model for one of them; else the number alone, as strategic value, which is no money.

Alike are a meter and a driver whose words are the same to a quarter at least (Jaccard 1901), or whose type goes with
the proposed one by the day (`likeness`, Spearman 1904). Every proposal is a vendor's estimate, whatever it is made
after, and draws on the same pool, so that no benefit counts twice (value rule 5).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.telemetry.meters import ADDITIVE, Meter
from valueplatform.value.discovery import Likeness
from valueplatform.value.discovery_meters import free_slug, singular, words_of
from valueplatform.value.driver_kinds import Disruption, Effort, ProbabilityImpact, Score
from valueplatform.value.formula import Formula
from valueplatform.value.model import Assumption, BenefitClass, Driver, Evidence, ValueModel
from valueplatform.value.model_check import errors_in

ALIKE: Final = Decimal("0.25")
_CAREFUL: Final = frozenset({BenefitClass.CAPACITY, BenefitClass.STRATEGIC})
_NOT_TEMPLATES: Final = (Disruption, Effort, ProbabilityImpact, Score)
_PARTS_OF_HOUR: Final[Mapping[str, int]] = {"second": 3600, "minute": 60, "hour": 1}


class Made(msgspec.Struct, frozen=True):
    """A driver with what it needs beside the meter, how it was made, and what it is like."""

    driver: Driver
    why: str
    likeness: Likeness | None
    needs: tuple[str, ...]


class Like(msgspec.Struct, frozen=True):
    """A mapped type whose daily volume goes with the proposed one, and their correlation."""

    type: str
    correlation: Decimal


def driver_for(meter: Meter, model: ValueModel, like: Like | None) -> Made | None:
    """None for a meter whose days do not add up, and where nothing passes the model check."""
    if meter.aggregation not in ADDITIVE:
        return None
    for made in (*_templates(meter, model, like), *_timed(meter, model), *_priced(meter, model), _counted(meter)):
        if not errors_in(extended_with(model, meter, made.driver)):
            free = free_slug(made.driver.slug, {driver.slug for driver in model.drivers})
            return msgspec.structs.replace(made, driver=msgspec.structs.replace(made.driver, slug=free))
    return None


def extended_with(model: ValueModel, meter: Meter, driver: Driver) -> ValueModel:
    """The model with the meter, where it has none of the slug, and with the driver."""
    meters = model.meters if model.meter(meter.slug) else (*model.meters, meter)
    return msgspec.structs.replace(model, meters=meters, drivers=(*model.drivers, driver))


def _templates(meter: Meter, model: ValueModel, like: Like | None) -> Iterator[Made]:
    """The most alike first."""
    meters = {one.slug: one for one in model.meters}
    found = []
    for driver in model.drivers:
        read = sorted(Formula.parse(driver.formula).names & meters.keys())
        if driver.benefit_class not in _CAREFUL or isinstance(driver.kind, _NOT_TEMPLATES) or len(read) != 1:
            continue
        theirs = meters[read[0]]
        if theirs.aggregation is not meter.aggregation or theirs.slug == meter.slug:
            continue
        score, likeness = _alike(meter, driver, theirs, like)
        if score >= ALIKE:
            found.append((-score, driver.slug, driver, theirs, likeness))
    for _, _, driver, theirs, likeness in sorted(found, key=lambda one: one[:2]):
        yield _after(meter, model, driver, theirs, likeness)


def _alike(meter: Meter, driver: Driver, theirs: Meter, like: Like | None) -> tuple[Decimal, Likeness]:
    own, other = _words(meter), _words(theirs) | {singular(word) for word in words_of(driver.slug)}
    same = own & other
    score = Decimal(len(same)) / len(own | other) if same else Decimal(0)
    if like is not None and like.type in theirs.event_types and like.correlation > score:
        return like.correlation, Likeness(driver.slug, tuple(sorted(same)), like.type, like.correlation)
    return score, Likeness(driver.slug, tuple(sorted(same)))


def _words(meter: Meter) -> set[str]:
    text = " ".join((meter.slug, meter.property or "", *meter.event_types))
    return {singular(word) for word in words_of(text) if word.isalpha()}


def _after(meter: Meter, model: ValueModel, driver: Driver, theirs: Meter, likeness: Likeness) -> Made:
    formula = re.sub(rf"\b{re.escape(theirs.slug)}\b", meter.slug, driver.formula)
    made = Driver(
        slug=f"{meter.slug}_value",
        title=f"{meter.title or meter.slug}: value",
        unit=driver.unit,
        formula=formula,
        benefit_class=driver.benefit_class,
        evidence=Evidence.VENDOR_ESTIMATE,
        pool=driver.pool,
        objectives=driver.objectives,
    )
    return Made(made, f"Made after {driver.label}, with this meter in the place of {theirs.slug}.", likeness,
                _unstated(model, formula))  # fmt: skip


def _timed(meter: Meter, model: ValueModel) -> Iterator[Made]:
    """Time, at what an hour costs; only the share of it that is put to other work, where the model knows one."""
    divisor = _PARTS_OF_HOUR.get(meter.unit or "")
    if divisor is None:
        return
    for cost in _best(meter, [one for one in model.assumptions if one.unit == f"{model.supplier.currency}/hour"]):
        formula = f"{meter.slug} / {divisor} * {cost.slug}" if divisor > 1 else f"{meter.slug} * {cost.slug}"
        yield _at_price(meter, model, formula, cost, f"Time, at {cost.label.lower()}.")


def _priced(meter: Meter, model: ValueModel) -> Iterator[Made]:
    prices = [one for one in model.assumptions if meter.unit and one.unit == f"{model.supplier.currency}/{meter.unit}"]
    for price in _best(meter, prices):
        yield _at_price(meter, model, f"{meter.slug} * {price.slug}", price, f"Each at {price.label.lower()}.")


def _at_price(meter: Meter, model: ValueModel, formula: str, price: Assumption, why: str) -> Made:
    using = [one for one in model.drivers if price.slug in Formula.parse(one.formula).names]
    shares = {one.redeployment for one in using if one.redeployment}
    share = next(iter(shares)) if len(shares) == 1 else None
    pools = {one.pool for one in using if one.pool}
    full = f"({formula}) * {share}" if share else formula
    driver = Driver(
        slug=f"{meter.slug}_value",
        title=f"{meter.title or meter.slug}: value",
        unit=model.supplier.currency,
        formula=full,
        benefit_class=BenefitClass.CAPACITY,
        pool=next(iter(pools)) if len(pools) == 1 else None,
    )
    return Made(driver, why, None, _unstated(model, full))


def _counted(meter: Meter) -> Made:
    unit = meter.unit or "event"
    driver = Driver(
        slug=f"{meter.slug}_value",
        title=meter.title or meter.slug,
        unit=unit,
        formula=meter.slug,
        benefit_class=BenefitClass.STRATEGIC,
    )
    why = f"Counted, not priced: it is no money until somebody states what one {unit} is worth."
    return Made(driver, why, None, ())


def _best(meter: Meter, prices: Sequence[Assumption]) -> list[Assumption]:
    """The price that shares most words with the meter first."""
    own = _words(meter)

    def shared(one: Assumption) -> int:
        return len(own & {singular(word) for word in words_of(f"{one.slug} {one.title or ''}")})

    return sorted(prices, key=lambda one: (-shared(one), one.slug))


def _unstated(model: ValueModel, formula: str) -> tuple[str, ...]:
    """Inputs without a value for all."""
    rates = {rate.slug: rate for rate in (*model.baselines, *model.assumptions)}
    return tuple(sorted(name for name in Formula.parse(formula).names & rates.keys() if rates[name].default is None))
