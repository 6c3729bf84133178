"""Catalogs of the templates' messages: gettext files, kept as text and read when a language is first told.

`make catalogs` brings them up to date with the templates; what has no translation yet is left empty, and
a test names it.
"""

import io
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from valueplatform.narrative.document import Language

LOCALES: Final[Mapping[Language, str]] = {Language.ENGLISH: "en_US", Language.GERMAN: "de_DE"}
"""The templates themselves are English."""
FOLDER: Final = Path(__file__).parent / "locale"


def catalog_of(language: Language) -> Catalog:
    with (FOLDER / language.value / "LC_MESSAGES" / "stories.po").open("rb") as file:
        return read_po(file, locale=language.value, abort_invalid=True)


@cache
def translations_of(language: Language) -> NullTranslations:
    """Messages without a translation stay English: the check of sentences refuses them where they matter."""
    compiled = io.BytesIO()
    write_mo(compiled, catalog_of(language))
    compiled.seek(0)
    return GNUTranslations(compiled)
