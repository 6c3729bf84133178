import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.table_files import TableFile, read_table


def table(folder: Path, content: bytes, name: str = "x") -> TableFile:
    path = folder / name
    path.write_bytes(content)
    return read_table("t", path)


def test_cells_are_text_and_empty_ones_null(tmp_path: Path) -> None:
    file = table(tmp_path, b"a,b\n007,\n1.50,x\n")
    assert file.frame.rows() == [(1, "007", None), (2, "1.50", "x")]
    assert file.frame.columns == ["_row", "a", "b"]


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b"|"])
def test_the_separator_is_told_by_the_header(tmp_path: Path, separator: bytes) -> None:
    file = table(tmp_path, separator.join([b"a", b"b", b"c"]) + b"\n" + separator.join([b"1", b"2", b"3"]))
    assert file.frame.rows() == [(1, "1", "2", "3")]


def test_quotes_line_breaks_and_windows_files_are_understood(tmp_path: Path) -> None:
    file = table(tmp_path, b'\xef\xbb\xbfa,"b ""c"""\r\n"x, y","line 1\r\nline ""2"""\r\n\r\n3,4')
    assert file.frame.columns == ["_row", "a", 'b "c"']
    assert file.frame.rows() == [(1, "x, y", 'line 1\r\nline "2"'), (2, "3", "4")]
    assert not file.bad_lines


def test_a_bad_line_is_kept_whole_and_counted_and_the_rest_goes_in(tmp_path: Path) -> None:
    file = table(tmp_path, b'a,b\n1\n2,2,2\n3,"open\n4,4\n5,\xff\n6,"x"y\n7,7\n')
    assert file.frame.rows() == [(4, "4", "4"), (7, "7", "7")]
    assert [(line.line_number, line.text) for line in file.bad_lines] == [
        (2, "1"),
        (3, "2,2,2"),
        (4, '3,"open'),
        (6, "5,\\xff"),
        (7, '6,"x"y'),
    ]
    assert file.bad_lines[0].reason == "has 1 cells where the header has 2"


def test_ndjson_is_known_by_its_first_sign_and_its_bad_lines_are_kept(tmp_path: Path) -> None:
    file = table(tmp_path, b'\n {"a": 1.10}\n[1]\n{"a": NaN}\nx\n\n{"b": "y"}', "data.txt")
    assert file.frame.select("_row", "b").rows() == [(1, None), (5, "y")]
    assert str(file.frame["a"][0]) == "1.100000000"
    assert [line.line_number for line in file.bad_lines] == [3, 4, 5]


def test_parquet_and_gzip_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    pl.DataFrame({"_row": [9], "a": [1]}).write_parquet(tmp_path / "p.csv")
    assert read_table("t", tmp_path / "p.csv").frame.rows() == [(1, 1)]
    assert table(tmp_path, gzip.compress(b"a\n", mtime=0) + gzip.compress(b"1\n")).frame.rows() == [(1, "1")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,a\n1,2", "a name for each column"),
        (b"a,\n1,2", "a name for each column"),
        (b"_row,a\n1,2", "none called _row"),
        (b'"a\n', "header line"),
        (b"\xff,a\n", "header line"),
        (b"PAR1 or so", "not a readable Parquet file"),
        (gzip.compress(b"a,b\n", mtime=0)[:-4], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_refused_with_its_cure(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        table(tmp_path, content)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no file .*nothing\.csv for table t"):
        read_table("t", tmp_path / "nothing.csv")


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    frame = table(tmp_path, b"a,b\n").frame
    assert (frame.columns, frame.height) == (["_row", "a", "b"], 0)


@given(st.binary(max_size=120))
def test_any_lines_after_a_header_are_rows_or_bad_lines(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = table(tmp_path_factory.mktemp("csv"), b"a,b\n" + content)
    assert file.frame.width == 3
    assert file.frame.height + len(file.bad_lines) <= content.count(b"\n") + 1
