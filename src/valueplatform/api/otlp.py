"""OpenTelemetry in: metrics and logs over OTLP/HTTP, in protobuf or JSON.

Success is 200 with the export response in the request's own encoding, empty or with `partial_success`. Errors are a
`google.rpc.Status` in that encoding, as the protocol asks, with the HTTP status and `Retry-After` of all our errors.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Operation, Schema
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from valueplatform.api.calling import ApiRequest
from valueplatform.api.documentation import answers, described_body
from valueplatform.api.events import STRICT, Taking, sender_of, wishes_of
from valueplatform.api.problems import answer_http, answer_problem, answer_unexpected
from valueplatform.api.request_body import read_body
from valueplatform.core.authorization import Action, require
from valueplatform.core.errors import InvalidInputError, ProblemError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.dialect import Parsed
from valueplatform.telemetry.otlp import ORIGIN, Encoding, parse_request
from valueplatform.telemetry.otlp_accounts import section_in_force
from valueplatform.telemetry.otlp_wire import Signal
from valueplatform.telemetry.requests import IngestRequest, Report, shown

_NAMED_REASONS: Final = 3
_LARGE: Final = 64 * 1024
"""Bytes of a body from which on it is read beside the event loop, so that others are not kept waiting."""

# Codes of google.rpc by HTTP status; what is not here is UNKNOWN.
_RPC_CODES: Final = {400: 3, 401: 16, 403: 7, 408: 4, 413: 8, 422: 9, 429: 8, 500: 13, 503: 14}
_UNKNOWN: Final = 2


class RpcStatus(msgspec.Struct, frozen=True):
    """`google.rpc.Status`: `code` is that of gRPC, `message` for people."""

    code: int
    message: str


class ExportResponse(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`partialSuccess` only where something was not taken."""

    partial_success: dict[str, str] | None = None


def _answers() -> dict[int, ResponseSpec]:
    refused = {"rejectedDataPoints": "1", "errorMessage": "1 of 2 were not taken: [0] missing_account …"}
    documented = answers(ExportResponse, ExportResponse(refused), 400, 401, 403, 408, 413, 422, 429, 503)
    for status, spec in documented.items():
        if status != 200:
            spec.data_container, spec.media_type, spec.examples = RpcStatus, Encoding.JSON, None
    return documented


