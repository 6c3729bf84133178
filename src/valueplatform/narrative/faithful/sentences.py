"""A rendered sentence parsed back: each number, unit, direction, name and day in it must be one of its insight's.

What a sentence may hold: figures that are number spans, days and months that its numbers or terms speak of, names of
its own terms, and words. Any other digit, number word, name of the record or word of direction is a fault.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from valueplatform.core.periods import ONE_DAY, next_month
from valueplatform.narrative.document import Span
from valueplatform.narrative.faithful.admission import Admitted
from valueplatform.narrative.faithful.figures_in_text import figure_problem, has_sign
from valueplatform.narrative.faithful.languages import lexicon_of
from valueplatform.narrative.faithful.leaves import subject_span
from valueplatform.narrative.faithful.lexicon import Lexicon
from valueplatform.narrative.insight import Insight, Number
from valueplatform.value.derivation import Difference, Graded, Statistic

_CLAUSE = re.compile(r"[.;:,](?=\s|$)")
_WORD = re.compile(r"[^\W\d_]+")
LONG_NAME = 8


@dataclass(frozen=True, slots=True)
class Token:
    """Something recognized in the text: a figure ('number'), a day, a month, a name. `name` is the text of a figure, or
    the name as the record has it."""

    kind: str
    at: int
    end: int
    number: Number | None = None
    first: date | None = None
    name: str = ""


def check_sentence(spans: Sequence[Span], admitted: Admitted, locale: str = "en_US") -> list[str]:
    """What is wrong with a sentence; empty where it says what its insight says. A language that we have no lexicon of
    is refused."""
    lexicon = lexicon_of(locale)
    if lexicon is None:
        return [f"no sentence in {locale} can be checked yet"]
    figures = list(_figure_tokens(spans, admitted.insight))
    found = [problem for span in spans if (problem := _span_problem(span, admitted.insight, lexicon))]
    if found:
        return found
    text = "".join(span.text for span in spans)
    names = list(_name_tokens(text, figures, admitted))
    days = list(_day_tokens(text, [*figures, *names], lexicon))
    tokens = sorted([*figures, *names, *days], key=lambda token: token.at)
    rest = _blanked(text, tokens)
    found += stray_numbers(rest, lexicon)
    found += [f"{name.name!r} is none of its names" for name in names if name.name not in _own_names(admitted)]
    found += [problem for token in days if (problem := _day_problem(token, figures, admitted))]
    for start, end in _clauses(rest):
        inside = [token for token in tokens if start <= token.at < end]
        found += _direction_problems(rest[start:end], inside, admitted.insight, lexicon)
        found += _name_order_problems(inside, admitted.insight)
        found += _class_problems(rest[start:end], start, inside, admitted.insight, lexicon)
    return found


def _span_problem(span: Span, insight: Insight, lexicon: Lexicon) -> str | None:
    if span.name is None:
        return None
    number = next((number for number in insight.numbers if number.name == span.name), None)
    if number is None:
        return f"{span.name!r} is no number of a {insight.kind} insight"
    if (span.value, span.unit, span.standing) != (format(number.value, "f"), number.unit, number.standing):
        return f"the span of {span.name} does not carry its number"
    return figure_problem(span.text, number, lexicon)


def _figure_tokens(spans: Sequence[Span], insight: Insight) -> Iterator[Token]:
    at = 0
    by_name = {number.name: number for number in insight.numbers}
    for span in spans:
        if span.name is not None:
            yield Token("number", at, at + len(span.text), number=by_name.get(span.name), name=span.text)
        at += len(span.text)


def _own_names(admitted: Admitted) -> set[str]:
    own = {said for term, said in admitted.insight.terms.items() if term.endswith("_name")}
    return own | {admitted.account_name, admitted.supplier_name}


def _name_tokens(text: str, taken: Sequence[Token], admitted: Admitted) -> Iterator[Token]:
    """Names of the record in the text, the longest first, each place once; the first letter may be small."""
    free = _blanked(text, taken)
    own = _own_names(admitted)
    known = {name for name in admitted.names if " " in name or len(name) >= LONG_NAME} | own
    there = {name for name in known - {""} if name[1:] in free}
    for name in sorted(there, key=lambda name: (-len(name), name)):
        pattern = rf"(?<!\w)[{re.escape(name[:1].lower() + name[:1].upper())}]{re.escape(name[1:])}(?!\w)"
        for match in re.finditer(pattern, free):
            yield Token("name", match.start(), match.end(), name=name)
            free = free[: match.start()] + "\0" * (match.end() - match.start()) + free[match.end() :]


def _day_tokens(text: str, taken: Sequence[Token], lexicon: Lexicon) -> Iterator[Token]:
    free = _blanked(text, taken)
    days = []
    for match in lexicon.day.finditer(free):
        month = next(i for i, name in enumerate(lexicon.months, start=1) if name.startswith(match[2]))
        days.append(Token("day", match.start(), match.end(), first=date(int(match[3]), month, int(match[1]))))
    yield from days
    for match in lexicon.month.finditer(_blanked(free, days)):  # "8 May 2026" is no month
        yield Token(
            "month", match.start(), match.end(), first=date(int(match[2]), lexicon.months.index(match[1]) + 1, 1)
        )


def _blanked(text: str, tokens: Sequence[Token]) -> str:
    """The text with every token as NUL characters, so that offsets stay."""
    for token in tokens:
        text = text[: token.at] + "\0" * (token.end - token.at) + text[token.end :]
    return text


def stray_numbers(rest: str, lexicon: Lexicon) -> Iterator[str]:
    """Digits and number words in a text whose own numbers, names and days are set aside."""
    for digits in re.findall(r"\S*\d\S*", rest):
        yield f"{digits!r} is no number of the insight"
    for word in _WORD.findall(rest):
        if lexicon.number_word.fullmatch(word.lower()):
            yield f"{word!r} states a number in words"


def _day_problem(token: Token, figures: Sequence[Token], admitted: Admitted) -> str | None:
    """A day must be a term's, or bound the stretch that the nearest figure is about."""
    said = token.first
    insight = admitted.insight
    kind = "_day" if token.kind == "day" else "month"
    terms = [term for term, text in insight.terms.items() if term.endswith(kind) and text == str(said)]
    nearest = min(figures, key=lambda figure: _distance(figure, token), default=None)
    span = subject_span(nearest.number.derivation) if nearest is not None and nearest.number is not None else None
    if said is not None and span is not None and _bounds(said, token.kind, span):
        return None
    if not terms or (token.kind == "month" and span is not None):
        return f"{said} is not what its number is about"
    return None


