"""Bugs to plant into the running product, one at a time: whatever watches over its numbers must see them.

Each is a mistake that one could make in the very line that it replaces. Where SQL is replaced, what is replaced must be
there, so that a bug cannot silently become none.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import sqlalchemy

from valueplatform.core.numbers import scaled_decimal
from valueplatform.telemetry import (
    admission,
    erasure,
    members,
    payload,
    retraction,
    rezoning,
    rollups,
    storing,
)
from valueplatform.telemetry.homes import editions_of
from valueplatform.telemetry.increments import Increments
from valueplatform.value import accruals, assumptions, formula, meter_days, postings, refreshing
from valueplatform.value.assumptions import Action
from valueplatform.value.formula import Formula
from valueplatform.value.ranges import Range

Bug = Callable[[], Iterator[None]]
BUGS: dict[str, Bug] = {}
"""By what they do, each to be entered as a context."""


def _bug(title: str) -> Callable[[Bug], Bug]:
    def known(plant: Bug) -> Bug:
        BUGS[title] = plant
        return plant

    return known


@contextmanager
def planted(title: str) -> Iterator[None]:
    with contextmanager(BUGS[title])():
        yield


def _sql(module: object, name: str, old: str, new: str) -> Any:
    """The statement with a part of it replaced."""
    statement = getattr(module, name)
    text = str(statement)
    if old not in text:
        raise LookupError(f"{name} does not hold {old!r} any more: plant another bug")
    changed = text.replace(old, new)
    return patch.object(module, name, changed if isinstance(statement, str) else sqlalchemy.text(changed))


async def _nothing(*_args: object, **_options: object) -> None:
    return None


@_bug("an increment is lost where a rollup row gets several at once")
def _lost_increment() -> Iterator[None]:
    real = Increments._count  # noqa: SLF001 - the very place of the mistake

    def count(self: Increments, keys: Any, cell_of: Sequence[int], sign: int) -> None:
        once = list(dict.fromkeys(cell_of)) if sign > 0 else cell_of
        real(self, keys, once, sign)

    with patch.object(Increments, "_count", count):
        yield


@_bug("a duplicate is counted once more")
def _doubled_duplicate() -> Iterator[None]:
    real = storing.sort_out

    async def sort_out(connection: Any, requests: Any, ledger: Any, *, careful: bool = True) -> Any:
        admitted, found = await real(connection, requests, ledger, careful=careful)
        more = Increments(editions_of(admitted.homes.values()))
        readings = ledger.book.raised
        more.add_all(
            (e.account_id, e.day, e.provider, e.event.data, readings[e.event.type], e.time, e.event.key)
            for e in found.duplicates
            if e.event.type in readings
        )
        await rollups.raise_rollups(connection, more)
        return admitted, found

    with patch.object(storing, "sort_out", sort_out):
        yield


@_bug("clock changes are forgotten in an event's local day")
def _day_off() -> Iterator[None]:
    def local_day_of(moment: datetime, zone: str) -> date:
        winter = datetime(moment.year, 1, 1, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
        return (moment.astimezone(UTC) + winter).date()

    with patch.object(admission, "local_day_of", local_day_of):
        yield


@_bug("an event's day is that of UTC")
def _utc_day() -> Iterator[None]:
    with patch.object(admission, "local_day_of", lambda moment, _zone: moment.astimezone(UTC).date()):
        yield


def _rounded(up: Callable[[int, int, int], bool]) -> Any:
    def rounding(numerator: int, denominator: int, places: int = 4) -> Decimal:
        if denominator < 0:
            numerator, denominator = -numerator, -denominator
        units, rest = divmod(numerator * 10**places, denominator)
        return scaled_decimal(units + up(units, rest, denominator), places)

    return patch.object(formula, "round_half_even", rounding)


@_bug("amounts are cut off instead of rounded")
def _truncated() -> Iterator[None]:
    with _rounded(lambda _units, _rest, _denominator: False):
        yield


@_bug("halves are rounded up instead of to even")
def _half_up() -> Iterator[None]:
    with _rounded(lambda _units, rest, denominator: rest * 2 >= denominator):
        yield


@_bug("minutes are read as floats")
def _floats() -> Iterator[None]:
    real = accruals._values  # noqa: SLF001 - the very place of the mistake

    def values(meters: Any, metered: Any) -> Mapping[str, Any]:
        found = real(meters, metered).items()
        return {slug: Decimal(str(float(v))) if isinstance(v, Decimal) else v for slug, v in found}

    with patch.object(accruals, "_values", values):
        yield


def _holding(changed: Callable[[Sequence[Any], date], tuple[Sequence[Any], date]]) -> Any:
    real = assumptions.holding

    def holding(entries: Sequence[Any], default: Any, day: date) -> Any:
        said, on = changed(entries, day)
        return real(said, default, on)

    return patch.object(accruals, "holding", holding)


@_bug("the version of an assumption before the newest is taken")
def _old_version() -> Iterator[None]:
    with _holding(lambda entries, day: (entries[:-1], day)):
        yield


@_bug("an assumption holds before its effective day")
def _too_early() -> Iterator[None]:
    with _holding(lambda entries, day: (entries, day + timedelta(days=1))):
        yield


@_bug("a disputed value still counts as validated")
def _dispute_ignored() -> Iterator[None]:
    with _holding(lambda entries, day: ([e for e in entries if e.action is not Action.DISPUTE], day)):
        yield


@_bug("low and high are those of two corners only")
def _two_corners() -> Iterator[None]:
    real = Formula.evaluate_range

    def evaluate_range(self: Formula, values: Any, ranged: Mapping[str, Range | None]) -> Any:
        first = next(iter(sorted(self.names & ranged.keys())), None)
        fixed = {
            name: given if given is None or name != first else Range.point(given.expected)
            for name, given in ranged.items()
        }
        return real(self, values, fixed)

    with patch.object(Formula, "evaluate_range", evaluate_range):
        yield


@_bug("a pool's cap is not applied")
def _no_cap() -> Iterator[None]:
    with patch.object(accruals, "capped", lambda found: found):
        yield


@_bug("a capped pool is told again for the changed days only")
def _cap_of_days() -> Iterator[None]:
    with patch.object(refreshing, "_reaching", lambda _model, changes: changes):
        yield


@_bug("an average is taken over events without a number too")
def _average_over_all() -> Iterator[None]:
    with _sql(meter_days, "_ROLLUPS", "sum(events - unmetered)", "sum(events)"):
        yield


@_bug("members are added up over providers")
def _added_members() -> Iterator[None]:
    with _sql(meter_days, "_DISTINCT", "count(DISTINCT member)", "count(*)"):
        yield


@_bug("an adjustment is posted again with the next one")
def _adjusted_twice() -> Iterator[None]:
    old = "WHERE account_id = :account AND day >= :start"
    with _sql(postings, "_ADJUST", old, f"WHERE kind = 'close' AND {old[6:]}"):
        yield


@_bug("an adjustment is posted only where the expected amount differs")
def _adjusted_expected() -> Iterator[None]:
    old = "WHERE (coalesce(s.low, 0), coalesce(s.expected, 0), coalesce(s.high, 0))"
    with _sql(postings, "_ADJUST", old, "WHERE coalesce(s.expected, 0) <> coalesce(p.expected, 0) AND " + old[6:]):
        yield


@_bug("a close leaves out amounts below zero")
def _closed_positive() -> Iterator[None]:
    with _sql(postings, "_CLOSE", "AND expected IS NOT NULL", "AND expected >= 0"):
        yield


@_bug("a late change of a closed month is not adjusted")
def _never_adjusted() -> Iterator[None]:
    with patch.object(refreshing, "adjust", _nothing):
        yield


def _first_mark_missed(module: Any) -> Any:
    real = module.mark_days

    async def mark_days(connection: Any, stretches: Any, cause: str) -> None:
        await real(connection, sorted(stretches)[1:], cause)

    return patch.object(module, "mark_days", mark_days)


@_bug("a day that events came in for is not marked")
def _missed_mark() -> Iterator[None]:
    with _first_mark_missed(storing):
        yield


@_bug("a retraction does not mark its day")
def _unmarked_retraction() -> Iterator[None]:
    with _first_mark_missed(retraction):
        yield


@_bug("an account that moved is not marked")
def _unmarked_move() -> Iterator[None]:
    with _first_mark_missed(rezoning):
        yield


@_bug("a member stays though nothing is behind it any more")
def _stale_member() -> Iterator[None]:
    with patch.object(rollups, "drop_members", _nothing):
        yield


@_bug("members that were removed are remembered as written")
def _remembered_member() -> Iterator[None]:
    real = members.KnownMembers.unknown

    def unknown(self: members.KnownMembers, seen: members.Sighting) -> Any:
        self._state = seen.state
        return real(self, seen)

    with patch.object(members.KnownMembers, "unknown", unknown):
        yield


@_bug("an extreme stays though its event is gone")
def _stale_extreme() -> Iterator[None]:
    async def unpick(*_args: object) -> set[Any]:
        return set()

    with patch.object(rollups, "_unpick", unpick):
        yield


@_bug("the latest is the one with the greatest key")
def _latest_by_key() -> Iterator[None]:
    with _sql(rollups, "_RAISE_PICKS", "ORDER BY rank DESC NULLS LAST, key DESC", "ORDER BY key DESC"):
        yield


@_bug("what is left after a retraction is not looked for in the archive")
def _archive_forgotten() -> Iterator[None]:
    async def archived_events(*_args: object) -> AsyncIterator[Sequence[Any]]:
        for nothing in range(0):
            yield [nothing]

    with patch.object(rollups, "archived_events", archived_events):
        yield


@_bug("a retracted event stays in the archive")
def _kept_in_archive() -> Iterator[None]:
    with patch.object(retraction, "_LEAVE_OUT", "SELECT $1::bigint, $2::text, $3::uuid"):
        yield


@_bug("an update of a sum is lost")
def _lost_update() -> Iterator[None]:
    with _sql(rollups, "_RAISE_ROLLUPS", "total = held.total + excluded.total", "total = excluded.total"):
        yield


@_bug("events that come in during a move are missed in the new zone")
def _missed_in_move() -> Iterator[None]:
    with patch.object(storing, "_of_new_zones", lambda *_: Increments()):
        yield


@_bug("rollups still name who was erased")
def _erased_in_rollups() -> Iterator[None]:
    with patch.object(erasure, "count_days", _nothing):
        yield


@_bug("a number in quotes is not taken as one")
def _quoted() -> Iterator[None]:
    real = payload.stored_value

    def stored_value(text: Any) -> Any:
        found = real(text)
        return {k: v for k, v in found.items() if v != "7.50"} if isinstance(found, dict) else found

    with patch.object(retraction, "stored_value", stored_value):
        yield
