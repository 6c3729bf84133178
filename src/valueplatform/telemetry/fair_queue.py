"""What waits to be stored, fair between keys: none starves another, however much it sends.

Keys take turns by deficit round robin (Shreedhar and Varghese, 1995): at its turn a key may have so many events taken
as a request may hold, and what a large request lacks is saved up for it. What a key may hold follows from how much room
is left (dynamic thresholds; Choudhury and Hahne, 1998): at most twice as much as stays free. So one key alone fills two
thirds, several fill less each, and there is always room for a key that has nothing here yet.
"""

from collections import OrderedDict, deque
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from valueplatform.core.errors import OverloadedError
from valueplatform.telemetry.dialect import MOST_EVENTS
from valueplatform.telemetry.requests import IngestRequest

MOST_WAITING: Final = 50_000  # events
MOST_WAITING_BYTES: Final = 64 * 1024 * 1024
TURN: Final = MOST_EVENTS
_SHARE: Final = 2


class Waiting(Protocol):
    """A request whose sender waits for its answer. `gone`: nobody does any more."""

    @property
    def request(self) -> IngestRequest: ...

    @property
    def gone(self) -> bool: ...


Item = TypeVar("Item", bound=Waiting)


class _Line(Generic[Item]):
    """What one key has here. `events` and `size` count what is being stored too; `credit` is what its turn has left."""

    __slots__ = ("credit", "events", "size", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Item] = deque()
        self.events = 0
        self.size = 0
        self.credit = TURN


class FairQueue(Generic[Item]):
    """Bounded by events and by bytes, those that are taken and not yet `done` with included."""

    def __init__(self, most_events: int = MOST_WAITING, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._free_events = most_events
        self._free_bytes = most_bytes
        self._lines: dict[UUID | None, _Line[Item]] = {}
        self._turns: OrderedDict[UUID | None, _Line[Item]] = OrderedDict()
        self._waiting = 0

    def __len__(self) -> int:
        """Requests that have not been taken yet."""
        return self._waiting

    def put(self, item: Item) -> None:
        """Raises OverloadedError where the key's share is full, or everything is."""
        request = item.request
        line = self._lines.get(request.sender.key_id) or _Line()
        free_events, free_bytes = self._free_events - request.received, self._free_bytes - request.size
        full = free_events < 0 or free_bytes < 0
        beyond = line.events > 0 and (
            line.events + request.received > _SHARE * free_events or line.size + request.size > _SHARE * free_bytes
        )
        if full or beyond:
            whose = "of this key " if beyond else ""
            raise OverloadedError(
                f"More events {whose}are waiting than can be taken; send again shortly.", retry_after=1
            )
        self._lines[request.sender.key_id] = self._turns[request.sender.key_id] = line
        self._free_events, self._free_bytes = free_events, free_bytes
        line.events += request.received
        line.size += request.size
        line.waiting.append(item)
        self._waiting += 1

    def take(self, most: int) -> list[Item]:
        """The next to store together, in turns, up to `most` events; a strict request comes alone."""
        group: list[Item] = []
        events = 0
        while self._turns:
            key, line = next(iter(self._turns.items()))
            if not line.waiting:
                del self._turns[key]
                line.credit = TURN
                continue
            item = line.waiting[0]
            request = item.request
            if item.gone:
                self._shift(line)
                self.done(request)
                continue
            # A strict request takes the whole turn, as it has a transaction of its own.
            cost = TURN if request.strict else request.received
            if cost > line.credit:
                line.credit += TURN
                self._turns.move_to_end(key)
                continue
            if group and (request.strict or events + request.received > most):
                break
            line.credit -= cost
            self._shift(line)
            group.append(item)
            events += request.received
            if request.strict:
                break
        return group

    def _shift(self, line: _Line[Item]) -> None:
        line.waiting.popleft()
        self._waiting -= 1

    def done(self, request: IngestRequest) -> None:
        """A request that was taken is answered: there is room for others."""
        key = request.sender.key_id
        line = self._lines[key]
        line.events -= request.received
        line.size -= request.size
        self._free_events += request.received
        self._free_bytes += request.size
        if not line.events and not line.waiting:
            del self._lines[key]
