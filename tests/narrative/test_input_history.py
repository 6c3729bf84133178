from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec

from tests.value.factories import TODAY, a_model
from valueplatform.core.authorization import Side
from valueplatform.narrative.facts import Expiry, InputChange
from valueplatform.narrative.input_history import expiries, input_changes
from valueplatform.value.accruals import Record
from valueplatform.value.assumptions import Action, Entry
from valueplatform.value.ranges import Range

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def _stated(entry_id: int, value: int, day: date, unit: str = "USD/hour") -> list[Entry]:
    """Proposed by the supplier, validated by the customer."""
    of = Range(Decimal(value), Decimal(value), Decimal(value))
    proposal = Entry(
        entry_id, "hourly_cost", Action.PROPOSE, None, of, unit, day, "s@x.example", Side.SUPPLIER, "", NOW
    )
    yes = Entry(
        entry_id + 1, "hourly_cost", Action.VALIDATE, entry_id, None, None, day, "p@x.example", Side.CUSTOMER, "", NOW
    )
    return [proposal, yes]


def _record(*entries: Entry) -> Record:
    return Record(a_model(), None, {"hourly_cost": entries})


def test_one_agreed_value_after_another_is_a_change() -> None:
    day = TODAY - timedelta(days=62)
    record = _record(*_stated(1, 40, date(2026, 1, 1)), *_stated(3, 45, day))
    assert input_changes(record, TODAY) == (InputChange("hourly_cost", day, Decimal(40), Decimal(45)),)
    assert input_changes(record, TODAY + timedelta(days=1)) == ()


def test_the_newest_of_several_is_told() -> None:
    record = _record(
        *_stated(1, 40, date(2026, 1, 1)), *_stated(3, 45, date(2026, 5, 10)), *_stated(5, 47, date(2026, 6, 1))
    )
    (found,) = input_changes(record, TODAY)
    assert (found.before, found.now) == (Decimal(45), Decimal(47))


def test_a_first_validation_changes_a_state_and_no_value() -> None:
    assert input_changes(_record(*_stated(1, 45, date(2026, 6, 1))), TODAY) == ()


def test_the_same_value_said_again_is_no_change() -> None:
    record = _record(*_stated(1, 45, date(2026, 1, 1)), *_stated(3, 45, date(2026, 6, 1)))
    assert input_changes(record, TODAY) == ()


def test_values_in_different_units_are_not_compared() -> None:
    record = _record(*_stated(1, 45, date(2026, 1, 1)), *_stated(3, 50, date(2026, 6, 1), "EUR/hour"))
    assert input_changes(record, TODAY) == ()


def test_what_takes_effect_tomorrow_has_not_changed_yet() -> None:
    record = _record(*_stated(1, 40, date(2026, 1, 1)), *_stated(3, 45, TODAY + timedelta(days=1)))
    assert input_changes(record, TODAY) == ()


def test_a_baseline_that_expires_names_the_drivers_that_rest_on_it() -> None:
    model = a_model()
    (baseline,) = model.baselines
    day = date(2026, 9, 1)
    dated = msgspec.structs.replace(model, baselines=(msgspec.structs.replace(baseline, expires_on=day),))
    (found,) = expiries(Record(dated, None, {}))
    assert found == Expiry("manual_minutes", day, tuple(d.slug for d in model.drivers if "manual_minutes" in d.formula))
