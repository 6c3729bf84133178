"""Keeps arrival order through a SQL query: every part of the query carries `_row`, the order of its first table.

Polars joins and unions scramble rows. So `_row` is written into each SELECT that feeds the result (the query
itself, its CTEs and the subqueries it reads from); the rest of the text stays as its author wrote it. Where rows
are joined they count on by the rows of all tables in their order; groups stand where their first row stood; the
parts of a UNION ALL follow one another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import sqlglot
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from valueplatform.core.errors import InvalidInputError

ROW: Final = "_row"
_PART_SIZE: Final = 1 << 40
_NAMES: Final = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_SET_OPERATIONS: Final = frozenset({TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT})
_TABLE_FOLLOWS: Final = frozenset({TokenType.FROM, TokenType.JOIN, TokenType.COMMA})
_BEFORE_STAR: Final = frozenset({TokenType.SELECT, TokenType.COMMA, TokenType.DOT})
_AFTER_TABLES: Final = frozenset({TokenType.WHERE, TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.HAVING})


@dataclass(frozen=True, slots=True)
class _Select:
    """One SELECT: its own tokens (what stands in parentheses left out), and its place in a UNION ALL, from 0."""

    start: Token
    own: Sequence[Token]
    part: int | None

    def has(self, kind: TokenType) -> bool:
        return any(token.token_type is kind for token in self.own)


def with_arrival_order(sql: str) -> str:
    """The query with `_row` added wherever it can be. It may fail where the original does not: then use that."""
    insertions: list[tuple[int, str]] = []
    for select in _feeding_selects(tokens_of(sql)):
        insertions += _insertions(select)
    for position, text in sorted(insertions, reverse=True):
        sql = sql[:position] + text + sql[position:]
    return sql


def sorts_itself(sql: str) -> bool:
    """Whether the query as a whole has an ORDER BY."""
    depth = 0
    for token in tokens_of(sql):
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth == 0 and token.token_type is TokenType.ORDER_BY:
            return True
    return False


def tokens_of(sql: str) -> Sequence[Token]:
    try:
        return sqlglot.tokenize(sql)
    except TokenError as error:
        raise InvalidInputError(f"The query cannot be read as SQL: {error}") from error


def _feeding_selects(tokens: Sequence[Token]) -> Iterator[_Select]:
    """The SELECTs whose rows reach the result: at the top, in a CTE (`AS (`), in FROM or JOIN."""
    yield from _scope(tokens, 0)
    for index, token in enumerate(tokens):
        if token.token_type is not TokenType.L_PAREN or index == 0:
            continue
        if tokens[index - 1].token_type in {TokenType.ALIAS, TokenType.FROM, TokenType.JOIN}:
            yield from _scope(tokens, index + 1)


def _scope(tokens: Sequence[Token], start: int) -> Iterator[_Select]:
    own = list(_own_tokens(tokens, start))
    cuts = [index for index, token in enumerate(own) if token.token_type is TokenType.SELECT]
    sets = [index for index, token in enumerate(own) if token.token_type in _SET_OPERATIONS]
    if any(index + 1 >= len(own) or own[index + 1].token_type is not TokenType.ALL for index in sets):
        return  # these compare whole rows, which a row number would make all different
    for number, begin in enumerate(cuts):
        end = next((index for index in sets if index > begin), len(own))
        yield _Select(own[begin], own[begin:end], number if sets else None)


def _own_tokens(tokens: Sequence[Token], start: int) -> Iterator[Token]:
    """From `start` to the parenthesis that closes this scope; of deeper ones only the parentheses themselves."""
    depth = 0
    for token in tokens[start:]:
        if token.token_type is TokenType.R_PAREN:
            depth -= 1
            if depth < 0:
                return
        if depth == 0:
            yield token
        if token.token_type is TokenType.L_PAREN:
            depth += 1


def _insertions(select: _Select) -> list[tuple[int, str]]:
    tables = _tables(select.own)
    offset = f"{select.part * _PART_SIZE} + " if select.part else ""
    if not tables or select.has(TokenType.DISTINCT):
        return []
    end_of_columns = next(index for index, token in enumerate(select.own) if token.token_type is TokenType.FROM)
    columns = select.own[1:end_of_columns]
    star = next((token for before, token in pairwise(select.own[:end_of_columns]) if _is_star(before, token)), None)
    if star is not None:
        return [(star.end + 1, f" REPLACE ({offset}{ROW} AS {ROW})")] if offset else []
    ends = [*(index for index, token in enumerate(columns) if token.token_type is TokenType.COMMA), len(columns)]
    if any(end and columns[end - 1].text == ROW for end in ends):
        return []  # the author gives an order
    return [(select.start.end + 1, f" {offset}{_row_expression(select, tables)} AS {ROW},")]


def _is_star(before: Token, token: Token) -> bool:
    """All columns, not a multiplication."""
    return token.token_type is TokenType.STAR and before.token_type in _BEFORE_STAR


def _row_expression(select: _Select, tables: Sequence[str]) -> str:
    if select.has(TokenType.GROUP_BY):
        return f"MIN({tables[0]}.{ROW})"
    if len(tables) == 1:
        return f"{tables[0]}.{ROW}"
    return f"ROW_NUMBER() OVER (ORDER BY {', '.join(f'{table}.{ROW}' for table in tables)})"


def _tables(own: Sequence[Token]) -> list[str]:
    """The names that the tables of FROM and JOIN go by, as SQL; none of semi and anti joins, which add no columns."""
    names: list[str] = []
    reading = False
    for index, token in enumerate(own):
        if token.token_type is TokenType.FROM:
            reading = True
        elif token.token_type in _AFTER_TABLES:
            break
        if not reading or token.token_type not in _TABLE_FOLLOWS:
            continue
        if own[index - 1].token_type in {TokenType.SEMI, TokenType.ANTI}:
            continue
        name = _name_of_table(own, index + 1)
        if name is not None:
            names.append(name)
    return names


def _name_of_table(own: Sequence[Token], start: int) -> str | None:
    """The alias where there is one, else the name; `own` holds a subquery as its two parentheses."""
    if start >= len(own):
        return None
    after = start + 2 if own[start].token_type is TokenType.L_PAREN else start + 1
    if after < len(own) and own[after].token_type is TokenType.ALIAS:
        after += 1
    if after < len(own) and own[after].token_type in _NAMES:
        return _quoted(own[after])
    return _quoted(own[start]) if own[start].token_type in _NAMES else None


def _quoted(token: Token) -> str:
    return f'"{token.text}"'
