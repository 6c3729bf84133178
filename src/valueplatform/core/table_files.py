"""Reads CSV, NDJSON and Parquet files, gzip or not, into frames, exactly.

CSV cells are text, an empty one is null. Numbers of NDJSON and Parquet stay exact: integers, decimals with nine
places, or their text where they are larger; never a float that was not one in the file. Lines that cannot be read
are returned beside the frame, the rest goes in. `_row` counts the records of the file from 1, bad ones included.
What kind a file is, its first bytes say, not its name.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from valueplatform.core.arrival import ROW
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.nested_columns import columns_of, exact_wire_number

_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SEPARATORS: Final = ",;\t|"
_LONGEST_RECORD: Final = 1000  # lines; a quote that is still open after so many was never meant to be one
_CHUNK: Final = 50_000


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a file that could not be read, whole, with the reason. `line_number` counts from 1."""

    table: str
    line_number: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class TableFile:
    frame: pl.DataFrame
    bad_lines: list[BadLine]


@dataclass(frozen=True, slots=True)
class _Lines:
    table: str
    lines: Sequence[bytes]

    def bad(self, index: int, reason: str) -> BadLine:
        return BadLine(self.table, index + 1, self.lines[index].decode(errors="backslashreplace"), reason)


def read_table(name: str, path: Path) -> TableFile:
    """The file as a frame with `_row` first. Raises InvalidInputError where it cannot be read at all."""
    content = _content(name, path)
    if content.startswith(_PARQUET):
        return _parquet_table(name, path, content)
    content = content.removeprefix(_BYTE_ORDER_MARK)
    lines = _Lines(name, content.split(b"\n"))
    if not content.strip():
        raise InvalidInputError(f"{path} for table {name} is empty.")
    if content.lstrip().startswith(b"{"):
        return _ndjson_table(lines)
    return _csv_table(lines, path)


def _content(name: str, path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except FileNotFoundError as error:
        raise InvalidInputError(f"There is no file {path} for table {name}.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"{path} for table {name} cannot be read: {error}.") from error


def _parquet_table(name: str, path: Path, content: bytes) -> TableFile:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except pl.exceptions.PolarsError as error:
        raise InvalidInputError(f"{path} for table {name} is not a readable Parquet file: {error}") from error
    return TableFile(_numbered(frame, range(1, frame.height + 1)), [])


def _ndjson_table(source: _Lines) -> TableFile:
    decoder = msgspec.json.Decoder(dict[str, object], float_hook=exact_wire_number)
    objects: list[dict[str, object]] = []
    rows: list[int] = []
    bad: list[BadLine] = []
    for index, line in enumerate(source.lines):
        if not line.strip():
            continue
        try:
            objects.append(decoder.decode(line))
            rows.append(len(objects) + len(bad))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            bad.append(source.bad(index, f"not a JSON object: {error}"))
    return TableFile(_numbered(columns_of(objects), rows), bad)


def _csv_table(source: _Lines, path: Path) -> TableFile:
    try:
        first = source.lines[0].decode().rstrip("\r")
        separator = max(_SEPARATORS, key=first.count)
        header = [cell.strip() for cell in next(csv.reader([first], delimiter=separator, strict=True), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"The header line of {path} cannot be read: {error}; save it as UTF-8 CSV.") from error
    unusable = sorted({cell for cell in header if not cell or cell == ROW or header.count(cell) > 1})
    if unusable or not header:
        raise InvalidInputError(
            f"The header of {path} needs a name for each column, each of its own, and none called {ROW}; "
            f"look at {', '.join(map(repr, unusable)) or 'its first line'}."
        )
    bad: list[BadLine] = []
    records = _csv_records(source, separator, len(header), bad)
    schema = dict.fromkeys(header, pl.String)
    frames = [_numbered(pl.DataFrame(schema=schema), [])]
    while chunk := list(islice(records, _CHUNK)):
        columns = zip(*(cells for _, cells in chunk), strict=True)
        data = {name: [cell or None for cell in column] for name, column in zip(header, columns, strict=True)}
        frames.append(_numbered(pl.DataFrame(data, schema=schema), [row for row, _ in chunk]))
    return TableFile(pl.concat(frames), bad)


def _csv_records(source: _Lines, separator: str, width: int, bad: list[BadLine]) -> Iterator[tuple[int, Sequence[str]]]:
    """Records of `width` cells, each with its number. After a bad line, reading goes on with the next line."""
    index, row = 1, 0
    while index < len(source.lines):
        if not source.lines[index].strip():
            index += 1
            continue
        row += 1
        try:
            cells, used = _record(source.lines, index, separator)
        except (csv.Error, UnicodeDecodeError) as error:
            bad.append(source.bad(index, f"not readable as CSV: {error}"))
            index += 1
            continue
        if len(cells) == width:
            yield row, cells
            index += used
        else:
            bad.append(source.bad(index, f"has {len(cells)} cells where the header has {width}"))
            index += 1


def _record(lines: Sequence[bytes], index: int, separator: str) -> tuple[Sequence[str], int]:
    """The cells of the record that starts at a line, and how many lines it takes: quoted cells may hold breaks."""
    line = lines[index]
    if b'"' not in line:
        return line.decode().rstrip("\r").split(separator), 1
    used = 0

    def feed() -> Iterator[str]:
        nonlocal used
        for part in lines[index : index + _LONGEST_RECORD]:
            used += 1
            yield part.decode() + "\n"

    return next(csv.reader(feed(), delimiter=separator, strict=True)), used


def _numbered(frame: pl.DataFrame, rows: Iterable[int]) -> pl.DataFrame:
    numbers = pl.Series(ROW, list(rows), dtype=pl.Int64)
    return frame.select(numbers, pl.exclude(ROW))
