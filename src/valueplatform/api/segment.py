"""Events in from Segment's libraries. Their host is this server's address with `/ingest/segment`."""

from typing import Any, Final

import msgspec
from litestar import Controller, post
from litestar.openapi.spec import OpenAPIType, Schema

from valueplatform.api.calling import ApiRequest, OpenGate
from valueplatform.api.documentation import answers
from valueplatform.api.events import OpenIntake
from valueplatform.api.product_analytics import ERRORS, body_of, described, key_in_header, take, writer
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
_ABOUT: Final = (
    "The account is `context.groupId`, of group calls `groupId`; an event without one is rejected, kept, and can be "
    "replayed. A group call names the account and adds its traits to it; an identify call with an e-mail address adds "
    "the person to it."
)


class SegmentAnswer(msgspec.Struct, frozen=True):
    """The same whatever became of the events: what was rejected is listed by `GET /api/v1/rejected-events`."""

    success: bool


_DONE: Final = SegmentAnswer(success=True)


class SegmentController(Controller):
    path = "/ingest/segment/v1"
    tags = ("Events",)
    security = ({"writeKey": []}, {"key": []}, {})
    request_max_body_size = None  # `read_body` is stricter, and knows what is packed

    @post(
        f"/{BATCH}",
        status_code=200,
        summary="Take a batch of Segment's calls",
        responses=answers(SegmentAnswer, _DONE, *ERRORS),
        operation_class=described(
            _ABOUT, _BATCH, {"batch": [{"type": "track", **_TRACK}], "sentAt": "2026-03-02T09:00:01.000Z"}
        ),
    )
    async def batch(self, request: ApiRequest, gate: OpenGate, intake: OpenIntake) -> SegmentAnswer:
        return await _receive(BATCH, request, gate, intake)

    @post(
        [f"/{call}" for call in CALLS],
        status_code=200,
        summary="Take one of Segment's calls",
        responses=answers(SegmentAnswer, _DONE, *ERRORS),
        operation_class=described(_ABOUT, _CALL, _TRACK),
    )
    async def one(self, request: ApiRequest, gate: OpenGate, intake: OpenIntake) -> SegmentAnswer:
        return await _receive(request.url.path.rstrip("/").rpartition("/")[2], request, gate, intake)


async def _receive(call: str, request: ApiRequest, gate: OpenGate, intake: OpenIntake) -> SegmentAnswer:
    key = key_in_header(request)
    caller = None if key is None else await writer(gate, key, _PLACE)
    body = await body_of(request)
    received_at = intake.clock()
    found = parse_segment(call, body, received_at)
    if caller is None:
        caller = await writer(gate, found.write_key, _PLACE)
    await take(intake, caller, ORIGIN, found.parsed, received_at, len(body))
    return _DONE
