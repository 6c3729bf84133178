"""Reads one table of a model file key by key, and collects what is wrong with it instead of stopping.

Every method returns a value fit to go on with, and reports a problem if that is not what the file says.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import exact_decimal, in_wire_range, without_trailing_zeros
from valueplatform.value.model_findings import Finding, Place, suggestion
from valueplatform.value.ranges import Range

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
SLUG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_BOUNDS: Final = ("low", "expected", "high")
_NAME_CURE: Final = "start with a small letter, then small letters, digits and _ (at most 63)"
_SLUG_CURE: Final = "use letters, digits, - and _ (at most 100)"

Choice = TypeVar("Choice", bound=StrEnum)
Found = TypeVar("Found")


class TableReader:
    """One table at one place. `report` takes each problem as it is found."""

    def __init__(self, table: Mapping[str, object], place: Place, report: Callable[[Finding], None]) -> None:
        self.table = table
        self.place = place
        self._report = report
        self._known: list[str] = []

    def problem(self, key: str | None, message: str, cure: str) -> None:
        at = self.place
        self._report(Finding(Place(at.kind, at.number, at.slug, key), message, cure))

    def close(self) -> None:
        """Every key that was never asked for is a problem."""
        for key in self.table.keys() - set(self._known):
            self.problem(key, "unknown key", suggestion(key, self._known))

    def text(self, key: str) -> str:
        """A required text that is not blank."""
        value = self.optional_text(key)
        if value is None and key not in self.table:
            self.problem(key, "is missing", f'add {key} = "…"')
        return value or ""

    def optional_text(self, key: str) -> str | None:
        value = self._value(key)
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        self.problem(key, f"{_shown(value)} is not a text", f'write {key} = "…"')
        return None

    def slug(self, key: str = "slug", *, name: bool = False) -> str:
        """A required slug; `name` = to be used in formulas."""
        value = self.text(key)
        if value and not (NAME if name else SLUG).fullmatch(value):
            self.problem(key, f'"{value}" cannot be a slug', _NAME_CURE if name else _SLUG_CURE)
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A text or a list of texts."""
        value = self._value(key)
        given = [value] if isinstance(value, str) else value
        if given is None:
            if required:
                self.problem(key, "is missing", f'add {key} = "…" or a list')
            return ()
        if not isinstance(given, Sequence) or not all(isinstance(each, str) and each.strip() for each in given):
            self.problem(key, f"{_shown(value)} is not a text or a list of texts", f'write {key} = ["…", "…"]')
            return ()
        if required and not given:
            self.problem(key, "the list is empty", "name at least one")
        return tuple(given)

    def choice(self, key: str, of: type[Choice], *, required: bool = False) -> Choice | None:
        """One word of an enumeration."""
        value = self._value(key)
        if isinstance(value, str) and value in set(of):
            return of(value)
        if value is not None:
            self.problem(key, f"{_shown(value)} is not one of {', '.join(of)}", suggestion(str(value), list(of)))
        elif required:
            self.problem(key, "is missing", f"add one of {', '.join(of)}")
        return None

    def flag(self, key: str) -> bool | None:
        return self._typed(key, bool, "true or false")

    def day(self, key: str) -> date | None:
        value = self._value(key)
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        elif value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        self.problem(key, f"{_shown(value)} is not a day", f"write {key} = 2026-01-31")
        return None

    def number(self, key: str) -> Decimal | None:
        """An exact number: a text such as "12.50", an integer, or a TOML float by its digits."""
        value = self._value(key)
        return None if value is None else self._exact(key, value)

    def range(self, key: str) -> Range | None:
        """A table of low, expected and high, or one number for all three."""
        value = self._value(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            number = self._exact(key, value)
            return None if number is None else Range.point(number)
        for unknown in value.keys() - set(_BOUNDS):
            self.problem(f"{key}.{unknown}", "unknown key", suggestion(unknown, _BOUNDS))
        for missing in [bound for bound in _BOUNDS if bound not in value]:
            self.problem(f"{key}.{missing}", "is missing", f'write {key} = {{ low = "…", expected = "…", high = "…" }}')
        bounds = [self._exact(f"{key}.{bound}", value[bound]) for bound in _BOUNDS if bound in value]
        exact = [bound for bound in bounds if bound is not None]
        return Range(*exact) if len(exact) == len(_BOUNDS) else None

    def ranges(self, key: str) -> dict[str, Range]:
        """Tables of ranges by name, such as `[assumption.segment.enterprise]`."""
        tables = self._typed(key, dict, f"tables such as [{self.place.kind}.{key}.enterprise]") or {}
        reader = TableReader(tables, self.place, lambda finding: self._report(_under(key, finding)))
        found = {name: reader.range(name) for name in tables}
        return {name: value for name, value in found.items() if value is not None}

    def inner(self, key: str, *, known: Sequence[str] = ()) -> "TableReader | None":
        """A table within the table; its problems name both keys. `known`: all that it may say."""
        found = self._typed(key, dict, f"a table such as {{ {', '.join(f'{name} = …' for name in known)} }}")
        if found is None:
            return None
        reader = TableReader(found, self.place, lambda finding: self._report(_under(key, finding)))
        reader._known += known
        return reader

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A table of texts by name, in the order of the file."""
        found = self._typed(key, dict, 'a table of texts, such as { jobs = "price_of_a_job" }') or {}
        reader = TableReader(found, self.place, lambda finding: self._report(_under(key, finding)))
        if key in self.table and not found:
            self.problem(key, "the table is empty", "name at least one")
        return tuple((name, reader.text(name)) for name in found)

    def _value(self, key: str) -> object:
        self._known.append(key)
        return self.table.get(key)

    def _typed(self, key: str, kind: type[Found], what: str) -> Found | None:
        value = self._value(key)
        if value is None or isinstance(value, kind):
            return value
        self.problem(key, f"{_shown(value)} is not {what}", f"write {key} = {what}")
        return None

    def _exact(self, key: str, value: object) -> Decimal | None:
        try:
            if isinstance(value, str):
                return without_trailing_zeros(exact_decimal(value))
        except InvalidInputError as error:
            self.problem(key, error.message, 'write it like "12.50"')
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            if in_wire_range(value):
                return without_trailing_zeros(Decimal(value))
            self.problem(key, "the number has more than 18 integer or 9 fraction digits", "choose another unit")
            return None
        self.problem(key, f"{_shown(value)} is not a number", f'write {key} = "12.50"')
        return None


def _under(key: str, finding: Finding) -> Finding:
    at = finding.place
    return Finding(Place(at.kind, at.number, at.slug, f"{key}.{at.key}"), finding.message, finding.cure)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
