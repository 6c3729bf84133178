"""What the OpenAPI description says beside what it reads from the handlers: errors, examples, how to sign in."""

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import (
    Components,
    Example,
    License,
    OpenAPIMediaType,
    Operation,
    RequestBody,
    Schema,
    SecurityScheme,
    Tag,
)
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from valueplatform.api.once import LONGEST as LONGEST_KEY
from valueplatform.api.problems import MEDIA_TYPE
from valueplatform.core.pages import LARGEST_LIMIT

PUBLIC: Final[list[dict[str, list[str]]]] = [{}]
"""The `security` of what needs no key."""

_WHEN: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "The request cannot be understood; sent again unchanged, it will fail again.",
        401: "No key, or none that is valid.",
        403: "The key may not do this; `missing` names the right.",
        404: "There is no such thing among what the key may see.",
        406: "Not available in the form that is asked for; the problem names those that are.",
        408: "The body did not arrive in time.",
        409: "The request contradicts what is recorded already.",
        413: "The body is larger than the stated limit.",
        422: "Understood, and impossible by the rules of value; the problem says which.",
        429: "Too much waits already, or the key has sent more than it may; `Retry-After` says for how many seconds.",
        503: "The database cannot be reached at present; `Retry-After` says for how many seconds.",
    }
)
READS: Final = (400, 401, 403, 404, 503)
WRITES: Final = (400, 401, 403, 404, 409, 413, 422, 503)


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457. `code` is stable and for machines, `detail` for people; some problems say more."""

    type: Annotated[str, Meta(examples=["about:blank"])]
    title: str
    status: int
    detail: str
    code: str


class _Answer(ResponseSpec):
    """What is said once is the same for every copy of a handler; the framework copies each deeply as it registers it,
    and what its answers look like was three quarters of starting."""

    def __deepcopy__(self, _memo: object) -> "_Answer":
        return self


def answers(
    shape: object, example: object, *errors: int, status: int = 200, description: str = ""
) -> dict[int, ResponseSpec]:
    """What an operation answers, for its `responses`: the good answer with an example, and its errors."""
    good = _Answer(
        data_container=shape,
        generate_examples=False,
        description=description or HTTPStatus(status).phrase,
        examples=[Example(value=msgspec.to_builtins(example))] if example is not None else None,
    )
    return {status: good, **{code: _error(code) for code in sorted(errors)}}


def _error(status: int) -> ResponseSpec:
    title = HTTPStatus(status).phrase
    example = {"type": "about:blank", "title": title, "status": status, "detail": _WHEN[status], "code": "…"}
    return _Answer(
        data_container=Problem,
        generate_examples=False,
        description=_WHEN[status],
        media_type=MEDIA_TYPE,
        examples=[Example(value=example)],
    )


JSON: Final = "application/json"


def described_body(
    text: str, schemas: Mapping[str, Schema], examples: Mapping[str, Sequence[object]] = MappingProxyType({})
) -> type[Operation]:
    """An operation whose request body is read raw: its schema and examples by media type."""
    content = {
        media: OpenAPIMediaType(
            schema=schema,
            examples={f"example {number}": Example(value=one) for number, one in enumerate(examples.get(media, ()), 1)},
        )
        for media, schema in schemas.items()
    }

    @dataclass
    class Described(Operation):
        def __post_init__(self) -> None:
            self.request_body = RequestBody(content=content, description=text, required=True)

    return Described


_DESCRIPTION: Final = """\
Value of every account, as its customer and its supplier agreed on it, with the proof of each number.

**Keys.** Every request carries a key: `Authorization: Bearer vp_…`. `valueplatform key create` makes one. A key sees
exactly its accounts; whatever else there may be answers 404. A partner's key sees the partner's own rows, its share
and the combined total.

**Numbers** are exact decimals, written as text. **Days** are local to the account; `to` is the day after the last.

**Lists** come in pages: `limit` and `cursor` go in, `items` and `next_cursor` come out; the last page has none.

**Reading again.** Every answer has an `ETag`; sent back as `If-None-Match`, it answers 304 where nothing changed.

**Writing once.** A write with an `Idempotency-Key` answers the same when it is sent again within 24 hours, and is not
done twice; the same key with another request is a conflict.

