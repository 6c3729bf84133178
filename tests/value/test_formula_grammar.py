"""The grammar is written down twice: here for sqlglot, and by hand in the proof. They must never read apart."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.formula_strategies import NAMES
from valueplatform.core.numbers import round_half_even
from valueplatform.telemetry.expressions import RESERVED, ExpressionError
from valueplatform.value import proof_expression
from valueplatform.value.formula import Formula, FormulaError
from valueplatform.value.formula_grammar import parse_term
from valueplatform.value.formula_tree import Arithmetic, Extreme, Name, Number
from valueplatform.value.ranges import NoValue

WORDS = st.sampled_from([*NAMES, *"+-*/()(),.", "1", "2.5", "1e2", "<", ">=", "<>", "!=", "=", "min", "MAX", *RESERVED])
TEXTS = st.lists(WORDS, max_size=10).flatmap(lambda words: st.sampled_from([" ".join(words), "".join(words)]))


def test_words_of_the_grammar_may_be_written_large() -> None:
    assert parse_term("CASE WHEN a > 1 THEN Min(a, b) ELSE max(a, b) END") == parse_term(
        "case when a > 1 then min(a, b) else max(a, b) end"
    )


@pytest.mark.parametrize("name", ["date", "time", "user", "year", "count", "sum", "left", "order_total", "interval"])
def test_words_that_sql_keeps_for_itself_are_names_where_that_is_clear(name: str) -> None:
    assert parse_term(f"({name}) * 2") == Arithmetic("*", Name(name), Number(2, 0))


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_words_of_the_grammar_are_no_names(word: str) -> None:
    for text in (word, f"{word} + 1", f"min({word}, 1)"):
        with pytest.raises(ExpressionError):
            parse_term(text)


def test_min_and_max_take_as_many_terms_as_they_are_given() -> None:
    assert parse_term("max(a, b, 3)") == Extreme("max", (Name("a"), Name("b"), Number(3, 0)))


@given(TEXTS, st.lists(st.sampled_from([None, Decimal(0), Decimal("-2.5"), Decimal(3)]), min_size=4, max_size=4))
def test_what_is_accepted_here_means_the_same_to_the_proof(text: str, given_values: list[Decimal | None]) -> None:
    try:
        formula = Formula.parse(text)
    except FormulaError:
        return
    values = dict(zip(NAMES, given_values, strict=True))
    if not formula.names <= values.keys():
        return
    amount = formula.evaluate(values)
    exact = proof_expression.amount(
        text, {name: Fraction(value) for name, value in values.items() if value is not None}
    )
    assert proof_expression.names(text) == formula.names
    assert (None if isinstance(amount, NoValue) else amount) == (
        None if exact is None else round_half_even(exact.numerator, exact.denominator)
    )
