"""The English words that carry a number's direction, or a number itself, and how figures are written."""

import re
from typing import Final

UP: Final = frozenset({"rose", "grew", "gained", "more", "above", "ahead", "up", "higher", "increased", "improved"})
DOWN: Final = frozenset(
    {"fell", "dropped", "less", "below", "behind", "down", "lower", "decreased", "declined", "short", "lost"}
)
NUMBER_WORDS: Final = frozenset(
    {
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "dozen", "dozens",
        "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "hundreds",
        "thousand", "thousands", "million", "millions", "billion", "billions", "half", "halves", "third", "thirds",
        "quarter", "quarters", "twice", "thrice", "double", "doubled", "triple", "tripled", "percent",
    }
)  # fmt: skip
CLASS_WORDS: Final = {
    "capacity": "capacity",
    "cashable": "cashable",
    "avoidance": "avoided cost",
    "risk": "risk reduction",
    "revenue": "revenue",
}
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
DAY: Final = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(month[:3] for month in MONTHS)}) (\d{{4}})\b")
MONTH: Final = re.compile(rf"\b({'|'.join(MONTHS)}) (\d{{4}})\b")
FIGURE: Final = re.compile(
    r"(?P<minus>\u2212)?(?P<before>[^\d\s\u2212.,]*)[\s\u00a0]?(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<scale>[KMBT](?![a-z]))?"
    r"(?P<after>.*)",
    re.DOTALL,
)
SCALES: Final = {None: 0, "K": 3, "M": 6, "B": 9, "T": 12}
