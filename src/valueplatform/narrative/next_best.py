"""Next best value: what an account may have and does not use, by what it may be expected to bring (value rule 17).

An expected value is the account's own value of a year, times the share by which value ran higher once comparable
accounts used the feature, less what the feature costs. It is a prediction and marked so. Where the model has nothing
to say, a suggestion carries no value, says why, and rests on how usual the feature is.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final

import msgspec
import numpy as np
import polars as pl

from valueplatform.core.numbers import AMOUNT_PLACES
from valueplatform.core.periods import month_start
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best_effect import Effect, student_quantile
from valueplatform.narrative.next_best_likely import Likely, likely_of
from valueplatform.narrative.next_best_model import COVERAGE, Fit, Popularity, Verdict, may_have
from valueplatform.narrative.next_best_panel import (
    ACCOUNT_SCHEMA,
    ADOPTION_MONTHS,
    Panel,
    month_number,
)
from valueplatform.narrative.offers import offers_of
from valueplatform.value.model import Feature, OfferKind, ValueModel
from valueplatform.value.practice import Habit

IN_USE_DAYS: Final = 90
"""A feature with events in this many days is in use; a dismissal holds as long."""

MOST: Final = 10
DIVERSE: Final = 3
"""So many at the top come from different products."""

YEAR: Final = 12
MIN_OWN_MONTHS: Final = 3
"""Whole months with value that an account's year can be told from."""

USED_YEAR: Final = Decimal(2 * YEAR - ADOPTION_MONTHS + 1) / (2 * YEAR)
"""The share of a year's effect in the first twelve months, during which the feature is still taken up: 11/12."""

_UNIT: Final = Decimal(1).scaleb(-AMOUNT_PLACES)


class Pricing(StrEnum):
    INCLUDED = "included"
    COSTS_EXTRA = "costs-extra"
    NOT_STATED = "not-stated"


class Ground(StrEnum):
    """What a suggestion rests on; all but EFFECT leave the value open."""

    EFFECT = "effect"
    FEW_ACCOUNTS = "few-accounts"
    FEW_ADOPTERS = "few-adopters"
    ONE_ACCOUNT = "one-account"
    UNCLEAR = "unclear"
    PART = "part"
    """Its value is counted with the product that it is part of."""
    SHORT_RECORD = "short-record"
    """The account's own record is too short."""
    SCATTERED = "scattered"
    """Accounts differ so much that the range reaches farther below nothing than the expectation lies above it."""


class Emptiness(StrEnum):
    """Why there is nothing to suggest."""

    NO_FEATURES = "no-features"
    NOT_FITTED = "not-fitted"
    CONTRACT_ENDED = "contract-ended"
    NOTHING_LEFT = "nothing-left"
    NOTHING_IN_FAVOR = "nothing-in-favor"


class ReasonNumber(msgspec.Struct, frozen=True):
    """A number of the reason. `unit` is a currency, 'account', 'month' or 'share' (0.18 = 18 %)."""

    name: str
    value: Decimal
    unit: str


class Cost(msgspec.Struct, frozen=True):
    """What the feature costs in the first twelve months: `kind` price (a year's) or effort (once)."""

    kind: str
    amount: Decimal
    unit: str


class Suggestion(msgspec.Struct, frozen=True):
    """One step. `low`, `expected`, `high`: value of the next 12 months in `unit`, net of `costs` where `net`, with a
    90 % interval; all None where it cannot be priced. `rank` starts at 1.

    `chance`: of taking it up within half a year; for the supplier's outreach only, never shown to customers.
    `sign`, one of `SIGNS`, adds most to it. `goes_with` are titles of features in use that the model finds together
    with this one. `used_until` is set where the account used the feature once. `segment` is what the accounts that
    `numbers` speak of have in common, as a person reads it; None = nothing, they are all accounts. `practice` is the
    driver of which the top uses it more than the rest.
    """

    id: str
    feature: str
    title: str
    product: str | None
    rank: int
    unit: str
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    net: bool
    costs: tuple[Cost, ...]
    pricing: Pricing
    ground: Ground
    numbers: tuple[ReasonNumber, ...]
    segment: str | None
    chance: Decimal | None
    used_until: date | None
    sign: str | None = None
    goes_with: tuple[str, ...] = ()
    practice: str | None = None
    offer: OfferKind = OfferKind.FEATURE
    standing: Standing = Standing.PREDICTED

    def number(self, name: str) -> ReasonNumber | None:
        return next((number for number in self.numbers if number.name == name), None)


