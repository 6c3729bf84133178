"""What a proposed value would change, in words."""

from collections.abc import Iterator
from decimal import Decimal

from valueplatform.portal.effect import Effect
from valueplatform.portal.exact import short_day, short_text
from valueplatform.portal.reader import Reader
from valueplatform.portal.view import words


def effect_lines(reader: Reader, effect: Effect) -> Iterator[tuple[words.Span, ...]]:
    """Each driver that moves, then since when it would."""
    titles = reader.names
    for change in effect.changes:
        if change.before != change.after:
            after, before = (short_text(value, change.unit) for value in (change.after, change.before))
            yield (words.Span(f"{titles.get(f'driver {change.driver}', change.driver)}: {after}, was {before}"),)
    gained = _counted(effect)
    if gained:
        unit, counted_after, counted_before = gained
        after, before = (short_text(value, unit) for value in (counted_after, counted_before))
        yield (words.Span(f"Counted of it: {after}, was {before}"),)
    yield (words.Span(_when(reader, effect)),)


def effect_text(reader: Reader, effect: Effect, value: str) -> str:
    """In one or two sentences, for the hint under a button."""
    moved = [change for change in effect.changes if change.before != change.after]
    if not moved and not _counted(effect):
        return "No amount changes by this: nothing was metered that it applies to."
    parts = [
        f"{reader.names.get(f'driver {change.driver}', change.driver).lower()} "
        f"{short_text(change.after, change.unit)} instead of {short_text(change.before, change.unit)}"
        for change in moved
    ]
    return f"At {value}: {', '.join(parts) or 'the same amounts'}. {_when(reader, effect)}"


def _when(reader: Reader, effect: Effect) -> str:
    if effect.restates:
        start = short_day(effect.period.start, reader.today)
        return f"For all days since {start}, once a validator accepts it."
    return "From the day on which a validator accepts it; told here on the last four weeks."


def _counted(effect: Effect) -> tuple[str, Decimal, Decimal] | None:
    """What counts, where that moves otherwise than the amounts do."""
    units = {change.unit for change in effect.changes}
    if len(units) != 1:
        return None
    after = sum((change.counted_after for change in effect.changes), Decimal(0))
    before = sum((change.counted_before for change in effect.changes), Decimal(0))
    same = all(
        change.after - change.before == change.counted_after - change.counted_before for change in effect.changes
    )
    return None if same else (units.pop(), after, before)
