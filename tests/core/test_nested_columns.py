import json
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.nested_columns import EXACT, columns_of, exact_wire_number


def read(*objects: Any) -> pl.DataFrame:
    decoder = msgspec.json.Decoder(dict[str, object], float_hook=exact_wire_number)
    return columns_of([decoder.decode(json.dumps(item)) for item in objects])


def column(*values: Any) -> tuple[pl.DataType, list[Any]]:
    frame = read(*[{"v": value} for value in values])
    return frame.schema["v"], frame["v"].to_list()


def test_integers_stay_integers_and_fractions_are_exact_decimals() -> None:
    assert column(1, None, 2) == (pl.Int64(), [1, None, 2])
    assert column(1, 0.1, 2.50) == (EXACT, [1, Decimal("0.1"), Decimal("2.5")])


@pytest.mark.parametrize("values", [(2**63, 1), (1e300, 1), (1e-10, 0.5)])
def test_numbers_that_do_not_fit_stay_as_text(values: tuple[float, ...]) -> None:
    dtype, found = column(*values)
    assert dtype == pl.String()
    assert [Decimal(text) for text in found] == [Decimal(repr(value)) for value in values]


def test_different_scalars_at_one_place_become_their_text() -> None:
    assert column(1, "x", True, 1.5) == (pl.String(), ["1", "x", "true", "1.5"])
    assert column(True, None, False) == (pl.Boolean(), [True, None, False])


def test_scalars_beside_objects_become_json_text_and_nothing_is_lost() -> None:
    dtype, found = column(1, {"a": 1.5}, [True], "x")
    assert dtype == pl.String()
    assert [json.loads(text) for text in found] == [1, {"a": 1.5}, [True], "x"]


def test_objects_and_lists_nest() -> None:
    frame = read({"o": {"a": 1}}, {"o": {"b": [{"c": 0.5}, None, {"d": "x"}]}}, {})
    assert frame["o"].struct.field("a").to_list() == [1, None, None]
    assert frame["o"].struct.field("b").to_list()[1] == [
        {"c": Decimal("0.5"), "d": None},
        None,
        {"c": None, "d": "x"},
    ]


def test_empty_objects_and_absent_keys_are_kept_apart_from_values() -> None:
    assert column({}, None) == (pl.String(), ["{}", None])
    assert read({}, {"a": 1})["a"].to_list() == [None, 1]
    assert columns_of([]).shape == (0, 0)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.decimals(-99, 99, places=3).map(float) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), values, max_size=3), max_size=6))
def test_any_objects_give_a_row_each_and_no_value_becomes_null(objects: list[dict[str, Any]]) -> None:
    frame = read(*objects)
    if frame.width:
        assert frame.height == len(objects)
    for name in frame.columns:
        given_values = [item.get(name) for item in objects]
        assert [value is None for value in frame[name].to_list()] == [value is None for value in given_values]
