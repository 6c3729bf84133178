"""What a kept scenario comes to, worked out again from raw events, its stated levers and the record.

Shares only the definition with `scenario`, `usage` and `levers` (docs/decisions/0022): a usual weekday is the mean of
the last eight whole weeks, in nine places; it swings by 1.645 standard deviations of its four-week sums, of at most all
of it; amounts are the proof's own (`value.proof`), at low, usual and high usage.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Any, NamedTuple

from babel.numbers import list_currencies

from valueplatform.value.proof import ProvedAmount, drivers_named, provider_of, uncapped_amounts, within_caps
from valueplatform.value.proof_record import Source
from valueplatform.value.proof_tallies import MeterTally, Tallies, together

LOOK_BACK = timedelta(weeks=26)
_GROWS = {"COUNT", "SUM", "UNIQUE_COUNT"}
_EVERYBODY = ""
_NANO = 10**9


class Bounds(NamedTuple):
    low: Fraction
    expected: Fraction
    high: Fraction


_NOTHING = Bounds(Fraction(0), Fraction(0), Fraction(0))
Sums = dict[tuple[date, str, str, str], Bounds]
"""By month, driver, unit and class."""


@dataclass(frozen=True, slots=True)
class Past:
    """What an account used: usual values by meter, provider ('' = together) and weekday, and how far meters swing."""

    usual: Mapping[tuple[str, str, int], Fraction]
    swings: Mapping[str, Fraction]
    weeks: int


def past_of(source: Source, tallies: Tallies, today: date) -> Past:
    """From tallies of the `LOOK_BACK` before today."""
    meters = {one["slug"]: one for one in source.model.get("meters", ())}
    cells: defaultdict[tuple[str, str, date], list[MeterTally]] = defaultdict(list)
    for (slug, sender, day), tally in tallies.items():
        if tally.events:
            cells[slug, sender, day].append(tally)
            cells[slug, _EVERYBODY, day].append(tally)
    values = {key: together(meters[key[0]], own) or Fraction(0) for key, own in cells.items()}
    first = min((day for _, _, day in values), default=today)
    weeks = min((today - first).days // 7, 8)
    held: defaultdict[tuple[str, str, int], list[Fraction]] = defaultdict(list)
    for (slug, sender, day), value in values.items():
        if day >= today - timedelta(weeks=weeks):
            held[slug, sender, day.weekday()].append(value)
    usual = {
        key: _nano(sum(own, Fraction(0)) / (weeks if meters[key[0]]["aggregation"] in _GROWS else len(own)))
        for key, own in held.items()
    }
    growing = [slug for slug, one in meters.items() if one["aggregation"] in _GROWS]
    return Past(usual, {slug: _swing(values, slug, today) for slug in growing}, weeks)


def _swing(values: Mapping[tuple[str, str, date], Fraction], slug: str, today: date) -> Fraction:
    days = {day: value for (name, sender, day), value in values.items() if (name, sender) == (slug, _EVERYBODY)}
    blocks = (today - min(days, default=today)).days // 28
    sums = [
        sum((v for day, v in days.items() if 28 * at < (today - day).days <= 28 * (at + 1)), Fraction(0))
        for at in range(blocks)
    ]
    mean = sum(sums, Fraction(0)) / max(blocks, 1)
    if blocks < 3 or mean <= 0:
        return Fraction(0)
    relative = sum(((one / mean - 1) ** 2 for one in sums), Fraction(0)) / (blocks - 1)
    millionths = isqrt(relative.numerator * 10**12 // relative.denominator)
    return min(Fraction(1645, 1000) * Fraction(millionths, 10**6), Fraction(1))


def _nano(value: Fraction) -> Fraction:
    return Fraction(round(value * _NANO), _NANO)


Switched = Mapping[tuple[str, str], tuple[Fraction, Fraction, Fraction]]
"""By feature that is switched on and meter: what it is taken to read a month at low, usual and high usage."""


def worlds(
    source: Source,
    past: Past,
    months: Sequence[date],
    changes: Sequence[Mapping[str, Any]],
    switched: Switched | None = None,
) -> list[Sums]:
    """The months' sums at low, usual and high usage, under the changes as they are stored."""
    assumed = _assuming(source, changes)
    return [_world(assumed, past, months, changes, sign, switched or {}) for sign in (-1, 0, 1)]


