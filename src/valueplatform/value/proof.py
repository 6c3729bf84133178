"""The independent path: amounts recomputed from raw events with fractions, for proof and for `verify`.

Nothing here is shared with the code that first computed the amounts: events are read anew (day from time and zone,
meters from data), assumptions are resolved anew from the record, formulas are read by another parser
(`proof_expression`). Import-linter keeps it so. What it computes must agree exactly.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from babel.numbers import list_currencies

from valueplatform.core.database import Transaction
from valueplatform.value import proof_expression as expression
from valueplatform.value import proof_pools
from valueplatform.value.proof_record import ProvedInput, Source, expiry, input_on, stated_on
from valueplatform.value.proof_tallies import MeterTally, Tallies, tally_events, together

LARGEST = 10**34
"""Amounts have 38 digits, four of them after the point; what is larger has no amount."""


@dataclass(frozen=True, slots=True)
class ProvedAmount:
    """One driver, provider and day, recomputed. Amounts are None where the formula has no value."""

    driver: str
    provider: str
    day: date
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    unit: str
    counted: bool
    events: int
    pool: str | None = None


async def prove_days(
    tx: Transaction, source: Source, start: date, end: date, drivers: Iterable[str] = ()
) -> list[ProvedAmount]:
    """Amounts of every driver (or of `drivers`) on the days of [start, end), from raw events."""
    wanted = drivers_named(source, drivers)
    first, last = days_needed(source, start, end)
    proved = prove_tallied(source, wanted, await tally_events(tx, source, meters_of(source, wanted), first, last))
    return [amount for amount in proved if start <= amount.day < end]


def drivers_named(source: Source, slugs: Iterable[str]) -> list[Mapping[str, Any]]:
    """The model's drivers of these slugs in all versions, and those that share a capped benefit with them; all drivers
    where none is named."""
    chosen = set(slugs)
    drivers = [*source.model.get("superseded", ()), *source.model.get("drivers", ())]
    pools = {driver.get("pool") for driver in drivers if driver["slug"] in chosen} & caps_of(source).keys()
    return [d for d in drivers if not chosen or d["slug"] in chosen or d.get("pool") in pools]


def caps_of(source: Source) -> dict[str, str]:
    """The formulas that cap benefit pools, by pool."""
    return {pool["slug"]: pool["cap"] for pool in source.model.get("pools", ()) if pool.get("cap")}


def days_needed(source: Source, start: date, end: date) -> tuple[date, date]:
    """The days whose events the amounts of [start, end) follow from: whole months, where something is capped."""
    return proof_pools.whole_months(start, end) if caps_of(source) else (start, end)


def meters_of(source: Source, drivers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The meters that the drivers' formulas read."""
    needed = {name for driver in drivers for name in expression.names(driver["formula"])}
    return [meter for meter in source.model.get("meters", ()) if meter["slug"] in needed]


def prove_tallied(source: Source, drivers: Iterable[Mapping[str, Any]], tallies: "Tallies") -> list[ProvedAmount]:
    """Amounts of `drivers` from what their meters' events were tallied to, of all `days_needed`."""
    return within_caps(source, uncapped_amounts(source, drivers, tallies))


def uncapped_amounts(source: Source, drivers: Iterable[Mapping[str, Any]], tallies: "Tallies") -> list[ProvedAmount]:
    proved: list[ProvedAmount] = []
    for driver in drivers:
        proved += _prove_driver(source, driver, meters_of(source, [driver]), tallies)
    return proved


def within_caps(source: Source, amounts: Iterable[ProvedAmount]) -> list[ProvedAmount]:
    """What the caps of benefit pools leave of all amounts of whole months."""
    return sorted(_capped(source, amounts), key=lambda p: (p.driver, p.provider, p.day))


def _capped(source: Source, proved: Iterable[ProvedAmount]) -> Iterator[ProvedAmount]:
    """What the caps of benefit pools leave of the amounts."""
    caps = caps_of(source)
    drawn: defaultdict[tuple[str, str, date], list[ProvedAmount]] = defaultdict(list)
    for amount in proved:
        if amount.pool not in caps or amount.expected is None:
            yield amount
        elif _cap_on(source, caps[amount.pool], amount.day) is None:
            yield replace(amount, low=None, expected=None, high=None)
        else:
            drawn[amount.pool, amount.unit, amount.day.replace(day=1)].append(amount)
    for (pool, _, _), amounts in drawn.items():
        amounts.sort(key=lambda a: (a.day, a.driver, a.provider))
        days = {amount.day: _cap_on(source, caps[pool], amount.day) or Fraction(0) for amount in amounts}
        bounds = [(Fraction(a.low or 0), Fraction(a.expected or 0), Fraction(a.high or 0)) for a in amounts]
        left = proof_pools.keep_to_caps([(amount.day, *own) for amount, own in zip(amounts, bounds, strict=True)], days)
        for amount, own in zip(amounts, left, strict=True):
            low, expected, high = map(rounded, own)
            yield replace(amount, low=low, expected=expected, high=high)


