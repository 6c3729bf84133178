"""What features are worth, read over the accounts in scope: from accruals, rollups and the catalog's counts.

Uses are counted without looking at an event: by a meter that reads exactly the feature's types with its filter, else,
of a feature without a filter, by the catalog, which is counted a little after events come in.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import Period, month_start
from valueplatform.telemetry.meters import Meter
from valueplatform.value.basis import BasisInput
from valueplatform.value.bridge_cells import added
from valueplatform.value.bridge_read import periods_asked, why_uncut
from valueplatform.value.feature_book import (
    BeforeAfter,
    Counted,
    DriverDivision,
    DriverPart,
    FeatureBook,
    FeatureWorth,
    Hypothesis,
    NotDivided,
    OpenedDriver,
    OpenedFeature,
    ReleaseOut,
    Stretch,
    StretchAmount,
)
from valueplatform.value.feature_worth import (
    DIMENSION,
    NOT_ATTRIBUTED,
    Earned,
    Present,
    Share,
    Standing,
    amounts,
    eligible,
    missing_parts,
    over,
    per_use,
    shares,
    unrealized,
)
from valueplatform.value.formula import Formula
from valueplatform.value.model import BY_EVENT, BenefitClass, Driver, Evidence, Feature, Release, ValueModel
from valueplatform.value.states import State

MONTHS: Final = 3
AROUND: Final = timedelta(weeks=8)
LEAST_DAYS: Final = 7
"""A release is told of only when as many days have passed since."""

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
_PRESENT: Final = text("""
    SELECT a.account_id, coalesce(a.segment, '') AS segment,
           (SELECT c.currency FROM account_currency c WHERE c.account_id = a.account_id AND c.effective_from < :end
            ORDER BY c.effective_from DESC LIMIT 1) AS currency,
           EXISTS (SELECT FROM catalog_day d WHERE d.account_id = a.account_id AND NOT d.fresh
                   AND d.day >= :start AND d.day < :end) AS sends
    FROM account a WHERE a.account_id > 0 ORDER BY a.account_id
""")


def period_asked(start: date | None, end: date | None, today: date) -> Period:
    """The last three whole months where no days are given. Raises InvalidInputError."""
    if start is not None or end is not None:
        return periods_asked(start, end, None, None, today)[1]
    last = month_start(today)
    first = last
    for _ in range(MONTHS):
        first = month_start(first - timedelta(days=1))
    return Period(first, last)


async def feature_book(tx: Transaction, model: ValueModel, period: Period) -> FeatureBook:
    """Over the accounts in scope; the transaction should be steady, so that all is of one moment."""
    ground = await _ground(tx, model, period)
    return FeatureBook(
        start=period.start,
        end=period.end,
        features=[_worth(model, feature, ground) for feature in sorted(model.features, key=lambda one: one.slug)],
        divisions=_divisions(model, ground),
    )


async def opened_feature(tx: Transaction, model: ValueModel, slug: str, period: Period, today: date) -> OpenedFeature:
    """One feature with its drivers, how they are divided, and what was before and after each release.

    Raises NotFoundError.
    """
    feature = model.feature(slug)
    if feature is None:
        known = ", ".join(sorted(one.slug for one in model.features)) or "none"
        raise NotFoundError(f"There is no feature {slug!r} in the model; there are: {known}.")
    ground = await _ground(tx, model, period)
    drivers = _drivers_of(model, slug)
    serves = {driver.slug for driver in drivers}
    return OpenedFeature(
        start=period.start,
        end=period.end,
        worth=_worth(model, feature, ground),
        drivers=[
            OpenedDriver(one.slug, one.label, one.formula, one.unit, one.benefit_class, one.features) for one in drivers
        ],
        divisions=[one for one in _divisions(model, ground) if one.driver in serves],
        releases=[await _before_after(tx, model, feature, one, today) for one in _releases_of(model, slug)],
    )


# ---------------------------------------------------------------- what is read


@dataclass(frozen=True, slots=True)
class _Ground:
    """`uses` by feature and account; a feature whose uses nothing counts is absent. `present` sent something."""

    uses: Mapping[str, Mapping[int, int]]
    shares: Mapping[str, Sequence[Share]]
    uncut: Mapping[str, str]
    currencies: Mapping[int, str]
    present: Sequence[Present]


async def _ground(tx: Transaction, model: ValueModel, period: Period, only: Feature | None = None) -> _Ground:
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
    return _Ground(
        uses=uses,
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
    if reason is None and len({one.provider == BY_EVENT for one in _versions(model, driver.slug)}) > 1:
        reason = "its versions take events of providers in different ways"
    return None if reason is None else f"Several features serve it, and it cannot be divided: {reason}."


def _versions(model: ValueModel, slug: str) -> list[Driver]:
    return [driver for driver in model.driver_versions if driver.slug == slug]


def _meters_of(model: ValueModel, drivers: Mapping[str, Driver]) -> dict[str, list[str]]:
    """What the formulas of each driver read, in all of its versions."""
    found = {}
    for slug in drivers:
        names = {name for one in _versions(model, slug) for name in Formula.parse(one.formula).names}
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
    metered = [(one.slug, meter.rollup_name()) for one in features if (meter := _meter_of(model, one)) is not None]
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


def _meter_of(model: ValueModel, feature: Feature) -> Meter | None:
    """A meter that reads exactly the events that show the feature's use."""
    types = set(feature.event_types)
    return next((one for one in model.meters if set(one.event_types) == types and one.filter == feature.filter), None)


# ---------------------------------------------------------------- what is told


