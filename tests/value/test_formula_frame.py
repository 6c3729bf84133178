"""In bulk or one by one: the same amounts and the same reasons, to the last digit."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.value.formula_strategies import NAMES, ROWS, TERMS
from valueplatform.value import formula as formula_module
from valueplatform.value import formula_frame
from valueplatform.value.formula import Formula
from valueplatform.value.formula_frame import Exactly
from valueplatform.value.formula_tree import Term, canonical_text
from valueplatform.value.ranges import NoValue, Range

Row = Mapping[str, Decimal | int | None]
DISPATCH = "(jobs_dispatched * manual_minutes_per_job - dispatch_minutes) / 60 * hourly_cost"
DECIMAL = pl.Decimal(38, 9)


@pytest.fixture(autouse=True, scope="module")
def _always_in_bulk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formula_module, "FEWEST_IN_BULK", 0)
        yield


def frame_of(rows: Sequence[Row], dtype: pl.DataType | type[pl.DataType] = DECIMAL) -> pl.DataFrame:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if isinstance(dtype, pl.Decimal):  # which takes no integers beside decimals
        columns = {name: [None if value is None else Decimal(value) for value in columns[name]] for name in columns}
    return pl.DataFrame({name: pl.Series(values, dtype=dtype) for name, values in columns.items()})


def one_by_one(formula: Formula, frame: pl.DataFrame) -> list[tuple[Decimal | None, str | None]]:
    values = [formula.evaluate(row) for row in frame.iter_rows(named=True)]
    return [(None, value.text) if isinstance(value, NoValue) else (value, None) for value in values]


@settings(max_examples=200, deadline=None)
@given(TERMS, st.lists(ROWS, min_size=1, max_size=8))
def test_in_bulk_as_one_by_one(term: Term, rows: Sequence[Row]) -> None:
    formula, frame = Formula.parse(canonical_text(term)), frame_of(rows)
    result = formula.evaluate_frame(frame)
    assert result.schema == {"amount": pl.Decimal(38, 4), "reason": pl.String}
    assert result.rows() == one_by_one(formula, frame)


@settings(deadline=None)
@given(TERMS, st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, st.none() | st.integers(-9, 9))), min_size=1))
def test_integers_of_any_width_do_as_well(term: Term, rows: Sequence[Row]) -> None:
    formula = Formula.parse(canonical_text(term))
    for dtype in (pl.Int8, pl.Int64, pl.Int128, pl.Decimal(10, 2)):
        frame = frame_of(rows, dtype)
        assert formula.evaluate_frame(frame).rows() == one_by_one(formula, frame)


@settings(max_examples=200, deadline=None)
@given(TERMS, st.lists(st.tuples(ROWS, st.integers(1, 10**6)), min_size=1, max_size=8))
def test_an_average_enters_as_the_fraction_that_it_is(term: Term, rows: Sequence[tuple[Row, int]]) -> None:
    formula = Formula.parse(canonical_text(term))
    frame = frame_of([row for row, _ in rows]).with_columns(pl.Series("a.over", [over for _, over in rows]))
    exact = [{**row, "a": None if row["a"] is None else Fraction(row["a"]) / over} for row, over in rows]
    told = [formula.evaluate(row) for row in exact]
    expected = [(None, each.text) if isinstance(each, NoValue) else (each, None) for each in told]
    assert formula.evaluate_frame(frame).rows() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formula_module, "FEWEST_IN_BULK", 10)
        assert formula.evaluate_frame(frame).rows() == expected


@settings(deadline=None)
@given(TERMS, st.lists(ROWS, min_size=1, max_size=3), st.data())
def test_ranges_in_bulk_as_one_by_one(term: Term, rows: Sequence[Row], data: st.DataObject) -> None:
    formula = Formula.parse(canonical_text(term))
    three = st.lists(st.decimals(-1000, 1000, places=2), min_size=3, max_size=3)
    ranges = st.none() | three.map(lambda bounds: Range(*sorted(bounds)))
    ranged = [{name: data.draw(ranges) for name in ("a", "b")} for _ in rows]
    columns = {
        f"{name}{suffix}": [None if each[name] is None else getattr(each[name], side) for each in ranged]
        for name in ("a", "b")
        for suffix, side in (("", "expected"), (".low", "low"), (".high", "high"))
    }
    frame = frame_of(rows).with_columns(pl.Series(name, column, dtype=DECIMAL) for name, column in columns.items())
    result = formula.evaluate_range_frame(frame, ["a", "b"])
    for row, each, found in zip(rows, ranged, result.iter_rows(named=True), strict=True):
        exact = formula.evaluate_range(row, each)
        assert [found[side] for side in ("low", "expected", "high")] == [
            None if isinstance(value, NoValue) else value for value in (exact.low, exact.expected, exact.high)
        ]
        assert found["reason"] == (exact.expected.text if isinstance(exact.expected, NoValue) else None)
        assert found["range_reason"] == (exact.low.text if isinstance(exact.low, NoValue) else None)


def test_products_that_would_wrap_are_worked_out_one_by_one() -> None:
    rows: list[Row] = [{"a": Decimal(10**18), "b": Decimal("123456789.123456789")} for _ in range(3)]
    rows.append({"a": Decimal(-1), "b": Decimal("0.000000001")})
    formula = Formula.parse("a * b * a * b / a / b / b")
    assert formula.evaluate_frame(frame_of(rows)).rows() == one_by_one(formula, frame_of(rows))


def test_a_divisor_that_was_given_up_is_not_divided_by() -> None:
    formula, frame = Formula.parse("a / a / a"), frame_of([{"a": Decimal(10**28)}, {"a": Decimal(2)}])
    assert formula.evaluate_frame(frame).rows() == [(Decimal("0.0000"), None), (Decimal("0.5000"), None)]


@pytest.fixture
def exact_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each evaluation left to the exact path."""
    left: list[int] = []
    original = formula_frame.evaluate_rows

    def counted(frame: pl.DataFrame, names: Collection[str], exactly: Exactly) -> pl.DataFrame:
        left.append(frame.height)
        return original(frame, names, exactly)

    monkeypatch.setattr(formula_frame, "evaluate_rows", counted)
    return left


