"""Running totals: an event of a counter that only ever tells its total becomes what was *added* since the last one.

A stream (one counter with its attributes, of one process) counts from a start; a restart is another start. What a
point adds is its total less that of the latest earlier point of its stream and start, and for the first one its whole
total. Points come in any order, and each comes once; so over each start the additions sum up to its latest total,
exactly. An old point that comes late adds nothing: what it told was in the later one already.

- Where a total that cannot fall has fallen, it was reset without a new start: its whole value was added since.
- Where the start is not known (absent, or the same as the time, which OpenTelemetry's data model calls an unknown
  start), the first point adds nothing: what it tells may have been told before.

Numbers are exact; additions are of totals rounded to the nine fraction digits that a meter takes, half to even, so
that the noise of a sender that adds binary doubles (0.1 + 0.2 = 0.30000000000000004) leaves neither a rest nor an
event that cannot be metered. Times are nanoseconds since 1970, 0 = unknown.
"""

from collections.abc import Mapping, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from valueplatform.core.numbers import FRACTION_DIGITS, without_trailing_zeros
from valueplatform.telemetry.admission import Entry
from valueplatform.telemetry.event import Effect
from valueplatform.telemetry.payload import normal_form

DELTA: Final = "delta"
COUNT_DELTA: Final = "count_delta"
LATE: Final = "late"
ADDED_FIELDS: Final = frozenset({DELTA, COUNT_DELTA, LATE})

_EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_EVEN)
_LEAST: Final = Decimal(1).scaleb(-FRACTION_DIGITS)

# One statement both makes the rows that are new and locks those that are not, in the order of the key.
_LOCK: Final = """
    INSERT INTO running_total AS held (account_id, stream, start_ns)
    SELECT account_id, stream, start_ns FROM unnest($1::bigint[], $2::uuid[], $3::bigint[])
        AS given (account_id, stream, start_ns)
    ORDER BY account_id, stream, start_ns
    ON CONFLICT (account_id, stream, start_ns) DO UPDATE SET last_ns = held.last_ns
    RETURNING account_id, stream, start_ns, last_ns, last_value, last_count
"""
_KEEP: Final = """
    UPDATE running_total AS held
    SET last_ns = told.last_ns, last_value = told.last_value, last_count = told.last_count
    FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bigint[])
        AS told (account_id, stream, start_ns, last_ns, last_value, last_count)
    WHERE held.account_id = told.account_id AND held.stream = told.stream AND held.start_ns = told.start_ns
"""
_Key = tuple[int, UUID, int]


class RunningTotal(Effect, frozen=True, gc=False, tag="running_total"):
    """An event that tells a total, not what was added (`running_totals` finds that out before it is stored).

    `stream` is what is counted: equal for all points of one counter. `start` is when the count began, 0 = unknown, and
    `time` when it stood at `value`: nanoseconds since 1970. `count` belongs to totals of measurements: how many there
    were. `monotonic`: `value` falls only where the count begins anew.
    """

    stream: UUID
    start: int
    time: int
    value: Decimal | None
    count: int | None = None
    monotonic: bool = True


class Standing(msgspec.Struct, frozen=True):
    """The latest total of a stream since one start."""

    time: int
    value: Decimal | None
    count: int | None


class Added(msgspec.Struct, frozen=True):
    """What a point adds; None where it tells no such number. `late`: a later one of its start was there before it."""

    delta: Decimal | None
    count: int | None
    late: bool = False


def added(held: Standing | None, total: RunningTotal) -> tuple[Added, Standing]:
    """What a point adds to what is held of its stream and start, and what is held then."""
    told = Standing(total.time, total.value, total.count)
    if held is None:
        if total.start in {0, total.time}:
            return _nothing(total), told
        return Added(_metered(total.value), total.count), told
    if total.time <= held.time:
        return _late(total), held
    if _has_fallen(held, total):
        return Added(_metered(total.value), total.count), told
    value = None if total.value is None else _less(total.value, held.value)
    return Added(value, None if total.count is None else total.count - (held.count or 0)), told


def _nothing(total: RunningTotal, *, late: bool = False) -> Added:
    return Added(None if total.value is None else Decimal(0), None if total.count is None else 0, late)


def _late(total: RunningTotal) -> Added:
    """Nothing; but the point that says what a total began with takes that back, for the first one to come seemed to
    have added it."""
    if total.start != total.time:
        return _nothing(total, late=True)
    value = None if total.value is None else _less(Decimal(0), total.value)
    return Added(value, None if total.count is None else -total.count, late=True)


def _has_fallen(held: Standing, total: RunningTotal) -> bool:
    if total.count is not None and held.count is not None:
        return total.count < held.count
    return total.monotonic and total.value is not None and held.value is not None and total.value < held.value


def _less(value: Decimal, other: Decimal | None) -> Decimal:
    rest = _EXACT.subtract(_rounded(value), _rounded(other or Decimal(0)))
    return without_trailing_zeros(rest)


def _metered(value: Decimal | None) -> Decimal | None:
    return None if value is None else without_trailing_zeros(_rounded(value))


def _rounded(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -FRACTION_DIGITS:
        return value.quantize(_LEAST, context=_EXACT)
    return value


def metered_delta(value: Decimal) -> Decimal:
    """What a point adds that tells an addition itself, in the digits that a meter takes."""
    return without_trailing_zeros(_rounded(value))


async def resolve_totals(connection: "asyncpg.Connection[Any]", entries: Sequence[Entry]) -> list[Entry]:
    """The entries, those with a running total with what they add in their data: `delta` of the value, `count_delta` of
    the count, and `late`. All of them must be new, and stored in the same transaction.

    Takes a lock on each stream, in order of key. The body's hash stays that of what was sent.
    """
    counted = [(entry, total) for entry in entries if isinstance(total := entry.event.effect, RunningTotal)]
    if not counted:
        return list(entries)
    keys = sorted({_key(entry, total) for entry, total in counted}, key=_key_order)
    rows = await connection.fetch(_LOCK, *zip(*keys, strict=True))
    held = {
        (row["account_id"], row["stream"], row["start_ns"]): Standing(
            row["last_ns"], row["last_value"], row["last_count"]
        )
        for row in rows
        if row["last_ns"] is not None
    }
    resolved: dict[UUID, Entry] = {}
    for entry, total in sorted(counted, key=lambda pair: pair[1].time):
        key = _key(entry, total)
        more, held[key] = added(held.get(key), total)
        resolved[entry.event.key] = _with_added(entry, more)
    told = [(*key, held[key].time, held[key].value, held[key].count) for key in keys]
    await connection.execute(_KEEP, *zip(*told, strict=True))
    return [resolved.get(entry.event.key, entry) for entry in entries]


def _key(entry: Entry, total: RunningTotal) -> _Key:
    return entry.account_id, total.stream, total.start


def _key_order(key: _Key) -> tuple[int, bytes, int]:
    return key[0], key[1].bytes, key[2]


def _with_added(entry: Entry, more: Added) -> Entry:
    event = entry.event
    data: dict[str, object] = dict(event.data) if isinstance(event.data, Mapping) else {}
    if more.delta is not None:
        data[DELTA] = number_of(more.delta)
    if more.count is not None:
        data[COUNT_DELTA] = more.count
    if more.late:
        data[LATE] = True
    text = normal_form(data).decode()
    return msgspec.structs.replace(entry, event=msgspec.structs.replace(event, data=data, data_text=text))


def number_of(value: Decimal) -> Decimal | int:
    """As data has it: an integer where it is one."""
    return int(value) if value == value.to_integral_value() else value
