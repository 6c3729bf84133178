from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.payload import RefusedEventError, check_depth, decode, normal_form, wire_number

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc é"), inner), max_leaves=20)


def refused(text: bytes) -> str:
    with pytest.raises(RefusedEventError) as caught:
        normal_form(decode(text))
    return caught.value.reason


@pytest.mark.parametrize("spelling", [b"199", b"199.0", b"199.000", b"1.99e2", b"1990E-1", b"0.199e+3"])
def test_a_number_has_one_normal_form_however_it_was_written(spelling: bytes) -> None:
    assert normal_form(decode(spelling)) == b"199"


@pytest.mark.parametrize("spelling", [b"0", b"-0", b"0.0", b"-0.0", b"0e400000", b"-0.000e-9"])
def test_zero_has_no_sign_and_no_places(spelling: bytes) -> None:
    assert normal_form(decode(spelling)) == b"0"


def test_a_number_that_no_float_can_hold_is_kept_exactly() -> None:
    assert decode(b"0.1000000000000000055511151231257827021181583404541015625") == Decimal(
        "0.1000000000000000055511151231257827021181583404541015625"
    )
    assert normal_form(decode(b"123456789012345678.123456789")) == b"123456789012345678.123456789"
    assert normal_form(decode(b"123456789012345678901234567890")) == b"123456789012345678901234567890"


@pytest.mark.parametrize("text", [b"1e401", b"1e-401", b"1e99999999999999999999", b"0." + b"1" * 400])
def test_a_number_that_would_take_hundreds_of_digits_is_refused(text: bytes) -> None:
    assert refused(text) == "number_out_of_range"


def test_a_number_just_within_bounds_is_kept() -> None:
    assert wire_number("1e399") == 10**399
    assert wire_number("1e-399") == Decimal("1e-399")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_the_normal_form_of_a_number_means_that_number(number: Decimal) -> None:
    assert Decimal(normal_form(decode(f"{number:f}")).decode()) == number


def test_the_order_of_keys_and_spaces_does_not_matter() -> None:
    assert normal_form(decode(b'{"b": 1, "a": [ 2 ]}')) == normal_form(decode(b'{"a":[2.0],"b":1.0}'))


@given(values)
def test_the_normal_form_means_the_same_value_and_is_its_own_normal_form(value: object) -> None:
    text = normal_form(decode(msgspec.json.encode(value)))
    assert decode(text) == value
    assert normal_form(decode(text)) == text


@pytest.mark.parametrize("text", [rb'"\u0000"', rb'{"a":"x\u0000y"}', rb'{"\u0000":1}', rb'"\\\u0000"'])
def test_the_null_character_is_refused(text: bytes) -> None:
    assert refused(text) == "null_character"


@pytest.mark.parametrize("text", [rb'"\\u0000"', rb'"\\\\u0000"', b'"u0000"'])
def test_a_backslash_before_u0000_is_no_null_character(text: bytes) -> None:
    assert decode(normal_form(decode(text))) == decode(text)


def test_depth_counts_nesting_not_brackets() -> None:
    check_depth(b"[" + b"[]," * 5000 + b"1]")
    check_depth(b'"' + b"[" * 5000 + b'"')
    check_depth(rb'["\"[[[[' + b"[" * 500 + b'"]')
    check_depth(b"[" * 100 + b"]" * 100)


@pytest.mark.parametrize("text", [b"[" * 101 + b"]" * 101, b'{"a":' * 10_000 + b"1" + b"}" * 10_000])
def test_what_is_nested_too_deeply_is_refused(text: bytes) -> None:
    with pytest.raises(RefusedEventError) as caught:
        check_depth(text)
    assert caught.value.reason == "too_deep"
