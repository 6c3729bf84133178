"""What a value model must satisfy in its drivers: formulas and units that fit, pools, and what the value rules ask."""

from collections.abc import Iterator
from itertools import combinations, product
from typing import Final, NamedTuple

import msgspec

from valueplatform.telemetry.meter_overlap import count_the_same
from valueplatform.telemetry.meters import ADDITIVE, ZERO_WHEN_ABSENT
from valueplatform.value.driver_kinds import (
    BY_METER,
    AgainstBaseline,
    Plain,
    ProbabilityImpact,
    Score,
    Threshold,
    UnitPrices,
    tag_of,
)
from valueplatform.value.formula import MOST_RANGED, Formula, FormulaError
from valueplatform.value.model import CURRENCIES, BenefitClass, Driver, ValueModel
from valueplatform.value.model_findings import Finding, Place, at_key, suggestion, unknown
from valueplatform.value.units import parse_unit, unit_fault

_FORMULA_CURE: Final = (
    "a formula has names, numbers, + - * /, parentheses, min(a, b), max(a, b), case when a > b then a else b end"
)


def driver_errors(model: ValueModel) -> Iterator[Finding]:
    """Why the drivers and their pools cannot be applied."""
    yield from _pool_errors(model)
    yield from _driver_errors(model)
    yield from _overlap_errors(model)


def driver_warnings(model: ValueModel) -> Iterator[Finding]:
    """What is allowed of drivers, and better known."""
    yield from _daily_sum_warnings(model)
    yield from _driver_warnings(model)
    yield from _pool_warnings(model)


def _pool_errors(model: ValueModel) -> Iterator[Finding]:
    """A pool that is declared once is declared for all; its cap can be read, and is in the unit of its drivers."""
    pools = {pool.slug: pool for pool in model.pools}
    for number, driver in enumerate(model.drivers, 1):
        if pools and driver.pool is not None and driver.pool not in pools:
            yield unknown(Place("driver", number, driver.slug, "pool"), "pool", driver.pool, pools)
    for number, pool in enumerate(model.pools, 1):
        place = Place("pool", number, pool.slug)
        yield from _cap_errors(model, place, pool.cap)
        drawing = [driver for driver in model.drivers if driver.pool == pool.slug]
        units = sorted({driver.unit for driver in drawing} | ({pool.unit} if pool.unit else set()))
        if pool.cap is not None and len(units) > 1:
            message = f"its drivers and its cap are in {', '.join(units)}, which do not add up"
            yield Finding(at_key(place, "unit"), message, "give all of them one unit, or make it two pools")


def _cap_errors(model: ValueModel, place: Place, cap: str | None) -> Iterator[Finding]:
    if cap is None:
        return
    at = at_key(place, "cap")
    try:
        names = Formula.parse(cap).names
    except FormulaError as error:
        yield Finding(at, error.message, _FORMULA_CURE)
        return
    rates = {rate.slug for rate in (*model.baselines, *model.assumptions)}
    metered = sorted(names & {meter.slug for meter in model.meters})
    if metered:
        message = f'a cap is agreed on, and cannot be metered by "{metered[0]}"'
        yield Finding(at, message, "state it by assumptions and baselines")
    for name in sorted(names - rates - set(metered)):
        yield unknown(at, "name", name, rates)


def _driver_errors(model: ValueModel) -> Iterator[Finding]:
    features = {feature.slug for feature in model.features}
    for number, driver in enumerate(model.drivers, 1):
        place = Place("driver", number, driver.slug)
        yield from _window_errors(place, driver)
        for feature in driver.features:
            if feature not in features:
                yield unknown(at_key(place, "feature"), "feature", feature, features)
        wrong = [*_part_errors(place, driver), *_share_errors(model, place, driver)]
        yield from wrong or [*_formula_errors(model, place, driver), *_kind_errors(model, place, driver)]


def _part_errors(place: Place, driver: Driver) -> Iterator[Finding]:
    """Each part of a kind is an expression of its own."""
    kind = driver.kind
    if isinstance(kind, Threshold) and (kind.at_least is None) is (kind.at_most is None):
        message = "it needs either at_least or at_most"
        yield Finding(at_key(place, "threshold"), message, 'write at_least = "…" or at_most = "…"')
    for key, part in _parts(driver):
        try:
            Formula.parse(part)
        except FormulaError as error:
            yield Finding(at_key(place, key), error.message, _FORMULA_CURE)


