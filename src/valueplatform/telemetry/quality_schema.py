"""What of the shape of events has changed: types and properties that appear, disappear or change kind. Pure.

It reads what the catalog has counted. An account's first four weeks are its own beginning: nothing in them is new. One
finding speaks of all properties of a type that changed alike, so that names made anew with each event are one finding.

Statistic and thresholds. *Appears*: first seen within the last seven days; a property only if its type had 50 events
before. *Disappears*: a type by the rule of silence for sources (`quality.pause_allowed`); a property if so many events
of its type without it would come by chance less than once in a million, at the share of them that had it before:
(1 - share)^n, exact; from 20 events and a share of 5 % on, for 28 days. *Changes kind*: within the last
seven days it had a kind that it never had in the 28 days before, in which its type had 20 events; null is none.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from valueplatform.telemetry.quality import NOTICE, WARNING, Found, pause_allowed

SCHEMA: Final = "schema"
NEW_FOR: Final = timedelta(days=7)
GONE_FOR: Final = timedelta(days=28)
TYPE_GONE_FOR: Final = timedelta(days=56)
KNOWN_FOR: Final = timedelta(days=28)
FIRST_WEEKS: Final = timedelta(days=28)
_BEFORE_NEW, _WITHOUT, _BEFORE_KIND = 50, 20, 20
_SMALLEST_SHARE: Final = 0.05
_IMPROBABLE: Final = math.log(1e-6)
_NAMED: Final = 5


class PropertyShape(msgspec.Struct, frozen=True):
    """`kinds` are by day, of the days that have been looked at; only those of properties with several need be told."""

    path: str
    events: int
    first_day: date
    last_day: date
    kinds: Mapping[date, Collection[str]] = {}


class TypeShape(msgspec.Struct, frozen=True):
    """Of all days the first, and of the last months the events by day. `events` are all of the type."""

    type: str
    events: int
    first_day: date
    days: Mapping[date, int]
    properties: Sequence[PropertyShape] = ()


def judge_shape(types: Sequence[TypeShape], measured: Collection[tuple[str, str]], today: date) -> list[Found]:
    """What has changed by today. `measured`: type and path of what meters read; '' is the type itself."""
    known = [one for one in types if one.days]
    if not known or today - min(one.first_day for one in known) < FIRST_WEEKS:
        return []
    newest = max(max(one.days) for one in known)
    found = [change for one in known for change in _of_type(one, newest, today)]
    return [_told(one, change, paths, measured) for one, change, paths in found]


_Change = tuple[TypeShape, tuple[str, date], Sequence[str]]


def _of_type(shape: TypeShape, newest: date, today: date) -> Iterator[_Change]:
    if today - shape.first_day < NEW_FOR:
        yield shape, ("appeared", shape.first_day), ()
        return
    last = max(shape.days)
    allowed = pause_allowed(sorted(shape.days))
    silent = (newest - last).days - 1
    if allowed is not None and silent > allowed:
        if today - last <= TYPE_GONE_FOR:
            yield shape, ("disappeared", last + timedelta(days=1)), ()
        return
    changed: defaultdict[str, list[tuple[date, str]]] = defaultdict(list)
    for one in shape.properties:
        for change, since in _of_property(shape, one, last, today):
            changed[change].append((since, one.path))
    for change, paths in changed.items():
        yield shape, (change, min(paths)[0]), [path for _, path in sorted(paths, key=lambda one: one[1])]


def _of_property(shape: TypeShape, one: PropertyShape, last: date, today: date) -> Iterator[tuple[str, date]]:
    if today - one.first_day < NEW_FOR and _events(shape, shape.first_day, one.first_day) >= _BEFORE_NEW:
        yield "appeared", one.first_day
        return
    without = _events(shape, one.last_day + timedelta(days=1), last + timedelta(days=1))
    share = min(one.events / max(shape.events - without, 1), 1 - 1e-9)
    if today - one.last_day <= GONE_FOR and without >= _WITHOUT and share >= _SMALLEST_SHARE:
        if without * math.log1p(-share) < _IMPROBABLE:
            yield "disappeared", one.last_day + timedelta(days=1)
        return
    if (since := _other_kind(shape, one, today)) is not None:
        yield "changed kind", since


def _other_kind(shape: TypeShape, one: PropertyShape, today: date) -> date | None:
    """Since when it has a kind that it did not have before; None where it has not."""
    start = today - NEW_FOR + timedelta(days=1)
    had = {kind for day, kinds in one.kinds.items() if start - KNOWN_FOR <= day < start for kind in kinds} - {"null"}
    other = [day for day, kinds in one.kinds.items() if day >= start and set(kinds) - had - {"null"}]
    if not other or not had or _events(shape, start - KNOWN_FOR, start) < _BEFORE_KIND:
        return None
    return min(other)


def _events(shape: TypeShape, start: date, end: date) -> int:
    return sum(events for day, events in shape.days.items() if start <= day < end)


def _told(
    shape: TypeShape, change: tuple[str, date], paths: Sequence[str], measured: Collection[tuple[str, str]]
) -> Found:
    what, since = change
    is_read = any((shape.type, path) in measured for path in paths or ("",))
    severity = WARNING if is_read and what != "appeared" else NOTICE
    place = f"properties of {shape.type} {what}" if paths else f"{shape.type} {what}"
    seen = f"{shape.type} {what}" if not paths else f"{_named(paths)} {what} in {shape.type}"
    usual = {"appeared": "not known before", "disappeared": "sent until then"}.get(what, "another kind")
    return Found(SCHEMA, place, usual, seen, severity, None, since, None, {"properties": len(paths)}, (shape.type,))


def _named(paths: Iterable[str]) -> str:
    named = list(paths)
    rest = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