def test_a_usual_formula_over_usual_data_is_never_left_to_the_slow_path(exact_rows: list[int]) -> None:
    rows: list[Row] = [
        {
            "jobs_dispatched": Decimal(day * 1000),
            "manual_minutes_per_job": Decimal("14.25"),
            "dispatch_minutes": Decimal(day) * Decimal("123456.789"),
            "hourly_cost": Decimal("45.123456"),
        }
        for day in range(1000)
    ]
    Formula.parse(DISPATCH).evaluate_frame(frame_of(rows))
    assert exact_rows == []


def test_one_wild_row_does_not_slow_the_others(exact_rows: list[int]) -> None:
    rows: list[Row] = [{"a": Decimal(day), "b": Decimal(day)} for day in range(1, 1000)]
    rows.append({"a": Decimal(10**28), "b": Decimal("0.000000001")})
    formula = Formula.parse("a * a * b / (b + 1)")
    assert formula.evaluate_frame(frame_of(rows)).rows() == one_by_one(formula, frame_of(rows))
    assert exact_rows == [1]


def test_an_empty_frame_gives_an_empty_result() -> None:
    frame = pl.DataFrame(schema={"a": DECIMAL, "b": pl.Int64})
    for text in ("a / b", "5", "case when a > 1 then b else min(a, b) end"):
        result = Formula.parse(text).evaluate_frame(frame)
        assert result.schema == {"amount": pl.Decimal(38, 4), "reason": pl.String}
        assert result.is_empty()


def test_a_column_of_nothing_is_null_input_in_each_row() -> None:
    frame = pl.DataFrame({"a": [None, None], "b": [1, 0]})
    assert Formula.parse("b / a").evaluate_frame(frame).rows() == [(None, "null_input:a")] * 2


def test_a_constant_fills_every_row() -> None:
    frame = pl.DataFrame({"a": [1, 2, 3]})
    assert Formula.parse("1 / 8").evaluate_frame(frame)["amount"].to_list() == [Decimal("0.1250")] * 3
    assert Formula.parse("1 / 0").evaluate_frame(frame)["reason"].to_list() == ["zero_divisor:0"] * 3


def test_other_columns_are_left_alone_and_not_needed() -> None:
    frame = pl.DataFrame({"a": [1], "account": ["x"], "weight": [0.5]})
    assert Formula.parse("a * 2").evaluate_frame(frame).rows() == [(Decimal("2.0000"), None)]


def test_few_rows_are_worked_out_one_by_one_and_many_in_bulk_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    formula = Formula.parse("a * rate / b")
    rows: list[Row] = [{"a": Decimal(day), "b": Decimal(day % 7)} for day in range(300)]
    bounds = {"rate": Decimal("1.5"), "rate.low": Decimal(1), "rate.high": Decimal(3)}
    frame = frame_of([{**row, **bounds} for row in rows])
    for fewest in (0, 1000):
        monkeypatch.setattr(formula_module, "FEWEST_IN_BULK", fewest)
        assert formula.evaluate_frame(frame).rows() == one_by_one(formula, frame)
        found = formula.evaluate_range_frame(frame, ["rate"])
        assert found.row(8) == (Decimal("8.0000"), Decimal("12.0000"), Decimal("24.0000"), None, None)
        assert found.row(7) == (None, None, None, "zero_divisor:b", "zero_divisor:b")
