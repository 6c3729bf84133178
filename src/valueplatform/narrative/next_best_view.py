"""Suggestions as the API, the command line and the report give them. The chance of adoption is not among it: it is
for the supplier's outreach, and never reaches the customer (value rule 17)."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from valueplatform.narrative.next_best import Cost, Ground, Pricing, ReasonNumber
from valueplatform.narrative.next_best_model import COVERAGE
from valueplatform.narrative.next_best_store import Advice, State, StoredSuggestion
from valueplatform.narrative.next_best_words import SuggestionWords


class Interval(msgspec.Struct, frozen=True):
    low: Decimal
    high: Decimal
    coverage: Decimal


class SuggestionView(msgspec.Struct, frozen=True):
    """`expected` is the value of the next 12 months in `unit`, net of `costs` where `net`; None where it cannot be
    priced, and then `reason` says why. `standing` marks it as predicted."""

    id: str
    rank: int
    state: State
    what: str
    feature: str
    title: str
    product: str | None
    unit: str
    expected: Decimal | None
    interval: Interval | None
    net: bool
    pricing: Pricing
    costs: tuple[Cost, ...]
    ground: Ground
    reason: str
    numbers: tuple[ReasonNumber, ...]
    standing: str
    used_until: date | None
    suggested_at: datetime
    decided_at: datetime | None


class AdviceView(msgspec.Struct, frozen=True):
    """`empty` is a sentence where nothing is open to suggest."""

    account: str
    suggestions: tuple[SuggestionView, ...]
    empty: str | None


def advice_view(account_key: str, advice: Advice, words: SuggestionWords) -> AdviceView:
    return AdviceView(
        account=account_key,
        suggestions=tuple(suggestion_view(stored, words) for stored in advice.suggestions),
        empty=words.empty(advice.empty) if advice.empty else None,
    )


def suggestion_view(stored: StoredSuggestion, words: SuggestionWords) -> SuggestionView:
    given = stored.suggestion
    bounds = None if given.low is None or given.high is None else (given.low, given.high)
    return SuggestionView(
        id=given.id,
        rank=given.rank,
        state=stored.state,
        what=words.what(given),
        feature=given.feature,
        title=given.title,
        product=given.product,
        unit=given.unit,
        expected=given.expected,
        interval=Interval(*bounds, Decimal(str(COVERAGE))) if bounds else None,
        net=given.net,
        pricing=given.pricing,
        costs=given.costs,
        ground=given.ground,
        reason="".join(span.text for span in words.reason(given)),
        numbers=given.numbers,
        standing=given.standing.value,
        used_until=given.used_until,
        suggested_at=stored.suggested_at,
        decided_at=stored.decided_at,
    )
