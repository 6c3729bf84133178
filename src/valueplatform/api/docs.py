"""The description of the API as a page to read: made on the server from the OpenAPI document, nothing loaded from
elsewhere, no script."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin
from markupsafe import Markup, escape

from valueplatform.api.documentation import with_docstrings

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
_METHODS: Final = ("get", "put", "post", "delete")
_PRETTY: Final = msgspec.json.Encoder(decimal_format="number")
_REFERENCE: Final = "#/components/schemas/"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body. `place`: path, query or header; empty for a field."""

    name: str
    type: str
    place: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    text: str
    media_type: str
    shape: str
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    text: str
    parameters: Sequence[Field]
    body: str
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    text: str
    operations: Sequence[Operation]


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    text: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Docs:
    title: str
    version: str
    text: str
    chapters: Sequence[Chapter]
    shapes: Sequence[Shape]


class DocsPage(OpenAPIRenderPlugin):
    """`/api/docs`. `stylesheets` and `icon` are addresses on this server."""

    def __init__(self, stylesheets: Sequence[str], icon: str, json_address: str = "/api/openapi.json") -> None:
        super().__init__(path="/docs")
        self._stylesheets = stylesheets
        self._icon = icon
        self._json_address = json_address
        self._page: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002 - the same for all
        if self._page is None:
            self._page = (
                _environment()
                .get_template("docs.html")
                .render(
                    docs=docs_of(with_docstrings(openapi_schema)),
                    stylesheets=self._stylesheets,
                    icon=self._icon,
                    json_address=self._json_address,
                )
                .encode()
            )
        return self._page


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["marked"] = marked
    return made


def marked(text: str) -> Markup:
    """Our own descriptions use three marks: blank lines between paragraphs, `code` and **strong**."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        safe = str(escape(" ".join(paragraph.split())))
        safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
        paragraphs.append("<p>" + re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe) + "</p>")
    return Markup("".join(paragraphs)) if text.strip() else Markup("")  # noqa: S704 - escaped above


def docs_of(document: Document) -> Docs:
    """What the page shows of an OpenAPI document."""
    chapters = [
        Chapter(tag["name"], tag.get("description", ""), [*_operations(document, tag["name"])])
        for tag in document.get("tags", ())
    ]
    schemas = document.get("components", {}).get("schemas", {})
    return Docs(
        title=document["info"]["title"],
        version=document["info"]["version"],
        text=document["info"].get("description", ""),
        chapters=[chapter for chapter in chapters if chapter.operations],
        shapes=[_shape(name, schemas[name]) for name in sorted(schemas)],
    )


def _operations(document: Document, tag: str) -> Iterator[Operation]:
    for path, item in sorted(document["paths"].items()):
        for method in _METHODS:
            found = item.get(method)
            if found is not None and tag in found.get("tags", ()):
                yield Operation(
                    anchor=found["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=found.get("summary", ""),
                    text=found.get("description", ""),
                    parameters=[_parameter(given) for given in found.get("parameters", ())],
                    body=_body(found.get("requestBody")),
                    answers=[_answer(status, given) for status, given in found["responses"].items()],
                )


def _parameter(given: Document) -> Field:
    schema = given.get("schema", {})
    text = given.get("description") or schema.get("description") or ""
    kind = type_text(schema).removesuffix(" or null")  # what is left out is not sent as null
    return Field(given["name"], kind, given["in"], bool(given.get("required")), text)


def _body(given: Document | None) -> str:
    if given is None:
        return ""
    return " or ".join(dict.fromkeys(type_text(content.get("schema", {})) for content in given["content"].values()))


def _answer(status: str, given: Document) -> Answer:
    for media_type, content in (given.get("content") or {}).items():
        examples = [example["value"] for example in (content.get("examples") or {}).values() if "value" in example]
        example = _pretty(examples[0]) if examples else ""
        shape = type_text(content.get("schema", {}))
        return Answer(status, given.get("description", ""), media_type, shape, example)
    return Answer(status, given.get("description", ""), "", "", "")


def _pretty(value: object) -> str:
    return msgspec.json.format(_PRETTY.encode(value), indent=2).decode()


def _shape(name: str, schema: Document) -> Shape:
    required = set(schema.get("required", ()))
    fields = [
        Field(field, type_text(given), "", field in required, given.get("description", ""))
        for field, given in schema.get("properties", {}).items()
    ]
    return Shape(name, schema.get("description", "") or ", ".join(map(str, schema.get("enum", ()))), fields)


def type_text(schema: Document) -> str:
    """A type in words; the names of shapes as they are."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_text(part) for part in schema[key]))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kinds = schema.get("type", "anything")
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    return " or ".join(_named(str(name), schema) for name in names)


def _named(name: str, schema: Document) -> str:
    if name == "array":
        return f"list of {type_text(schema.get('items', {}))}"
    if name == "object" and schema.get("additionalProperties"):
        inner = schema["additionalProperties"]
        return f"map to {type_text(inner) if isinstance(inner, Mapping) else 'anything'}"
    return str(schema["format"]) if name == "string" and "format" in schema else name