def _assuming(source: Source, changes: Sequence[Mapping[str, Any]]) -> Source:
    """The record as if a validator had accepted the values of the changes."""
    entries = {slug: list(own) for slug, own in source.entries.items()}
    given = [one for one in changes if one["lever"]["kind"] == "input"]
    for number, one in enumerate(given):
        lever, identity = one["lever"], 2**60 + 2 * number
        slug = lever["slug"]
        rates = (*source.model.get("assumptions", ()), *source.model.get("baselines", ()))
        units = [rate["unit"] for rate in rates if rate["slug"] == slug]
        units += [entry["unit"] for entry in entries.get(slug, ()) if entry["unit"]]
        said: dict[str, Any] = {name: Decimal(str(lever["value"][name])) for name in ("low", "expected", "high")}
        said |= {"slug": slug, "unit": units[-1], "effective_from": date.fromisoformat(one["since"])}
        entries.setdefault(slug, []).extend([
            {**said, "entry_id": identity, "action": "propose", "answers": None},
            {**said, "entry_id": identity + 1, "action": "validate", "answers": identity},
        ])  # fmt: skip
    return replace(source, entries=entries)


def _world(
    source: Source,
    past: Past,
    months: Sequence[date],
    changes: Sequence[Mapping[str, Any]],
    sign: int,
    switched: Switched,
) -> Sums:
    measured = _measured(source)
    drivers = drivers_named(source, ())
    turns = _turns(source)
    amounts: list[ProvedAmount] = []
    for month in months:
        times = _times(source, past, month, changes, sign)
        begun = _begun(month, changes, sign, switched)
        days = [month + timedelta(days=number) for number in range(_length(month))]
        whole = any(days[0] < turn <= days[-1] for turn in turns)
        computed: list[ProvedAmount] = []
        looked = days if whole else days[:7]
        for by_event in (False, True):
            own = [one for one in drivers if (provider_of(one) == "event") is by_event]
            computed += uncapped_amounts(measured, own, _tallies(past, looked, times, begun, by_event=by_event))
        for day in days:
            amounts += [
                replace(one, day=day)
                for one in computed
                if one.day == day or (not whole and one.day.weekday() == day.weekday())
            ]
    return _summed(source, within_caps(measured, amounts))


def _measured(source: Source) -> Source:
    """The same meters, giving the numbers that they are carried on with."""
    meters = [
        {**one, "aggregation": "SUM" if one["aggregation"] in _GROWS else "LATEST"}
        for one in source.model.get("meters", ())
    ]
    return replace(source, model={**source.model, "meters": meters})


def _begun(month: date, changes: Sequence[Mapping[str, Any]], sign: int, switched: Switched) -> dict[str, Fraction]:
    """What meters of features that are switched on read a day."""
    found: dict[str, Fraction] = {}
    for one in changes:
        since = date.fromisoformat(one["since"])
        if one["lever"]["kind"] == "switch-on" and since <= month:
            part = _part(since, month, one["over"]) * Fraction(str(one["lever"].get("times", 1))) / _length(month)
            for (feature, slug), three in switched.items():
                if feature == one["lever"]["feature"]:
                    found[slug] = max(found.get(slug, Fraction(0)), three[sign + 1] * part)
    return found


def _part(since: date, month: date, over: int) -> Fraction:
    passed = (month.year - since.year) * 12 + month.month - since.month + 1
    return Fraction(min(passed, over), over)


