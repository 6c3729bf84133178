"""What the check of sentences knows of a language, and what all languages are asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from re import Pattern


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and forms of one language, written down apart from what words sentences.

    `up` and `down` are words that carry a number's direction, in small letters; `number_word` matches a word, in
    small letters, that states a number. `day` captures day, month and year, `month` month and year. `figure` captures
    minus, before, digits, scale and after. `noun` gives the unit that a word of a sentence names, `unit` the same for
    what a model calls it; `per` joins a unit to what it is of. Money without a scale has three figures from
    `rounded_from` on.
    """

    locale: str
    up: frozenset[str]
    down: frozenset[str]
    number_word: Pattern[str]
    class_words: Mapping[str, str]
    months: tuple[str, ...]
    day: Pattern[str]
    month: Pattern[str]
    figure: Pattern[str]
    scales: Mapping[str | None, int]
    group: str
    point: str
    percent: str
    ratio: str
    per: tuple[str, ...]
    noun: Callable[[str], str]
    unit: Callable[[str], str]
    money_leads: bool
    rounded_from: int | None = None
