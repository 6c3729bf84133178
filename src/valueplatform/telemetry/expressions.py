"""The one door through which written expressions (filters, formulas) are parsed.

sqlglot reads far more than we mean, and recursively: so size and nesting are checked on the tokens first, comments
and second statements are refused, and afterwards every node must be on the caller's allow-list, with no argument
but those listed there. Raises `ExpressionError`; never recurses deeper than `DEEPEST`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from valueplatform.core.errors import InvalidInputError

LONGEST: Final = 2_000
DEEPEST_NESTING: Final = 24  # the parser takes some 20 frames a level, and Python allows 1,000 in all
DEEPEST: Final = 100

RESERVED: Final = frozenset(
    ["and", "or", "not", "in", "is", "null", "true", "false", "case", "when", "then", "else", "end"]
)
"""Words that are names only in double quotes."""

Allowed = Mapping[type[exp.Expr], frozenset[str]]

_NAMES: Final[tuple[tuple[type[exp.Expr], str], ...]] = (
    (exp.Window, "a window function"),
    (exp.Query, "a subquery"),
    (exp.CurrentDate, "a clock function"),
    (exp.CurrentTime, "a clock function"),
    (exp.CurrentTimestamp, "a clock function"),
    (exp.CurrentDatetime, "a clock function"),
    (exp.AggFunc, "an aggregate"),
    (exp.Cast, "a cast"),
    (exp.If, "if() (write: case when … then … else … end)"),
    (exp.Case, "case"),
    (exp.Connector, "and, or"),
    (exp.Not, "not"),
    (exp.Neg, "a minus sign"),
    (exp.Star, "a star"),
    (exp.Block, "a second statement"),
    (exp.Alias, "two terms without an operator between them"),
    (exp.Tuple, "a list"),
    (exp.Null, "null"),
    (exp.Boolean, "true or false"),
    (exp.Mod, "a remainder"),
    (exp.Distinct, "distinct"),
)
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div)
_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_ARGUMENT_NAMES: Final[Mapping[tuple[type[exp.Expr], str], str]] = {
    (exp.Column, "table"): "a name with a dot",
    (exp.Identifier, "quoted"): "a quoted name",
    (exp.Literal, "is_string"): "text",
    (exp.Case, "this"): "a term right after case (write: case when a = 1 then …)",
    (exp.In, "query"): "a subquery",
    (exp.If, "false"): "if() (write: case when … then … else … end)",
}

_OPENING: Final = frozenset({TokenType.L_PAREN, TokenType.CASE, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING: Final = frozenset({TokenType.R_PAREN, TokenType.END, TokenType.R_BRACKET, TokenType.R_BRACE})
_PREFIXES: Final = frozenset({TokenType.DASH, TokenType.NOT})
_DIALECT: Final = frozenset({TokenType.ISNULL, TokenType.NOTNULL})
_TERM_ENDS: Final = frozenset(
    {
        TokenType.NUMBER,
        TokenType.STRING,
        TokenType.R_PAREN,
        TokenType.END,
        TokenType.NULL,
        TokenType.TRUE,
        TokenType.FALSE,
    }
)
_WORD_OR_SIGN: Final = re.compile(r"[A-Za-z_]\w*|[-+*/(),.=<>]|<>|!=|<=|>=")
_SHAPES: Final[Mapping[TokenType, re.Pattern[str]]] = {
    TokenType.STRING: re.compile(r"'.*'", re.DOTALL),
    TokenType.IDENTIFIER: re.compile(r'".*"', re.DOTALL),
    TokenType.NUMBER: re.compile(r"[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?"),
}


class ExpressionError(InvalidInputError):
    """An expression says something that its grammar does not have."""

    code = "invalid_expression"


def parse_expression(text: str, allowed: Allowed) -> exp.Expr:
    """The parsed expression, shallow enough to walk recursively, made of allowed nodes only."""
    if not text.strip():
        raise ExpressionError("it is empty")
    if len(text) > LONGEST:
        raise ExpressionError(f"it has {len(text)} characters; at most {LONGEST} are allowed, so split it up")
    try:
        tokens = sqlglot.tokenize(text)
        _check_size(tokens)
        root = _parsed(tokens, text)
    except SqlglotError as error:
        raise ExpressionError(_unreadable(error)) from error
    except RecursionError as error:
        raise ExpressionError("it is nested too deeply; split it up") from error
    _check_nodes(root, allowed)
    _check_spelling(tokens, text)
    return root


def name_of(node: exp.Expr) -> str:
    """What a person would call a node, for a refusal."""
    if isinstance(node, exp.Anonymous):
        return f"the function {node.name}()"
    if isinstance(node, exp.Literal):
        return f"the text {node.name!r}" if node.is_string else f"the number {node.name}"
    if isinstance(node, exp.Column):
        return f"the name {node.name}"
    if isinstance(node, _ARITHMETIC):
        return "arithmetic"
    if isinstance(node, _COMPARISONS):
        return "a comparison"
    name = next((name for kind, name in _NAMES if isinstance(node, kind)), None)
    if isinstance(node, exp.AggFunc | exp.Func) and name in {None, "an aggregate", "a clock function"}:
        return f"{name or 'the function'} {node.sql_name().lower()}()"
    return name or f"'{node.key}'"


def _check_size(tokens: Sequence[Token]) -> None:
    nesting = prefixes = 0
    for token in tokens:
        if token.comments:
            raise ExpressionError("comments are not allowed; note that -- begins one: write a - (-b)")
        if token.token_type is TokenType.SEMICOLON:
            raise ExpressionError("one expression only: remove the semicolon")
        if token.token_type in _OPENING:
            nesting += 1
        elif token.token_type in _CLOSING:
            nesting = max(0, nesting - 1)
        prefixes = prefixes + 1 if token.token_type in _PREFIXES else 0
        if max(nesting, prefixes) > DEEPEST_NESTING:
            raise ExpressionError(f"it is nested more than {DEEPEST_NESTING} deep; split it up")


def _parsed(tokens: Sequence[Token], text: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(text)
    except SqlglotError:
        _check_spelling(tokens, text)  # a sign that is not ours says more than where the parser stumbled
        raise


def _check_spelling(tokens: Sequence[Token], text: str) -> None:
    """Only what any other reader of the same grammar takes for the same thing: nothing of sqlglot's dialects."""
    for token in tokens:
        spelled = text[token.start : token.end + 1]
        shape = _SHAPES.get(token.token_type, _WORD_OR_SIGN)
        if not shape.fullmatch(spelled) or token.token_type in _DIALECT:
            shown = spelled if len(spelled) <= 40 else f"{spelled[:37]}..."
            raise ExpressionError(f"{shown} is not known here; signs are + - * / ( ) , . = <> < <= > >=")
    _check_neighbors(tokens)


