"""A number of a value bridge that somebody asks for, and what it is read from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from valueplatform.core.periods import local_day
from valueplatform.portal.bridge_ref import BridgeRef
from valueplatform.portal.bridge_words import Words, period_name
from valueplatform.portal.calling import Caller, Place
from valueplatform.value.bridge_cells import Kind, Line, Part
from valueplatform.value.bridge_read import BridgeRead

STEPS: Final = (Kind.VOLUME, Kind.MIX, Kind.RATE, Kind.ASSUMPTION)


@dataclass(frozen=True, slots=True)
class Asked:
    """A number of a bridge, and what it is read from."""

    caller: Caller
    place: Place
    ref: BridgeRef
    text: str
    name: str
    read: BridgeRead
    lines: Sequence[Line]

    @property
    def then(self) -> str:
        return period_name(self.ref.before, local_day(self.caller.now, self.place.account.timezone))

    @property
    def now(self) -> str:
        return period_name(self.ref.after, local_day(self.caller.now, self.place.account.timezone))

    @property
    def words(self) -> Words:
        return Words(self.read.model, self.read.units)

    @property
    def title(self) -> str:
        return self.words.driver(self.ref.driver) if self.ref.driver is not None else "Realized value"


def until(lines: Sequence[Line], kind: Kind, subject: str) -> list[tuple[Kind, str]]:
    """The steps that there are up to this one, in their order."""
    parts: dict[tuple[Kind, str], Part] = {
        (p.kind, p.subject): p for line in lines for p in line.parts if p.kind in STEPS
    }
    last = parts[kind, subject].order
    return [key for key, part in sorted(parts.items(), key=lambda item: item[1].order) if part.order <= last]
