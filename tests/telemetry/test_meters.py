from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.meters import (
    INEXACT_NUMBER,
    LONGEST_VALUE,
    MISSING_PROPERTY,
    NOT_A_NUMBER,
    NOT_A_SCALAR,
    OUT_OF_RANGE,
    Aggregation,
    Meter,
    Unmetered,
    dimension_values,
    metered_value,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=True) | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
)


def meter(aggregation: Aggregation, path: str | None = None, dimensions: tuple[str, ...] = ()) -> Meter:
    return Meter(slug="m", event_types=("e",), aggregation=aggregation, property=path, dimensions=dimensions)


def summed(value: object) -> object:
    return metered_value(meter(Aggregation.SUM, "x"), {"x": value})


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, "5"), (Decimal("12.50"), "12.50"), ("12.50", "12.50"), ("-3", "-3"), ("1e2", "100"), (0, "0")],
)
def test_numbers_and_decimal_strings_are_summed_exactly(value: object, number: str) -> None:
    assert summed(value) == Decimal(number)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, MISSING_PROPERTY),
        (True, NOT_A_NUMBER),
        ("twelve", NOT_A_NUMBER),
        ("", NOT_A_NUMBER),
        ("NaN", NOT_A_NUMBER),
        (Decimal("NaN"), NOT_A_NUMBER),
        (Decimal("Infinity"), NOT_A_NUMBER),
        ([1], NOT_A_NUMBER),
        ({"a": 1}, NOT_A_NUMBER),
        (Decimal("1e999999999"), OUT_OF_RANGE),
        (10**18, OUT_OF_RANGE),
        ("0.0000000001", OUT_OF_RANGE),
        (0.1, INEXACT_NUMBER),
    ],
)
def test_what_cannot_be_summed_says_why(value: object, reason: Unmetered) -> None:
    assert summed(value) == reason


def test_an_integer_that_python_refuses_to_write_is_out_of_range() -> None:
    assert summed(10**5000) == OUT_OF_RANGE


def test_a_missing_property_is_told_from_zero() -> None:
    assert metered_value(meter(Aggregation.SUM, "x"), {}) == MISSING_PROPERTY
    assert metered_value(meter(Aggregation.UNIQUE_COUNT, "x"), {"x": None}) == MISSING_PROPERTY


def test_count_is_one_whatever_the_data() -> None:
    assert metered_value(meter(Aggregation.COUNT), {}) == Decimal(1)


def test_members_are_told_apart_by_their_json_text() -> None:
    unique = meter(Aggregation.UNIQUE_COUNT, "x")
    members = [metered_value(unique, {"x": value}) for value in ("5", 5, Decimal("5.0"), True, "true", "")]
    assert members == ["5", "5", "5.0", "true", "true", ""]
    assert metered_value(unique, {"x": {"id": 1}}) == NOT_A_SCALAR


@pytest.mark.parametrize("aggregation", [Aggregation.MIN, Aggregation.MAX, Aggregation.AVG, Aggregation.LATEST])
def test_averages_extremes_and_the_latest_read_numbers_as_sums_do(aggregation: Aggregation) -> None:
    for value in ("-3", Decimal("12.50"), 0, None, "x", True, 10**18, [1]):
        assert metered_value(meter(aggregation, "x"), {"x": value}) == summed(value)


def test_a_path_reads_a_key_with_dots_before_it_reads_what_is_nested() -> None:
    data = {"http.method": "GET", "http": {"method": "POST", "status": {"code": 200}}, "list": [1]}
    paths = ("http.method", "http.status.code", "http.status.text", "http.status.code.x", "list.0", "none.a", "http")
    assert dimension_values(meter(Aggregation.COUNT, dimensions=paths), data) == (
        "GET",
        "200",
        None,
        None,
        None,
        None,
        None,
    )


def test_numbers_of_any_size_have_a_text_that_fits_an_index() -> None:
    count = meter(Aggregation.COUNT, dimensions=("x",))
    for value in (10**5000, Decimal("1e999999999"), Decimal("1e-999999999"), "é" * 10_000, Decimal("NaN")):
        (text,) = dimension_values(count, {"x": value})
        assert text is not None
        assert len(text) <= LONGEST_VALUE


def test_long_values_stay_distinct_after_they_are_shortened() -> None:
    count = meter(Aggregation.COUNT, dimensions=("x",))
    one, other = (dimension_values(count, {"x": "a" * 500 + end})[0] for end in "12")
    assert one is not None
    assert one.startswith("aaaa")
    assert one != other
    assert dimension_values(count, {"x": "a" * LONGEST_VALUE}) == ("a" * LONGEST_VALUE,)


@given(st.dictionaries(st.sampled_from(["a", "b", "a.b"]), JSON, max_size=3))
def test_no_data_can_make_a_meter_fail(data: Mapping[str, object]) -> None:
    for path in ("a", "a.b", "b.a.b"):
        total = metered_value(meter(Aggregation.SUM, path), data)
        assert isinstance(total, Unmetered) or (isinstance(total, Decimal) and total.is_finite())
        member = metered_value(meter(Aggregation.UNIQUE_COUNT, path, ("a", path)), data)
        assert isinstance(member, Unmetered | str)
        assert len(dimension_values(meter(Aggregation.COUNT, dimensions=("a", path)), data)) == 2
