from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.formula_strategies import NAMES, ROWS, TERMS, fraction_of
from valueplatform.core.errors import UnprocessableError
from valueplatform.value.formula import MOST_RANGED, Formula, FormulaError
from valueplatform.value.formula_tree import Term, canonical_text
from valueplatform.value.ranges import NoValue, Range, RangedValue, no_value_of

DISPATCH = "(jobs_dispatched * manual_minutes_per_job - dispatch_minutes) / 60 * hourly_cost"
LIMIT = Fraction(10**34)


@pytest.mark.parametrize(
    ("text", "values", "amount"),
    [
        ("a / 3", {"a": 1}, "0.3333"),
        ("a / 3 * 3", {"a": 1}, "1.0000"),
        ("a / 20000", {"a": 1}, "0.0000"),
        ("a / 20000", {"a": 3}, "0.0002"),
        ("a / 20000", {"a": -3}, "-0.0002"),
        ("-a * -b", {"a": Decimal("-1.5"), "b": 2}, "-3.0000"),
        ("a - b - c", {"a": 10, "b": 4, "c": 3}, "3.0000"),
        ("a - (b - c)", {"a": 10, "b": 4, "c": 3}, "9.0000"),
        ("a / b / c", {"a": 12, "b": 2, "c": 3}, "2.0000"),
        ("min(a, b, 3)", {"a": 5, "b": Decimal("-0.1")}, "-0.1000"),
        ("max(a / 3, b / 6)", {"a": 1, "b": 3}, "0.5000"),
        ("max(a / -3, b / 6)", {"a": 1, "b": -1}, "-0.1667"),
        ("case when a > 0 then b / a else 0 end", {"a": 0, "b": 1}, "0.0000"),
        ("case when a > 0 and b / a > 2 then 1 else 0 end", {"a": 0, "b": 1}, "0.0000"),
        ("case when a <= 0 or b / a > 2 then 1 else 0 end", {"a": 0, "b": 1}, "1.0000"),
        ("CASE WHEN NOT a = 1 THEN 1 WHEN a <> 2 THEN 2 ELSE 3 END", {"a": 1}, "2.0000"),
        ("1e3 * 0.5", {}, "500.0000"),
    ],
)
def test_a_formula_is_worked_out_exactly_and_rounded_once(
    text: str, values: Mapping[str, Decimal | int | None], amount: str
) -> None:
    assert Formula.parse(text).evaluate(values) == Decimal(amount)
    assert str(Formula.parse(text).evaluate(values)) == amount


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("a * b", {"a": None, "b": None}, NoValue("null_input", "a")),
        ("b * a", {"a": None, "b": None}, NoValue("null_input", "b")),
        ("a / b", {"a": 1, "b": 0}, NoValue("zero_divisor", "b")),
        ("a / (b - 1)", {"a": 0, "b": 1}, NoValue("zero_divisor", "b - 1")),
        ("a / 0", {"a": 1}, NoValue("zero_divisor", "0")),
        ("a / b", {"a": None, "b": 0}, NoValue("null_input", "a")),
        ("min(a, b)", {"a": 1, "b": None}, NoValue("null_input", "b")),
        ("case when a > 0 then 1 else 2 end", {"a": None}, NoValue("null_input", "a")),
        ("case when b > 0 or a > 0 then 1 else 2 end", {"a": None, "b": 0}, NoValue("null_input", "a")),
        ("0 * a", {"a": None}, NoValue("null_input", "a")),
        ("a * a * 1000000", {"a": 10**17}, NoValue("out_of_range")),
        ("-a * a / 1", {"a": 10**17}, NoValue("out_of_range")),
    ],
)
def test_what_has_no_value_says_why(text: str, values: Mapping[str, Decimal | int | None], reason: NoValue) -> None:
    assert Formula.parse(text).evaluate(values) == reason
    assert no_value_of(reason.text) == reason


