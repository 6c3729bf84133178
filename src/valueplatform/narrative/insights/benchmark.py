"""How an account stands beside comparable ones, and what those with the highest value do that it does not (value
rules 6 and 20).

*Standing*: the share of the other accounts of its cohort that have less of a driver, per unit of scale where that is
known. Told of the one driver that lies farthest from the middle, in the upper or the lower quarter, among those whose
value all counts. *Best-practice gap*: the one feature that the top quarter uses most more than the rest, which the
account may use and does not. No test of its own: cohorts of five accounts and more, none of them more than half, and
features beyond chance after Newcombe and Bonferroni, as `value.benchmark` and `value.practice` say. It goes with a high
value and is never said to cause it.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.facts import AccountFacts, Place, PracticeGap
from valueplatform.narrative.figures import Figure, constant, minus, number, ratio
from valueplatform.narrative.insight import Insight, Number, Strength
from valueplatform.value.benchmark import SMALL, count_of
from valueplatform.value.derivation import Benchmark

UPPER: Final = Decimal(75)
LOWER: Final = Decimal(25)
MIDDLE: Final = Decimal(50)


def benchmarks(facts: AccountFacts) -> list[Insight]:
    return [*_standing(facts), *_gap(facts)]


def _standing(facts: AccountFacts) -> Iterator[Insight]:
    apart = [p for p in facts.places if _counts(facts, p) and not LOWER < p.percentile < UPPER]
    if not apart:
        return
    place = min(apart, key=lambda p: (-abs(p.percentile - MIDDLE), p.driver))
    is_high = place.percentile >= UPPER
    below = ratio(_figure(place, "percentile", place.percentile), constant("100"))
    others = minus(_figure(place, "accounts", Decimal(place.accounts)), constant("1"))
    yield Insight(
        kind="benchmark-standing",
        subject=place.driver,
        period_from=place.start,
        period_to=place.end,
        numbers=(
            number("others", others, "company"),
            number("below", below, "share"),
            number("above", minus(constant("1"), below), "share"),
            *_counts_of(place, others),
        ),
        strength=Strength.MODERATE,
        importance=round(0.15 + float(abs(place.percentile - MIDDLE)) / 250, 4),
        terms={
            "driver_name": facts.driver(place.driver).title,
            "since_day": place.start.isoformat(),
            "until_day": (place.end - ONE_DAY).isoformat(),
            "side": "high" if is_high else "low",
            "per": place.per,
            "run": str(place.run),
        },
        drivers=(place.driver,),
        favorable=is_high,
        anchor=f"compared {place.end}",
    )


def _counts_of(place: Place, others: Figure) -> Iterator[Number]:
    """How many of a small group have less and how many more, where none has as much: a tie counts half. The percentage
    is kept to a tenth, so the count is its share of the others to the nearest whole."""
    count = count_of(place.percentile, place.accounts - 1)
    if count is None or count.denominator != 1 or not 0 < count < place.accounts - 1:
        return
    passed = ratio(others, ratio(constant("100"), _figure(place, "percentile", place.percentile)), 0)
    yield number("passed", passed, "count")
    yield number("ahead", minus(others, passed), "count")


def _counts(facts: AccountFacts, place: Place) -> bool:
    """Whether all that is compared of the account counts: an estimate is set beside nobody."""
    known = {driver.slug for driver in facts.drivers}
    rows = (place.start, place.end)
    return (
        place.driver in known
        and facts.ledger.has_rows(*rows, unit=place.unit, drivers=(place.driver,))
        and not facts.ledger.uncounted_rows(*rows, unit=place.unit, drivers=(place.driver,))
    )


def _gap(facts: AccountFacts) -> Iterator[Insight]:
    known = {driver.slug for driver in facts.drivers}
    gaps = [gap for gap in facts.practice_gaps if gap.driver in known and gap.top and gap.rest]
    if not gaps:
        return
    gap = max(gaps, key=lambda g: (Fraction(g.top_using, g.top) - Fraction(g.rest_using, g.rest), g.feature, g.driver))
    counts = {
        what: _figure(gap, what, Decimal(getattr(gap, what))) for what in ("top_using", "top", "rest_using", "rest")
    }
    top, rest = ratio(counts["top_using"], counts["top"]), ratio(counts["rest_using"], counts["rest"])
    yield Insight(
        kind="best-practice-gap",
        subject=gap.driver,
        period_from=gap.start,
        period_to=gap.end,
        numbers=(
            number("top_share", top, "share"),
            number("rest_share", rest, "share"),
            number("uses", _figure(gap, "uses", Decimal(0)), "count"),
            *(number(what, counts[what], "count") for what in _told(gap)),
        ),
        strength=Strength.MODERATE,
        importance=0.25,
        terms={
            "driver_name": facts.driver(gap.driver).title,
            "feature_name": gap.feature_title,
            "run": str(gap.run),
        },
        drivers=(gap.driver,),
        anchor=f"compared {gap.end} {gap.feature}",
    )


def _told(gap: PracticeGap) -> Iterator[str]:
    """The counts of small groups."""
    if gap.top < SMALL:
        yield from ("top_using", "top")
    if gap.rest < SMALL:
        yield from ("rest_using", "rest")


def _figure(given: Place | PracticeGap, what: str, value: Decimal) -> Figure:
    feature = given.feature if isinstance(given, PracticeGap) else ""
    leaf = Benchmark(
        given.run, given.start, given.end, given.driver, given.unit, given.segment, given.per, what, feature
    )
    return Figure(Fraction(value), leaf)