def _drivers_of(model: ValueModel, feature: str) -> list[Driver]:
    return [driver for driver in model.drivers if feature in driver.features]


def _releases_of(model: ValueModel, feature: str) -> list[Release]:
    """The newest first."""
    own = [release for release in model.releases if feature in release.features]
    return sorted(own, key=lambda one: (one.day, one.slug), reverse=True)


def _release_out(release: Release) -> ReleaseOut:
    return ReleaseOut(release.slug, release.label, release.day)


def _worth(model: ValueModel, feature: Feature, ground: _Ground) -> FeatureWorth:
    uses = ground.uses.get(feature.slug)
    own = ground.shares.get(feature.slug, ())
    drivers = _drivers_of(model, feature.slug)
    counted_by = Counted.METER if _meter_of(model, feature) is not None else Counted.CATALOG
    return FeatureWorth(
        feature=feature.slug,
        title=feature.label,
        product=feature.product,
        event_types=feature.event_types,
        hypothesis=Hypothesis(feature.hypothesis, feature.driver, feature.meter, feature.baseline),
        missing=missing_parts(feature),
        drivers=[driver.slug for driver in drivers],
        accounts=None if uses is None else len(uses),
        eligible=len(eligible(feature, ground.present)),
        uses=None if uses is None else sum(uses.values()),
        counted_by=None if uses is None else counted_by,
        uses_says="" if uses is not None else "It has a filter, and no meter reads its events with the same one.",
        value=amounts(own, [driver.slug for driver in drivers if len(driver.features) > 1]),
        per_use=per_use(own, uses, ground.currencies) if uses is not None else (),
        not_divided=[NotDivided(one.slug, ground.uncut[one.slug]) for one in drivers if one.slug in ground.uncut],
        unrealized=unrealized(feature, own, uses, ground.present) if uses is not None else (),
        releases=[_release_out(one) for one in _releases_of(model, feature.slug)],
    )


def _divisions(model: ValueModel, ground: _Ground) -> list[DriverDivision]:
    drivers = {one.slug: one for one in model.drivers if len(one.features) > 1}
    cells: defaultdict[tuple[str, str, BenefitClass], list[Share]] = defaultdict(list)
    for own in ground.shares.values():
        for share in own:
            at = share.standing
            if at.driver in drivers:
                cells[at.driver, at.unit, at.benefit_class].append(share)
    return [
        _division(drivers[slug], unit, benefit_class, cells[slug, unit, benefit_class], ground.uncut.get(slug, ""))
        for slug, unit, benefit_class in sorted(cells)
    ]


def _division(
    driver: Driver, unit: str, benefit_class: BenefitClass, own: Sequence[Share], says: str
) -> DriverDivision:
    names = [*driver.features, NOT_ATTRIBUTED]
    parts = [
        DriverPart(
            name,
            added(share.expected for share in own if share.feature == name),
            added(share.expected for share in own if share.feature == name and share.standing.counted),
        )
        for name in names
    ]
    return DriverDivision(
        driver=driver.slug,
        title=driver.label,
        formula=driver.formula,
        unit=unit,
        benefit_class=benefit_class,
        expected=added(part.expected for part in parts),
        counted=added(part.counted for part in parts),
        parts=parts,
        says=says,
    )


# ---------------------------------------------------------------- before and after a release


async def _before_after(
    tx: Transaction, model: ValueModel, feature: Feature, release: Release, today: date
) -> BeforeAfter:
    days = min(AROUND.days, (today - release.day).days)
    told = _release_out(release)
    if days < LEAST_DAYS:
        says = (
            "It is yet to come." if days < 0 else f"Insufficient data: fewer than {LEAST_DAYS} days have passed since."
        )
        return BeforeAfter(told, max(days, 0), 0, None, None, says)
    span = timedelta(days=days)
    periods = Period(release.day - span, release.day), Period(release.day, release.day + span)
    grounds = [await _ground(tx, model, period, feature) for period in periods]
    first, second = ({one.account_id for one in ground.present} for ground in grounds)
    same = first & second
    if not same:
        return BeforeAfter(told, days, 0, None, None, "Insufficient data: no account sent anything on both sides.")
    before, after = (_stretch(feature, *pair, same) for pair in zip(periods, grounds, strict=True))
    says = (
        f"The same {len(same)} account{'s' if len(same) != 1 else ''}, {days} days on either side. Whatever else "
        "changed in these days is in it too, so this is no proof that the release caused the difference."
    )
    return BeforeAfter(told, days, len(same), before, after, says)


def _stretch(feature: Feature, period: Period, ground: _Ground, same: set[int]) -> Stretch:
    counted = ground.uses.get(feature.slug)
    uses = None if counted is None else {account: number for account, number in counted.items() if account in same}
    own = [share for share in ground.shares.get(feature.slug, ()) if share.standing.account_id in same]
    rates = {(one.unit, one.benefit_class): one for one in per_use(own, uses or {}, ground.currencies)}
    value = []
    for (unit, benefit_class), rate in rates.items():
        cell = [s for s in own if (s.standing.unit, s.standing.benefit_class) == (unit, benefit_class)]
        expected = added(share.expected for share in cell)
        value.append(
            StretchAmount(
                unit=unit,
                benefit_class=benefit_class,
                expected=expected,
                counted=added(share.expected for share in cell if share.standing.counted),
                a_day=over(expected, period.days),
                per_use=rate.expected,
            )
        )
    total = None if uses is None else sum(uses.values())
    return Stretch(
        start=period.start,
        end=period.end,
        using=len(uses or ()),
        uses=total,
        uses_a_day=None if total is None else over(Decimal(total), period.days),
        value=value,
    )
