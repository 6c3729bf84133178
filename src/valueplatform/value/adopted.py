"""How much comparable accounts use a feature: what a scenario that switches it on takes for its usage.

Told of each meter of a driver that the feature's own events feed: what accounts that use the feature metered a month,
the mean of the newest whole months, and per unit of scale, by cohorts as in `benchmark` (value rule 20: five accounts
or more, none of them more than half). Amounts of meters without a unit may be money, so accounts of one currency alone
are compared there. They chose to use it and may differ in other ways: it is no promise.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnprocessableError
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.value.basis import is_currency
from valueplatform.value.benchmark import EVERYBODY, Figure, Member, Per, Withheld, cohorts
from valueplatform.value.benchmark_inputs import Ground
from valueplatform.value.formula import Formula
from valueplatform.value.levers import SwitchOn, moved_meters
from valueplatform.value.model import Feature, ValueModel
from valueplatform.value.practice import Use

METHOD: Final = (
    "Quartiles of what comparable accounts that use the feature metered a month, in the newest whole months, to three "
    "significant digits, times the scale where there is one, spread evenly over the days. Five accounts or more, none "
    "of them more than half of the total. They chose to use it and may differ in other ways."
)
_WHY: Final = {
    Withheld.FEW: "fewer than five comparable accounts use it",
    Withheld.DOMINATED: "one account makes more than half of what comparable accounts use of it",
}
_METERED: Final = """
    SELECT r.account_id, {total} AS total FROM {table} r JOIN account a ON a.account_id = r.account_id
    WHERE r.account_id = ANY(CAST(:accounts AS bigint[])) AND r.meter = :meter || a.edition
      AND r.day >= :start AND r.day < :end
    GROUP BY r.account_id HAVING count(DISTINCT date_trunc('month', r.day)) = :months
"""
_MEMBERS: Final = """
    SELECT m.account_id, m.total, a.segment,
           (SELECT c.currency FROM account_currency c WHERE c.account_id = a.account_id AND c.effective_from < :end
            ORDER BY c.effective_from DESC LIMIT 1) AS currency,
           CASE WHEN a.attributes ->> CAST(:scale AS text) ~ '^[0-9]{{1,18}}([.][0-9]{{1,9}})?$'
                THEN nullif(CAST(a.attributes ->> CAST(:scale AS text) AS numeric), 0) END AS scale
    FROM ({metered}) m JOIN account a ON a.account_id = m.account_id ORDER BY m.account_id
"""
_TOTALS: Final = {
    Aggregation.COUNT: ("sum(r.events - r.unmetered)", "rollup"),
    Aggregation.SUM: ("sum(r.total)", "rollup"),
    Aggregation.UNIQUE_COUNT: ("count(DISTINCT (r.day, r.member))", "rollup_member"),
}


class Adopted(msgspec.Struct, frozen=True):
    """What a cohort that uses a feature has of a meter; the figure's `driver` is the meter."""

    feature: str
    figure: Figure


class Prospect(msgspec.Struct, frozen=True):
    """For whom a feature is switched on."""

    segment: str | None
    currency: str
    scale: Decimal | None


class Comparable(msgspec.Struct, frozen=True):
    """What a feature's meter is taken to read a month: the quartiles of a cohort, per unit of `scale` where that is
    known. `cohort` is a segment, '' = all."""

    feature: str
    meter: str
    cohort: str
    accounts: int
    per: Per
    scale: Decimal | None
    lower: Decimal
    median: Decimal
    upper: Decimal

    def a_month(self, sign: int) -> Fraction:
        """At the lower quartile (-1), the median (0) or the upper one (1)."""
        return Fraction((self.lower, self.median, self.upper)[sign + 1]) * Fraction(self.scale or 1)


def fed_meters(model: ValueModel, feature: str) -> list[Meter]:
    """The meters of drivers that the feature's own events feed, and that grow with usage."""
    read = {name for driver in model.drivers for name in Formula.parse(driver.formula).names}
    moved = moved_meters(model, SwitchOn(feature)) & read
    return [meter for meter in model.meters if meter.slug in moved]


