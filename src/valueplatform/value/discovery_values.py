"""Values of baselines and assumptions that the record suggests. Pure.

**As validated elsewhere.** Where a cohort of accounts has validated an input (`agreed_values`: the median with the
interval of the sign test, Hollander and Wolfe 1999, section 3.6), and the model holds another value for all, or for
that segment, theirs is proposed in its place.

**As measured.** A driver against a baseline says what is compared: actual over volume. That ratio is measured in the
whole weeks before an account first used a feature that the driver names, of types that the meters do not read (method
*measured-before*: the median of its weeks, four at least); else, where fewer than five accounts were measured so, in
accounts that never used it, over the last 13 weeks (*control-group*). Told is the median of the accounts with its
interval, of a cohort alone (value rule 20).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.telemetry.meters import ADDITIVE
from valueplatform.value.agreed_values import Agreed
from valueplatform.value.benchmark import published
from valueplatform.value.cohorts import is_masked, median
from valueplatform.value.discovery import Cohort, Evidence, Parts, Proposal, Proposed
from valueplatform.value.driver_kinds import AgainstBaseline
from valueplatform.value.intervals import interval_of_median
from valueplatform.value.model import (
    Assumption,
    Baseline,
    BaselineMethod,
    SegmentRate,
    ValueModel,
)
from valueplatform.value.ranges import Range

LEAST_WEEKS: Final = 4
_APART: Final = Decimal("0.05")
"""A value within so much of what the model holds is the same."""


class Ratio(msgspec.Struct, frozen=True):
    """What a baseline is measured by: `actual` over `volume`, both meters whose days add up; `kinds` are the types that
    show use of the features of the driver."""

    baseline: str
    driver: str
    actual: str
    volume: str
    kinds: tuple[str, ...]


class Measured(msgspec.Struct, frozen=True):
    """An account's weeks: (actual, volume) of each; `before`: they lie before its first use, else it never used it."""

    account_id: int
    before: bool
    weeks: tuple[tuple[Fraction, Fraction], ...]


def ratios(model: ValueModel) -> list[Ratio]:
    """Of drivers whose baseline, actual and volume are one name each."""
    meters = {meter.slug: meter for meter in model.meters if meter.aggregation in ADDITIVE}
    features = {feature.slug: feature for feature in model.features}
    found = {}
    for driver in model.drivers:
        kind = driver.kind
        if not isinstance(kind, AgainstBaseline) or not {kind.actual, kind.volume} <= meters.keys():
            continue
        read = {one for slug in (kind.actual, kind.volume) for one in meters[slug].event_types}
        kinds = {one for slug in driver.features if slug in features for one in features[slug].event_types}
        if kinds - read and any(one.slug == kind.baseline for one in model.baselines):
            found[kind.baseline] = Ratio(
                kind.baseline, driver.slug, kind.actual, kind.volume, tuple(sorted(kinds - read))
            )
    return [found[slug] for slug in sorted(found)]


def measured_baseline(model: ValueModel, ratio: Ratio, measured: Iterable[Measured]) -> Proposal | None:
    """None where too few accounts could be measured, or the model says the same."""
    held = next(one for one in model.baselines if one.slug == ratio.baseline)
    every = list(measured)
    before = _middles(one for one in every if one.before)
    control = _middles(one for one in every if not one.before)
    for method, values in ((BaselineMethod.MEASURED_BEFORE, before), (BaselineMethod.CONTROL_GROUP, control)):
        interval = interval_of_median(values)
        if interval is None or is_masked(values):
            continue
        low, high, coverage = interval
        value = Range(published(low), published(median(values)), published(high))
        if _is_same(held.default, value):
            return None
        cohort = _cohort("", len(values), coverage, _how(method, ratio))
        changed = msgspec.structs.replace(
            held,
            default=value,
            method=method,
            measured_by=model.supplier.name,
            sample=f"{len(values)} accounts",
        )
        why = f"{ratio.actual} over {ratio.volume}, {_how(method, ratio)}; {_holds(held.default)}."
        return Proposal(Proposed.BASELINE, held.slug, "", "", why, Parts(baselines=(changed,)), Evidence(cohort=cohort))
    return None


def _how(method: BaselineMethod, ratio: Ratio) -> str:
    kinds = " or ".join(ratio.kinds)
    if method is BaselineMethod.MEASURED_BEFORE:
        return f"in the weeks before accounts first sent {kinds}"
    return f"in accounts that never sent {kinds}, over the last 13 weeks"


def _middles(measured: Iterable[Measured]) -> list[Fraction]:
    found = []
    for one in measured:
        weeks = [actual / volume for actual, volume in one.weeks if volume > 0]
        if len(weeks) >= LEAST_WEEKS:
            found.append(median(weeks))
    return found


def agreed_proposals(model: ValueModel, agreed: Sequence[Agreed]) -> list[Proposal]:
    """Where a cohort validated something else than the model holds, in the unit of the model."""
    found = []
    for one in agreed:
        rate = model.rate(one.slug)
        if rate is None or one.unit != rate.unit or one.accounts is None or one.coverage is None:
            continue
        if one.low is None or one.median is None or one.high is None:
            continue
        value, held = Range(one.low, one.median, one.high), rate.for_segment(one.segment or None)
        if _is_same(held, value):
            continue
        says = "by what validators of these accounts agreed to"
        where = f" of {one.segment}" if one.segment else ""
        why = f"{one.accounts} accounts{where} have validated a value of their own; {_holds(held)}."
        cohort = _cohort(one.segment, one.accounts, Fraction(one.coverage), says)
        kind = Proposed.BASELINE if isinstance(rate, Baseline) else Proposed.ASSUMPTION
        found.append(Proposal(kind, rate.slug, "", "", why, _with(rate, one.segment, value), Evidence(cohort=cohort)))
    return found


def _with(rate: Baseline | Assumption, segment: str, value: Range) -> Parts:
    if not segment:
        changed = msgspec.structs.replace(rate, default=value)
    else:
        others = tuple(one for one in rate.segments if one.segment != segment)
        changed = msgspec.structs.replace(rate, segments=(*others, SegmentRate(segment, value)))
    return Parts(baselines=(changed,)) if isinstance(changed, Baseline) else Parts(assumptions=(changed,))


def _cohort(segment: str, accounts: int, coverage: Fraction, says: str) -> Cohort:
    return Cohort(segment, accounts, round_half_even(coverage.numerator, coverage.denominator, 4), says)


def _is_same(held: Range | None, value: Range) -> bool:
    return held is not None and abs(held.expected - value.expected) <= _APART * abs(value.expected)


def _holds(held: Range | None) -> str:
    return "the model holds no value" if held is None else f"the model holds {held.expected}"
