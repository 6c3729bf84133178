"""Each kind of table takes the keys of the contract, and each field of a definition has its key."""

from collections.abc import Callable

import msgspec
import pytest

from valueplatform.value import model_tables
from valueplatform.value.driver_kinds import TABLES
from valueplatform.value.model import FIELD_OF_KIND
from valueplatform.value.model_findings import Place
from valueplatform.value.model_reader import TableReader

KEYS = {
    "event_types": "event",
    "features": "feature",
    "segments": "segment",
    "objectives": "objective",
    "stages": "stage",
    "personas": "persona",
}


@pytest.mark.parametrize("kind", FIELD_OF_KIND)
def test_every_field_but_those_of_the_installation_has_a_key_of_its_own(kind: str) -> None:
    read: Callable[[TableReader], msgspec.Struct] = getattr(model_tables, f"read_{kind}")
    asked = TableReader({}, Place(kind), lambda _finding: None)
    definition = read(asked)
    fields = {KEYS.get(field, field) for field in definition.__struct_fields__ if field not in {"version", "stored_as"}}
    if kind == "driver":
        fields = fields - {"kind"} | set(TABLES)
    if kind == "event_type":
        fields = {"type" if field == "slug" else field for field in fields}
    assert set(asked._known) == fields
