"""A prospect's own estimate from a few answers: cohort figures, times what was answered. Pure; nothing is stored.

As in a projection, the quartiles of the cohort times the scale. Where the prospect gives a value of its own for an
input that the driver's amount is proportional to, the figure is also multiplied by its ratio to what is usual in the
cohort (`typical_inputs`); for any other the figure stays as it is, and says so.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.value.accruals import input_names
from valueplatform.value.benchmark_store import Stored
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.model import Driver, ValueModel
from valueplatform.value.projection import NotProjected, Projected, Projection, Prospect, project, projection
from valueplatform.value.typical_inputs import Typical, proportional_inputs


class Answers(msgspec.Struct, frozen=True):
    """`drivers`: those that matter, none = all; `values`: own values of inputs, by slug."""

    prospect: Prospect
    drivers: tuple[str, ...] = ()
    values: Mapping[str, Decimal] = {}


class Unadjusted(StrEnum):
    """Why an own value changes nothing."""

    NOT_LINEAR = "not-linear"
    NOT_KNOWN = "not-known"


class Adjusted(msgspec.Struct, frozen=True):
    """An own value: the figure was multiplied by `own` over `typical`, the median of the cohort; or why it was not."""

    slug: str
    title: str
    own: Decimal
    typical: Decimal | None
    not_adjusted: Unadjusted | None


class EstimatedDriver(msgspec.Struct, frozen=True):
    projected: Projected
    adjusted: Sequence[Adjusted]


class SelfEstimate(msgspec.Struct, frozen=True):
    """By driver, a month; amounts are after the adjustments."""

    projection: Projection
    drivers: Sequence[EstimatedDriver]
    not_projected: Sequence[NotProjected]


def self_estimate(stored: Stored | None, model: ValueModel, answers: Answers) -> SelfEstimate:
    made = stored.benchmarks if stored else Benchmarks((), model.benchmark.scale)
    chosen = [one for one in model.drivers if not answers.drivers or one.slug in answers.drivers]
    found = [(driver, project(made, model, answers.prospect, driver)) for driver in chosen]
    return SelfEstimate(
        projection=projection(stored, model, answers.prospect, ()),
        drivers=[_estimated(made, model, answers, driver, one) for driver, one in found if isinstance(one, Projected)],
        not_projected=[one for _, one in found if isinstance(one, NotProjected)],
    )


def _estimated(
    made: Benchmarks, model: ValueModel, answers: Answers, driver: Driver, projected: Projected
) -> EstimatedDriver:
    names = input_names(model, driver)
    given = {slug: value for slug, value in answers.values.items() if slug in names}
    adjusted = [_adjusted(made, model, driver, projected, slug, own) for slug, own in sorted(given.items())]
    ratio = Fraction(1)
    for one in adjusted:
        if one.typical is not None:
            ratio *= Fraction(one.own) / Fraction(one.typical)
    bounds = (projected.lower, projected.median, projected.upper)
    low, expected, high = (_scaled(bound, projected.scale, ratio) for bound in bounds)
    return EstimatedDriver(msgspec.structs.replace(projected, low=low, expected=expected, high=high), adjusted)


def _adjusted(
    made: Benchmarks, model: ValueModel, driver: Driver, projected: Projected, slug: str, own: Decimal
) -> Adjusted:
    rate = model.rate(slug)
    title = rate.label if rate else slug
    if slug not in proportional_inputs(model, driver):
        return Adjusted(slug, title, own, None, Unadjusted.NOT_LINEAR)
    typical = typical_of(made, projected, slug)
    if typical is None or typical.median <= 0:
        return Adjusted(slug, title, own, None, Unadjusted.NOT_KNOWN)
    return Adjusted(slug, title, own, typical.median, None)


def typical_of(made: Benchmarks, projected: Projected, slug: str) -> Typical | None:
    """Among the accounts that the figure is of."""
    asked = (projected.driver, projected.cohort, projected.unit, slug)
    return next((one for one in made.typical if (one.driver, one.segment, one.unit, one.slug) == asked), None)


def _scaled(bound: Decimal, scale: Decimal | None, ratio: Fraction) -> Decimal:
    value = Fraction(bound) * Fraction(1 if scale is None else scale) * ratio
    return round_half_even(value.numerator, value.denominator)
