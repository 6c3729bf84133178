"""English, as the check of sentences knows it."""

import re
from typing import Final

from valueplatform.narrative.faithful.lexicon import Lexicon

NUMBER_WORDS: Final = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "dozen", "dozens",
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "hundreds",
    "thousand", "thousands", "million", "millions", "billion", "billions", "half", "halves", "third", "thirds",
    "quarter", "quarters", "twice", "thrice", "double", "doubled", "triple", "tripled", "percent",
)  # fmt: skip
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun.removesuffix("s")


ENGLISH: Final = Lexicon(
    locale="en_US",
    up=frozenset({"rose", "grew", "gained", "more", "above", "ahead", "up", "higher", "increased", "improved"}),
    down=frozenset(
        {"fell", "dropped", "less", "below", "behind", "down", "lower", "decreased", "declined", "short", "lost"}
    ),
    number_word=re.compile("|".join(NUMBER_WORDS)),
    class_words={
        "capacity": "capacity",
        "cashable": "cashable",
        "avoidance": "avoided cost",
        "risk": "risk reduction",
        "revenue": "revenue",
    },
    months=MONTHS,
    day=re.compile(rf"\b(\d{{1,2}}) ({'|'.join(month[:3] for month in MONTHS)}) (\d{{4}})\b"),
    month=re.compile(rf"\b({'|'.join(MONTHS)}) (\d{{4}})\b"),
    figure=re.compile(
        r"(?P<minus>\u2212)?(?P<before>[^\d\s\u2212.,]*)[\s\u00a0]?(?P<digits>\d[\d,]*(?:\.\d+)?)"
        r"(?P<scale>[KMBT](?![a-z]))?(?P<after>.*)",
        re.DOTALL,
    ),
    scales={None: 0, "K": 3, "M": 6, "B": 9, "T": 12},
    group=",",
    point=".",
    percent="%",
    ratio=" times",
    per=(" a ", " per "),
    noun=_singular,
    unit=_singular,
    money_leads=True,
)
