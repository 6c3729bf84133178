"""The waterfall from one period to the other, as rows of the chart file. Floats place ink, no text comes from them."""

from collections.abc import Sequence
from decimal import Decimal

from valueplatform.narrative.wording.numbers import MINUS
from valueplatform.portal.exact import short_text
from valueplatform.value.bridge_cells import added


def waterfall_rows(
    then: str, before: Decimal, bars: Sequence[tuple[str, Decimal]], now: str, after: Decimal, unit: str
) -> list[dict[str, object]]:
    """The chart's rows; floats place ink, no text is made from them."""
    rows: list[dict[str, object]] = [_dot(0, "start", then, before, unit, has_next=True)]
    standing = before
    for place, (label, amount) in enumerate(bars, 1):
        reached = added([standing, amount])
        sign = "+" if amount > 0 else MINUS
        rows.append(
            {
                "i": place,
                "kind": "up" if amount > 0 else "down",
                "a": float(standing),
                "b": float(reached),
                "end": float(reached),
                "next": place + 1,
                "cause": label,
                "label": f"{sign}{short_text(abs(amount), unit)}",
            }
        )
        standing = reached
    rows.append(_dot(len(bars) + 1, "realized", now, after, unit, has_next=False))
    return rows


def _dot(place: int, kind: str, name: str, value: Decimal, unit: str, *, has_next: bool) -> dict[str, object]:
    return {
        "i": place,
        "kind": kind,
        "a": float(value),
        "b": float(value),
        "end": float(value),
        "next": place + 1 if has_next else None,
        "cause": name,
        "label": short_text(value, unit),
    }
