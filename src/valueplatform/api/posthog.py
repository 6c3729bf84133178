"""Events in from PostHog's libraries. Their host is this server's address with `/ingest/posthog`."""

from typing import Any, Final

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType, Schema

from valueplatform.api.calling import ApiRequest, OpenGate
from valueplatform.api.documentation import JSON, answers, described_body
from valueplatform.api.events import OpenIntake
from valueplatform.api.product_analytics import ERRORS, body_of, key_in_header, take, writer
from valueplatform.telemetry.posthog import ORIGIN, parse_posthog

_PLACE: Final = "as `api_key` or `token` in the body"
_TEXT: Final = Schema(type=OpenAPIType.STRING)
_TIME: Final = Schema(one_of=[_TEXT, Schema(type=OpenAPIType.NUMBER)])
_EVENT_FIELDS: Final[dict[str, Any]] = {
    "event": _TEXT,
    "distinct_id": _TEXT,
    "uuid": _TEXT,
    "timestamp": _TIME,
    "offset": Schema(type=OpenAPIType.NUMBER),
    "properties": Schema(type=OpenAPIType.OBJECT),
}
_REQUEST_FIELDS: Final[dict[str, Any]] = {"api_key": _TEXT, "token": _TEXT, "sent_at": _TIME}
_EVENT: Final = Schema(type=OpenAPIType.OBJECT, properties=_EVENT_FIELDS, required=["event"])
_ONE: Final = Schema(type=OpenAPIType.OBJECT, properties={**_REQUEST_FIELDS, **_EVENT_FIELDS}, required=["event"])
_BATCH: Final = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        **_REQUEST_FIELDS,
        "batch": Schema(type=OpenAPIType.ARRAY, items=_EVENT),
        "historical_migration": Schema(type=OpenAPIType.BOOLEAN),
    },
    required=["batch"],
)
_BODY: Final = Schema(any_of=[_BATCH, _ONE, Schema(type=OpenAPIType.ARRAY, items=_EVENT)])
_USED: Final[dict[str, Any]] = {
    "event": "Job Dispatched",
    "distinct_id": "kim",
    "uuid": "0195569e-3a00-7c4e-9d0a-7f1f3c1c2a55",
    "timestamp": "2026-03-02T09:00:00.000Z",
    "properties": {"$groups": {"company": "harbor-logistics"}, "minutes": 12.5},
}
_KEY: Final = {"api_key": "vp_ingest_…"}
_ABOUT: Final = (
    "The account is the group of type company, account or organization, else the only group; an event without one is "
    "rejected, kept, and can be replayed. A `$groupidentify` names the account and adds its properties to it; an "
    "`$identify` or `$set` with an e-mail address adds the person to it."
)


class PostHogAnswer(msgspec.Struct, frozen=True):
    """The same whatever became of the events: what was rejected is listed by `GET /api/v1/rejected-events`."""

    status: int


_DONE: Final = PostHogAnswer(1)


def posthog_handlers() -> list[HTTPRouteHandler]:
    return [_handler(path) for path in ("batch", "capture", "i/v0/e")]


def _handler(path: str) -> HTTPRouteHandler:
    @post(
        f"/ingest/posthog/{path}",
        status_code=200,
        tags=("Events",),
        security=({"key": []}, {}),
        request_max_body_size=None,  # `read_body` is stricter, and knows what is packed
        summary="Take PostHog's events: a batch, or one",
        responses=answers(PostHogAnswer, _DONE, *ERRORS),
        operation_class=described_body(_ABOUT, {JSON: _BODY}, {JSON: [{**_KEY, "batch": [_USED]}, {**_KEY, **_USED}]}),
    )
    async def receive(request: ApiRequest, gate: OpenGate, intake: OpenIntake) -> PostHogAnswer:
        packed = request.query_params.get("compression") in {"gzip", "gzip-js"}
        body = await body_of(request, "gzip" if packed else "")
        received_at = intake.clock()
        found = parse_posthog(body, received_at)
        caller = await writer(gate, found.api_key or key_in_header(request), _PLACE)
        await take(intake, caller, ORIGIN, found.parsed, received_at, len(body))
        return _DONE

    return receive
