"""Features as the supplier's people see them: what each is worth, and what its hypothesis lacks. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode

from valueplatform.core.periods import ONE_DAY
from valueplatform.portal.catalog_view import PATH as CATALOG
from valueplatform.portal.catalog_view import Asked as CatalogAsked
from valueplatform.portal.exact import bare_text, cents_text, count_text, day_text, exact_text, short_text
from valueplatform.portal.view import features as view
from valueplatform.portal.view.catalog import WorthLine
from valueplatform.portal.view.words import Chip, Fact, Link, NumberState
from valueplatform.portal.worth_words import CLASSES
from valueplatform.value.feature_book import (
    BeforeAfter,
    DriverDivision,
    FeatureBook,
    FeatureWorth,
    OpenedDriver,
    OpenedFeature,
    Stretch,
    StretchAmount,
)
from valueplatform.value.feature_measure import Measure
from valueplatform.value.feature_worth import FeatureAmount, Part, PerUse, Unrealized
from valueplatform.value.states import State, weakest_state

PATH: Final = "/catalog/features"
_STATES: Final[dict[State, NumberState]] = {
    State.VALIDATED: "validated",
    State.MEASURED: "validated",
    State.PROPOSED: "proposed",
    State.ESTIMATED: "estimated",
    State.UNDER_REVIEW: "under-review",
}
_WHOLE: Final = Chip("on", "Whole")
_PARTLY: Final = Chip("nodata", "Not whole")
_UNSAID: Final = Chip("under", "None")
_SAID: Final = {Part.OUTCOME: "Outcome", Part.DRIVER: "Driver", Part.METER: "Meter", Part.BASELINE: "Baseline"}
NOT_SAID: Final = "Not said in the model"
THIN: Final = "Insufficient data: "
EMPTY: Final = "The value model names no feature. Say what the product is made of as [[feature]] in the model file."


@dataclass(frozen=True, slots=True)
class Asked:
    """Days None are the last three whole months."""

    start: date | None = None
    end: date | None = None

    def at(self, path: str) -> str:
        given = {"from": self.start, "to": self.end}
        query = {name: day.isoformat() for name, day in given.items() if day is not None}
        return f"{path}?{urlencode(query)}" if query else path

    def of(self, feature: str) -> str:
        return self.at(f"{PATH}/{quote(feature, safe='')}")


def features_view(book: FeatureBook, asked: Asked, currency: str) -> view.Features:
    return view.Features(
        headline=_headline(book.features),
        lead=f"{_days(book.start, book.end)}. Value is of the days that earned it, as computed now.",
        first=book.start.isoformat(),
        last=(book.end - ONE_DAY).isoformat(),
        rows=tuple(_row(one, asked, currency) for one in book.features),
        empty="" if book.features else EMPTY,
        back=Link("Back to the catalog", CATALOG),
    )


def _headline(features: Sequence[FeatureWorth]) -> str:
    if not features:
        return "No features are known yet."
    lacking = sum(bool(one.missing) for one in features)
    total = len(features)
    if not lacking:
        return (
            "Every feature has a whole value hypothesis." if total > 1 else "The feature has a whole value hypothesis."
        )
    have = "has" if lacking == 1 else "have"
    return f"{count_text(lacking).capitalize()} of {count_text(total)} features {have} no whole value hypothesis."


def _days(start: date, end: date) -> str:
    return f"{day_text(start)} to {day_text(end - ONE_DAY)}"


def _row(one: FeatureWorth, asked: Asked, currency: str) -> view.FeatureRow:
    href = asked.of(one.feature)
    return view.FeatureRow(
        title=Link(one.title, href),
        sub=", ".join(text for text in (one.product or "", *one.event_types) if text),
        chip=_WHOLE if not one.missing else _UNSAID if len(one.missing) == len(Part) else _PARTLY,
        lacks=f"Lacks {_and(part.value for part in one.missing)}" if one.missing else "",
        accounts="Not counted" if one.accounts is None else f"{one.accounts:,} of {one.eligible:,}",
        uses=one.uses_says if one.uses is None else f"{one.uses:,} use{'s' if one.uses != 1 else ''}",
        value=_first(_value_lines(one, currency, href), href),
        per_use=_first(_per_use_lines(one, currency, href), href),
        unrealized=_first(_unrealized_lines(one, currency, href), href),
        releases=", ".join(f"{release.title}, {day_text(release.day)}" for release in one.releases),
    )


def _and(words: Iterable[str]) -> str:
    listed = list(words)
    return " and ".join(part for part in (", ".join(listed[:-1]), listed[-1]) if part)


def _first(lines: Sequence[WorthLine], href: str) -> tuple[WorthLine, ...]:
    """Those of the first unit, the supplier's currency if there is any; all others open with the rest."""
    shown = [line for line in lines if line.unit == lines[0].unit]
    rest = len({line.unit for line in lines}) - 1
    if rest > 0:
        shown.append(WorthLine("", f"and in {count_text(rest)} other {'unit' if rest == 1 else 'units'}", href=href))
    return tuple(shown)


