"""Events in over HTTP: CloudEvents, their retraction, and what could not be taken."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Reference, Schema
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from valueplatform.api.calling import ApiRequest, Caller, Gate
from valueplatform.api.documentation import JSON, answers, described_body
from valueplatform.api.request_body import read_body
from valueplatform.core.authorization import Action, KeyPrincipal, require
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database
from valueplatform.core.numbers import decimal_text
from valueplatform.core.pages import DEFAULT_LIMIT, Page, checked_limit, number_position, page_of
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.cloudevents import ORIGIN, parse_request
from valueplatform.telemetry.group_commit import GroupCommitter
from valueplatform.telemetry.preview import Preview, Previewer
from valueplatform.telemetry.rejections import (
    RejectedEvent,
    readable_by,
    rejected_event_of,
    rejected_events,
)
from valueplatform.telemetry.replaying import replay
from valueplatform.telemetry.requests import IngestRequest, Report, Sender, shown
from valueplatform.telemetry.retraction import retract
from valueplatform.value.feeding import drivers_by_meter
from valueplatform.value.models import stored_model

STRICT: Final = "handling=strict"
"""All or nothing, of the preferences of a request."""


class Intake:
    """Where events go: the committer of this process, and the database in the ingest role."""

    def __init__(self, database: Database, committer: GroupCommitter, clock: Clock) -> None:
        self.database = database
        self.committer = committer
        self.clock = clock
        self.previewer = Previewer(database)


class Taking(msgspec.Struct, frozen=True):
    """Who sends, and where it goes: one dependency, as two of them would be resolved as tasks, at 50 us a request."""

    caller: KeyPrincipal
    intake: Intake


OpenIntake = NamedDependency[Intake]


class ReportOut(msgspec.Struct, frozen=True):
    """received = stored + duplicates + conflicts + the number of rejected."""

    received: int
    stored: int
    duplicates: int
    conflicts: int
    rejected: list[dict[str, Any]]


class RejectedOut(msgspec.Struct, frozen=True):
    """`event_id` is the id that the event gave itself, `body` what was sent."""

    id: int
    event_id: str | None
    origin: str
    code: str
    message: str
    body: str
    received_at: datetime
    replayed_at: datetime | None


class MeasuredOut(msgspec.Struct, frozen=True):
    """`value` is 1 for COUNT, an exact number as text, or a member; `unmetered` says why there is none. `drivers` rest
    on the meter."""

    meter: str
    dimensions: Mapping[str, str | None]
    value: str | None
    unmetered: str | None
    drivers: Sequence[str]


class PreviewedOut(msgspec.Struct, frozen=True):
    """`outcome` is stored, duplicate, conflict or rejected. `new_account`: the account would be created."""

    index: int
    id: str | None
    outcome: str
    code: str | None
    message: str | None
    type: str | None
    account: str | None
    new_account: bool
    day: date | None
    time: datetime | None
    subject: str | None
    provider: str | None
    meters: Sequence[MeasuredOut]


class PreviewOut(msgspec.Struct, frozen=True):
    received: int
    events: Sequence[PreviewedOut]


_REASON: Final = {"code": "missing_type", "message": "The event has no type; set the attribute type."}
_REPORT: Final = ReportOut(3, 1, 1, 0, [{"index": 2, "id": "42", **_REASON}])
_PREVIEW: Final = PreviewOut(
    1,
    [
        PreviewedOut(
            0, "job-42", "stored", None, None, "job.dispatched", "harbor-logistics", False, date(2026, 3, 2),
            datetime(2026, 3, 2, 9, tzinfo=UTC), "kim", "supplier",
            [MeasuredOut("dispatch_minutes", {"team": "north"}, "12.5", None, ["dispatch_time"])],
        )
    ],
)  # fmt: skip
_REJECTED: Final = RejectedOut(
    7,
    "42",
    ORIGIN,
    _REASON["code"],
    _REASON["message"],
    '{"specversion":"1.0","id":"42","source":"/app","account":"harbor-logistics"}',
    datetime(2026, 3, 2, 9, tzinfo=UTC),
    None,
)


_TEXT: Final = Schema(type=OpenAPIType.STRING)
_MEMBERS: Final[dict[str, Schema | Reference]] = {
    **dict.fromkeys(("specversion", "id", "source", "type", "account", "subject", "provider"), _TEXT),
    "time": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME),
    "data": Schema(),
}
_EVENT: Final = Schema(type=OpenAPIType.OBJECT, properties=_MEMBERS, required=["id", "source", "type"])
_EVENTS: Final = Schema(type=OpenAPIType.ARRAY, items=_EVENT)
_ONE, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_BODIES: Final = {_ONE: _EVENT, _BATCH: _EVENTS, JSON: Schema(one_of=[_EVENT, _EVENTS])}
_EXAMPLE: Final[dict[str, object]] = {
    "specversion": "1.0",
    "id": "job-42",
    "source": "/app",
    "type": "job.dispatched",
    "account": "harbor-logistics",
    "time": "2026-03-02T09:00:00Z",
    "data": {"minutes": 12.5},
}
_SENT: Final[dict[str, list[object]]] = {_ONE: [_EXAMPLE], _BATCH: [[_EXAMPLE]], JSON: [[_EXAMPLE]]}
_BODY_ABOUT: Final = (
    "One event or up to 2,500, at most 4 MiB unpacked, packed by gzip or not. In binary mode the attributes are `ce-` "
    "headers and the body is the data. The account is the extension attribute `account`, else the subject."
)


def report_out(report: Report) -> ReportOut:
    return ReportOut(report.received, report.stored, report.duplicates, report.conflicts, shown(report.rejections))


def _preview_out(found: Preview, drivers: Mapping[str, Sequence[str]]) -> PreviewedOut:
    meters = [
        MeasuredOut(
            one.meter,
            one.dimensions,
            decimal_text(one.value)
            if isinstance(one.value, Decimal)
            else None
            if one.value is None
            else str(one.value),
            one.unmetered,
            drivers.get(one.meter, ()),
        )
        for one in found.meters
    ]
    told = {name: getattr(found, name) for name in PreviewedOut.__struct_fields__ if name not in {"meters", "outcome"}}
    return PreviewedOut(**told, outcome=found.outcome.value, meters=meters)


def _value_text(value: Decimal | int | str | None) -> str | None:
    if value is None:
        return None
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


def intake_provided(intake: Intake) -> dict[str, Provide]:
    """What handlers take that send events on, whoever calls them."""

    def provide_intake() -> Intake:
        return intake

    return {"intake": Provide(provide_intake, sync_to_thread=False)}


def provided(intake: Intake) -> dict[str, Provide]:
    """What these handlers take by name, beside what `calling.provided` gives."""

    def provide_taking(caller: Caller) -> Taking:
        return Taking(caller, intake)

    return {**intake_provided(intake), "taking": Provide(provide_taking, sync_to_thread=False)}


def sender_of(caller: KeyPrincipal, origin: str = ORIGIN) -> Sender:
    return Sender(origin, caller.provider, caller.key_id, caller.account_ids, caller.sources, limited=caller.limited)


class EventsController(Controller):
    path = "/api/v1"
    tags = ("Events",)

    @post(
        "/events/preview",
        status_code=200,
        request_max_body_size=None,  # as above
        summary="What events would become, before they are sent: nothing is kept",
        responses=answers(PreviewOut, _PREVIEW, 400, 401, 403, 408, 413, 429, 503),
        operation_class=described_body(_BODY_ABOUT, _BODIES, _SENT),
    )
    async def preview(self, request: ApiRequest, taking: NamedDependency[Taking]) -> PreviewOut:
        """Takes what `POST /api/v1/events` takes. Each event with its verdict, its account and local day, what each
        meter would read of it, and which drivers rest on these meters."""
        caller, intake, headers = taking.caller, taking.intake, request.headers
        require(caller, Action.WRITE_EVENTS)
        body = await read_body(request.stream(), headers.get("content-encoding", ""), request.content_length)
        received_at = intake.clock()
        parsed = parse_request(headers.get("content-type", ""), headers, body, received_at)
        asked = IngestRequest(sender_of(caller), received_at, parsed.events, parsed.rejections, size=len(body))
        found = await intake.previewer.preview(asked)
        async with intake.database.transaction(no_accounts()) as tx:
            fed = drivers_by_meter(await stored_model(tx))
        return PreviewOut(len(found), [_preview_out(one, fed) for one in found])

    @get(
        "/rejected-events",
        summary="Events that could not be taken, oldest first",
        responses=answers(Page[RejectedOut], Page([_REJECTED], None), 400, 401, 403, 503),
    )
    async def rejected(
        self,
        caller: Caller,
        intake: OpenIntake,
        limit: Annotated[int, QueryParameter(description="Items on a page")] = DEFAULT_LIMIT,
        cursor: Annotated[str | None, QueryParameter(description="`next_cursor` of the page before")] = None,
    ) -> Page[RejectedOut]:
        require(caller, Action.READ_REJECTED)
        after = number_position(cursor) or 0
        async with intake.database.transaction(no_accounts()) as tx:
            rows = await rejected_events(tx, readable_by(caller), after=after, limit=checked_limit(limit) + 1)
        return page_of([_rejected_out(row) for row in rows], limit, lambda row: row.id)

    @post(
        "/rejected-events/{rejected_id:int}/replay",
        status_code=200,
        summary="Try a rejected event again",
        responses=answers(ReportOut, _REPORT, 400, 401, 403, 404, 422, 429, 503),
    )
    async def replay(
        self,
        caller: Caller,
        intake: OpenIntake,
        rejected_id: Annotated[int, PathParameter(description="`id` of the rejected event")],
    ) -> ReportOut:
        require(caller, Action.REPLAY_REJECTED)
        async with intake.database.transaction(no_accounts()) as tx:
            rejected = await rejected_event_of(tx, readable_by(caller), rejected_id)
        return report_out(await replay(intake.database, intake.committer, rejected, intake.clock()))


def event_handlers(gate: Gate, intake: Intake) -> list[HTTPRouteHandler]:
    """The way in of most events, and back. They stand alone, since what Litestar does for guards and dependencies takes
    as long as all else of a request with one event; so each checks the key for itself."""

    @post(
        "/api/v1/events",
        status_code=200,
        tags=EventsController.tags,
        request_max_body_size=None,  # `read_body` is stricter, and knows what is packed
        summary="Take usage events: CloudEvents structured, binary, batch, or a plain JSON array",
        responses={
            **answers(ReportOut, _REPORT, 400, 401, 403, 408, 413, 422, 429, 503),
            **answers(None, None, status=204, description="All were taken, now or before."),
        },
        operation_class=described_body(_BODY_ABOUT, _BODIES, _SENT),
    )
    async def receive(request: ApiRequest) -> ASGIResponse:
        caller = await gate.caller(request)
        require(caller, Action.WRITE_EVENTS)
        headers = request.headers
        body = await read_body(request.stream(), headers.get("content-encoding", ""), request.content_length)
        received_at = intake.clock()
        parsed = parse_request(headers.get("content-type", ""), headers, body, received_at)
        preferences = headers.getall("prefer", [])
        wishes = wishes_of(preferences) if preferences else ()
        report = await intake.committer.commit(
            IngestRequest(
                sender_of(caller),
                received_at,
                parsed.events,
                parsed.rejections,
                strict=STRICT in wishes,
                size=len(body),
            )
        )
        if report.all_taken and "return=representation" not in wishes:
            return ASGIResponse(status_code=204)
        return ASGIResponse(body=msgspec.json.encode(report_out(report)), media_type=MediaType.JSON)

    @delete(
        "/api/v1/events",
        tags=EventsController.tags,
        operation_id="ApiV1EventsRetract",
        summary="Retract an event: its effects are undone",
        responses=answers(None, None, 400, 401, 403, 404, 503, status=204),
    )
    async def retract_event(
        request: ApiRequest,
        source: Annotated[str, QueryParameter(description="The event's source")],
        event_id: Annotated[str, QueryParameter(name="id", description="The event's id")],
    ) -> None:
        caller = await gate.caller(request)
        require(caller, Action.RETRACT_EVENTS)
        async with intake.database.transaction(no_accounts()) as tx:
            await retract(tx, sender_of(caller), source, event_id)

    return [receive, retract_event]


def wishes_of(lines: Iterable[str]) -> set[str]:
    """The preferences of RFC 7240, in lower case and without quotes."""
    return {wish.strip().replace('"', "").lower() for line in lines for wish in re.split("[,;]", line)}


def _rejected_out(row: RejectedEvent) -> RejectedOut:
    return RejectedOut(
        row.rejected_id, row.id, row.origin, row.code, row.message, row.body, row.received_at, row.replayed_at
    )
