from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from valueplatform.telemetry.expressions import DEEPEST, DEEPEST_NESTING, Allowed, ExpressionError, parse_expression

ALLOWED: Allowed = {
    exp.Add: frozenset({"this", "expression"}),
    exp.Neg: frozenset({"this"}),
    exp.Paren: frozenset({"this"}),
    exp.Column: frozenset({"this"}),
    exp.Identifier: frozenset({"this"}),
}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.b", "a name with a dot"),
        ('"a"', "a quoted name"),
        ("sum(a) over ()", "a window function"),
        ("sum(a)", "an aggregate sum()"),
        ("(select a)", "a subquery"),
        ("current_date", "a clock function current_date()"),
        ("frobnicate(a)", "the function frobnicate()"),
        ("cast(a as int)", "a cast"),
        ("a b", "without an operator"),
        ("'a'", "the text 'a'"),
        ("a + 1", "the number 1"),
        ("a * a", "arithmetic"),
        ("a = a", "a comparison"),
        ("a; a", "semicolon"),
        ("a -- a", "comments"),
        ("a /*+ hint */ + a", "comments"),
        ("{# x #} a", "comments"),
        ("a \N{MINUS SIGN} a", "is not known here"),
        ("a \N{MULTIPLICATION SIGN} a", "is not known here"),
        ("a + ", "cannot be read"),
        ("a + )", "cannot be read at character 5"),
        ("'", "cannot be read"),
        ("drop table a", "not allowed"),
    ],
)
def test_a_refusal_names_what_it_refuses(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text, ALLOWED)
    assert reason in refused.value.message
    assert "sqlglot" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a == a", "== is not known here"),
        ("a && a", "&& is not known here"),
        ("$a = a", "$a is not known here"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}a = a", "is not known here"),
        ("a isnull", "isnull is not known here"),
        ("a not null", "is not null"),
        ("a not is null", "is not null"),
        ("a + + a", "between two terms"),
        ("+ a", "between two terms"),
        ("(+a)", "between two terms"),
        ("a = .5", "write 0.5"),
        ("a . 5 = 1", "write 0.5"),
        ("'a' . a", "between two names"),
        ("null . a", "between two names"),
        ("a in (, a)", "a comma stands"),
        ("a . is not null", "the word is"),
        ("end = a", "the word end"),
        ("case when a = a thena else a end", "needs its then"),
    ],
)
def test_what_another_reader_would_take_otherwise_is_refused(text: str, reason: str) -> None:
    kinds = (exp.EQ, exp.And, exp.Is, exp.Not, exp.Null, exp.Case, exp.If, exp.Literal, exp.Dot, exp.In)
    wide: dict[type[exp.Expr], frozenset[str]] = dict.fromkeys(
        kinds, frozenset({"this", "expression", "ifs", "default", "true", "is_string", "expressions"})
    )
    wide |= {exp.Column: frozenset({"this", "table"}), exp.Identifier: frozenset({"this", "quoted"})}
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text, {**ALLOWED, **wide})
    assert reason in refused.value.message


@pytest.mark.parametrize("opening", ["(", "[", "{", "case when a then ", "f("])
def test_nesting_is_refused_before_it_is_followed(opening: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression((opening * 1000)[:2000], ALLOWED)


def test_the_deepest_nesting_that_is_allowed_is_read() -> None:
    text = "(" * DEEPEST_NESTING + "a" + ")" * DEEPEST_NESTING
    assert isinstance(parse_expression(text, ALLOWED), exp.Paren)
    with pytest.raises(ExpressionError, match="nested more than"):
        parse_expression(f"({text})", ALLOWED)


def test_minus_signs_in_a_row_count_as_nesting() -> None:
    parse_expression("- " * DEEPEST_NESTING + "a", ALLOWED)
    with pytest.raises(ExpressionError, match="nested more than"):
        parse_expression("- " * (DEEPEST_NESTING + 1) + "a", ALLOWED)


def test_a_chain_is_read_up_to_a_depth_that_recursion_can_walk() -> None:
    parse_expression(" + ".join(["a"] * (DEEPEST - 1)), ALLOWED)
    with pytest.raises(ExpressionError, match="chains more than"):
        parse_expression(" + ".join(["a"] * DEEPEST), ALLOWED)


@given(st.text(max_size=80))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    with suppress(ExpressionError):
        assert all(type(node) in ALLOWED for node in parse_expression(text, ALLOWED).walk())