def _tallies(
    past: Past, days: Iterable[date], times: Mapping[str, Fraction], begun: Mapping[str, Fraction], *, by_event: bool
) -> Tallies:
    found: dict[tuple[str, str, date], MeterTally] = {}
    for day in days:
        for slug, reads in begun.items():
            value = _nano(reads * times.get(slug, Fraction(1)))
            if value:
                found[slug, "supplier" if by_event else _EVERYBODY, day] = MeterTally(1, 0, value)
        for (slug, sender, weekday), usual in past.usual.items():
            if weekday == day.weekday() and (sender != _EVERYBODY) is by_event and times.get(slug) != 0:
                value = _nano(usual * times[slug]) if slug in times else usual
                latest = (datetime(day.year, day.month, day.day, tzinfo=UTC), b"", value)
                found[slug, sender, day] = MeterTally(1, 0, value, value, value, latest)
    return found


def _times(
    source: Source, past: Past, month: date, changes: Sequence[Mapping[str, Any]], sign: int
) -> dict[str, Fraction]:
    """By what usage of a meter is multiplied; a meter that stays as it is does not stand here."""
    found = {slug: max(1 + sign * share, Fraction(0)) for slug, share in past.swings.items() if share and sign}
    for one in changes:
        since = date.fromisoformat(one["since"])
        if one["lever"]["kind"] not in {"input", "switch-on"} and since <= month:
            factor = 1 + (Fraction(str(one["lever"]["times"])) - 1) * _part(since, month, one["over"])
            for slug in _moved(source, one["lever"]):
                found[slug] = found.get(slug, Fraction(1)) * factor
    return found


def _moved(source: Source, lever: Mapping[str, Any]) -> list[str]:
    growing = [one for one in source.model.get("meters", ()) if one["aggregation"] in _GROWS]
    if lever["kind"] == "seats":
        return [one["slug"] for one in growing]
    if lever["kind"] == "usage":
        return [one["slug"] for one in growing if one["slug"] == lever["meter"]]
    types = {
        kind
        for feature in source.model.get("features", ())
        if feature["slug"] == lever["feature"]
        for kind in feature["event_types"]
    }
    return [one["slug"] for one in growing if set(one["event_types"]) <= types]


def _turns(source: Source) -> set[date]:
    """Days from which something other than usage may be otherwise."""
    found = {entry["effective_from"] for own in source.entries.values() for entry in own}
    said = [one.get("expires_on") for one in source.model.get("baselines", ())]
    for driver in (*source.model.get("superseded", ()), *source.model.get("drivers", ())):
        said += [driver.get(name) for name in ("effective_from", "effective_to", "sunset")]
    return found | {date.fromisoformat(day) for day in said if day}


def _length(month: date) -> int:
    return monthrange(month.year, month.month)[1]


def _summed(source: Source, amounts: Iterable[ProvedAmount]) -> Sums:
    classes = {one["slug"]: one.get("benefit_class", "capacity") for one in source.model.get("drivers", ())}
    found: defaultdict[tuple[date, str, str, str], Bounds] = defaultdict(lambda: _NOTHING)
    for one in amounts:
        if one.low is not None and one.expected is not None and one.high is not None:
            key = one.day.replace(day=1), one.driver, one.unit, classes.get(one.driver, "")
            own = map(Fraction, (one.low, one.expected, one.high))
            found[key] = Bounds(*(a + b for a, b in zip(found[key], own, strict=True)))
    return dict(found)


def money(sums: Sums, currency: str, months: Iterable[date]) -> Bounds:
    """What may be added up, of some months."""
    wanted = set(months)
    own = [
        bounds
        for (month, _, unit, kind), bounds in sums.items()
        if month in wanted and unit == currency and unit in list_currencies() and kind != "strategic"
    ]
    return Bounds(*(sum((one[at] for one in own), Fraction(0)) for at in range(3)))


def spanned(three: Sequence[Bounds]) -> Bounds:
    """From the least to the greatest of low, usual and high usage; the usual is what is expected."""
    every = [bound for one in three for bound in one]
    return Bounds(min(every), three[1].expected, max(every))


def added(changed: Sequence[Bounds], carried: Sequence[Bounds]) -> Bounds:
    """What the changes add, bound against like bound."""
    return spanned(
        [Bounds(*(a - b for a, b in zip(*pair, strict=True))) for pair in zip(changed, carried, strict=True)]
    )