def _value_lines(one: FeatureWorth, currency: str, href: str) -> tuple[WorthLine, ...]:
    """By unit and class; what counts stands beside."""
    groups: dict[tuple[str, str], list[FeatureAmount]] = {}
    for amount in one.value:
        groups.setdefault((amount.unit, amount.benefit_class), []).append(amount)
    lines = []
    for (unit, kind), own in sorted(groups.items(), key=lambda item: (item[0][0] != currency, item[0])):
        expected = sum((amount.expected for amount in own), Decimal(0))
        counted = sum((amount.counted for amount in own), Decimal(0))
        state = _STATES[weakest_state(amount.state for amount in own)]
        sub = f"{CLASSES[kind]}, {short_text(counted, unit)} of it counted"
        lines.append(WorthLine(short_text(expected, unit), sub, bare_text(expected), unit, state, href))
    if lines:
        return tuple(lines)
    return (WorthLine("Not divided" if one.not_divided else "No driver" if not one.drivers else "None", href=href),)


def _per_use_lines(one: FeatureWorth, currency: str, href: str) -> tuple[WorthLine, ...]:
    told = tuple(
        WorthLine(
            _rate_text(rate.expected, rate.unit),
            f"{CLASSES[rate.benefit_class]}, {_over(one.use)}",
            unit=rate.unit,
            href=href,
        )
        for rate in sorted(one.per_use, key=lambda rate: (rate.unit != currency, rate.unit, rate.benefit_class))
        if rate.expected is not None
    )
    if told or not one.per_use:
        return told
    nothing = f"nothing of it is in {one.use.title.lower()}" if one.use.meter is not None else "nobody used it"
    return (WorthLine("None", nothing, href=href),)


def _over(use: Measure) -> str:
    """What value is told for one of: a visit, an event; of a meter without a unit, what it is divided by."""
    return f"per {use.unit}" if use.unit else f"over {use.title.lower()}"


def _rate_text(amount: Decimal, unit: str) -> str:
    """A part of a unit keeps its digits: a use may be worth less than a cent."""
    return exact_text(amount, unit) if abs(amount) < 1 else cents_text(amount, unit)


def _unrealized_lines(feature: FeatureWorth, currency: str, href: str) -> tuple[WorthLine, ...]:
    if not feature.value and feature.accounts is not None and feature.accounts < feature.eligible:
        return (WorthLine("Not known", "no value is attributed to it", href=href),)
    lines = []
    for one in sorted(feature.unrealized, key=lambda one: (one.unit != currency, one.unit, one.benefit_class)):
        if one.low is None or one.expected is None or one.high is None:
            lines.append(WorthLine("Not enough data", one.says.removeprefix(THIN), unit=one.unit, href=href))
            continue
        sub = f"{short_text(one.low, one.unit)} to {short_text(one.high, one.unit)} in {_accounts(one.accounts)}"
        about = f"about {short_text(one.expected, one.unit)}"
        lines.append(WorthLine(about, sub, bare_text(one.expected), one.unit, "predicted", href))
    return tuple(lines)


def _accounts(count: int) -> str:
    return f"{count:,} account{'s' if count != 1 else ''}"


# ---------------------------------------------------------------- one feature, opened


def feature_view(found: OpenedFeature, asked: Asked, currency: str) -> view.Feature:
    one = found.worth
    lines = [line for line in _value_lines(one, currency, "") if line.value]
    return view.Feature(
        headline=f"{one.title}: {lines[0].text}, {lines[0].sub}." if lines else f"{one.title} has no value of its own.",
        lead=_days(found.start, found.end),
        types=tuple(Link(kind, CatalogAsked(opened=kind).path) for kind in one.event_types),
        hypothesis=_hypothesis(one),
        facts=_facts(one, currency),
        value=tuple(_amount_row(amount) for amount in sorted(one.value, key=lambda each: each.unit != currency)),
        use=one.use.says,
        per_use=tuple(_rate_row(rate, one.use) for rate in sorted(one.per_use, key=lambda each: each.unit != currency)),
        drivers=tuple(_driver(driver, found, currency) for driver in found.drivers),
        cohorts=tuple(row for each in one.unrealized for row in _cohort_rows(each)),
        left=tuple(
            f"{each.unit}, {CLASSES[each.benefit_class]}: {_accounts(each.not_compared)} not compared. {each.says}"
            for each in one.unrealized
            if each.not_compared
        ),
        releases=tuple(_release(each) for each in found.releases),
        back=Link("Back to features", asked.at(PATH)),
    )