def test_the_largest_amount_that_a_column_holds_is_the_last_in_range() -> None:
    formula = Formula.parse("a * 10000000000000000 + b")
    largest: Mapping[str, Decimal | int | None] = {"a": 10**18 - 1, "b": Decimal("9999999999999999.9999")}
    assert formula.evaluate(largest) == Decimal("9" * 34 + ".9999")
    assert formula.evaluate({**largest, "b": Decimal("9999999999999999.99995")}) == NoValue("out_of_range")


def test_a_name_that_is_not_given_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        Formula.parse("a + b").evaluate({"a": 1})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sum(a)", "aggregate"),
        ("min(a)", "aggregate"),
        ("avg(a) over ()", "window"),
        ("min(a, b) over (partition by c)", "window"),
        ("(select a)", "subquery"),
        ("now() - a", "now()"),
        ("current_timestamp", "clock"),
        ("a::float", "cast"),
        ("'12' * a", "text"),
        ("jobs.a", "dot"),
        ("*", "star"),
        ('"a"', "quoted"),
        ("a > 1", "a number is needed"),
        ("case when a then 1 else 2 end", "a condition is needed"),
        ("case when a > 1 then 2 end", "else"),
        ("case a when 1 then 2 else 3 end", "right after case"),
        ("if(a > 1, 2, 3)", "case when"),
        ("a % b", "remainder"),
        ("a--b", "comments"),
        ("a b", "operator"),
        ("a \N{MULTIPLICATION SIGN} b", "not known here"),
        ("1e30 * a", "18 integer"),
        ("", "empty"),
    ],
)
def test_anything_beyond_the_grammar_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(FormulaError, match="formula") as refused:
        Formula.parse(text)
    assert reason in refused.value.message


def test_ten_thousand_parentheses_are_refused_not_followed() -> None:
    for deep in ("(" * 10_000 + "a" + ")" * 10_000, "(" * 900 + "a" + ")" * 900, "- " * 900 + "a"):
        with pytest.raises(FormulaError):
            Formula.parse(deep)


def test_spelling_does_not_make_another_formula() -> None:
    one, other = Formula.parse("((a)*B)/2.50"), Formula.parse(" a * B / 2.5 ")
    assert one.canonical == other.canonical == "a * B / 2.5"
    assert one.names == {"a", "B"}


@given(TERMS)
def test_the_canonical_text_is_read_back_as_the_same_formula(term: Term) -> None:
    text = canonical_text(term)
    formula = Formula.parse(text)
    assert formula.term == term
    assert formula.canonical == text


@given(TERMS, ROWS)
def test_amounts_are_those_of_fractions(term: Term, row: Mapping[str, Decimal | int | None]) -> None:
    amount = Formula.parse(canonical_text(term)).evaluate(row)
    exact = fraction_of(term, row)
    if exact is None:
        assert isinstance(amount, NoValue)
        assert amount.code in {"null_input", "zero_divisor"}
    elif isinstance(amount, NoValue):
        assert amount == NoValue("out_of_range")
        assert abs(round(exact, 4)) >= LIMIT
    else:
        assert Fraction(amount) == round(exact, 4)
        assert amount.as_tuple().exponent == -4


def test_a_range_is_taken_over_all_corners() -> None:
    values: Mapping[str, Decimal | int | None] = {"jobs_dispatched": 10, "dispatch_minutes": Decimal("3.5")}
    ranged = {
        "manual_minutes_per_job": Range(Decimal(11), Decimal(14), Decimal(16)),
        "hourly_cost": Range(Decimal(38), Decimal(45), Decimal(52)),
        "unrelated": Range(Decimal(0), Decimal(1), Decimal(2)),
    }
    assert Formula.parse(DISPATCH).evaluate_range(values, ranged) == RangedValue(
        Decimal("67.4500"), Decimal("102.3750"), Decimal("135.6333")
    )


def test_a_falling_input_gives_the_low_amount_at_its_high_end() -> None:
    ranged = Formula.parse("a - cost").evaluate_range({"a": 1}, {"cost": Range(Decimal(1), Decimal(2), Decimal(5))})
    assert ranged == RangedValue(Decimal(-4), Decimal(-1), Decimal(0))


