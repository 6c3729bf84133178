"""Finds the line of a key in a TOML text, as far as a look at each line can tell; the parser keeps none."""

import re
from collections.abc import Iterator
from typing import Final

Path = tuple[str | int, ...]
"""Keys and, for arrays of tables, the number of the table from 1."""

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'))*)\s*="""
)
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'""")


class Lines:
    """Line numbers from 1 of the tables and keys of one text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        table: Path = ()
        for number, line in _outside_long_strings(text):
            if header := _HEADER.match(line):
                table = self._table(_parts(header[2]), is_array=header[1] == "[[")
                self._lines.setdefault(table, number)
            elif key := _KEY.match(line):
                for length in range(1, len(_parts(key[1])) + 1):
                    self._lines.setdefault((*table, *_parts(key[1])[:length]), number)

    def line_of(self, path: Path) -> int | None:
        """The line of the path, else of the nearest thing around it that has one."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return None

    def _table(self, parts: tuple[str, ...], *, is_array: bool) -> Path:
        path: Path = ()
        for position, part in enumerate(parts, 1):
            path = (*path, part)
            if is_array and position == len(parts):
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        return path


def _outside_long_strings(text: str) -> Iterator[tuple[int, str]]:
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not inside:
            yield number, line
        for mark in ('"""', "'''"):
            if inside in {"", mark} and line.count(mark) % 2:
                inside = "" if inside else mark


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