def _hypothesis(one: FeatureWorth) -> tuple[Fact, ...]:
    said = one.hypothesis
    parts = zip(Part, (said.outcome, said.driver, said.meter, said.baseline), strict=True)
    return tuple(Fact(_SAID[part], text or NOT_SAID) for part, text in parts)


def _facts(one: FeatureWorth, currency: str) -> tuple[Fact, ...]:
    facts = [
        Fact("Used by", "Not counted" if one.accounts is None else f"{one.accounts:,} of {one.eligible:,} accounts")
    ]
    facts.append(Fact("Uses", f"{one.uses:,}" if one.uses is not None else one.uses_says))
    facts += [
        Fact("Unrealized, an estimate", f"{line.text}: {line.sub}")
        for line in _unrealized_lines(one, currency, "")
        if line.value
    ]
    return tuple(facts)


def _amount_row(amount: FeatureAmount) -> view.Row:
    span = "Its share has none"
    if amount.low is not None and amount.high is not None:
        span = f"{short_text(amount.low, amount.unit)} to {short_text(amount.high, amount.unit)}"
    return view.Row(
        amount.driver,
        (
            CLASSES[amount.benefit_class],
            f"{amount.state.replace('-', ' ')}, {amount.evidence.replace('-', ' ')}",
            cents_text(amount.expected, amount.unit),
            span,
            cents_text(amount.counted, amount.unit),
            f"{amount.accounts:,}",
        ),
    )


def _rate_row(rate: PerUse, use: Measure) -> view.Row:
    amounts = ("none" if each is None else _rate_text(each, rate.unit) for each in (rate.expected, rate.counted))
    return view.Row(rate.unit, (CLASSES[rate.benefit_class], exact_text(rate.uses, use.unit), *amounts))


def _driver(driver: OpenedDriver, found: OpenedFeature, currency: str) -> view.DriverPart:
    own = sorted((one for one in found.divisions if one.driver == driver.driver), key=lambda one: one.unit != currency)
    reason = next((one.says for one in found.worth.not_divided if one.driver == driver.driver), "")
    alone = len(driver.features) == 1
    return view.DriverPart(
        title=driver.title,
        meta=f"{CLASSES[driver.benefit_class]}, {'this feature alone' if alone else 'several features'}",
        formula=driver.formula,
        parts=tuple(row for one in own for row in _division_rows(one)),
        reason=reason,
    )


def _division_rows(division: DriverDivision) -> list[view.Row]:
    rows = [
        view.Row(
            part.feature or "Not attributed",
            (cents_text(part.expected, division.unit), cents_text(part.counted, division.unit)),
        )
        for part in division.parts
    ]
    whole = (cents_text(division.expected, division.unit), cents_text(division.counted, division.unit))
    return [*rows, view.Row("All of it", whole)]


def _cohort_rows(one: Unrealized) -> list[view.Row]:
    return [
        view.Row(
            cohort.segment or "All that may use it",
            (
                f"{cohort.users:,}",
                *(cents_text(amount, one.unit) for amount in (cohort.low, cohort.expected, cohort.high)),
                f"{cohort.accounts:,}",
            ),
        )
        for cohort in one.cohorts
    ]


def _release(one: BeforeAfter) -> view.ReleasePart:
    rows: list[view.Row] = []
    if one.before is not None and one.after is not None:
        rows.append(_stretch_row("Before", one.before))
        rows.append(_stretch_row("After", one.after))
    return view.ReleasePart(one.release.title, day_text(one.release.day), tuple(rows), one.says)


def _stretch_row(name: str, side: Stretch) -> view.Row:
    return view.Row(
        f"{name}, {_days(side.start, side.end)}",
        (
            f"{side.using:,}",
            "not counted" if side.uses is None else f"{side.uses:,}",
            "; ".join(_rate(one, one.a_day) for one in side.value) or "none",
            "; ".join(_rate(one, one.per_use, _rate_text) for one in side.value) or "none",
        ),
    )


def _rate(one: StretchAmount, amount: Decimal | None, write: Callable[[Decimal, str], str] = cents_text) -> str:
    text = "none" if amount is None else write(amount, one.unit)
    return f"{text} ({CLASSES[one.benefit_class]})"