def test_bounds_enclose_the_expected_amount_even_between_corners() -> None:
    ranged = Formula.parse("a * a").evaluate_range({}, {"a": Range(Decimal(-3), Decimal(0), Decimal(3))})
    assert ranged == RangedValue(Decimal(0), Decimal(0), Decimal(9))


def test_a_corner_without_a_value_leaves_no_bounds() -> None:
    zero_below = {"b": Range(Decimal(0), Decimal(1), Decimal(2))}
    reason = NoValue("zero_divisor", "b")
    assert Formula.parse("a / b").evaluate_range({"a": 1}, zero_below) == RangedValue(reason, Decimal(1), reason)
    missing = NoValue("null_input", "b")
    assert Formula.parse("a / b").evaluate_range({"a": 1}, {"b": None}) == RangedValue(missing, missing, missing)


def test_more_ranged_inputs_than_can_be_worked_out_are_refused() -> None:
    names = [f"n{number}" for number in range(MOST_RANGED + 1)]
    formula = Formula.parse(" + ".join(names))
    ranged = dict.fromkeys(names, Range.point(Decimal(1)))
    with pytest.raises(UnprocessableError, match="at most 8"):
        formula.evaluate_range({}, ranged)
    assert formula.evaluate_range({"n0": 1}, dict(list(ranged.items())[1:])).expected == 9


RANGES = st.one_of(
    st.none(),
    st.lists(st.decimals(-1000, 1000, places=2), min_size=3, max_size=3).map(lambda three: Range(*sorted(three))),
    st.decimals(-1000, 1000, places=9).map(Range.point),
)


@given(TERMS, ROWS, RANGES, RANGES)
def test_every_corner_and_the_expected_point_lie_within_the_bounds(
    term: Term, row: Mapping[str, Decimal | int | None], one: Range | None, other: Range | None
) -> None:
    formula = Formula.parse(canonical_text(term))
    result = formula.evaluate_range(row, {"a": one, "b": other})
    points = [
        formula.evaluate({**row, "a": a, "b": b})
        for a, b in product(
            *([None] if each is None else [each.low, each.high] for each in (one, other)),
        )
    ]
    if isinstance(result.low, NoValue):
        assert result.low == result.high
        assert result.low == result.expected or result.low in points
    else:
        amounts = [point for point in (result.expected, *points) if isinstance(point, Decimal)]
        assert (result.low, result.high) == (min(amounts), max(amounts))
        assert len(amounts) == len(points) + 1


@pytest.mark.parametrize(
    ("text", "additive"),
    [
        (DISPATCH, True),
        ("m * rate", True),
        ("-m / rate + n", True),
        ("case when rate > 1 then m else n * 2 end", True),
        ("m * n", False),
        ("m + 1", False),
        ("rate / m", False),
        ("m / n", False),
        ("min(m, n)", False),
        ("case when m > 1 then m else n end", False),
        ("case when rate > 1 then m else 0 end", False),
        ("rate", False),
        ("m - m * n / n", False),
    ],
)
def test_only_a_sum_of_meters_times_rates_may_be_taken_over_a_period(text: str, *, additive: bool) -> None:
    assert Formula.parse(text).is_additive_in({"m", "n", "jobs_dispatched", "dispatch_minutes"}) is additive


@given(TERMS, ROWS, ROWS)
def test_an_additive_formula_of_a_sum_is_the_sum_of_the_formulas(
    term: Term, first: Mapping[str, Decimal | int | None], second: Mapping[str, Decimal | int | None]
) -> None:
    if not Formula.parse(canonical_text(term)).is_additive_in({"a", "b"}):
        return
    known = {name: Fraction(first[name] or 0) for name in NAMES}
    later = {**known, **{name: Fraction(second[name] or 0) for name in ("a", "b")}}
    both = {**known, **{name: known[name] + later[name] for name in ("a", "b")}}
    parts = [fraction_of(term, each) for each in (known, later, both)]
    if parts[0] is not None and parts[1] is not None:
        assert parts[2] == parts[0] + parts[1]


def test_a_frame_of_floats_is_refused() -> None:
    with pytest.raises(TypeError, match="column a holds Float64"):
        Formula.parse("a * 2").evaluate_frame(pl.DataFrame({"a": [1.5]}))
