"""The languages in which a sentence can be checked, and so the only ones in which one can be told."""

from typing import Final

from valueplatform.narrative.faithful.english import ENGLISH
from valueplatform.narrative.faithful.german import GERMAN
from valueplatform.narrative.faithful.lexicon import Lexicon

_LEXICONS: Final = {"en": ENGLISH, "de": GERMAN}


def lexicon_of(locale: str) -> Lexicon | None:
    """By the language of a locale such as 'de_DE'; None where we know too little of it."""
    return _LEXICONS.get(locale.partition("_")[0])
