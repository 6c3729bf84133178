"""Group commit: whatever waits is stored together, in one transaction, and answered after it has committed.

A group that the database refuses for its data is halved down to the event that is to blame, which is rejected as
`unstorable`; the rest goes in. What waits is bounded, and fair between keys (`fair_queue`); who fills it, or sends
more than its key may (`quotas`), is told to come back.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import msgspec
import structlog

from valueplatform.core.database import Database, unavailable
from valueplatform.core.errors import ProblemError, UnprocessableError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.admission import refused_event
from valueplatform.telemetry.fair_queue import FairQueue
from valueplatform.telemetry.payload import RefusedEventError
from valueplatform.telemetry.quotas import OverQuotaError
from valueplatform.telemetry.requests import IngestRequest, Report, merged
from valueplatform.telemetry.storing import Ledger, store

LANES: Final = 2
MOST_IN_GROUP: Final = 10_000  # events
_LINGER: Final = 0.002  # seconds
PATIENCE: Final = 4.0  # seconds; a sender that waits longer is told to come back
_TRIES: Final = 4
_CAREFUL_FOR: Final = 100  # groups
_LAST_WORDS: Final = 10.0  # seconds that what was taken has to be stored when the process ends

_TRANSIENT: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
_UNSTORABLE: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeError,
)

_log = structlog.get_logger(__name__)


class _Waiting(msgspec.Struct, frozen=True):
    request: IngestRequest
    answer: "asyncio.Future[Report]"

    @property
    def gone(self) -> bool:
        return self.answer.done()


class GroupCommitter:
    """Takes requests from many senders at once. Use it inside `running()`.

    While one lane waits for the database, the next group gathers for another.
    """

    def __init__(self, database: Database, *, lanes: int = LANES, patience: float = PATIENCE) -> None:
        self._database = database
        self._lanes = lanes
        self._patience = patience
        self._ledger = Ledger()
        self._queue: FairQueue[_Waiting] = FairQueue()
        self._arrived = asyncio.Event()
        self._gathering = asyncio.Lock()
        self._usual = 0  # requests in the last group
        self._open = False

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[GroupCommitter]":
        """Open for requests; at the end, what was taken is stored and answered first."""
        self._open = True
        lanes = [asyncio.create_task(self._lane(), name=f"ingest lane {number}") for number in range(self._lanes)]
        try:
            yield self
        finally:
            self._open = False
            self._arrived.set()
            _, late = await asyncio.wait(lanes, timeout=_LAST_WORDS)
            for lane in late:
                lane.cancel()

    async def commit(self, request: IngestRequest) -> Report:
        """Store a request; returns once it is committed.

        Raises NotAllTakenError for a strict request, OverloadedError where too much waits already, QuotaError where
        its key may not send so much, and UnavailableError where the database does not answer in time (then it may
        have been stored all the same: sent again, it is a duplicate).
        """
        if not self._open:
            raise unavailable()
        if not request.received:
            return Report(0, 0, 0, 0, ())
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Report] = loop.create_future()
        answer.add_done_callback(_heard)
        self._queue.put(_Waiting(request, answer))
        self._arrived.set()
        end_of_patience = loop.call_later(self._patience, _give_up, answer)
        try:
            return await answer
        finally:
            end_of_patience.cancel()

    async def _lane(self) -> None:
        while self._open or self._queue:
            async with self._gathering:
                group = await self._gather()
            if group:
                await self._serve(group)

    async def _gather(self) -> list[_Waiting]:
        """The next group. Where many sent together before, they are about to again: they are waited for, briefly.

        Without that, the first of them would have a transaction of its own, and the rest wait for its end.
        """
        while self._open and not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        if self._open and len(self._queue) < self._usual:
            await asyncio.sleep(_LINGER)
        group = self._queue.take(MOST_IN_GROUP)
        self._usual = len(group)
        return group

    async def _serve(self, group: list[_Waiting]) -> None:
        """Store what is within quotas, and answer everybody."""
        outcome = await self._outcome(group)
        while isinstance(outcome, OverQuotaError):
            for place, refusal in outcome.refused.items():
                _fail([group[place]], refusal)
                self._queue.done(group[place].request)
            group = [waiting for place, waiting in enumerate(group) if place not in outcome.refused]
            outcome = await self._outcome(group) if group else []
        for waiting in group:
            self._queue.done(waiting.request)
        if isinstance(outcome, BaseException):
            if not isinstance(outcome, ProblemError):
                _log.error("ingest failed", requests=len(group), exc_info=outcome)
            _fail(group, outcome)
            return
        for waiting, report in zip(group, outcome, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(report)

    async def _outcome(self, group: Sequence[_Waiting]) -> list[Report] | BaseException:
        requests = [waiting.request for waiting in group]
        # Gathered, because whatever goes wrong, each sender must hear of it and the lane must go on.
        (outcome,) = await asyncio.gather(
            commit_requests(self._database, requests, self._ledger), return_exceptions=True
        )
        return outcome


def _heard(answer: "asyncio.Future[Report]") -> None:
    """A sender may have gone by now; asking keeps asyncio from warning about an answer that nobody read."""
    if not answer.cancelled():
        answer.exception()


def _give_up(answer: "asyncio.Future[Report]") -> None:
    """Told that it takes too long; what still waits in the queue is then not stored."""
    if not answer.done():
        answer.set_exception(unavailable())


def _fail(group: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


async def commit_requests(
    database: Database, requests: Sequence[IngestRequest], ledger: Ledger, *, charged: bool = False
) -> list[Report]:
    """Store requests together, in a transaction of their own; their reports, in order, once it is committed.

    Raises UnavailableError where the database cannot be reached, and OverQuotaError unless they were `charged` before.
    """
    for attempt in range(_TRIES):
        careful = attempt > 0 or ledger.careful > 0
        try:
            async with database.transaction(no_accounts()) as tx:
                stored = await store(tx, requests, ledger, careful=careful, charged=charged)
        except _UNSTORABLE as error:
            if isinstance(error, asyncpg.UniqueViolationError) and not careful:
                # Another has claimed the same keys at this moment: what is sent twice at once is so more than once.
                ledger.careful = _CAREFUL_FOR
                continue
            _log.warning("ingest group refused", requests=len(requests), reason=str(error))
            return await _divide(database, requests, ledger, error)
        except _LOST as error:
            raise unavailable() from error
        except _TRANSIENT:
            if attempt + 1 == _TRIES:
                raise
            await asyncio.sleep(0.05 * 2**attempt)
        else:
            ledger.careful = max(0, ledger.careful - 1)
            ledger.members.remember(stored.seen)
            return stored.reports
    raise AssertionError


async def _divide(
    database: Database, requests: Sequence[IngestRequest], ledger: Ledger, error: Exception
) -> list[Report]:
    """Store the halves of what could not be stored as one; a single event to blame is rejected."""
    half = len(requests) // 2
    if half:
        first = await commit_requests(database, requests[:half], ledger, charged=True)
        return first + await commit_requests(database, requests[half:], ledger, charged=True)
    (request,) = requests
    if request.strict:
        raise UnprocessableError(f"The database cannot keep this request: {error}; nothing was stored.") from error
    if not request.events:
        raise error
    half = len(request.events) // 2
    if half:
        parts = [
            msgspec.structs.replace(request, events=request.events[:half]),
            msgspec.structs.replace(request, events=request.events[half:], rejections=()),
        ]
    else:
        refusal = RefusedEventError("unstorable", f"The database cannot keep this event: {error}.")
        refused = refused_event(request.events[0], refusal)
        parts = [msgspec.structs.replace(request, events=(), rejections=(*request.rejections, refused))]
    return [merged([report for part in parts for report in await commit_requests(database, [part], ledger)])]
