"""Faults to plant: each function alters one insight, or one rendered sentence, in every way of its kind."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import msgspec

from valueplatform.narrative.document import Language, Span
from valueplatform.narrative.faithful.evaluation import NotDerivableError, evaluate
from valueplatform.narrative.faithful.record import Record
from valueplatform.narrative.figures import decimal
from valueplatform.narrative.insight import Insight, Number, Standing
from valueplatform.value.derivation import Bound, Difference, Ratio, Realized, Total

InsightFault = Callable[[Insight, Record], Iterator[Insight]]
SentenceFault = Callable[[Sequence[Span], Insight], Iterator[list[Span]]]
ONE_DAY = timedelta(days=1)


def _with_number(insight: Insight, index: int, number: Number) -> Insight:
    numbers = (*insight.numbers[:index], number, *insight.numbers[index + 1 :])
    return msgspec.structs.replace(insight, numbers=numbers)


def _with_value(insight: Insight, change: Callable[[Decimal], Decimal]) -> Iterator[Insight]:
    for index, number in enumerate(insight.numbers):
        if change(number.value) != number.value:
            yield _with_number(insight, index, msgspec.structs.replace(number, value=change(number.value)))


def wrong_number(insight: Insight, _: Record) -> Iterator[Insight]:
    yield from _with_value(insight, lambda value: value * 2 + 1)


def last_place(insight: Insight, _: Record) -> Iterator[Insight]:
    yield from _with_value(insight, lambda value: value + Decimal("0.0001"))


def rounded_too_early(insight: Insight, _: Record) -> Iterator[Insight]:
    yield from _with_value(insight, lambda value: value.quantize(Decimal(1)))


def wrong_sign(insight: Insight, _: Record) -> Iterator[Insight]:
    yield from _with_value(insight, lambda value: -value)


def wrong_unit(insight: Insight, _: Record) -> Iterator[Insight]:
    for index, number in enumerate(insight.numbers):
        if number.unit.partition("/")[0] == "USD":
            unit = number.unit.replace("USD", "EUR")
            yield _with_number(insight, index, msgspec.structs.replace(number, unit=unit))


def _re_derived(insight: Insight, record: Record, change: Callable[[Realized], Realized]) -> Iterator[Insight]:
    """The number computed from another derivation, and stated with the one that it should have."""
    for index, number in enumerate(insight.numbers):
        if isinstance(number.derivation, Realized):
            try:
                value = evaluate(change(number.derivation), record)
            except NotDerivableError:
                continue
            if value != Fraction(number.value):
                yield _with_number(insight, index, msgspec.structs.replace(number, value=decimal(value)))


def wrong_period(insight: Insight, record: Record) -> Iterator[Insight]:
    yield from _re_derived(insight, record, lambda leaf: msgspec.structs.replace(leaf, start=leaf.start + ONE_DAY))


def wrong_driver(insight: Insight, record: Record) -> Iterator[Insight]:
    yield from _re_derived(insight, record, lambda leaf: msgspec.structs.replace(leaf, drivers=("invoicing",)))


def wrong_bound(insight: Insight, record: Record) -> Iterator[Insight]:
    yield from _re_derived(
        insight, record, lambda leaf: msgspec.structs.replace(leaf, bound=Bound.LOW, start=leaf.start)
    )


def wrong_provider(insight: Insight, record: Record) -> Iterator[Insight]:
    yield from _re_derived(insight, record, lambda leaf: msgspec.structs.replace(leaf, providers=("tessera",)))


def counts_what_does_not(insight: Insight, record: Record) -> Iterator[Insight]:
    """Derivation and number both take in estimates, and agree with each other."""
    for index, number in enumerate(insight.numbers):
        leaf = number.derivation
        if isinstance(leaf, Realized) and leaf.counted:
            wider = msgspec.structs.replace(leaf, counted=False, drivers=(*leaf.drivers, "calls"))
            value = evaluate(wider, record)
            altered = msgspec.structs.replace(number, derivation=wider, value=decimal(value))
            if value != Fraction(number.value):
                yield _with_number(insight, index, altered)


def shifted_period(insight: Insight, _: Record) -> Iterator[Insight]:
    """The insight speaks of other days than its numbers."""
    if insight.numbers and not all(number.unit.endswith("/hour") for number in insight.numbers):
        yield msgspec.structs.replace(
            insight, period_from=insight.period_from - 7 * ONE_DAY, period_to=insight.period_to - 7 * ONE_DAY
        )


def swapped_sides(insight: Insight, _: Record) -> Iterator[Insight]:
    for index, number in enumerate(insight.numbers):
        node = number.derivation
        if isinstance(node, Difference):
            swapped = Difference(node.subtrahend, node.minuend)
            yield _with_number(insight, index, msgspec.structs.replace(number, derivation=swapped))
        elif isinstance(node, Ratio):
            inverted = Ratio(node.denominator, node.numerator, node.places)
            yield _with_number(insight, index, msgspec.structs.replace(number, derivation=inverted))


def dropped_part(insight: Insight, _: Record) -> Iterator[Insight]:
    for index, number in enumerate(insight.numbers):
        if isinstance(number.derivation, Total):
            less = Total(number.derivation.parts[:-1])
            yield _with_number(insight, index, msgspec.structs.replace(number, derivation=less))


def called_validated(insight: Insight, _: Record) -> Iterator[Insight]:
    for index, number in enumerate(insight.numbers):
        if number.standing is Standing.ESTIMATED and not number.unit.endswith("/call"):
            yield _with_number(insight, index, msgspec.structs.replace(number, standing=Standing.VALIDATED))


def swapped_names(insight: Insight, _: Record) -> Iterator[Insight]:
    for term, said in insight.terms.items():
        if term.endswith("_name") and said != "Work quoted and won on site":
            names = {"driver_name", "first_name", "second_name", "behind_name", "ahead1_name", "input_name"}
            if term in names:
                yield _with_terms(insight, **{term: "Work quoted and won on site"})


def unknown_name(insight: Insight, _: Record) -> Iterator[Insight]:
    for term in insight.terms:
        if term.endswith("_name"):
            yield _with_terms(insight, **{term: "Nobody of this name"})


def wrong_direction(insight: Insight, _: Record) -> Iterator[Insight]:
    if "direction" in insight.terms:
        yield _with_terms(insight, direction="up" if insight.terms["direction"] == "down" else "down")


def wrong_status(insight: Insight, _: Record) -> Iterator[Insight]:
    for status in ("ahead", "behind", "on-plan", "open"):
        if insight.terms.get("status") not in {None, status}:
            yield _with_terms(insight, status=status)


def wrong_side(insight: Insight, _: Record) -> Iterator[Insight]:
    """The other of two codes that a sentence is worded by."""
    pairs = {
        "step": ("reached", "waiting"),
        "length": ("day", "days"),
        "state": ("past", "ahead"),
        "side": ("inside", "above") if insight.kind == "suggestion-outcome" else ("above", "below"),
    }
    for term, codes in pairs.items():
        said = insight.terms.get(term)
        if said in codes:
            yield _with_terms(insight, **{term: next(code for code in codes if code != said)})


def wrong_day(insight: Insight, _: Record) -> Iterator[Insight]:
    for term, said in insight.terms.items():
        if term.endswith(("_day", "month")):
            yield _with_terms(insight, **{term: str(date.fromisoformat(said) + timedelta(days=3))})


def _with_terms(insight: Insight, **terms: str) -> Insight:
    return msgspec.structs.replace(insight, terms=insight.terms | terms)


INSIGHT_FAULTS: tuple[InsightFault, ...] = (
    wrong_number, last_place, rounded_too_early, wrong_sign, wrong_unit, wrong_period, wrong_driver, wrong_bound,
    wrong_provider, counts_what_does_not, shifted_period, swapped_sides, dropped_part, called_validated, swapped_names,
    unknown_name, wrong_direction, wrong_status, wrong_side, wrong_day,
)  # fmt: skip


def stale(record: Record) -> Record:
    """The record a moment later: one more unit of value in every driver's last stretch."""
    last = {value.driver: value for value in record.values}
    more = tuple(replace(v, low=v.low + 1, expected=v.expected + 1, high=v.high + 1) for v in last.values())
    return replace(record, values=(*(v for v in record.values if v not in last.values()), *more))


