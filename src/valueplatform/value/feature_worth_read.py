"""What features are worth, told over the accounts in scope: a book of all of them, and one of them opened."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import Period, month_start
from valueplatform.value.bridge_cells import added
from valueplatform.value.bridge_read import periods_asked
from valueplatform.value.feature_book import (
    Counted,
    DriverDivision,
    DriverPart,
    FeatureBook,
    FeatureWorth,
    Hypothesis,
    NotDivided,
    OpenedDriver,
    OpenedFeature,
)
from valueplatform.value.feature_ground import Ground, ground_of, meter_of
from valueplatform.value.feature_measure import measure_of
from valueplatform.value.feature_releases import before_after, release_out
from valueplatform.value.feature_worth import (
    NOT_ATTRIBUTED,
    Share,
    amounts,
    eligible,
    missing_parts,
    per_use,
    unrealized,
)
from valueplatform.value.model import BenefitClass, Driver, Feature, Release, ValueModel

MONTHS: Final = 3


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
    ground = await ground_of(tx, model, period)
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
    ground = await ground_of(tx, model, period)
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
        releases=[await before_after(tx, model, feature, one, today) for one in _releases_of(model, slug)],
    )


def _drivers_of(model: ValueModel, feature: str) -> list[Driver]:
    return [driver for driver in model.drivers if feature in driver.features]


def _releases_of(model: ValueModel, feature: str) -> list[Release]:
    """The newest first."""
    own = [release for release in model.releases if feature in release.features]
    return sorted(own, key=lambda one: (one.day, one.slug), reverse=True)


def _worth(model: ValueModel, feature: Feature, ground: Ground) -> FeatureWorth:
    uses, quantities = ground.uses.get(feature.slug), ground.quantities.get(feature.slug)
    own = ground.shares.get(feature.slug, ())
    drivers = _drivers_of(model, feature.slug)
    counted_by = Counted.METER if meter_of(model, feature) is not None else Counted.CATALOG
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
        use=measure_of(model, feature),
        per_use=per_use(own, quantities, ground.currencies) if quantities is not None else (),
        not_divided=[NotDivided(one.slug, ground.uncut[one.slug]) for one in drivers if one.slug in ground.uncut],
        unrealized=unrealized(feature, own, uses, ground.present) if uses is not None else (),
        releases=[release_out(one) for one in _releases_of(model, feature.slug)],
    )


def _divisions(model: ValueModel, ground: Ground) -> list[DriverDivision]:
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
