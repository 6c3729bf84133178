"""What features are worth is made from: accruals, rollups and the catalog's counts, over the accounts in scope.

Uses are counted without looking at an event: by a meter that reads exactly the feature's types with its filter, else,
of a feature without a filter, by the catalog, which is counted a little after events come in. What value is told per
use of is the quantity of the hypothesis's meter (`feature_measure`), where it names one whose days add up.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.value.basis import BasisInput
from valueplatform.value.cuts import versions_of, why_uncut
from valueplatform.value.feature_measure import measure_of, metered
from valueplatform.value.feature_worth import DIMENSION, Earned, Present, Share, Standing, shares
from valueplatform.value.formula import Formula
from valueplatform.value.model import BY_EVENT, BenefitClass, Driver, Evidence, Feature, ValueModel
from valueplatform.value.states import State

_SUMS: Final = text("""
    SELECT s.*, b.unit, b.benefit_class, b.state, b.evidence, b.counted, b.formula,
           CASE WHEN s.driver = ANY(CAST(:cut AS text[])) THEN b.inputs::text END AS inputs
    FROM (
        SELECT account_id, driver, provider, basis_id, sum(low) AS low, sum(expected) AS expected, sum(high) AS high,
               sum(coalesce(uncapped, expected)) AS uncapped
        FROM accrual
        WHERE driver = ANY(CAST(:drivers AS text[])) AND day >= :start AND day < :end AND expected IS NOT NULL
        GROUP BY account_id, driver, provider, basis_id
    ) s JOIN basis b ON b.account_id = s.account_id AND b.basis_id = s.basis_id
    ORDER BY s.account_id, s.driver, s.provider, s.basis_id
""")
# A driver of the events' own providers reads those alone; any other reads all of them together.
_READINGS: Final = text("""
    SELECT a.account_id, a.driver, a.provider, a.basis_id, kept.slug AS meter, r.dimensions[kept.place] AS feature,
           sum(r.events - r.unmetered)::bigint AS events, sum(r.total) AS total
    FROM unnest(CAST(:of AS text[]), CAST(:slugs AS text[]), CAST(:names AS text[]), CAST(:places AS integer[]),
                CAST(:own AS boolean[])) AS kept (driver, slug, name, place, own)
    JOIN accrual a ON a.driver = kept.driver AND a.day >= :start AND a.day < :end AND a.expected IS NOT NULL
    JOIN account ON account.account_id = a.account_id
    JOIN rollup r ON r.account_id = a.account_id AND r.meter = kept.name || account.edition AND r.day = a.day
         AND (NOT kept.own OR r.provider = a.provider)
    GROUP BY a.account_id, a.driver, a.provider, a.basis_id, kept.slug, r.dimensions[kept.place]
    HAVING sum(r.events - r.unmetered) > 0
""")
_METERED: Final = text("""
    SELECT r.account_id, kept.feature, sum(r.events)::bigint AS uses
    FROM unnest(CAST(:features AS text[]), CAST(:names AS text[])) AS kept (feature, name)
    CROSS JOIN account
    JOIN rollup r ON r.account_id = account.account_id AND r.meter = kept.name || account.edition
         AND r.day >= :start AND r.day < :end
    GROUP BY r.account_id, kept.feature HAVING sum(r.events) > 0
""")
_SEEN: Final = text("""
    SELECT c.account_id, kept.feature, sum(CAST(c.tally ->> 'events' AS bigint))::bigint AS uses
    FROM unnest(CAST(:features AS text[]), CAST(:types AS text[])) AS kept (feature, type)
    JOIN catalog_day c ON c.type = kept.type AND NOT c.fresh AND c.day >= :start AND c.day < :end
    GROUP BY c.account_id, kept.feature HAVING sum(CAST(c.tally ->> 'events' AS bigint)) > 0
""")
_QUANTITIES: Final = text("""
    SELECT r.account_id, kept.feature, sum(r.events - r.unmetered)::bigint AS events, sum(r.total) AS total
    FROM unnest(CAST(:features AS text[]), CAST(:names AS text[]), CAST(:places AS integer[]))
         AS kept (feature, name, place)
    CROSS JOIN account
    JOIN rollup r ON r.account_id = account.account_id AND r.meter = kept.name || account.edition
         AND r.day >= :start AND r.day < :end AND (kept.place = 0 OR r.dimensions[kept.place] = kept.feature)
    GROUP BY r.account_id, kept.feature HAVING sum(r.events - r.unmetered) > 0