def _check_neighbors(tokens: Sequence[Token]) -> None:
    kinds = [token.token_type for token in tokens]
    if kinds.count(TokenType.WHEN) != kinds.count(TokenType.THEN):
        raise ExpressionError("each when needs its then")
    for before, token, after in zip((None, *tokens), tokens, (*tokens[1:], None), strict=False):
        kind_after = None if after is None else after.token_type
        if token.token_type is TokenType.NOT and _ends_term(before) and kind_after is not TokenType.IN:
            raise ExpressionError("not stands before a condition, or in: is not null, not in (…)")
        if token.token_type is TokenType.PLUS and not _ends_term(before):
            raise ExpressionError("a plus sign stands between two terms")
        if token.token_type is TokenType.COMMA and not _ends_term(before):
            raise ExpressionError("a comma stands between two terms")
        if token.token_type is TokenType.DOT and not (_is_name(before) and _is_name(after)):
            raise ExpressionError("a dot stands between two names, or within a number: write 0.5")


def _is_name(token: Token | None) -> bool:
    if token is None or token.token_type is TokenType.IDENTIFIER:
        return token is not None
    is_word = token.text[:1].isalpha() or token.text[:1] == "_"
    return is_word and token.token_type is not TokenType.STRING and token.text.lower() not in RESERVED


def _ends_term(token: Token | None) -> bool:
    return token is not None and (_is_name(token) or token.token_type in _TERM_ENDS)


def _check_nodes(root: exp.Expr, allowed: Allowed) -> None:
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise ExpressionError(f"it chains more than {DEEPEST} operations; split it up")
        arguments = allowed.get(type(node))
        if arguments is None:
            raise ExpressionError(f"{name_of(node)} is not allowed here")
        for argument, value in node.args.items():
            if argument not in arguments and value:
                named = _ARGUMENT_NAMES.get((type(node), argument), f"{name_of(node)} with '{argument}'")
                raise ExpressionError(f"{named} is not allowed here")
        if isinstance(node, exp.Identifier) and not node.quoted and node.name.lower() in RESERVED:
            raise ExpressionError(f"the word {node.name} cannot be a name")
        waiting.extend((child, depth + 1) for child in node.iter_expressions(reverse=True))


def _unreadable(error: SqlglotError) -> str:
    places = error.errors if isinstance(error, ParseError) else []
    column, near = (places[0].get("col"), places[0].get("highlight")) if places else (None, None)
    where = f" at character {column}" if column else ""
    return f"it cannot be read{where}{f', near {near!r}' if near else ''}: something is missing or misplaced"
