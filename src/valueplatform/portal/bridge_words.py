"""What a value bridge says in words: periods, and what happened to volume, rates and inputs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from babel.dates import format_date

from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import ONE_DAY, Period, months_between
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.portal.exact import LOCALE, exact_text, short_day, short_text
from valueplatform.value.bridge_cells import CAP, FORMULA, SHARE, Kind, Line
from valueplatform.value.model import ValueModel

KIND_WORDS: Final[Mapping[Kind, str]] = {
    Kind.VOLUME: "Volume",
    Kind.MIX: "Mix",
    Kind.RATE: "Rate",
    Kind.ASSUMPTION: "Assumption",
    Kind.NEW: "New",
    Kind.LOST: "Lost",
    Kind.ADJUSTED: "Adjusted",
}
ARROW: Final = " → "
_QUARTER: Final = 3


def period_name(period: Period, today: date) -> str:
    """May, May 2025, Q2 2026, 2025, or 3 Feb to 9 Mar: with the year where it is not this one, or is the name."""
    months = list(months_between(period.start, period.end))
    whole = months[0].start == period.start and months[-1].end == period.end
    year = "" if period.start.year == today.year else f" {period.start.year}"
    if whole and len(months) == 1:
        return f"{format_date(period.start, 'LLLL', locale=LOCALE)}{year}"
    if whole and len(months) == _QUARTER and period.start.month % _QUARTER == 1:
        return f"Q{period.start.month // _QUARTER + 1} {period.start.year}"
    if whole and len(months) == 12 and period.start.month == 1:
        return str(period.start.year)
    last = period.end - ONE_DAY
    first = short_day(period.start, today)
    return first if last == period.start else f"{first} to {short_day(last, today)}"


@dataclass(frozen=True, slots=True)
class Told:
    """One driver in both periods together, over its providers that have value in both; `parties` is how many."""

    parties: int
    volume: str | None
    sizes: tuple[Fraction, Fraction]
    days: tuple[int, int]
    meters: Mapping[str, tuple[Fraction, Fraction]]
    inputs: Mapping[str, tuple[Fraction, Fraction]]

    def rate(self, name: str) -> tuple[Fraction, Fraction] | None:
        """What a meter read per unit of volume."""
        if not all(self.sizes):
            return None
        return self.meters[name][0] / self.sizes[0], self.meters[name][1] / self.sizes[1]


def told(lines: Sequence[Line]) -> Told | None:
    """None where nothing has value in both periods."""
    both = [line for line in lines if line.days_before and line.days_after]
    if not both:
        return None
    volume = both[0].volume
    sizes = _sum([line.volume_before for line in both]), _sum([line.volume_after for line in both])
    meters: dict[str, tuple[Fraction, Fraction]] = {}
    for line in both:
        for name, (was, now) in (line.rates or {}).items():
            held = meters.get(name, (Fraction(0), Fraction(0)))
            meters[name] = held[0] + was * line.volume_before, held[1] + now * line.volume_after
    if volume is not None:
        meters[volume] = sizes
    inputs = {slug: pair for line in both for slug, pair in (line.inputs or {}).items()}
    days = max(line.days_before for line in both), max(line.days_after for line in both)
    return Told(len(both), volume, sizes, days, meters, inputs)


def _sum(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0))


class Words:
    """How the model calls things, and what inputs are measured in."""

    def __init__(self, model: ValueModel, units: Mapping[str, str]) -> None:
        self._model = model
        self._units = units

    def driver(self, slug: str) -> str:
        found = self._model.driver(slug)
        return found.label if found is not None else slug.replace("_", " ").capitalize()

    def meter(self, slug: str | None) -> str:
        found = self._model.meter(slug) if slug is not None else None
        if found is None:
            return "Days with value" if slug is None else slug.replace("_", " ").capitalize()
        return found.title or found.slug.replace("_", " ").capitalize()

    def input(self, slug: str) -> str:
        if slug in {FORMULA, CAP, SHARE}:
            return {FORMULA: "Formula", CAP: "Cap of the pool", SHARE: "Agreed share"}[slug]
        rate = self._model.rate(slug)
        return rate.label if rate is not None else slug.replace("_", " ").capitalize()

    def input_value(self, slug: str, value: Fraction) -> str:
        return exact_text(decimal_of(value), said_unit(self._units.get(slug, "")))

    def meter_unit(self, slug: str | None) -> str:
        found = self._model.meter(slug) if slug is not None else None
        return (found.unit or "") if found is not None else ""

    def per(self, volume: str | None) -> str:
        """What a rate is told for one of."""
        return "day" if volume is None else self.meter_unit(volume) or self.meter(volume).lower()

    def cause(self, kind: Kind, subject: str, known: Told | None, before: str, after: str) -> str:
        """What happened, in one line."""
        over = "providers" if known is not None and known.parties > 1 else "days"
        plain = {
            Kind.NEW: f"No value in {before}",
            Kind.LOST: f"No value in {after}",
            Kind.ADJUSTED: "Value of other days that is shown in one of the periods",
            Kind.MIX: f"The same volume, divided otherwise over {over}",
        }
        if kind in plain:
            return plain[kind]
        if known is None:
            return KIND_WORDS[kind]
        if kind is Kind.VOLUME:
            return self._volume(known)
        return self._rates(known) if kind is Kind.RATE else self._input(known, subject)

    def _volume(self, known: Told) -> str:
        said = f"{self.meter(known.volume)}: {_from_to(known.sizes, '')}"
        before, after = known.days
        return f"{said}, over {before:,} and then {after:,} days" if known.volume and before != after else said

    def _input(self, known: Told, subject: str) -> str:
        pair = known.inputs.get(subject)
        if subject == CAP:
            return "What the cap of its benefit pool takes has changed"
        if subject == FORMULA or pair is None or pair[0] == pair[1]:
            return f"{self.input(subject)}: changed on the way"
        return f"{self.input(subject)}: {ARROW.join(self.input_value(subject, value) for value in pair)}"

    def _rates(self, known: Told) -> str:
        per = self.per(known.volume)
        lines = []
        for name in sorted(known.meters):
            pair = known.rate(name) if name != known.volume else None
            if pair is not None and pair[0] != pair[1]:
                lines.append(f"{self.meter(name)} per {per}: {_from_to(pair, '')}")
        return "; ".join(lines) or "What is metered beside the volume, per unit of it"


def decimal_of(value: Fraction) -> Decimal:
    return round_half_even(value.numerator, value.denominator, 9).normalize()


def _from_to(pair: tuple[Fraction, Fraction], unit: str) -> str:
    was, now = pair
    return f"{_short(was, unit)}{ARROW}{_short(now, unit)}{_percent(was, now)}"


def _short(value: Fraction, unit: str) -> str:
    return short_text(decimal_of(value), unit or "count")


def _percent(was: Fraction, now: Fraction) -> str:
    if not was or was == now or (was < 0) is not (now < 0):
        return ""
    share = abs(now / was - 1) * 100
    said = f"{round(share)}%" if share >= 1 else "under 1%"
    return f", {'up' if abs(now) > abs(was) else 'down'} {said}"
