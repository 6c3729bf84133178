"""What senders ask to be stored, and what they are told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from valueplatform.core.errors import UnprocessableError
from valueplatform.telemetry.event import NO_SHIFT, Event, Rejection


class Outcome(StrEnum):
    """What becomes of an event."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Sender(msgspec.Struct, frozen=True):
    """Who sends, and what they may write. `account_ids` and `sources` None = any. `origin` names the way in. `limited`:
    the key has quotas.

    `numbered`: indexes are places in a file, so two rejections of one body at two places are two.
    """

    origin: str
    provider: str
    key_id: UUID | None = None
    account_ids: frozenset[int] | None = None
    sources: frozenset[str] | None = None
    numbered: bool = False
    limited: bool = False


class IngestRequest(msgspec.Struct, frozen=True):
    """Events that are answered together; their indexes and those of the rejections count without a gap.

    `strict` = all or nothing. `size` is what it holds in memory, roughly, in bytes. `replayed` is the rejected event
    that this one repeats, `clock` what the times of its sender were corrected by.
    """

    sender: Sender
    received_at: datetime
    events: Sequence[Event]
    rejections: Sequence[Rejection] = ()
    strict: bool = False
    size: int = 0
    replayed: int | None = None
    clock: timedelta = NO_SHIFT

    @property
    def received(self) -> int:
        return len(self.events) + len(self.rejections)


class Report(msgspec.Struct, frozen=True):
    """received = stored + duplicates + conflicts + the number of rejections, always."""

    received: int
    stored: int
    duplicates: int
    conflicts: int
    rejections: Sequence[Rejection]

    @property
    def all_taken(self) -> bool:
        return self.conflicts == 0 and not self.rejections


class NotAllTakenError(UnprocessableError):
    """A strict request in which something cannot be taken; nothing of it was stored."""

    code = "not_all_taken"

    def __init__(self, report: Report) -> None:
        super().__init__(
            f"Of {report.received} events {len(report.rejections)} are rejected and {report.conflicts} in conflict; "
            "as the request asks for all or nothing, nothing was stored.",
            {"received": report.received, "conflicts": report.conflicts, "rejected": shown(report.rejections)},
        )
        self.report = report


def shown(rejections: Sequence[Rejection]) -> list[dict[str, object]]:
    """Rejections as the report lists them, by index."""
    return [
        {"index": r.index, "id": r.id, "code": r.code, "message": r.message}
        for r in sorted(rejections, key=lambda rejection: rejection.index)
    ]


def merged(reports: Sequence[Report]) -> Report:
    """One report over the parts of one request."""
    return Report(
        sum(report.received for report in reports),
        sum(report.stored for report in reports),
        sum(report.duplicates for report in reports),
        sum(report.conflicts for report in reports),
        [rejection for report in reports for rejection in report.rejections],
    )
