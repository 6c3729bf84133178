import pytest

from valueplatform.value.formula_grammar import parse_term
from valueplatform.value.formula_tree import (
    Arithmetic,
    Choice,
    Comparison,
    Connected,
    Denied,
    Extreme,
    Name,
    Negative,
    Number,
    canonical_text,
    children,
    degree_in,
    walk,
)

A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("a + b * c", Arithmetic("+", A, Arithmetic("*", B, C))),
        ("(a + b) * c", Arithmetic("*", Arithmetic("+", A, B), C)),
        ("a - b - c", Arithmetic("-", Arithmetic("-", A, B), C)),
        ("a - (b - c)", Arithmetic("-", A, Arithmetic("-", B, C))),
        ("a / (b * c)", Arithmetic("/", A, Arithmetic("*", B, C))),
        ("-a * b", Arithmetic("*", Negative(A), B)),
        ("-(a * b)", Negative(Arithmetic("*", A, B))),
        ("-(-a)", Negative(Negative(A))),
        ("a - -b", Arithmetic("-", A, Negative(B))),
        ("12.5", Number(125, 1)),
        ("0.05", Number(5, 2)),
        ("max(a, b, -c)", Extreme("max", (A, B, Negative(C)))),
        (
            "case when a > b and not (b = c or c <> 0) then a else b end",
            Choice(
                (
                    (
                        Connected(
                            "and",
                            Comparison(">", A, B),
                            Denied(Connected("or", Comparison("=", B, C), Comparison("<>", C, Number(0, 0)))),
                        ),
                        A,
                    ),
                ),
                B,
            ),
        ),
    ],
)
def test_the_canonical_text_needs_no_parenthesis_more_and_none_less(text: str, term: Arithmetic) -> None:
    assert canonical_text(term) == text
    assert parse_term(text) == term


def test_names_are_met_in_reading_order() -> None:
    term = parse_term("case when c > a then min(b, 2) else -c end")
    assert [node.name for node in walk(term) if isinstance(node, Name)] == ["c", "a", "b", "c"]
    assert children(A) == ()


def test_degree_tells_free_linear_and_neither() -> None:
    meters = frozenset({"a", "b"})
    assert degree_in(parse_term("c * 2 + 1"), meters) == 0
    assert degree_in(parse_term("a * c + b / 2"), meters) == 1
    assert degree_in(parse_term("a * b"), meters) is None
    assert degree_in(parse_term("max(c, 2) * a"), meters) == 1
    assert degree_in(parse_term("max(a, 2)"), meters) is None