def _formula_errors(model: ValueModel, place: Place, driver: Driver) -> Iterator[Finding]:
    meters = {meter.slug for meter in model.meters}
    rates = {rate.slug for rate in (*model.baselines, *model.assumptions)}
    at = at_key(place, _formula_key(driver))
    try:
        formula = Formula.parse(driver.formula)
    except FormulaError as error:
        yield Finding(at, error.message, _FORMULA_CURE)
        return
    names = formula.names
    lost = sorted(names - meters - rates)
    for name in lost:
        yield unknown(at, "name", name, meters | rates)
    if len(names & rates) > MOST_RANGED:
        message = f"the formula reads {len(names & rates)} baselines and assumptions, at most {MOST_RANGED} may be"
        yield Finding(at, message, "join some of them into one")
    if lost:
        return
    if not names & meters:
        message = "the formula reads no meter, so that it would never have a value"
        yield Finding(at, message, "multiply by a meter, such as a COUNT of the events that it is about")
    elif fault := _unit_fault(model, formula, driver):
        stated = ", ".join(
            f"{name} is in {unit}" for name, unit in sorted(_stated_units(model).items()) if name in names
        )
        yield Finding(at, fault, f"mend the formula or a unit: {stated}")


def _stated_units(model: ValueModel) -> dict[str, str]:
    """The units that meters, baselines and assumptions say; a COUNT that says none counts something unknown."""
    metered = {meter.slug: meter.unit for meter in model.meters if meter.unit}
    return metered | {rate.slug: rate.unit for rate in (*model.baselines, *model.assumptions)}


def _unit_fault(model: ValueModel, formula: Formula, driver: Driver) -> str | None:
    """What is wrong with the units; weights of a score turn anything into points."""
    wanted = None if isinstance(driver.kind, Score) else parse_unit(driver.unit)
    units = {name: parse_unit(stated) for name, stated in _stated_units(model).items()}
    return None if wanted is None else unit_fault(formula.term, units, wanted)


def _share_errors(model: ValueModel, place: Place, driver: Driver) -> Iterator[Finding]:
    """Capacity carries an agreed redeployment share, revenue enters at margin (rule 4); nothing else does."""
    assumptions = {assumption.slug for assumption in model.assumptions}
    for key, share, of in (
        ("redeployment", driver.redeployment, BenefitClass.CAPACITY),
        ("margin", driver.margin, BenefitClass.REVENUE),
    ):
        if share is None:
            continue
        if driver.benefit_class is not of:
            message = f"{driver.benefit_class} value has no {key}; only {of} has"
            yield Finding(at_key(place, key), message, f'remove it, or write benefit_class = "{of}"')
        if share not in assumptions:
            yield unknown(at_key(place, key), "assumption", share, assumptions)


def _kind_errors(model: ValueModel, place: Place, driver: Driver) -> Iterator[Finding]:
    """What the roles of a kind's parts ask for."""
    match driver.kind:
        case AgainstBaseline(baseline=baseline):
            known = {each.slug for each in model.baselines}
            if not Formula.parse(baseline).names & known:
                message = f'"{baseline}" is no baseline, so that nothing says how it was before'
                yield Finding(at_key(place, "against_baseline.baseline"), message, suggestion(baseline, known))
        case UnitPrices(prices=prices):
            known = {each.slug for each in model.assumptions}
            for what, price in prices:
                if not Formula.parse(price).names & known:
                    message = f'nobody can validate the price "{price}"'
                    yield Finding(at_key(place, f"unit_prices.{what}"), message, "make it an assumption, and name that")
        case ProbabilityImpact():
            yield from _risk_errors(place, driver)
        case Score():
            if driver.monetized:
                message = f"points are not {driver.unit}: a score is never money"
                yield Finding(at_key(place, "unit"), message, 'write unit = "point" and benefit_class = "strategic"')


def _risk_errors(place: Place, driver: Driver) -> Iterator[Finding]:
    if driver.benefit_class not in {BenefitClass.RISK, BenefitClass.AVOIDANCE}:
        message = f"probability and impact make no {driver.benefit_class} value"
        yield Finding(at_key(place, "benefit_class"), message, 'write benefit_class = "risk" or "avoidance"')
    for key, given in (("counterfactual", driver.counterfactual), ("sunset", driver.sunset)):
        if given is None:
            yield Finding(at_key(place, key), f"probability and impact need a stated {key}", f"add {key} = …")


def _parts(driver: Driver) -> Iterator[tuple[str, str]]:
    """The expressions that the formula is made from, by key."""
    kind = driver.kind
    if kind is None:
        return
    tag = tag_of(kind)
    if tag in BY_METER:
        for what, other in getattr(kind, BY_METER[tag]):
            yield f"{tag}.{what}", what
            yield f"{tag}.{what}", other
    else:
        for name, part in msgspec.structs.asdict(kind).items():
            if part is not None:
                yield tag if isinstance(kind, Plain) else f"{tag}.{name}", part


def _formula_key(driver: Driver) -> str:
    return "formula" if driver.kind is None else tag_of(driver.kind)


