"""Features that an account does not use yet, as levers of its scenarios: used as comparable accounts use them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.core.numbers import FRACTION_DIGITS, round_half_even
from valueplatform.portal.benchmark_view import scale_word
from valueplatform.portal.exact import short_text
from valueplatform.portal.view import plan as view
from valueplatform.portal.view.words import NumberView
from valueplatform.value.adopted import METHOD, Comparable, NotComparableError, comparable_use, fed_meters, is_offered
from valueplatform.value.basis import is_currency
from valueplatform.value.benchmark import Withheld
from valueplatform.value.model import Feature, ValueModel
from valueplatform.value.scenario import Ground, Outlook

SWITCH: Final = "o."
"""Before the feature in the name of its lever; it takes a percentage of what comparable accounts use, 0 = off."""
AS_COMPARABLE: Final = 100
_LACKS: Final = {
    Withheld.FEW: "Fewer than five comparable companies use it, so it cannot be told.",
    Withheld.DOMINATED: "One company would be more than half of what comparable ones use, so it cannot be told.",
}


def switches_of(ground: Ground, percents: Mapping[str, int], adds: Mapping[str, NumberView]) -> list[view.Lever]:
    """Features on offer whose own events feed a driver, and which are not in use: first those that can be told."""
    levers = [_switch(ground, feature, percents, adds) for feature in _unused(ground)]
    return sorted(levers, key=lambda lever: (bool(lever.lacks), lever.label))


def _unused(ground: Ground) -> Iterator[Feature]:
    model, used = ground.record.model, ground.used
    for feature in model.features if ground.prospect else ():
        meters = {meter.slug for meter in fed_meters(model, feature.slug)}
        if meters and not meters & used and ground.prospect and is_offered(feature, ground.prospect):
            yield feature


def _switch(
    ground: Ground, feature: Feature, percents: Mapping[str, int], adds: Mapping[str, NumberView]
) -> view.Lever:
    name = f"{SWITCH}{feature.slug}"
    percent = percents.get(name, 0)
    lever = view.Lever(
        name, feature.label, "switch", str(percent or AS_COMPARABLE), "", "", adds=adds.get(name), on=percent > 0
    )
    return _told(lever, ground, feature, percent)


def _told(lever: view.Lever, ground: Ground, feature: Feature, percent: int) -> view.Lever:
    """With whose use is taken, or with the reason why it cannot be moved."""
    if ground.prospect is None:
        return lever
    try:
        comparable = comparable_use(ground.adopted, ground.record.model, feature, ground.prospect)
    except NotComparableError as error:
        return replace(lever, lacks=_LACKS[error.withheld or Withheld.FEW], on=False)
    times = f", times {percent}%" if percent not in {0, AS_COMPARABLE} else ""
    return replace(lever, now=f"As {_companies(comparable[0], ground.record.model)} use it{times}")


def _companies(one: Comparable, model: ValueModel) -> str:
    """7 companies in Elevator service."""
    title = next((segment.label for segment in model.segments if segment.slug == one.cohort), one.cohort)
    return f"{one.accounts:,} companies" + (f" in {title}" if title else "")


def switched_words(ground: Ground, outlook: Outlook) -> tuple[str, ...]:
    """How much features that are switched on are taken to be used, meter by meter, and by which method."""
    model = ground.record.model
    said = [_reading(one, model) for one in outlook.comparable]
    return (*said, METHOD) if said else ()


def _reading(one: Comparable, model: ValueModel) -> str:
    feature = model.feature(one.feature)
    meter = next((meter for meter in model.meters if meter.slug == one.meter), None)
    unit = (meter.unit if meter else None) or ""
    named = (meter.title if meter else None) or one.meter.replace("_", " ")
    bare = unit if is_currency(unit) else ""
    usual = short_text(_amount(one.a_month(0)), unit)
    low, high = (short_text(_amount(one.a_month(sign)), bare) for sign in (-1, 1))
    scale = scale_word(model.benchmark.scale or "")
    per = "" if one.scale is None else f", {short_text(one.median, bare)} a {scale} times {short_text(one.scale, '')}"
    return (
        f"{feature.label if feature else one.feature}, as {_companies(one, model)} use it: {named}, {usual} a month "
        f"({low} to {high}){per}."
    )


def _amount(value: Fraction) -> Decimal:
    return round_half_even(value.numerator, value.denominator, FRACTION_DIGITS)
