from decimal import Decimal
from pathlib import Path

import pytest

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.tabular import Mapped, read_mapped

LINES = '{"id": 1, "n": 1.50, "when": "2026-01-05", "more": {"a": 1, "b": null}, "tags": ["x", null]}\n'


def mapped(folder: Path, content: str, sql: str) -> Mapped:
    path = folder / "file"
    path.write_text(content, encoding="utf-8")
    return read_mapped({"t": path}, sql)


def test_rows_have_exact_values_and_text_for_times(tmp_path: Path) -> None:
    sql = """
        SELECT id, n, more, tags, STRPTIME("when", '%Y-%m-%d') AS at, n * 2 AS double, n > 1 AS large, NULL AS nothing
        FROM t
    """
    (row,) = mapped(tmp_path, LINES, sql).rows()
    assert row == {
        "id": 1,
        "n": Decimal("1.5"),
        "more": {"a": 1},
        "tags": ["x", None],
        "at": "2026-01-05T00:00:00",
        "double": 3,
        "large": True,
        "nothing": None,
    }


def test_the_frame_is_all_text(tmp_path: Path) -> None:
    frame = mapped(tmp_path, LINES, "SELECT id, n, more, n > 1 AS large FROM t").frame
    assert frame.rows() == [("1", "1.5", '{"a":1}', "true")]


def test_the_row_number_may_be_used_but_is_not_among_the_columns(tmp_path: Path) -> None:
    for sql in ("SELECT _row + 10 AS place, a FROM t", "SELECT _row, _row + 10 AS place, a FROM t"):
        result = mapped(tmp_path, "a\ny\nx\n", sql)
        assert result.typed.columns == ["place", "a"]
        assert result.frame.rows() == [("11", "y"), ("12", "x")]


def test_an_order_that_the_author_gives_holds(tmp_path: Path) -> None:
    for sql in ("SELECT a FROM t ORDER BY a", "SELECT -_row AS _row, a FROM t"):
        assert mapped(tmp_path, "a\ny\nx\n", sql).frame.rows() == [("x",), ("y",)]


def test_an_aggregate_without_rows_has_the_same_order_every_time(tmp_path: Path) -> None:
    content = "a\n" + "".join(f"{n % 97}\n" for n in range(5000))
    orders = {tuple(mapped(tmp_path, content, "SELECT DISTINCT a FROM t").typed["a"]) for _ in range(5)}
    assert len(orders) == 1
    assert mapped(tmp_path, content, "SELECT COUNT(*) AS n FROM t").frame.rows() == [("5000",)]


def test_a_query_that_fails_names_the_tables_and_their_columns(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"The tables are: t \(_row, a\)"):
        mapped(tmp_path, "a\n1\n", "SELECT b FROM t")
