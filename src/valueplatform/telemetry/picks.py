"""MIN, MAX and LATEST: the number of one event stands for all, that of the highest rank.

The rank is the number itself for MAX, its negative for MIN, the event's time for LATEST; among equals the greater
event key decides. So the pick is a function of the set of events, whatever the order they came in, and the pick of a
whole is the highest of the picks of its parts: of dimension values, providers, days, or concurrent writers.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from valueplatform.telemetry.meters import Aggregation

Rank = Callable[[Decimal | int, datetime], Decimal | int]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Pick(msgspec.Struct, frozen=True, order=True, gc=False):
    """Picks are ordered by rank, then key: `max` is the pick of both. `key` is the event's, as bytes."""

    rank: Decimal | int
    key: bytes
    value: Decimal | int

    @property
    def event_key(self) -> UUID:
        return UUID(bytes=self.key)


def rank_by(aggregation: Aggregation) -> Rank | None:
    """How events are ranked by their number and time; None for an aggregation that picks none."""
    return _RANKS.get(aggregation)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


_RANKS: Final[dict[Aggregation, Rank]] = {
    Aggregation.MIN: lambda number, _time: -number,
    Aggregation.MAX: lambda number, _time: number,
    Aggregation.LATEST: lambda _number, time: _microseconds(time),
}
