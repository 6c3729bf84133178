"""Amounts of the catalog in words. Pure.

A line is one currency (or unit) and class, of the supplier's currency first; amounts of several are never added
(value rule 4), so further ones are counted and open with the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from valueplatform.portal.exact import bare_text, count_text, short_text
from valueplatform.portal.view.catalog import WorthLine
from valueplatform.portal.view.words import NumberState
from valueplatform.value.model import weakest
from valueplatform.value.states import State, weakest_state
from valueplatform.value.type_worth import PotentialAmount, RealizedAmount, Worth
from valueplatform.value.worth import Reach, Reason

WORTH_PATH: Final = "/catalog/worth"
CLASSES: Final = {
    "cashable": "cashable",
    "capacity": "capacity",
    "avoidance": "cost avoidance",
    "risk": "risk reduction",
    "revenue": "revenue",
    "strategic": "not priced",
}
_STATES: Final[dict[State, NumberState]] = {
    State.VALIDATED: "validated",
    State.MEASURED: "validated",
    State.PROPOSED: "proposed",
    State.ESTIMATED: "estimated",
    State.UNDER_REVIEW: "under-review",
}
_SHORT: Final = {
    Reason.NO_MONTH: "No whole month yet",
    Reason.NO_DRIVER: "No driver takes it",
    Reason.NO_AMOUNTS: "No amounts yet",
    Reason.ALL_SEND: "All send it that might",
    Reason.FEW_PEERS: "Too few peers to say",
    Reason.ONE_ACCOUNT: "One account is too large a part",
    Reason.NO_SIZE: "Nothing to tell their size by",
    Reason.NOT_LOOKED_AT: "Too few send it to say",
    Reason.NOTHING_ALIKE: "Nothing to compare it with",
    Reason.NO_NUMBER: "It lacks the number",
    Reason.SAME_WORK: "Measured already",
    Reason.NOT_CLEAR: "No clear difference",
}
Amount = RealizedAmount | PotentialAmount


def opened_path(event_type: str, path: str = "", cursor: str | None = None) -> str:
    given = {"type": event_type, "property": path, "cursor": cursor}
    return f"{WORTH_PATH}?{urlencode({name: value for name, value in given.items() if value})}"


def realized_lines(event_type: str, worth: Worth, currency: str, path: str = "") -> tuple[WorthLine, ...]:
    """By currency and class; of a type that no meter reads, what goes with it."""
    href = opened_path(event_type, path)
    within = [one for one in worth.potential if one.reach is Reach.WITHIN]
    groups = _grouped(worth.realized) or _grouped(within)

    def line(amounts: Sequence[Amount]) -> WorthLine:
        expected = sum((one.expected for one in amounts), Decimal(0))
        first = amounts[0]
        if isinstance(first, PotentialAmount):
            return _line(expected, first, "goes with it", "predicted", href, about=True)
        known = [one for one in amounts if isinstance(one, RealizedAmount)]
        state = _STATES[weakest_state(one.state for one in known)]
        grade = weakest(one.evidence for one in known).replace("-", " ")
        return _line(expected, first, f"{CLASSES[first.benefit_class]}, {grade}", state, href)

    return _lines(groups, currency, line, href)


def potential_lines(event_type: str, worth: Worth, currency: str, path: str = "") -> tuple[WorthLine, ...]:
    """What would come on top; where that cannot be said, why."""
    href = opened_path(event_type, path)
    more = [one for one in worth.potential if one.reach is Reach.MORE]
    if more:
        return more_lines(more, currency, href)
    return tuple(WorthLine(_SHORT[one.reason]) for one in worth.not_estimated[:1])


def more_lines(more: Sequence[PotentialAmount], currency: str, href: str) -> tuple[WorthLine, ...]:
    def line(amounts: Sequence[Amount]) -> WorthLine:
        low, expected, high = (
            sum((getattr(one, bound) for one in amounts), Decimal(0)) for bound in ("low", "expected", "high")
        )
        first = amounts[0]
        span = f"{short_text(low, first.unit)} to {short_text(high, first.unit)}"
        accounts = max(one.accounts for one in amounts)
        joint = any(isinstance(one, PotentialAmount) and one.needing for one in amounts)
        whom = f"in {accounts:,} account{'s' if accounts != 1 else ''}"
        sub = f"{span} {whom}{', with other types' if joint else ''}"
        return _line(expected, first, sub, "predicted", href, about=True)

    return _lines(_grouped(more), currency, line, href)


def _line(
    expected: Decimal, first: Amount, sub: str, state: NumberState, href: str, *, about: bool = False
) -> WorthLine:
    text = short_text(expected, first.unit)
    return WorthLine(f"about {text}" if about else text, sub, bare_text(expected), first.unit, state, href)


def _grouped(amounts: Iterable[Amount]) -> dict[tuple[str, str], list[Amount]]:
    groups: dict[tuple[str, str], list[Amount]] = {}
    for one in amounts:
        groups.setdefault((one.unit, one.benefit_class), []).append(one)
    return groups


def _lines(
    groups: dict[tuple[str, str], list[Amount]], currency: str, line: Callable[[Sequence[Amount]], WorthLine], href: str
) -> tuple[WorthLine, ...]:
    """The lines of the supplier's currency, else of the first; how many others there are."""
    if not groups:
        return ()
    units = sorted({unit for unit, _ in groups}, key=lambda unit: (unit != currency, unit))
    shown = [line(amounts) for (unit, _), amounts in sorted(groups.items()) if unit == units[0]]
    rest = len(units) - 1
    if rest:
        what = "currency" if rest == 1 else "currencies"
        shown.append(WorthLine(f"and in {count_text(rest)} other {what}", href=href))
    return tuple(shown)
