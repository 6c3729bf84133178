"""In which language a reader is told a story: what the address asks for, else what they chose, else what their browser
asks for, else English. Everything around the story is English."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from valueplatform.core.errors import InvalidInputError
from valueplatform.narrative.document import Language
from valueplatform.portal.calling import Caller, PortalRequest
from valueplatform.portal.view.words import LanguageOption, LanguageSwitch
from valueplatform.stewardship.digests.choice import chosen_language

SWITCH_PATH: Final = "/settings/language"
NAMES: Final = {Language.ENGLISH: "English", Language.GERMAN: "Deutsch"}
"""Each in its own words."""
_LONGEST: Final = 500
"""Characters of a header that are read; browsers send far fewer."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`asked` is what the address asks for, `browser` what the browser does."""

    asked: Language | None = None
    browser: Language = Language.ENGLISH


ENGLISH: Final = Wanted()


def wanted_by(request: PortalRequest, lang: str | None = None) -> Wanted:
    """Raises InvalidInputError for an address that asks for a language in which no story is told."""
    if lang is not None and lang not in list(Language):
        raise InvalidInputError(f"Stories are told in {' and '.join(Language)}; ask for one of these as 'lang'.")
    browser = preferred(request.headers.get("accept-language", ""))
    return Wanted(Language(lang) if lang is not None else None, browser)


def preferred(header: str) -> Language:
    """The one of ours that an Accept-Language header (RFC 9110, 12.5.4) puts first; English where it names none."""
    ranked = sorted(_ranges(header[:_LONGEST]), key=lambda one: -one[1])
    ours = {language.value: language for language in Language}
    found = (ours.get(tag.partition("-")[0].lower()) for tag, weight in ranked if weight > 0)
    return next((language for language in found if language is not None), Language.ENGLISH)


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Each with its weight; what is malformed is passed over."""
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        name, _, said = parameter.strip().partition("=")
        if not parameter:
            yield tag.strip(), 1.0
        elif name.strip().lower() == "q" and said.isascii() and said.replace(".", "", 1).isdecimal():
            yield tag.strip(), min(float(said), 1.0)


async def language_for(caller: Caller, wanted: Wanted) -> Language:
    return wanted.asked or await chosen_language(caller.tx, caller.user.user_id) or wanted.browser


def switch_of(told: Language, back: str) -> LanguageSwitch:
    """To another language, and `back` to the page."""
    return LanguageSwitch(
        SWITCH_PATH, back, tuple(LanguageOption(one.value, name, one is told) for one, name in NAMES.items())
    )
