"""Events in from Segment's libraries. Their host is this server's address with `/ingest/segment`."""

from typing import Any, Final

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType, Schema

from valueplatform.api.calling import ApiRequest, OpenGate
from valueplatform.api.documentation import JSON, answers, described_body
from valueplatform.api.events import OpenIntake
from valueplatform.api.product_analytics import ERRORS, body_of, key_in_header, take, writer
from valueplatform.telemetry.segment import BATCH, CALLS, ORIGIN, parse_segment

_PLACE: Final = "as the user name of `Authorization: Basic …`, or as `writeKey`"
_TEXT: Final = Schema(type=OpenAPIType.STRING)
_OBJECT: Final = Schema(type=OpenAPIType.OBJECT)
_CALL: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "type": Schema(type=OpenAPIType.STRING, enum=CALLS),
        **dict.fromkeys(("messageId", "userId", "anonymousId", "groupId", "previousId", "event", "name"), _TEXT),
        **dict.fromkeys(("timestamp", "originalTimestamp", "sentAt", "writeKey"), _TEXT),
        **dict.fromkeys(("properties", "traits", "context"), _OBJECT),
    },
)
_BATCH: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={"batch": Schema(type=OpenAPIType.ARRAY, items=_CALL), "sentAt": _TEXT, "writeKey": _TEXT},
    required=["batch"],
)
_TRACK: Final[dict[str, Any]] = {
    "messageId": "ajs-next-1735689600-42",
    "userId": "kim",
    "event": "Job Dispatched",
    "timestamp": "2026-03-02T09:00:00.000Z",
    "context": {"groupId": "harbor-logistics"},
    "properties": {"minutes": 12.5},
}
_BATCH_SENT: Final = {"batch": [{"type": "track", **_TRACK}], "sentAt": "2026-03-02T09:00:01.000Z"}
_ABOUT: Final = (
    "The account is `context.groupId`, of group calls `groupId`, else the group that the user was put into; an event "
    "without any is rejected, kept, and can be replayed. A group call names the account and adds its traits to it; an "
    "identify call with an e-mail address adds the person to it."
)


class SegmentAnswer(msgspec.Struct, frozen=True):
    """The same whatever became of the events: what was rejected is listed by `GET /api/v1/rejected-events`."""

    success: bool


_DONE: Final = SegmentAnswer(success=True)


def segment_handlers() -> list[HTTPRouteHandler]:
    return [_handler(call) for call in (BATCH, *CALLS)]


def _handler(call: str) -> HTTPRouteHandler:
    body = (_BATCH, _BATCH_SENT) if call == BATCH else (_CALL, _TRACK)

    @post(
        f"/ingest/segment/v1/{call}",
        status_code=200,
        tags=("Events",),
        security=({"writeKey": []}, {"key": []}, {}),
        request_max_body_size=None,  # `read_body` is stricter, and knows what is packed
        summary="Take a batch of Segment's calls" if call == BATCH else f"Take one {call} call of Segment",
        responses=answers(SegmentAnswer, _DONE, *ERRORS),
        operation_class=described_body(_ABOUT, {JSON: body[0]}, {JSON: body[1:]}),
    )
    async def receive(request: ApiRequest, gate: OpenGate, intake: OpenIntake) -> SegmentAnswer:
        key = key_in_header(request)
        caller = None if key is None else await writer(gate, key, _PLACE)
        body = await body_of(request)
        received_at = intake.clock()
        found = parse_segment(call, body, received_at)
        if caller is None:
            caller = await writer(gate, found.write_key, _PLACE)
        await take(intake, caller, ORIGIN, found.parsed, received_at, len(body))
        return _DONE

    return receive
