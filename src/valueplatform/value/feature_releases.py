"""What a feature's accounts had before and after a release of it, over equally many days on each side."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.value.bridge_cells import added
from valueplatform.value.feature_book import BeforeAfter, ReleaseOut, Stretch, StretchAmount
from valueplatform.value.feature_ground import Ground, ground_of
from valueplatform.value.feature_worth import over, per_use
from valueplatform.value.model import Feature, Release, ValueModel

AROUND: Final = timedelta(weeks=8)
LEAST_DAYS: Final = 7
"""A release is told of only when as many days have passed since."""


def release_out(release: Release) -> ReleaseOut:
    return ReleaseOut(release.slug, release.label, release.day)


async def before_after(
    tx: Transaction, model: ValueModel, feature: Feature, release: Release, today: date
) -> BeforeAfter:
    days = min(AROUND.days, (today - release.day).days)
    told = release_out(release)
    if days < LEAST_DAYS:
        says = (
            "It is yet to come." if days < 0 else f"Insufficient data: fewer than {LEAST_DAYS} days have passed since."
        )
        return BeforeAfter(told, max(days, 0), 0, None, None, says)
    span = timedelta(days=days)
    periods = Period(release.day - span, release.day), Period(release.day, release.day + span)
    grounds = [await ground_of(tx, model, period, feature) for period in periods]
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


def _stretch(feature: Feature, period: Period, ground: Ground, same: set[int]) -> Stretch:
    counted = ground.uses.get(feature.slug)
    uses = None if counted is None else {account: number for account, number in counted.items() if account in same}
    own = [share for share in ground.shares.get(feature.slug, ()) if share.standing.account_id in same]
    quantities = {a: number for a, number in ground.quantities.get(feature.slug, {}).items() if a in same}
    rates = {(one.unit, one.benefit_class): one for one in per_use(own, quantities, ground.currencies)}
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
