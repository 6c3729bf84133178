"""Whether a reworded draft says what the draft says: order and small words may change, what is said may not.

This is stricter than the check of our own templates, which knows what they may hold. Rules, each with the lie that it
stops:

1. Every mark of the draft stands in the answer exactly as often: nothing left out, nothing told twice.
2. Each mark and each part of a day keeps the word before it ("by {change}, to {current}"): they cannot trade places.
3. Words that carry meaning are the same, as often; only function words and declared synonyms may differ: no cause, no
   promise, no name and no doubt is added, no caveat dropped.
4. A word of negation keeps the next word that carries meaning: "none is validated" cannot become "none rose".
5. Nothing stands in it but letters, marks, plain punctuation, and the digits and signs of the draft.

The rendered sentence is then checked like any other (`faithful.sentences`): figures, names, days, directions.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from valueplatform.narrative.faithful.english import ENGLISH
from valueplatform.narrative.rewording.draft import LONGEST, MARK

FUNCTION_WORDS: Final = frozenset(
    {
        "a", "an", "the", "this", "that", "these", "those", "it", "its", "you", "your", "we", "our", "they", "their",
        "is", "are", "was", "were", "be", "been", "has", "have", "had", "do", "does", "did", "in", "on", "at", "by",
        "to", "from", "of", "for", "with", "against", "over", "and", "which", "who", "what", "there", "here", "so",
        "toward", "as",
    }
)  # fmt: skip
"""Words whose coming and going changes no statement; those before a mark are held by rule 2."""
NEGATIONS: Final = frozenset({"no", "not", "none", "nothing", "never", "without", "nobody", "yet", "only", "less"})
SYNONYMS: Final = (
    ENGLISH.up & {"rose", "grew", "increased"},
    ENGLISH.down & {"fell", "dropped", "decreased", "declined"},
    frozenset({"contributed", "added"}),
    frozenset({"came", "amounted"}),
    frozenset({"now", "today"}),
    frozenset({"further", "additional"}),
)
"""Each set is one word to us."""
_TOKEN: Final = re.compile(rf"{MARK.pattern}|\d+|[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
_HELD: Final = re.compile(rf"{MARK.pattern}|\d+")
_PLAIN: Final = re.compile(r"[^\W_]|[\s.,:;'\u2018\u2019\u201c\u201d()\-]")
_SAME: Final = {word: min(group) for group in SYNONYMS for word in group}


def problems(draft: str, answer: str) -> list[str]:
    """Why an answer may not stand for the draft; empty where it may."""
    if not answer or len(answer) > LONGEST:
        return ["it is empty or too long"]
    return [*_marks(draft, answer), *_places(draft, answer), *_words(draft, answer), *_negations(draft, answer),
            *_signs(draft, answer)]  # fmt: skip


def _marks(draft: str, answer: str) -> Iterator[str]:
    expected, found = Counter(_HELD.findall(draft)), Counter(_HELD.findall(answer))
    for mark in sorted((expected - found) | (found - expected)):
        yield f"{mark} stands {found[mark]} times instead of {expected[mark]}"


def _places(draft: str, answer: str) -> Iterator[str]:
    known = _before_marks(draft)
    for mark, word in sorted(_before_marks(answer) - known):
        yield f"{mark} follows {word or 'nothing'!r}"


def _before_marks(text: str) -> set[tuple[str, str]]:
    tokens = ["", *_tokens(text)]
    return {(mark, _same(word)) for word, mark in pairwise(tokens) if _HELD.fullmatch(mark)}


def _words(draft: str, answer: str) -> Iterator[str]:
    expected, found = Counter(_meaning(draft)), Counter(_meaning(answer))
    for word in sorted(found - expected):
        yield f"{word!r} is added"
    for word in sorted(expected - found):
        yield f"{word!r} is left out"


def _negations(draft: str, answer: str) -> Iterator[str]:
    for word, after in sorted(set(_negated(answer)) - set(_negated(draft))):
        yield f"{word!r} speaks of {after!r}"


def _negated(text: str) -> Iterator[tuple[str, str]]:
    words = [*_meaning(text), ""]
    yield from ((word, after) for word, after in pairwise(words) if word in NEGATIONS)


def _signs(draft: str, answer: str) -> Iterator[str]:
    """What is neither word, mark nor plain punctuation must be in the draft: titles may hold an ampersand."""
    known = set(MARK.sub("", draft))
    for sign in sorted({sign for sign in MARK.sub("", answer) if not _PLAIN.match(sign)} - known):
        yield f"{sign!r} is added"


def _meaning(text: str) -> list[str]:
    """Words that carry meaning, in order, synonyms as one."""
    words = (_same(token) for token in _tokens(text) if not _HELD.fullmatch(token))
    return [word for word in words if word not in FUNCTION_WORDS]


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _same(word: str) -> str:
    small = word.lower()
    return _SAME.get(small, small)
