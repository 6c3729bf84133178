"""Whoever adds or alters a template finds here what is left to translate; `make catalogs` puts it into the files."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from valueplatform.narrative import wording
from valueplatform.narrative.document import Language
from valueplatform.narrative.telling import TRANSLATED
from valueplatform.narrative.wording.catalogs import catalog_of, translations_of

TEMPLATES = Path(wording.__file__).parent
PLACE = re.compile(r"%\((\w+)\)s")


def extracted() -> Catalog:
    with (TEMPLATES / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file, "babel.cfg")  # type: ignore[no-untyped-call]  # Babel has no types for it
    found = Catalog()
    for path, _, message, _, context in extract_from_dir(TEMPLATES, methods, options):
        found.add(message, locations=[(path, 1)], context=context)
    return found


MESSAGES = extracted()


def translated(language: Language) -> list[tuple[str, str]]:
    """Each message with its translation."""
    return [(str(message.id), str(message.string)) for message in catalog_of(language) if message.id]


def test_messages_are_found_in_templates_and_in_the_engine() -> None:
    assert "this account" in MESSAGES
    assert "You have realized %(realized)s of the %(expected)s committed by now." in MESSAGES


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_has_a_translation(language: Language) -> None:
    catalog = catalog_of(language)
    missing = {
        str(message.id): message.locations[0][0]
        for message in MESSAGES
        if message.id and not ((there := catalog.get(message.id)) and there.string)
    }
    assert missing == {}, f"translate these in locale/{language}/LC_MESSAGES/stories.po, after `make catalogs`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_of_a_message_that_is_gone_or_was_guessed(language: Language) -> None:
    catalog = catalog_of(language)
    assert not catalog.obsolete
    assert [message.id for message in catalog if message.id and message.id not in MESSAGES] == []
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_places_of_its_message_once_each(language: Language) -> None:
    for message, said in translated(language):
        assert sorted(PLACE.findall(said)) == sorted(PLACE.findall(message)), message
        assert "%" not in PLACE.sub("", said), said


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_ends_as_its_message_does(language: Language) -> None:
    for message, said in translated(language):
        assert said.endswith(".") is message.endswith("."), said
        assert said == said.strip()
        assert not re.search(r"\d|!", PLACE.sub("", said)), said


def test_names_of_the_record_stand_in_german_quotes_so_that_no_case_bends_them() -> None:
    people = {"validator_name", "questioner_name", "part_name"}
    for _, said in translated(Language.GERMAN):
        for place in PLACE.findall(said):
            if place.endswith("_name") and place not in people:
                assert f"„%({place})s“" in said, said


def test_german_addresses_its_reader_with_sie() -> None:
    for _, said in translated(Language.GERMAN):
        assert not re.search(r"\b(du|dein\w*|euch|euer|eure\w*)\b", said, re.IGNORECASE)


def test_catalogs_are_read_as_gettext_reads_them() -> None:
    assert translations_of(Language.GERMAN).gettext("this account") == "dieser Kunde"
