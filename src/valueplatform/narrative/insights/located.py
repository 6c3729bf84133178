"""Where a change sits: the one member of a dimension that most of a driver's change from one month to the next goes
back to.

Statistic: of each dimension the member that surprises most (`judgment.root_cause`, after Bhagwan et al. 2014), its
part in the change by exact division of what is shown. Told of the dimension whose member surprises most, where this
part is at least half of the change and exceeds the member's part of the month before by twenty points: a change that
all had in proportion sits nowhere. Multiple tests: only changes that hold among all change tests of the account are
opened, and the member's daily parts must have changed by a Mann-Whitney test (1947) at 1 % over all members looked at
(Bonferroni). Minimum data: two whole months, two members, eight days of the member in one of them, nothing negative.
Members whose events name fewer than five persons are told with others, and dimensions of persons are not opened
(value rule 18). It says where the change sits, not what caused it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, minus, number, ratio, realized
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.series import without_weekdays
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.judgment.root_cause import Direction, Row, causes
from valueplatform.narrative.significance import mann_whitney_p
from valueplatform.value.derivation import Part

CHANGE: Final = "period-over-period"
MOST_OF_IT: Final = Fraction(1, 2)
APART: Final = Fraction(20, 100)
LEVEL: Final = 0.01
LEAST_DAYS: Final = 8
NONE: Final = ""


@dataclass(frozen=True, slots=True)
class Members:
    """What one member has of a driver's value by day, and what it is called."""

    label: str
    days: Mapping[date, Decimal]

    def of(self, period: Period) -> Decimal:
        return sum((value for day, value in self.days.items() if day in period), Decimal(0))


@dataclass(frozen=True, slots=True)
class MemberCut:
    """The value of a driver by the members of a dimension over two months; '' is what carries none."""

    driver: str
    dimension: str
    days: Period
    members: Mapping[str, Members]


def is_cut(insight: Insight) -> bool:
    """Whether it says of one driver that a month differs from the one before."""
    return insight.kind == CHANGE and insight.subject != ACCOUNT


def located(facts: AccountFacts, insights: Iterable[Insight], cuts: Sequence[MemberCut]) -> list[Insight]:
    """At most one of each change."""
    found: list[Insight] = []
    for change in filter(is_cut, insights):
        own = [cut for cut in cuts if cut.driver == change.subject and cut.days.end == change.period_to]
        looks = sum(len(cut.members) for cut in own)
        named = [one for cut in own if (one := _most_surprising(change, cut)) is not None]
        for _, cut, member in sorted(named, key=lambda one: (-one[0], one[1].dimension))[:1]:
            if _has_changed(change, cut.members[member], cut, looks):
                found += _located(facts, change, cut, member)
    return found


def _months(change: Insight, cut: MemberCut) -> tuple[Period, Period]:
    return Period(cut.days.start, change.period_from), Period(change.period_from, change.period_to)


def _most_surprising(change: Insight, cut: MemberCut) -> tuple[float, MemberCut, str] | None:
    months = _months(change, cut)
    rows = [
        Row(place, (member,), float(own.of(month)))
        for member, own in cut.members.items()
        for place, month in enumerate(months)
    ]
    if len(cut.members) < 2 or any(row.value < 0 for row in rows):
        return None
    direction = Direction.UP if change.terms["direction"] == "up" else Direction.DOWN
    best = next(iter(causes((cut.dimension,), rows, 1, direction=direction, most=1, prior_weight=0)), None)
    if best is None or best.slice[0][1] == NONE:
        return None
    return best.surprise, cut, best.slice[0][1]


def _has_changed(change: Insight, own: Members, cut: MemberCut, looks: int) -> bool:
    before, now = _months(change, cut)
    samples = [[(day, float(own.days.get(day, 0))) for day in month] for month in (now, before)]
    if max(sum(day in month for day in own.days) for month in (before, now)) < LEAST_DAYS:
        return False
    return mann_whitney_p(*without_weekdays(*samples)) * looks <= LEVEL


def _located(facts: AccountFacts, change: Insight, cut: MemberCut, member: str) -> Iterator[Insight]:
    before, now = _months(change, cut)
    counted = change.terms["certainty"] == "counted"
    own = minus(_part(facts, cut, member, now, counted=counted), _part(facts, cut, member, before, counted=counted))
    earlier = realized(facts, before, (cut.driver,), counted=counted)
    whole = minus(realized(facts, now, (cut.driver,), counted=counted), earlier)
    if earlier.value <= 0 or not whole.value:
        return
    share, before_share = ratio(own, whole), ratio(_part(facts, cut, member, before, counted=counted), earlier)
    if share.value < MOST_OF_IT or share.value - before_share.value < APART:
        return
    stated = change.number("change")
    yield Insight(
        kind="change-sits-in",
        subject=cut.driver,
        period_from=now.start,
        period_to=now.end,
        numbers=(
            number("part", own, stated.unit, stated.standing),
            number("change", whole, stated.unit, stated.standing),
            number("share", share, "share", stated.standing),
            number("earlier_share", before_share, "share", stated.standing),
        ),
        strength=Strength.MODERATE,
        importance=round(change.importance * 0.9, 4),
        terms={
            "driver_name": facts.driver(cut.driver).title,
            "dimension_name": dimension_words(cut.dimension),
            "member_name": cut.members[member].label,
            "month": now.start.isoformat(),
            "previous_month": before.start.isoformat(),
            "direction": change.terms["direction"],
        },
        drivers=(cut.driver,),
        favorable=change.favorable,
        anchor=f"{CHANGE} {now.start} {cut.dimension}",
    )


def dimension_words(path: str) -> str:
    """What a path is called in a sentence: 'site.region_code' is the region code."""
    return path.rpartition(".")[2].replace("_", " ")


def _part(facts: AccountFacts, cut: MemberCut, member: str, month: Period, *, counted: bool) -> Figure:
    unit = facts.driver(cut.driver).unit
    days = (cut.days.start, cut.days.end)
    leaf = Part(month.start, month.end, cut.driver, unit, cut.dimension, member, counted, *days)
    return Figure(Fraction(cut.members[member].of(month)), leaf)