""")
_PRESENT: Final = text("""
    SELECT a.account_id, coalesce(a.segment, '') AS segment,
           (SELECT c.currency FROM account_currency c WHERE c.account_id = a.account_id AND c.effective_from < :end
            ORDER BY c.effective_from DESC LIMIT 1) AS currency,
           EXISTS (SELECT FROM catalog_day d WHERE d.account_id = a.account_id AND NOT d.fresh
                   AND d.day >= :start AND d.day < :end) AS sends
    FROM account a WHERE a.account_id > 0 ORDER BY a.account_id
""")


@dataclass(frozen=True, slots=True)
class Ground:
    """`uses` by feature and account; a feature whose uses nothing counts is absent. `quantities` are what value per use
    is over: those of the hypothesis's meter, else uses. `present` sent something."""

    uses: Mapping[str, Mapping[int, int]]
    quantities: Mapping[str, Mapping[int, Fraction]]
    shares: Mapping[str, Sequence[Share]]
    uncut: Mapping[str, str]
    currencies: Mapping[int, str]
    present: Sequence[Present]


async def ground_of(tx: Transaction, model: ValueModel, period: Period, only: Feature | None = None) -> Ground:
    features = [only] if only is not None else list(model.features)
    uses = await _uses(tx, model, features, period)
    drivers = {one.slug: one for one in model.drivers if one.features and (only is None or only.slug in one.features)}
    uncut = {slug: says for slug, one in drivers.items() if (says := _why_not_divided(one, model)) is not None}
    found: defaultdict[str, list[Share]] = defaultdict(list)
    for share in shares(await _earned(tx, model, drivers, uncut, period), drivers, uncut, _meters_of(model, drivers)):
        found[share.feature].append(share)
    held = {share.standing.account_id for own in found.values() for share in own}
    held |= {account for own in uses.values() for account in own}
    rows = await tx.rows(_PRESENT, {"start": period.start, "end": period.end})
    accounts = {
        row.account_id: Present(row.account_id, row.segment, row.currency or model.supplier.currency) for row in rows
    }
    return Ground(
        uses=uses,
        quantities=await _quantities(tx, model, features, period, uses),
        shares=dict(found),
        uncut=uncut,
        currencies={one.account_id: one.currency for one in accounts.values()},
        present=[accounts[row.account_id] for row in rows if row.sends or row.account_id in held],
    )


def _why_not_divided(driver: Driver, model: ValueModel) -> str | None:
    """None where one feature serves it, or its value can be divided."""
    if len(driver.features) == 1:
        return None
    reason = why_uncut(driver, model, [DIMENSION])
    if reason is None and len({one.provider == BY_EVENT for one in versions_of(model, driver.slug)}) > 1:
        reason = "its versions take events of providers in different ways"
    return None if reason is None else f"Several features serve it, and it cannot be divided: {reason}."


def _meters_of(model: ValueModel, drivers: Mapping[str, Driver]) -> dict[str, list[str]]:
    """What the formulas of each driver read, in all of its versions."""
    found = {}
    for slug in drivers:
        names = {name for one in versions_of(model, slug) for name in Formula.parse(one.formula).names}
        found[slug] = sorted(names & {meter.slug for meter in model.meters})
    return found


async def _earned(
    tx: Transaction, model: ValueModel, drivers: Mapping[str, Driver], uncut: Mapping[str, str], period: Period
) -> list[Earned]:
    cut = [slug for slug, one in drivers.items() if len(one.features) > 1 and slug not in uncut]
    asked = {"drivers": sorted(drivers), "cut": cut, "start": period.start, "end": period.end}
    readings = await _readings(tx, model, {slug: drivers[slug] for slug in cut}, period)
    return [
        Earned(
            standing=Standing(
                row.account_id,
                row.driver,
                row.provider,
                row.unit,
                BenefitClass(row.benefit_class),
                State(row.state),
                Evidence(row.evidence),
                row.counted,
            ),
            low=row.low,
            expected=row.expected,
            high=row.high,
            uncapped=row.uncapped,
            formula=row.formula,
            inputs=_inputs(row.inputs) if row.inputs is not None else {},
            readings=readings.get((row.account_id, row.driver, row.provider, row.basis_id), {}),
        )
        for row in await tx.rows(_SUMS, asked)
    ]


