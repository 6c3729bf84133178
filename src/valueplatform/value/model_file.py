"""The value model as a TOML file: read it, or learn everything that is wrong with it at once."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION, OtlpSection
from valueplatform.value.model import FIELD_OF_KIND, BenchmarkSection, Supplier, ValueModel
from valueplatform.value.model_check import errors_in, warnings_in
from valueplatform.value.model_findings import Finding, Place, suggestion
from valueplatform.value.model_lines import Lines
from valueplatform.value.model_reader import TableReader
from valueplatform.value.model_tables import (
    read_assumption,
    read_baseline,
    read_benchmark,
    read_criterion,
    read_driver,
    read_event_type,
    read_feature,
    read_meter,
    read_otlp,
    read_pool,
    read_product,
    read_release,
    read_segment,
    read_supplier,
)

LONGEST_FILE: Final = 4 * 1024 * 1024
_KEYS: Final = FIELD_OF_KIND.keys() | {"supplier", "otlp", "benchmark"}
_LINE: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
# Stands in for a supplier that cannot be read, so that the rest of the file is still checked.
_UNREAD_SUPPLIER: Final = Supplier(name="", currency="USD", timezone="UTC")

Defined = TypeVar("Defined", bound=msgspec.Struct)


class Problem(msgspec.Struct, frozen=True):
    """One finding in a file. `path` is like `driver[2] "dispatch_time".formula`; empty for the file as a whole."""

    file: str
    line: int | None
    path: str
    message: str
    cure: str

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        path = f"{self.path}: " if self.path else ""
        return f"{self.file}{line}: {path}{self.message}; {self.cure}"


class ModelFileError(InvalidInputError):
    """A model file that cannot be applied; `problems` are all of them, in the order of their lines."""

    code = "invalid_model"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)), {"problems": msgspec.to_builtins(problems)})
        self.problems = tuple(problems)


def read_model(text: str, filename: str) -> ValueModel:
    """The model that the file describes, every version 1. Raises `ModelFileError`."""
    reading = _Reading(_parsed(text, filename))
    found = [*reading.findings, *(each for each in errors_in(reading.model) if not reading.has_reported(each.place))]
    if found:
        raise ModelFileError(_located(found, filename, text))
    return reading.model


def warnings_of(model: ValueModel, text: str, filename: str) -> list[Problem]:
    """What the file may say, and someone had better know; `model` is what `read_model` made of it."""
    return _located(warnings_in(model), filename, text)


def _parsed(text: str, filename: str) -> dict[str, object]:
    if len(text) > LONGEST_FILE:
        problem = Problem(filename, None, "", f"more than {LONGEST_FILE} characters", "is this the model?")
        raise ModelFileError([problem])
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        number = int(line[1]) if line and line[1] else text.count("\n") + 1
        problem = Problem(filename, number, "", f"not TOML: {_LINE.sub('', str(error))}", "see https://toml.io")
        raise ModelFileError([problem]) from error
    except RecursionError as error:
        problem = Problem(filename, None, "", "nested too deeply", "a model needs tables in lists, nothing deeper")
        raise ModelFileError([problem]) from error


def _located(findings: Sequence[Finding], filename: str, text: str) -> list[Problem]:
    lines = Lines(text)
    problems = []
    for finding in findings:
        at = finding.place
        number = () if at.number is None else (at.number,)
        keys = () if at.key is None else tuple(at.key.split("."))
        line = lines.line_of((at.kind, *number, *keys))
        problems.append(Problem(filename, line, str(at), finding.message, finding.cure))
    return sorted(problems, key=lambda problem: problem.line or 0)


class _Reading:
    """The document as a model, with something in the place of what cannot be read, and the findings about that."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self.findings: list[Finding] = []
        for key in document.keys() - _KEYS:
            self.findings.append(Finding(Place(key), "unknown key", suggestion(key, _KEYS)))
        self.model = ValueModel(
            supplier=self._supplier(document.get("supplier")),
            otlp=self._otlp(document.get("otlp")),
            benchmark=self._benchmark(document.get("benchmark")),
            meters=self._all(document, "meter", read_meter),
            baselines=self._all(document, "baseline", read_baseline),
            assumptions=self._all(document, "assumption", read_assumption),
            pools=self._all(document, "pool", read_pool),
            drivers=self._all(document, "driver", read_driver),
            features=self._all(document, "feature", read_feature),
            releases=self._all(document, "release", read_release),
            products=self._all(document, "product", read_product),
            segments=self._all(document, "segment", read_segment),
            criteria=self._all(document, "criterion", read_criterion),
            event_types=self._all(document, "event_type", read_event_type),
        )
        self._reported = {finding.place for finding in self.findings}

    def has_reported(self, place: Place) -> bool:
        """Whether the key could not be read, so that what stands in its place is no news."""
        return place in self._reported

    def _supplier(self, table: object) -> Supplier:
        if isinstance(table, Mapping):
            return self._read(table, Place("supplier"), read_supplier)
        cure = 'add supplier = { name = "…", currency = "USD", timezone = "Europe/Paris" }'
        self.findings.append(Finding(Place("supplier"), "is missing", cure))
        return _UNREAD_SUPPLIER

    def _otlp(self, table: object) -> OtlpSection:
        if isinstance(table, Mapping):
            return self._read(table, Place("otlp"), read_otlp)
        if table is not None:
            self.findings.append(Finding(Place("otlp"), "is not a table", 'write [otlp] and account = ["account.id"]'))
        return DEFAULT_SECTION

    def _benchmark(self, table: object) -> BenchmarkSection:
        if isinstance(table, Mapping):
            return self._read(table, Place("benchmark"), read_benchmark)
        if table is not None:
            cure = 'write [benchmark] and scale = "seats"'
            self.findings.append(Finding(Place("benchmark"), "is not a table", cure))
        return BenchmarkSection()

    def _all(
        self, document: Mapping[str, object], kind: str, read: Callable[[TableReader], Defined]
    ) -> tuple[Defined, ...]:
        tables = document.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
            self.findings.append(Finding(Place(kind), "is not a list of tables", f"begin each with [[{kind}]]"))
            return ()
        return tuple(
            self._read(table, Place(kind, number, _slug(kind, table)), read) for number, table in enumerate(tables, 1)
        )

    def _read(self, table: Mapping[str, object], place: Place, read: Callable[[TableReader], Defined]) -> Defined:
        reader = TableReader(table, place, self.findings.append)
        definition = read(reader)
        reader.close()
        return definition


def _slug(kind: str, table: Mapping[str, object]) -> str:
    slug = table.get("type" if kind == "event_type" else "slug")
    return slug if isinstance(slug, str) else ""
