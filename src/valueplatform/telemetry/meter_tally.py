"""What a meter says of one window and group, in parts that add up to the whole, whatever the aggregation."""

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

from valueplatform.core.numbers import FRACTION_DIGITS, round_half_even, without_trailing_zeros
from valueplatform.telemetry.meters import PICKED, Aggregation
from valueplatform.telemetry.picks import Pick

AVERAGE_PLACES: Final = FRACTION_DIGITS
"""An average is shown rounded once, half to even, to as many places as a number on the wire may have."""
_EXACT: Final = Context(prec=100)


@dataclass(slots=True)
class WindowTally:
    """`events` are those that were metered, `total` their sum, `pick` the one of them that a MIN, MAX or LATEST shows;
    `members` counts distinct members of separate accounts."""

    events: int = 0
    total: Decimal = Decimal(0)
    pick: Pick | None = None
    members: int = 0

    def merge(self, other: "WindowTally") -> None:
        self.events += other.events
        self.total = _EXACT.add(self.total, other.total)
        self.members += other.members
        if other.pick is not None:
            self.pick = other.pick if self.pick is None else max(self.pick, other.pick)

    def value(self, aggregation: Aggregation) -> Decimal | None:
        """Exact, but for an average; None where nothing was metered that an average or a pick could be of."""
        if aggregation is Aggregation.COUNT:
            return Decimal(self.events)
        if aggregation is Aggregation.UNIQUE_COUNT:
            return Decimal(self.members)
        if aggregation in PICKED:
            return None if self.pick is None else Decimal(self.pick.value)
        if aggregation is Aggregation.SUM:
            return self.total
        if not self.events:
            return None
        numerator, denominator = self.total.as_integer_ratio()
        return without_trailing_zeros(round_half_even(numerator, denominator * self.events, AVERAGE_PLACES))