@dataclass(frozen=True)
class Situation:
    """One account as it stands on its local day `today`. `values` and `usage` as in a `Panel`, its rows only.

    `habits` are features that the top of its segment uses more than the rest, with the driver's title it is the top of.
    `withheld` are features that the customer dismissed in the last 90 days, or has accepted or done already.
    `may_buy` is False where every contract has ended.
    """

    account_key: str
    account_id: int
    segment: str | None
    currency: str
    today: date
    values: pl.DataFrame
    usage: pl.DataFrame
    stage: str | None = None
    habits: Mapping[str, tuple[str, Habit]] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    may_buy: bool = True

    @property
    def panel(self) -> Panel:
        """The account alone."""
        account = {"account_id": self.account_id, "segment": self.segment, "today": self.today}
        return Panel(pl.DataFrame([account], schema=ACCOUNT_SCHEMA), self.values, self.usage)

    @cached_property
    def last_used(self) -> dict[str, date]:
        found = self.usage.group_by("feature").agg(pl.col("last_day").max())
        return dict(found.select("feature", "last_day").iter_rows())

    def uses(self, feature: str) -> bool:
        last = self.last_used.get(feature)
        return last is not None and last > self.today - timedelta(days=IN_USE_DAYS)

    def candidates(self, features: Iterable[Feature]) -> list[Feature]:
        """What it may have and neither uses nor has turned down."""
        if not self.may_buy:
            return []
        open_to_it = (f for f in features if f.event_types and self.may_have(f))
        return [f for f in open_to_it if f.slug not in self.withheld and not self.uses(f.slug)]

    def may_have(self, feature: Feature) -> bool:
        """Whether it is offered to the account's segment and stage, and the account uses what it requires."""
        if feature.eligible_stages and self.stage not in feature.eligible_stages:
            return False
        return may_have(feature, self.segment) and all(self.uses(slug) for slug in feature.requires)

    @property
    def whole_months(self) -> int:
        """How many of the last twelve months are whole and on record; the first month of all is not whole."""
        first = self.values["month"].min()
        if not isinstance(first, date):
            return 0
        return max(0, min(YEAR, month_number(self.today) - month_number(first) - 1))

    def year_of_value(self) -> Decimal | None:
        """Value of the last twelve whole months, stretched where fewer are on record; None below three."""
        months = self.whole_months
        if months < MIN_OWN_MONTHS:
            return None
        end = month_start(self.today)
        ordinal = month_number(end) - months
        start = date(ordinal // 12, ordinal % 12 + 1, 1)
        value = self.values.filter((pl.col("month") >= start) & (pl.col("month") < end))["value"].sum()
        return (Decimal(value) * YEAR / months).quantize(_UNIT)


def suggest(fitted: Fit, model: ValueModel, situation: Situation) -> tuple[Suggestion, ...]:
    """What to do next, best first: priced ones by expected net value, then the others by how usual they are.

    A step whose price and effort eat what it brings, one that went with less value, and one that no comparable account
    uses are left out. The first three come from different products as far as there are different products.
    """
    offers = offers_of(model)
    drafts = [
        draft
        for feature in situation.candidates(offers)
        if (draft := _draft(fitted, model, situation, feature)) is not None
    ]
    likely = likely_of(fitted, situation.panel)
    titles = {feature.slug: feature.label for feature in offers if feature.offer is not OfferKind.PRODUCT}
    ranked = _diverse(sorted(drafts, key=_order))[:MOST]
    return tuple(_with_chance(draft, rank, likely.get(draft.feature), titles) for rank, draft in enumerate(ranked, 1))


def _with_chance(draft: Suggestion, rank: int, likely: Likely | None, titles: Mapping[str, str]) -> Suggestion:
    if likely is None:
        return msgspec.structs.replace(draft, rank=rank)
    goes_with = tuple(titles[slug] for slug in likely.goes_with if slug in titles)
    return msgspec.structs.replace(draft, rank=rank, chance=likely.chance, sign=likely.sign, goes_with=goes_with)


def why_none(fitted: Fit | None, model: ValueModel, situation: Situation) -> Emptiness:
    """Why `suggest` gave nothing."""
    if not any(feature.event_types for feature in model.features):
        return Emptiness.NO_FEATURES
    if fitted is None:
        return Emptiness.NOT_FITTED
    if not situation.may_buy:
        return Emptiness.CONTRACT_ENDED
    return Emptiness.NOTHING_IN_FAVOR if situation.candidates(offers_of(model)) else Emptiness.NOTHING_LEFT


def suggestion_id(account_key: str, feature: str) -> str:
    """Stable over fits."""
    return "sug_" + hashlib.sha256(f"{account_key}\x1f{feature}".encode()).hexdigest()[:20]


def pricing_of(feature: Feature) -> Pricing:
    if feature.price or feature.included is False:
        return Pricing.COSTS_EXTRA
    return Pricing.INCLUDED if feature.included or feature.price is not None else Pricing.NOT_STATED


def _draft(fitted: Fit, model: ValueModel, situation: Situation, feature: Feature) -> Suggestion | None:
    """A suggestion without rank and chance; None where there is nothing in its favor."""
    found = fitted.feature(feature.slug)
    if found is None or found.verdict is Verdict.ADVERSE:
        return None
    popularity = fitted.popularity(feature.slug, situation.segment)
    draft = _bare(feature, model, situation, popularity)
    year = situation.year_of_value()
    if found.verdict is not Verdict.PRICED or found.effect is None:
        ground = Ground(found.verdict.value)
    elif year is None or year <= 0:
        ground = Ground.SHORT_RECORD
    else:
        low, expected, _ = shares = _shares(fitted, found.effect, situation.segment)
        if low > -expected:
            return _priced(draft, found.effect, year, shares)
        ground = Ground.SCATTERED
    if popularity is None or not popularity.users:
        return None
    numbers = (
        *draft.numbers,
        ReasonNumber("adopters", Decimal(found.adopters), "account"),
        ReasonNumber("compared", Decimal(fitted.accounts), "account"),
        ReasonNumber("own_months", Decimal(situation.whole_months), "month"),
        *_cold_start(fitted, found.effect, ground, situation.segment),
    )
    return msgspec.structs.replace(draft, ground=ground, numbers=numbers)


def _cold_start(fitted: Fit, effect: Effect | None, ground: Ground, segment: str | None) -> tuple[ReasonNumber, ...]:
    """What a step goes with in the segment, for an account that has no year of its own to put it on yet."""
    if ground is not Ground.SHORT_RECORD or effect is None:
        return ()
    return (ReasonNumber("uplift", _shares(fitted, effect, segment)[1], "share"),)


def _bare(feature: Feature, model: ValueModel, situation: Situation, popularity: Popularity | None) -> Suggestion:
    """What is so whatever the model found."""
    segments = {segment.slug: segment.label for segment in model.segments}
    shared = popularity.segment if popularity else None
    usual: tuple[tuple[str, int], ...] = ()
    if popularity is not None:
        usual = (("users", popularity.users), ("accounts", popularity.accounts))
    practice, habit = situation.habits.get(feature.slug, (None, None))
    if habit is not None:
        usual += (("top_using", habit.top_using), ("top", habit.top))
        usual += (("rest_using", habit.rest_using), ("rest", habit.rest))
    return Suggestion(
        id=suggestion_id(situation.account_key, feature.slug),
        feature=feature.slug,
        title=feature.label,
        offer=feature.offer or OfferKind.FEATURE,
        practice=practice,
        product=feature.product,
        rank=0,
        unit=situation.currency,
        low=None,
        expected=None,
        high=None,
        net=False,
        costs=_costs(feature, model.supplier.currency),
        pricing=pricing_of(feature),
        ground=Ground.EFFECT,
        numbers=tuple(ReasonNumber(name, Decimal(count), "account") for name, count in usual),
        segment=segments.get(shared, shared) if shared else None,
        chance=None,
        used_until=situation.last_used.get(feature.slug),
    )


def _priced(draft: Suggestion, effect: Effect, year: Decimal, shares: tuple[Decimal, ...]) -> Suggestion | None:
    """`shares` are low, expected and high; None where the costs eat what is expected."""
    net = _can_be_deducted(draft)
    cost = sum((cost.amount for cost in draft.costs), Decimal(0)) if net else Decimal(0)
    low, expected, high = ((year * share * USED_YEAR).quantize(_UNIT) - cost for share in shares)
    if expected <= 0:
        return None
    numbers = (
        *draft.numbers,
        ReasonNumber("adopters", Decimal(effect.adopters), "account"),
        ReasonNumber("uplift", shares[1], "share"),
        ReasonNumber("uplift_overall", _rounded(float(np.expm1(effect.log_effect))), "share"),
        ReasonNumber("year_of_value", year, draft.unit),
        ReasonNumber("gross", expected + cost, draft.unit),
    )
    return msgspec.structs.replace(draft, low=low, expected=expected, high=high, net=net, numbers=numbers)


def _can_be_deducted(draft: Suggestion) -> bool:
    """Costs are all stated, and in the account's currency: there is no rate on record to convert by."""
    unstated = draft.pricing is Pricing.COSTS_EXTRA and not any(cost.kind == "price" for cost in draft.costs)
    return not unstated and all(cost.unit == draft.unit for cost in draft.costs)


def _shares(fitted: Fit, effect: Effect, segment: str | None) -> tuple[Decimal, Decimal, Decimal]:
    """Low, expected and high share of its own value that one account of the segment may gain, by what grades taught."""
    middle, deviation = effect.of_segment(segment)
    # Estimating the spread takes one more degree of freedom.
    reach = student_quantile(COVERAGE, max(effect.freedom - 1, 1.0)) * deviation
    if fitted.correction is not None:
        middle, reach = middle * fitted.correction.gain, reach * fitted.correction.widening
    low, expected, high = (_rounded(float(np.expm1(value))) for value in (middle - reach, middle, middle + reach))
    return low, expected, high


def _rounded(share: float) -> Decimal:
    return Decimal(repr(share)).quantize(_UNIT)


def _costs(feature: Feature, currency: str) -> tuple[Cost, ...]:
    stated = (("price", feature.price and feature.price * YEAR), ("effort", feature.effort_cost))
    return tuple(Cost(kind, amount, currency) for kind, amount in stated if amount)


def _order(draft: Suggestion) -> tuple[bool, Decimal, Decimal, bool, Decimal, str]:
    """Priced before unpriced, most value first; of an account too young to price, what brings its segment most first;
    then what was looked into without finding anything comes last."""
    users, accounts = draft.number("users"), draft.number("accounts")
    usual = users.value / accounts.value if users and accounts else Decimal(0)
    uplift = draft.number("uplift")
    worth = -(draft.expected or Decimal(0)), -(uplift.value if uplift and draft.expected is None else Decimal(0))
    return draft.expected is None, *worth, draft.ground is Ground.UNCLEAR, -usual, draft.title


def _diverse(ordered: list[Suggestion]) -> list[Suggestion]:
    """The same, with the first three from different products as far as there are."""
    top: list[Suggestion] = []
    for draft in ordered:
        products = {chosen.product for chosen in top if chosen.product is not None}
        if len(top) < DIVERSE and draft.product not in products:
            top.append(draft)
    return [*top, *(draft for draft in ordered if draft not in top)]