def _cap_on(source: Source, cap: str, day: date) -> Fraction | None:
    """The cap of a day's month, rounded as amounts are; None where it cannot be told."""
    given = {slug: input_on(source, slug, day) for slug in expression.names(cap)}
    amount = expression.amount(cap, {slug: each.expected for slug, each in given.items() if each is not None})
    if amount is None or abs(amount) >= LARGEST:
        return None
    return max(Fraction(rounded(amount)), Fraction(0))


def provider_of(driver: Mapping[str, Any]) -> str:
    return str(driver.get("provider", "supplier"))


def _prove_driver(
    source: Source, driver: Mapping[str, Any], meters: Sequence[Mapping[str, Any]], tallies: Tallies
) -> list[ProvedAmount]:
    used = expression.names(driver["formula"])
    own = [meter for meter in meters if meter["slug"] in used]
    by_event = provider_of(driver) == "event"
    cells: defaultdict[tuple[str, date], dict[str, list[MeterTally]]] = defaultdict(lambda: defaultdict(list))
    for (slug, provider, day), tally in tallies.items():
        if slug in used and tally.events and _in_force(driver, day):
            cells[provider if by_event else provider_of(driver), day][slug].append(tally)
    return [_prove_cell(source, driver, own, provider, day, cell) for (provider, day), cell in cells.items()]


def _in_force(driver: Mapping[str, Any], day: date) -> bool:
    start, end = driver.get("effective_from"), driver.get("effective_to")
    return (start is None or date.fromisoformat(start) <= day) and (end is None or day < date.fromisoformat(end))


def _prove_cell(
    source: Source,
    driver: Mapping[str, Any],
    meters: Sequence[Mapping[str, Any]],
    provider: str,
    day: date,
    cell: Mapping[str, Sequence[MeterTally]],
) -> ProvedAmount:
    found_values = {meter["slug"]: together(meter, cell.get(meter["slug"], ())) for meter in meters}
    values = {slug: value for slug, value in found_values.items() if value is not None}
    slugs = sorted(expression.names(driver["formula"]) - found_values.keys())
    inputs = [input_on(source, slug, day) for slug in slugs]
    cap = caps_of(source).get(driver.get("pool") or "")
    capping = [input_on(source, slug, day) for slug in sorted(expression.names(cap))] if cap else []
    events = sum(tally.events for tallies in cell.values() for tally in tallies)
    found = [given for given in inputs if given is not None]
    resting = [*found, *(given for given in capping if given is not None)]
    unit = unit_of(driver, resting)
    if len(resting) < len(inputs) + len(capping) or unit is None:
        return ProvedAmount(
            driver["slug"], provider, day, None, None, None, driver["unit"], counted=False, events=events
        )
    expected = expression.amount(driver["formula"], {**values, **{g.slug: g.expected for g in found}})
    corners = [
        expression.amount(driver["formula"], {**values, **dict(zip([g.slug for g in found], corner, strict=True))})
        for corner in itertools.product(*({g.low, g.high} for g in found))
    ]
    points = [point for point in (expected, *corners) if point is not None]
    fits = all(abs(point) < LARGEST for point in points)
    whole = expected is not None and len(points) == len(corners) + 1 and fits
    return ProvedAmount(
        driver=driver["slug"],
        provider=provider,
        day=day,
        low=rounded(min(points)) if whole else None,
        expected=rounded(expected) if whole and expected is not None else None,
        high=rounded(max(points)) if whole else None,
        unit=unit,
        counted=_counts(source, driver, resting, day),
        events=events,
        pool=driver.get("pool"),
    )


def rounded(value: Fraction, places: int = 4) -> Decimal:
    """Half to even, once. `Fraction.__round__` is exact, and the context is wide enough not to round again."""
    with localcontext(prec=400):
        return Decimal(round(value * 10**places)).scaleb(-places)


def unit_of(driver: Mapping[str, Any], inputs: Sequence[ProvedInput]) -> str | None:
    """The currency that the inputs state, else the driver's unit; None where they state several."""
    stated = {word for given in inputs for word in _currency_words(given.unit)}
    if len(stated) > 1:
        return None
    return stated.pop() if stated and _currency_words(driver["unit"]) else str(driver["unit"])


def _currency_words(unit: str) -> set[str]:
    letters = "".join(letter if letter.isascii() and letter.isalpha() else " " for letter in unit)
    return {word for word in letters.split() if word in list_currencies()}


def _counts(source: Source, driver: Mapping[str, Any], inputs: Sequence[ProvedInput], day: date) -> bool:
    """Value rule 10: everything that it rests on is validated, and a vendor's own word is validated too."""
    said = stated_on(source.entries.get(f"driver:{driver['slug']}", ()), day)
    state = said[1] if said else None
    if said and said[0]["expected"] != driver.get("version", 1) and state == "validated":
        state = None  # what was validated is another formula than the one in force
    vendor_word = driver.get("evidence", "vendor-estimate") in {"vendor-estimate", "customer-validated"}
    if state == "under-review" or (vendor_word and state != "validated"):
        return False
    lapses = [driver.get("sunset"), *(expiry(source, given.slug) for given in inputs)]
    if any(lapse is not None and day >= date.fromisoformat(lapse) for lapse in lapses):
        return False
    return all(given.state == "validated" for given in inputs)
