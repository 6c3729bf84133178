"""The record as a scenario assumes it: with other values of inputs, as if a validator had accepted them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from valueplatform.core.authorization import Side
from valueplatform.value.accruals import Record
from valueplatform.value.assumptions import Action, Entry
from valueplatform.value.levers import Change, Input
from valueplatform.value.ranges import Range

_NEXT: Final = 1 << 62


def with_inputs(record: Record, changes: Sequence[Change]) -> Record:
    """The record as it would be if the customer's validator had accepted the inputs of the changes."""
    entries = dict(record.entries)
    for number, change in enumerate(changes):
        if isinstance(change.lever, Input):
            rate = record.model.rate(change.lever.slug)
            unit = rate.unit if rate else ""
            held = entries.get(change.lever.slug, ())
            unit = next((entry.unit for entry in reversed(held) if entry.unit), unit)
            entries[change.lever.slug] = [*held, *_accepted(change.lever, unit, change.since, 2 * number)]
    return replace(record, entries=entries)


def _accepted(lever: Input, unit: str, since: date, number: int) -> tuple[Entry, Entry]:
    first = _NEXT + number
    said = datetime(since.year, since.month, since.day, tzinfo=UTC)
    made = (lever.slug, lever.value, unit, since, "", Side.CUSTOMER, "", said)
    return _entry(first, Action.PROPOSE, None, made), _entry(first + 1, Action.VALIDATE, first, made)


def _entry(
    entry_id: int,
    action: Action,
    answers: int | None,
    made: tuple[str, Range, str, date, str, Side, str, datetime],
) -> Entry:
    slug, value, unit, since, author, side, reason, known_at = made
    return Entry(entry_id, slug, action, answers, value, unit, since, author, side, reason, known_at)
