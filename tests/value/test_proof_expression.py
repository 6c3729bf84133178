from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.meters import Aggregation, Meter, dimension_values
from valueplatform.value import proof_expression as expression
from valueplatform.value.proof_expression import UnreadableError, admits, amount, names, scalar_text, wire_number


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1 + 2 * 3", Fraction(7)),
        ("(1 + 2) * 3", Fraction(9)),
        ("10 - 4 - 3", Fraction(3)),
        ("2 / 3 / 4", Fraction(1, 6)),
        ("-jobs + 0.5", Fraction(-5, 2)),
        ("min(jobs, 2, 5) * max(1, hours)", Fraction(8)),
        ("case when jobs > 3 then 1 when jobs > 2 then 20 else 300 end", Fraction(20)),
        ("case when not (jobs = 3 and hours >= 4) or 1 > 2 then 1 else 2 end", Fraction(2)),
        ("1 / (jobs - 3)", None),
        ("missing * 2", None),
    ],
)
def test_formulas_are_exact(formula: str, expected: Fraction | None) -> None:
    assert amount(formula, {"jobs": Fraction(3), "hours": Fraction(4)}) == expected


@pytest.mark.parametrize("formula", ["", "1 +", "(1", "1 1", "case when 1 > 2 then 3 end", "a; b", "@", "1 then"])
def test_what_is_not_in_the_grammar_is_unreadable(formula: str) -> None:
    with pytest.raises(UnreadableError):
        expression.read(formula)


def test_names_are_those_that_are_read_not_the_functions() -> None:
    assert names("min(a, b) + case when c > 1 then d else 2 end") == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("channel = 'app'", True),
        ("channel <> 'app'", False),
        ("missing = 'app'", False),
        ("not missing = 'app'", False),
        ("missing is null and channel is not null", True),
        ("minutes > 3 and minutes <= 12.5", True),
        ("price = 12.5", True),
        ("channel in ('web', 'app')", True),
        ("channel not in ('web', 'desk')", True),
        ("missing in ('web')", False),
        ("urgent", True),
        ("not urgent or channel = 'app'", True),
        ("urgent = true", True),
        ("job.kind = 'repair'", True),
        ("channel = 'it''s'", False),
        ("minutes > 'abc'", False),
    ],
)
def test_filters_know_three_truths_and_only_true_admits(condition: str, expected: bool) -> None:  # noqa: FBT001 - a case
    data = {"channel": "app", "minutes": Decimal("12.5"), "price": "12.50", "urgent": True, "job.kind": "repair"}
    assert admits(condition, data.get) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12.50", Fraction(25, 2)),
        (Decimal("1E+3"), Fraction(1000)),
        (-7, Fraction(-7)),
        ("1e3", Fraction(1000)),
        ("0.0000000001", None),
        (10**18, None),
        (10**18 - 1, Fraction(10**18 - 1)),
        ("NaN", None),
        ("", None),
        (True, None),
        (None, None),
        ([1], None),
    ],
)
def test_a_wire_number_has_at_most_18_integer_and_9_fraction_digits(value: object, expected: Fraction | None) -> None:
    assert wire_number(value) == expected


def test_the_text_of_a_scalar_is_what_the_database_gives() -> None:
    values = [True, False, 7, Decimal("12.50"), Decimal("1E+2"), "text", None, {}, [], Decimal("-0.0")]
    assert [scalar_text(value) for value in values] == [
        "true",
        "false",
        "7",
        "12.50",
        "100",
        "text",
        None,
        None,
        None,
        "0.0",
    ]


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(-(10**20), 10**20, places=6)
    | st.text(alphabet="aé✓'\"", max_size=250)
    | st.integers(190, 210).map("x".__mul__)
    | st.lists(st.integers())
)
def test_a_dimension_value_has_the_text_that_rollups_name_it_by(value: object) -> None:
    (named,) = dimension_values(
        Meter(slug="m", event_types=("e",), aggregation=Aggregation.COUNT, dimensions=("x",)), {"x": value}
    )
    assert expression.dimension_text(value) == named
