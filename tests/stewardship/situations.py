"""Situations that rules look at, made from plain facts; insights are found and admitted as the worker does."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.narrative.factories import account, contract, driver, record_of, rows, steady, targets
from valueplatform.narrative.document import Audience, Status
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import Admitted, admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights import discover
from valueplatform.narrative.next_best import Ground, Pricing, Suggestion
from valueplatform.narrative.next_best_store import State, StoredSuggestion
from valueplatform.narrative.story import compose
from valueplatform.stewardship.signal import Signal, SignalKind
from valueplatform.stewardship.signals import Question, Situation, concerns, signals

TODAY = date(2026, 8, 21)
START = date(2025, 9, 1)
RENEWAL = date(2026, 12, 1)


def plain(amount: int | str = 1000, planned: int = 30000, **given: Any) -> AccountFacts:
    """One driver that brings `amount` a day since START, of `planned` committed a month; events on every day; a
    contract to RENEWAL."""
    today = given.get("today", TODAY)
    days = steady(START, today, amount)
    fields: dict[str, Any] = {
        "daily": rows("visits", days),
        "drivers": (driver("visits", "Repeat visits avoided"),),
        "meters": [("jobs", day, Decimal(1)) for day in days],
        "targets": tuple(targets("Fewer visits", "visits", START, date(2027, 1, 1), planned)),
        "contracts": (contract(START, RENEWAL, 240000),),
    }
    return account(**(fields | given))


def admitted(facts: AccountFacts) -> dict[str, Admitted]:
    """What holds, concerns too, by id; fails where anything is not borne out by the record."""
    found = [*discover(facts), *concerns(facts)]
    kept, refused = admit(found, rederive_from(record_of(facts), found))
    assert not refused, refused
    return {one.id: one for one in kept}


def situation(
    facts: AccountFacts,
    *,
    status: Status | None = None,
    questions: Sequence[Question] = (),
    suggestions: Sequence[StoredSuggestion] = (),
    held: Mapping[str, Admitted] | None = None,
) -> Situation:
    """The status is the steward's story's, unless given."""
    known = admitted(facts) if held is None else held
    insights: list[Insight] = [one.insight for one in known.values()]
    stands = status or compose(facts, known.values(), Audience.STEWARD).status
    return Situation(facts, insights, stands, questions, suggestions)


def of_kind(given: Situation, kind: SignalKind) -> list[Signal]:
    return [signal for signal in signals(given) if signal.kind is kind]


def suggested(
    expected: str | None, *, rank: int = 1, state: State = State.OPEN, unit: str = "USD", name: str = "parts-check"
) -> StoredSuggestion:
    amount = None if expected is None else Decimal(expected)
    found = Suggestion(
        id=f"sug_{name}",
        feature=name,
        title=name.replace("-", " ").capitalize(),
        product=None,
        rank=rank,
        unit=unit,
        low=amount,
        expected=amount,
        high=amount,
        net=True,
        costs=(),
        pricing=Pricing.INCLUDED,
        ground=Ground.EFFECT,
        numbers=(),
        segment=None,
        chance=None,
        used_until=None,
    )
    decided = None if state is State.OPEN else datetime(2026, 8, 3, tzinfo=UTC)
    return StoredSuggestion(found, state, datetime(2026, 8, 1, tzinfo=UTC), decided)
