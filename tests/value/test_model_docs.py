"""The page about the model file is a model file."""

import re
from pathlib import Path

import pytest

from valueplatform.value import model_tables
from valueplatform.value.driver_kinds import TABLES
from valueplatform.value.model import FIELD_OF_KIND
from valueplatform.value.model_file import read_model, warnings_of
from valueplatform.value.model_findings import Place
from valueplatform.value.model_reader import TableReader

PAGE = Path(__file__).parents[2] / "docs" / "model.md"


def snippets() -> str:
    return "\n".join(re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))


def test_its_parts_together_are_a_model_whose_units_fit() -> None:
    model = read_model(snippets(), "docs/model.md")
    assert {driver.kind.__struct_config__.tag for driver in model.drivers if driver.kind} >= set(TABLES)
    strange = [w for w in warnings_of(model, snippets(), "docs/model.md") if "per local day" not in w.message]
    assert strange == []


@pytest.mark.parametrize("kind", FIELD_OF_KIND)
def test_it_shows_every_key(kind: str) -> None:
    asked = TableReader({}, Place(kind), lambda _finding: None)
    getattr(model_tables, f"read_{kind}")(asked)
    missing = [key for key in asked._known if not re.search(rf"^(\[\w+\.)?{key}\b", snippets(), re.MULTILINE)]
    assert [key for key in missing if f"{kind}.{key}" not in snippets()] == []
