"""What an account without value may expect, as pages show it: marked as a projection wherever it stands. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from valueplatform.portal.benchmark_view import REASONS, months_text, scale_word
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import short_text
from valueplatform.portal.view import story as view
from valueplatform.portal.view.words import Chip
from valueplatform.portal.worth_words import CLASSES
from valueplatform.value.projection import NotProjected, Projected, Projection

CHIP = Chip("predicted", "Projection")
STANDS_BESIDE = " A projection is in no realized value, and goes once there is one."
NONE_YET = "There is no projection yet: companies are compared once a whole month has been recorded."


def projection_view(found: Projection, place: Place) -> view.ProjectionView:
    who = "companies like yours" if place.is_own else "companies like this one"
    return view.ProjectionView(
        chip=CHIP,
        title=f"What {who} realize",
        lead=lead_text(found) + (STANDS_BESIDE if found.drivers else ""),
        rows=tuple(row_view(one, found.scale, place.path(f"/benchmarks#d-{one.driver}")) for one in found.drivers),
        missing=missing_lines(found.not_projected) if found.as_of else (),
        method=found.method,
    )


def lead_text(found: Projection) -> str:
    if not found.months:
        return NONE_YET
    if not found.drivers:
        return "There are too few comparable companies in this currency for a projection."
    return (
        f"A month, by what comparable companies realized in {months_text(found.months)}: about the median, and the "
        f"range that one more company like them falls into in one case of two. {found.says}".rstrip()
    )


def row_view(one: Projected, scale: str | None, href: str) -> view.ProjectedRow:
    return view.ProjectedRow(
        driver=one.title,
        meta=f"{CLASSES[one.benefit_class]}, benchmark",
        expected=f"about {short_text(one.expected, one.unit)}",
        value=f"{one.expected:f}",
        range=f"{short_text(one.low, one.unit)} to {short_text(one.high, one.unit)}",
        cohort=f"{one.accounts:,} companies" + (f" in {one.cohort_title}" if one.cohort else ""),
        made=made_text(one.median, one.unit, one.scale, scale),
        href=href,
    )


def made_text(median: Decimal, unit: str, size: Decimal | None, scale: str | None) -> str:
    """$412 per technician, times 60."""
    if size is None:
        return "Per company"
    return f"{short_text(median, unit)} per {scale_word(scale or '')}, times {size.normalize():,f}"


def missing_lines(missing: Sequence[NotProjected]) -> tuple[str, ...]:
    return tuple(f"{one.title}: {REASONS[one.reason]}" for one in missing)