async def adopted_of(
    tx: Transaction, ground: Ground, model: ValueModel, feature: Feature, uses: Iterable[Use]
) -> list[Adopted]:
    """Figures of every meter that the feature feeds, withheld ones as well. `uses` are those of the feature."""
    using = sorted(use.account_id for use in uses if use.is_used)
    asked = {"accounts": using, "start": ground.months[0], "months": len(ground.months), "scale": model.benchmark.scale}
    found = []
    for meter in fed_meters(model, feature.slug):
        total, table = _TOTALS[meter.aggregation]
        query = _MEMBERS.format(metered=_METERED.format(total=total, table=table))
        span = {"end": _after(ground), "meter": meter.rollup_name()}
        members = [
            Member(
                row.account_id,
                meter.slug,
                unit_of(meter, row.currency or model.supplier.currency),
                "",
                row.segment,
                Decimal(row.total),
                row.scale,
            )
            for row in await tx.rows(text(query), {**asked, **span})
        ]
        found += [Adopted(feature.slug, one.figure) for one in cohorts(members, len(ground.months))]
    return found


def _after(ground: Ground) -> date:
    last = ground.months[-1]
    return last.replace(year=last.year + last.month // 12, month=last.month % 12 + 1)


def unit_of(meter: Meter, currency: str) -> str:
    """In what a meter's numbers may be compared: of one without a unit, and of money, only in one currency."""
    return meter.unit if meter.unit and not is_currency(meter.unit) else currency


class NotComparableError(UnprocessableError):
    """How much a feature would be used cannot be told. `withheld`: why there is no figure, where that is why."""

    def __init__(self, feature: str, why: str, withheld: Withheld | None = None) -> None:
        super().__init__(f"Feature {feature!r} {why}.")
        self.withheld = withheld


def is_offered(feature: Feature, prospect: Prospect) -> bool:
    return not feature.eligible_segments or prospect.segment in feature.eligible_segments


def comparable_use(
    adopted: Sequence[Adopted], model: ValueModel, feature: Feature, prospect: Prospect
) -> list[Comparable]:
    """Of each meter that the feature feeds. Raises NotComparableError with the reason where it cannot be told."""
    if not is_offered(feature, prospect):
        named = ", ".join(feature.eligible_segments)
        raise NotComparableError(feature.slug, f"is not offered to this segment; it is to {named}")
    meters = fed_meters(model, feature.slug)
    if not meters:
        raise NotComparableError(
            feature.slug,
            "cannot be switched on here: its own events feed no meter of a driver, so nothing of its value follows "
            "from its usage. Suggestions estimate what it brings",
        )
    return [_comparable(adopted, feature, meter, prospect) for meter in meters]


def _comparable(adopted: Sequence[Adopted], feature: Feature, meter: Meter, prospect: Prospect) -> Comparable:
    unit = unit_of(meter, prospect.currency)
    figures = [
        one.figure
        for one in adopted
        if (one.feature, one.figure.driver, one.figure.unit) == (feature.slug, meter.slug, unit)
    ]
    pers = (Per.SCALE, Per.ACCOUNT) if prospect.scale is not None else (Per.ACCOUNT,)
    for segment in dict.fromkeys((prospect.segment or EVERYBODY, EVERYBODY)):
        for per in pers:
            for one in figures:
                if (one.segment, one.per) == (segment, per) and one.withheld is None:
                    return Comparable(
                        feature=feature.slug,
                        meter=meter.slug,
                        cohort=segment,
                        accounts=one.accounts or 0,
                        per=per,
                        scale=prospect.scale if per is Per.SCALE else None,
                        lower=one.lower or Decimal(0),
                        median=one.median or Decimal(0),
                        upper=one.upper or Decimal(0),
                    )
    everybody = [one for one in figures if (one.segment, one.per) == (EVERYBODY, Per.ACCOUNT)]
    withheld = (everybody[0].withheld if everybody else None) or Withheld.FEW
    raise NotComparableError(feature.slug, f"cannot be switched on here: {_WHY[withheld]} ({meter.slug})", withheld)