def encoding_of(content_type: str) -> Encoding:
    """Raises InvalidInputError for any other than the two."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in set(Encoding):
        raise InvalidInputError(f"Content-Type is {content_type[:80]!r}; send {' or '.join(Encoding)}.")
    return Encoding(media)


def _as_status(
    answer: Callable[[Request[Any, Any, Any], Any], Response[bytes]],
) -> Callable[[Request[Any, Any, Any], Any], Response[bytes]]:
    """The answer to an error, with a Status in the place of the problem."""

    def answer_status(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        problem = answer(request, error)
        detail = msgspec.json.decode(problem.content)["detail"]
        try:
            encoding = encoding_of(request.headers.get("content-type", ""))
        except InvalidInputError:
            encoding = Encoding.JSON
        status = RpcStatus(_RPC_CODES.get(problem.status_code or 500, _UNKNOWN), detail)
        body = msgspec.json.encode(status) if encoding is Encoding.JSON else _as_protobuf(status)
        headers = {name: value for name, value in problem.headers.items() if value is not None}
        return Response(body, status_code=problem.status_code, media_type=encoding, headers=headers)

    return answer_status


def _as_protobuf(status: RpcStatus) -> bytes:
    """By hand: two fields are not worth a dependency. Codes are below 128, so one byte each."""
    message = status.message.encode(errors="replace")
    return bytes([0x08, status.code, 0x12]) + _varint(len(message)) + message


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _described(message: str) -> type[Operation]:
    about = f"An `{message}` of OTLP, in protobuf or its JSON form; the account is the attribute that the model names."
    schemas = {
        "application/x-protobuf": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY),
        Encoding.JSON.value: Schema(type=OpenAPIType.OBJECT),
    }
    return described_body(about, schemas)


class OtlpController(Controller):
    path = "/ingest/otlp/v1"
    tags = ("OpenTelemetry",)
    exception_handlers = {  # noqa: RUF012 - the framework types it so
        ProblemError: _as_status(answer_problem),
        HTTPException: _as_status(answer_http),
        Exception: _as_status(answer_unexpected),
    }

    @post(
        "/metrics",
        status_code=200,
        request_max_body_size=None,  # `read_body` is stricter, and knows what is packed
        summary="Take metrics over OTLP/HTTP: each data point becomes an event",
        operation_class=_described("ExportMetricsServiceRequest"),
        responses=_answers(),
    )
    async def metrics(self, request: ApiRequest, taking: NamedDependency[Taking]) -> Response[bytes]:
        return await _receive(request, taking, Signal.METRICS)

    @post(
        "/logs",
        status_code=200,
        request_max_body_size=None,  # as above
        summary="Take log records over OTLP/HTTP: each becomes an event",
        operation_class=_described("ExportLogsServiceRequest"),
        responses=_answers(),
    )
    async def logs(self, request: ApiRequest, taking: NamedDependency[Taking]) -> Response[bytes]:
        return await _receive(request, taking, Signal.LOGS)


async def _receive(request: ApiRequest, taking: Taking, signal: Signal) -> Response[bytes]:
    caller, intake, headers = taking.caller, taking.intake, request.headers
    require(caller, Action.WRITE_EVENTS)
    encoding = encoding_of(headers.get("content-type", ""))
    body = await read_body(request.stream(), headers.get("content-encoding", ""), request.content_length)
    async with intake.database.transaction(no_accounts()) as tx:
        section = await section_in_force(tx)
    received_at = intake.clock()
    arguments = (signal, encoding, body, received_at, section)
    parsed = await asyncio.to_thread(parse_request, *arguments) if len(body) > _LARGE else parse_request(*arguments)
    report = await intake.committer.commit(
        IngestRequest(
            sender_of(caller, ORIGIN),
            received_at,
            parsed.events,
            parsed.rejections,
            strict=STRICT in wishes_of(headers.getall("prefer", [])),
            size=len(body) + _held(parsed),
        )
    )
    return Response(_export_response(signal, encoding, report), media_type=encoding)


def _held(parsed: Parsed) -> int:
    """Characters that the events and rejections hold."""
    events = sum(len(event.data_text or "") for event in parsed.events)
    return events + sum(len(rejection.body) for rejection in parsed.rejections)


def _export_response(signal: Signal, encoding: Encoding, report: Report) -> bytes:
    lost = report.conflicts + len(report.rejections)
    said = _said(report, lost) if lost else ""
    if encoding is Encoding.JSON:
        counted = "rejectedDataPoints" if signal is Signal.METRICS else "rejectedLogRecords"
        return msgspec.json.encode(ExportResponse({counted: str(lost), "errorMessage": said} if lost else None))
    if signal is Signal.METRICS:
        metrics = ExportMetricsServiceResponse()
        if lost:
            metrics.partial_success.rejected_data_points = lost
            metrics.partial_success.error_message = said
        return metrics.SerializeToString()
    logs = ExportLogsServiceResponse()
    if lost:
        logs.partial_success.rejected_log_records = lost
        logs.partial_success.error_message = said
    return logs.SerializeToString()


def _said(report: Report, lost: int) -> str:
    reasons = [f"[{each['index']}] {each['code']}: {each['message']}" for each in shown(report.rejections)]
    named = reasons[:_NAMED_REASONS]
    if len(reasons) > len(named):
        named.append(f"and {len(reasons) - len(named)} more")
    if report.conflicts:
        named.append(f"{report.conflicts} told another value than before for the same time")
    kept = "GET /api/v1/rejected-events lists what is kept" if reasons else "the first value stays"
    return f"{lost} of {report.received} were not taken; {kept}. {'; '.join(named)}"
