from datetime import date, datetime
from typing import Any

import msgspec

from tests.value.factories import NOW
from tests.value.three_parties import THREE_PARTIES
from valueplatform.api.proof_view import proof_for_partner
from valueplatform.narrative.proof_events import EventLine, EventPage
from valueplatform.narrative.proofs import DriverLine, InputLine, MeterLine, Proof

DAY = date(2026, 5, 4)


def a_line(**given: Any) -> InputLine:
    fields: dict[str, Any] = {
        "slug": "per_sync", "title": "Per sync", "unit": "USD/sync", "low": "1", "expected": "2", "high": "3",
        "state": "validated", "author": "maya@fieldnote.example", "validator": "vera@harbor.example",
        "effective": DAY, "known": NOW, "entry_id": 7, "reason": "Between us",
    }  # fmt: skip
    return InputLine(**(fields | given))


def a_proof(driver: str = "invoices_synced", *inputs: InputLine) -> Proof:
    event = EventLine("1", "/other", "sync.done", datetime.now(NOW.tzinfo), None, "waypoint", None)
    return Proof(
        insight={"id": "ins"}, number="realized", formula="syncs * per_sync",
        drivers=(DriverLine(driver, "Title", "f", 1, "cashable", "measured", "USD"),),
        baselines=(), assumptions=inputs or (a_line(),),
        meters=(MeterLine("syncs", "Syncs", "COUNT", ("sync.done",), None, "30", ""),),
        events=EventPage(31, (event,), "more"), stated="60.0000", recomputed="60.0000", agrees=True, unit="USD",
        numbers=(), period_from=DAY, period_to=DAY,
    )  # fmt: skip


def test_the_number_stays_open_and_nobody_is_named() -> None:
    shown = proof_for_partner(a_proof(), THREE_PARTIES)
    assert (shown["stated"], shown["recomputed"], shown["agrees"]) == ("60.0000", "60.0000", True)
    assert shown["meters"][0]["value"] == "30"
    assert shown["assumptions"][0]["expected"] == "2"
    assert "example" not in str(shown)
    assert "Between us" not in str(shown)


def test_events_are_not_shown_nor_counted() -> None:
    shown = proof_for_partner(a_proof(), THREE_PARTIES)
    assert shown["events"] == {"count": None, "sample": [], "next_cursor": None, "is_exact": None}
    assert "waypoint" not in str(shown)


def test_a_dispute_does_not_show() -> None:
    disputed = a_line(state="under-review", disputed_by="carl@harbor.example", dispute="Too high")
    (shown,) = proof_for_partner(a_proof("invoices_synced", disputed), THREE_PARTIES)["assumptions"]
    assert (shown["state"], shown["disputed_by"], shown["dispute"]) == ("estimated", None, None)


def test_a_meter_that_counts_all_providers_together_loses_its_value_where_a_driver_counts_each_apart() -> None:
    shown = proof_for_partner(a_proof("crews_reached"), THREE_PARTIES)
    assert shown["meters"][0]["value"] == ""


def test_the_shape_is_that_of_the_proof() -> None:
    assert proof_for_partner(a_proof(), THREE_PARTIES).keys() == msgspec.to_builtins(a_proof()).keys()