def _inputs(document: str) -> dict[str, Fraction]:
    given = msgspec.json.decode(document, type=tuple[BasisInput, ...])
    return {one.slug: Fraction(one.value.expected) for one in given}


_Place = tuple[int, str, str, Any]
"""Account, driver, provider and basis."""


async def _readings(
    tx: Transaction, model: ValueModel, drivers: Mapping[str, Driver], period: Period
) -> Mapping[_Place, Mapping[str | None, Mapping[str, Fraction]]]:
    meters = {meter.slug: meter for meter in model.meters}
    kept = [(slug, meters[name]) for slug, names in _meters_of(model, drivers).items() for name in names]
    asked = {
        "of": [slug for slug, _ in kept],
        "slugs": [meter.slug for _, meter in kept],
        "names": [meter.rollup_name() for _, meter in kept],
        "places": [meter.dimensions.index(DIMENSION) + 1 for _, meter in kept],
        "own": [drivers[slug].provider == BY_EVENT for slug, _ in kept],
        "start": period.start,
        "end": period.end,
    }
    found: defaultdict[_Place, defaultdict[str | None, dict[str, Fraction]]] = defaultdict(lambda: defaultdict(dict))
    for row in await tx.rows(_READINGS, asked) if kept else ():
        value = Fraction(row.events) if meters[row.meter].aggregation == "COUNT" else Fraction(row.total)
        found[row.account_id, row.driver, row.provider, row.basis_id][row.feature][row.meter] = value
    return found


async def _uses(
    tx: Transaction, model: ValueModel, features: Sequence[Feature], period: Period
) -> dict[str, dict[int, int]]:
    metered = [(one.slug, meter.rollup_name()) for one in features if (meter := meter_of(model, one)) is not None]
    known = {slug for slug, _ in metered}
    seen = [one for one in features if one.slug not in known and one.filter is None]
    found: dict[str, dict[int, int]] = {slug: {} for slug in (*known, *(one.slug for one in seen))}
    span = {"start": period.start, "end": period.end}
    names = {"features": [slug for slug, _ in metered], "names": [name for _, name in metered]}
    rows = list(await tx.rows(_METERED, {**span, **names}))
    pairs = [(one.slug, kind) for one in seen for kind in dict.fromkeys(one.event_types)]
    types = {"features": [slug for slug, _ in pairs], "types": [kind for _, kind in pairs]}
    rows += await tx.rows(_SEEN, {**span, **types})
    for row in rows:
        found[row.feature][row.account_id] = row.uses
    return found


async def _quantities(
    tx: Transaction,
    model: ValueModel,
    features: Sequence[Feature],
    period: Period,
    uses: Mapping[str, Mapping[int, int]],
) -> dict[str, dict[int, Fraction]]:
    found = {slug: {account: Fraction(number) for account, number in own.items()} for slug, own in uses.items()}
    kept = {one.slug: by for one in features if (by := metered(model, measure_of(model, one))) is not None}
    found |= {slug: {} for slug in kept}
    asked = {
        "features": list(kept),
        "names": [meter.rollup_name() for meter, _ in kept.values()],
        "places": [place for _, place in kept.values()],
        "start": period.start,
        "end": period.end,
    }
    for row in await tx.rows(_QUANTITIES, asked) if kept else ():
        counts = kept[row.feature][0].aggregation is Aggregation.COUNT
        found[row.feature][row.account_id] = Fraction(row.events if counts else row.total)
    return found


def meter_of(model: ValueModel, feature: Feature) -> Meter | None:
    """A meter that reads exactly the events that show the feature's use."""
    types = set(feature.event_types)
    return next((one for one in model.meters if set(one.event_types) == types and one.filter == feature.filter), None)