def _distance(figure: Token, token: Token) -> tuple[int, int]:
    """Characters between them; of two as near, what comes before."""
    gap = token.at - figure.end if figure.end <= token.at else figure.at - token.end
    return gap, int(figure.at > token.at)


def _bounds(said: date, kind: str, span: tuple[date, date]) -> bool:
    start, end = span
    if kind == "month":
        return said == start and end <= next_month(said)
    return said in {start, end - ONE_DAY}


def _clauses(rest: str) -> Iterator[tuple[int, int]]:
    cuts = [0, *(match.end() for match in _CLAUSE.finditer(rest)), len(rest)]
    yield from ((start, end) for start, end in pairwise(cuts) if rest[start:end].strip())


def is_signed(number: Number) -> bool:
    """Whether it is a change or a distance, whose sign words may carry."""
    node = number.derivation
    return isinstance(node, Difference | Statistic) or (isinstance(node, Graded) and node.what == "realized")


def _direction_problems(clause: str, inside: Sequence[Token], insight: Insight, lexicon: Lexicon) -> Iterator[str]:
    words = {word.lower() for word in _WORD.findall(clause)}
    up, down = words & lexicon.up, words & lexicon.down
    figures = [(token, token.number) for token in inside if token.kind == "number" and token.number is not None]
    signed = [number for _, number in figures if is_signed(number)]
    governing = signed or [number for number in insight.numbers if is_signed(number)][:1] or [n for _, n in figures]
    if (up or down) and not governing:
        yield f"{sorted(up | down)} has no number that bears it out"
    for number in governing:
        if (up and number.value < 0) or (down and number.value > 0):
            yield f"{sorted(up | down)} contradicts {number.name}, which is {number.value}"
    for token, number in figures:
        if number.value < 0 and not has_sign(token.name) and not (is_signed(number) and down):
            yield f"{number.name} lost its sign"
        if number.value < 0 and has_sign(token.name) and is_signed(number) and down:
            yield f"{number.name} says its sign twice"


def _name_order_problems(inside: Sequence[Token], insight: Insight) -> Iterator[str]:
    """Where numbers have names of their own, their names stand in the clause, in the same order."""
    named = [
        insight.terms[f"{token.number.name}_name"]
        for token in inside
        if token.number is not None and f"{token.number.name}_name" in insight.terms
    ]
    names = _number_names(insight)
    said = [token.name for token in inside if token.kind == "name" and token.name in names]
    if named and len(names) > 1 and said != named:
        yield f"the names {said} do not belong to these numbers"


def _number_names(insight: Insight) -> set[str]:
    return {
        insight.terms[f"{number.name}_name"] for number in insight.numbers if f"{number.name}_name" in insight.terms
    }


def _class_problems(
    clause: str, start: int, inside: Sequence[Token], insight: Insight, lexicon: Lexicon
) -> Iterator[str]:
    """A benefit class follows its amount."""
    if insight.kind != "benefit-classes":
        return
    for token in inside:
        if token.number is not None and not clause[token.end - start :].lstrip().startswith(
            lexicon.class_words[token.number.name]
        ):
            yield f"{token.number.name} is not followed by its class"