# Sentences -----------------------------------------------------------------------------------------------------------


def _texts(spans: Sequence[Span], change: Callable[[str], str]) -> Iterator[list[Span]]:
    """Each text span altered where the change changes anything."""
    for index, span in enumerate(spans):
        if span.name is None and change(span.text) != span.text:
            yield [*spans[:index], Span(change(span.text)), *spans[index + 1 :]]


def _figures(spans: Sequence[Span], change: Callable[[str], str]) -> Iterator[list[Span]]:
    for index, span in enumerate(spans):
        if span.name is not None and change(span.text) != span.text:
            yield [*spans[:index], msgspec.structs.replace(span, text=change(span.text)), *spans[index + 1 :]]


def other_digit(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _figures(spans, lambda text: re.sub(r"\d", lambda m: str((int(m[0]) + 3) % 10), text, count=1))


def cut_figure(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    """The last shown place taken away."""
    yield from _figures(spans, lambda text: re.sub(r"(\d[.,]\d)[1-9](?=[KMB]|\u00a0M)", r"\1", text))


def other_scale(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _figures(spans, lambda text: text.translate(str.maketrans("KM", "MK")) if "$" in text[:2] else text)
    yield from _figures(spans, lambda text: text.replace("Mio.", "Mrd."))
    yield from _figures(spans, lambda text: re.sub(r"(?<=\d)(?=\u00a0\$)", "\u00a0Mio.", text))


def other_currency(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _figures(spans, lambda text: text.replace("$", "€"))


def other_unit(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _figures(
        spans, lambda text: text.replace("%", " times").replace("\u00a0times", "%").replace("incidents", "hours")
    )
    yield from _figures(spans, lambda text: text.replace("\u2011Fache", "\u00a0%").replace("Vorfälle", "Stunden"))


def sign_added(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _figures(spans, lambda text: text if text.startswith("\u2212") else f"\u2212{text}")


def other_value_behind(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    for index, span in enumerate(spans):
        if span.value is not None:
            wrong = msgspec.structs.replace(span, value=str(Decimal(span.value) + 1))
            yield [*spans[:index], wrong, *spans[index + 1 :]]


def other_word(spans: Sequence[Span], insight: Insight) -> Iterator[list[Span]]:
    """A word of direction turned round."""
    pairs = {"fell": "rose", "rose": "fell", "behind": "ahead", "ahead": "behind", "above": "below", "below": "above"}
    pairs |= {"less": "more", "more": "less", "up": "down"}
    yield from _texts(spans, lambda text: re.sub(rf"\b({'|'.join(pairs)})\b", lambda m: pairs[m[1]], text))


def other_german_word(spans: Sequence[Span], insight: Insight) -> Iterator[list[Span]]:
    pairs = {"sank": "stieg", "weniger": "mehr", "hinter": "vor", "über": "unter", "zurück": "voraus"}
    pairs |= {turned: word for word, turned in pairs.items()}
    yield from _texts(spans, lambda text: re.sub(rf"\b({'|'.join(pairs)})\b", lambda m: pairs[m[1]], text))


def other_month(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _texts(spans, lambda text: re.sub(r"\b(July|Juli|August|March|März)(?= 20)", "February", text))


def other_day(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _texts(spans, lambda text: re.sub(r"\b\d{1,2}(?=\.? [A-Z][a-zä]+ 20)", "23", text))


def other_year(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield from _texts(spans, lambda text: re.sub(r"\b20\d\d\b", "2019", text))


def stray_number(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield [*spans, Span(" That is 40 of them.")]


def number_in_words(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    yield [*spans, Span(" It doubled.")]


def number_in_german_words(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    for said in ("Das hat sich verdoppelt", "Das sind zweihundert", "Das ist die Hälfte", "Das sind vierzig Prozent"):
        yield [*spans, Span(f" {said}.")]


def foreign_name(spans: Sequence[Span], insight: Insight) -> Iterator[list[Span]]:
    for name in ("Safety incidents avoided", "Daniel Reyes", "Get paid sooner"):
        if name not in insight.terms.values():
            yield [*spans, Span(f" So did {name}.")]


def swapped_figures(spans: Sequence[Span], insight: Insight) -> Iterator[list[Span]]:
    places = [i for i, span in enumerate(spans) if f"{span.name}_name" in insight.terms]
    for a, b in pairwise(places):
        swapped = list(spans)
        swapped[a], swapped[b] = swapped[b], swapped[a]
        yield swapped


def foreign_number(spans: Sequence[Span], _: Insight) -> Iterator[list[Span]]:
    for index, span in enumerate(spans):
        if span.name is not None:
            yield [*spans[:index], msgspec.structs.replace(span, name="made_up"), *spans[index + 1 :]]


SENTENCE_FAULTS: tuple[SentenceFault, ...] = (
    other_digit, cut_figure, other_scale, other_currency, other_unit, sign_added, other_value_behind, other_word,
    other_month, other_day, other_year, stray_number, number_in_words, foreign_name, swapped_figures, foreign_number,
)  # fmt: skip

_IN_GERMAN: Mapping[SentenceFault, SentenceFault] = {
    other_word: other_german_word,
    number_in_words: number_in_german_words,
}
FAULTS_IN: Mapping[Language, tuple[SentenceFault, ...]] = {
    Language.ENGLISH: SENTENCE_FAULTS,
    Language.GERMAN: tuple(_IN_GERMAN.get(plant, plant) for plant in SENTENCE_FAULTS),
}