def _window_errors(place: Place, driver: Driver) -> Iterator[Finding]:
    start, end = driver.effective_from, driver.effective_to
    if start is not None and end is not None and end <= start:
        message = f"it would end on {end}, before it begins on {start}"
        yield Finding(at_key(place, "effective_to"), message, "write a later day, or leave it out")


def _overlap_errors(model: ValueModel) -> Iterator[Finding]:
    """Two drivers of monetized benefit that read the same telemetry must each say which pool they draw on."""
    for number, driver, shared in _overlaps(model):
        if driver.pool is None or shared.other.pool is None:
            cure = "give both the same pool, or each a pool of its own if they are different benefits"
            if shared.own != shared.its:
                cure += ", or filter the meters so that no event counts in both"
            message = f"{shared.says}: the benefit may count twice"
            yield Finding(Place("driver", number, driver.slug, "pool"), message, cure)


def _pool_warnings(model: ValueModel) -> Iterator[Finding]:
    for number, driver, shared in _overlaps(model):
        if driver.pool is not None and shared.other.pool is not None and driver.pool != shared.other.pool:
            message = f"{shared.says}, and their pools are declared as different"
            yield Finding(Place("driver", number, driver.slug, "pool"), message, "make sure that they never overlap")


def _daily_sum_warnings(model: ValueModel) -> Iterator[Finding]:
    meters = {meter.slug: meter for meter in model.meters}
    for number, driver in enumerate(model.drivers, 1):
        formula = Formula.parse(driver.formula)
        used = formula.names & meters.keys()
        kinds = {name: meters[name].aggregation for name in sorted(used)}
        distinct = [f"{name} ({kind})" for name, kind in kinds.items() if kind not in ADDITIVE]
        if distinct:
            why = f"{', '.join(distinct)} cannot be added up over days"
            nullable = [name for name, kind in kinds.items() if kind not in ZERO_WHEN_ABSENT]
            why += f"; where it needs {' or '.join(nullable)}, a day without one has no amount" if nullable else ""
        elif not formula.is_additive_in(used):
            why = "it is not a sum of meters times rates"
        else:
            continue
        message = f"the formula is evaluated per local day, and a period is the sum of its days, because {why}"
        yield Finding(Place("driver", number, driver.slug, "formula"), message, "keep it if that is what you mean")


def _driver_warnings(model: ValueModel) -> Iterator[Finding]:
    for number, driver in enumerate(model.drivers, 1):
        place = Place("driver", number, driver.slug)
        if driver.benefit_class is BenefitClass.STRATEGIC and driver.currency is not None:
            message = f"strategic value is not monetized, so its {driver.unit} enter no total"
            yield Finding(at_key(place, "benefit_class"), message, "choose another class if it is money")
        if len(driver.unit) == 3 and driver.unit.isupper() and driver.currency is None:
            message = f'"{driver.unit}" is not a currency, so the driver is not monetized'
            yield Finding(at_key(place, "unit"), message, suggestion(driver.unit, CURRENCIES))
        if driver.benefit_class is BenefitClass.REVENUE and driver.monetized and driver.margin is None:
            cure = 'name the assumption that says it: margin = "…"'
            yield Finding(at_key(place, "margin"), "revenue enters at a margin (value rule 4)", cure)
        if driver.benefit_class in {BenefitClass.AVOIDANCE, BenefitClass.RISK}:
            for key, given in (("counterfactual", driver.counterfactual), ("sunset", driver.sunset)):
                if given is None:
                    message = f"{driver.benefit_class} value needs a stated {key}"
                    yield Finding(at_key(place, key), message, f"add {key} = …")


class _Shared(NamedTuple):
    """The driver's meter `own` reads events that the meter `its` of the `other` driver reads too."""

    other: Driver
    own: str
    its: str

    @property
    def says(self) -> str:
        if self.own == self.its:
            return f'it and the driver "{self.other.slug}" both draw on the meter "{self.own}"'
        return (
            f'its meter "{self.own}" and the meter "{self.its}" of the driver "{self.other.slug}" count the same events'
        )


def _overlaps(model: ValueModel) -> Iterator[tuple[int, Driver, _Shared]]:
    """Pairs of monetized drivers, the later one first, with the first meters of theirs that count the same events."""
    meters = {meter.slug: meter for meter in model.meters}
    monetized = [(number, driver) for number, driver in enumerate(model.drivers, 1) if driver.monetized]
    reads = {number: [meters[name] for name in sorted(_names(driver) & meters.keys())] for number, driver in monetized}
    for (one, other), (number, driver) in combinations(monetized, 2):
        both = product(reads[number], reads[one])
        shared = next((_Shared(other, own.slug, its.slug) for own, its in both if count_the_same(own, its)), None)
        if shared is not None:
            yield number, driver, shared


def _names(driver: Driver) -> frozenset[str]:
    try:
        return Formula.parse(driver.formula).names
    except FormulaError:
        return frozenset()
