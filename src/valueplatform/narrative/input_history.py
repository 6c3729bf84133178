"""What of assumptions and baselines changed lately, and what expires: read from the record that amounts are made of."""

from datetime import date, timedelta
from typing import Final

from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.facts import Expiry, InputChange
from valueplatform.value.accruals import Record, input_names
from valueplatform.value.assumptions import change_days, holding
from valueplatform.value.states import is_agreed

TOLD_FOR: Final = timedelta(days=62)


def input_changes(record: Record, today: date) -> tuple[InputChange, ...]:
    """The newest change of each input within 62 days, from one agreed value to another in the same unit."""
    found = []
    defaults = record.defaults()
    for rate in (*record.model.baselines, *record.model.assumptions):
        entries = record.entries.get(rate.slug, ())
        for day in sorted((d for d in change_days(entries) if today - TOLD_FOR <= d <= today), reverse=True):
            before = holding(entries, defaults.get(rate.slug), day - ONE_DAY)
            now = holding(entries, defaults.get(rate.slug), day)
            if before is None or now is None or before.unit != now.unit:
                continue
            if is_agreed(before.state) and is_agreed(now.state) and before.value.expected != now.value.expected:
                found.append(InputChange(rate.slug, day, before.value.expected, now.value.expected))
                break
    return tuple(found)


def expiries(record: Record) -> tuple[Expiry, ...]:
    """Every day in the model from which something is an estimate again, earliest first."""
    model = record.model
    baselines = [
        Expiry(
            given.slug, given.expires_on, tuple(d.slug for d in model.drivers if given.slug in input_names(model, d))
        )
        for given in model.baselines
        if given.expires_on is not None
    ]
    sunsets = [Expiry(None, given.sunset, (given.slug,)) for given in model.drivers if given.sunset is not None]
    return tuple(sorted([*baselines, *sunsets], key=lambda one: (one.day, one.slug or "", one.drivers)))