**Errors** are RFC 9457 problems (`application/problem+json`) with a stable `code`.
"""
_TAGS: Final = (
    ("Accounts", "Accounts in reach of the key, and what each is worth."),
    ("Benchmarks", "Where an account stands among others, and what a prospect may expect; cohorts of five or more."),
    ("Story", "What the value means, in sentences whose every number opens up to its proof."),
    ("Suggestions", "Next best value, ranked, and what was decided about it."),
    ("Report", "The value report as a file."),
    ("Assumptions", "Inputs to value that telemetry cannot see; both sides set them, a validator agrees."),
    ("Plans", "Objectives, and value committed to, every version kept."),
    ("Scenarios", "What an account's value would be if something changed; projections, never realized value."),
    ("Milestones", "The spine of an account's timeline."),
    ("Consents", "What the customer lets each partner see and send."),
    ("Contributions", "What partners report of their own: beside realized value, and in no total of it."),
    ("Splits", "How joint drivers are shared, once customer, supplier and partner have all agreed."),
    ("Meters", "What was counted, in OpenMeter's form."),
    ("Events", "Usage events in, and what could not be taken."),
    ("OpenTelemetry", "Metrics and logs in, as OpenTelemetry's exporters send them."),
    ("Catalog", "What is sent, what of it is used, and who answers for it."),
    ("Data quality", "Whether what comes in can be relied on."),
    ("Stewardship", "What calls for a person."),
    (
        "Finance",
        "What a dollar invested delivered, retention and unit economics, and the exchange rates that totals need.",
    ),
    ("Operation", "Whether the service lives."),
)


_BOUNDS: Final[Mapping[tuple[str, str], Mapping[str, int]]] = MappingProxyType(
    {
        ("limit", "integer"): {"minimum": 1, "maximum": LARGEST_LIMIT},
        ("Idempotency-Key", "string"): {"minLength": 1, "maxLength": LONGEST_KEY},
    }
)
"""By parameter and type."""


class _Documents(Router):
    """Where the description is served, without the framework's own page for every other address beneath `/api`: those
    answer 404 as all unknown addresses do."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        if isinstance(value, HTTPRouteHandler) and value.handler_name == "handle_schema_path_not_found":
            return []
        return super().register(value)


class _Description(JsonRenderPlugin):
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, with_bounds(with_docstrings(openapi_schema)))


def with_docstrings(document: dict[str, Any]) -> dict[str, Any]:
    """The description with what our shapes say of themselves, which the framework leaves out."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for shape in _shapes(msgspec.Struct):
        named[shape.__name__].add(inspect.cleandoc(shape.__doc__ or ""))
    for name, schema in document["components"]["schemas"].items():
        said = named[name]
        if len(said) == 1 and any(said):  # of two shapes of one name nothing is said
            schema.setdefault("description", next(iter(said)))
    return document


def with_bounds(document: dict[str, Any]) -> dict[str, Any]:
    """The description with what is checked beyond the types: how many items a page may have, how long a key to write
    once may be, and that bodies with members which nobody knows are refused."""
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                for schema in (parameter["schema"], *parameter["schema"].get("oneOf", ())):
                    schema.update(_BOUNDS.get((parameter["name"], schema.get("type")), {}))
    strict = {shape.__name__ for shape in _shapes(msgspec.Struct) if shape.__struct_config__.forbid_unknown_fields}
    for name in strict & document["components"]["schemas"].keys():
        document["components"]["schemas"][name]["additionalProperties"] = False
    return document


def _shapes(shape: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in shape.__subclasses__():
        if one.__module__.startswith("valueplatform."):
            yield one
        yield from _shapes(one)


def openapi_config(version: str, *pages: OpenAPIRenderPlugin) -> OpenAPIConfig:
    """The description at `/api/openapi.json`, and pages made of it."""
    key = SecurityScheme(
        type="http", scheme="bearer", description="A key from `valueplatform key create`, such as `vp_partner_…`."
    )
    basic = SecurityScheme(type="http", scheme="basic", description="A key as user name, as Segment sends it.")
    return OpenAPIConfig(
        title="Value Platform",
        version=version,
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        openapi_router=_Documents("/api", route_handlers=[], include_in_schema=False),
        render_plugins=[_Description(media_type="application/json"), *pages],  # type: ignore[arg-type]  # any media type is served
        components=Components(security_schemes={"key": key, "writeKey": basic}),
        security=[{"key": []}],
        tags=[Tag(name=name, description=text) for name, text in _TAGS],
        use_handler_docstrings=True,
    )
