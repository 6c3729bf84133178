"""Baselines and assumptions of each account: their values in the account's currency, and how far they are agreed."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Literal

from valueplatform.sample.cast import Account
from valueplatform.sample.draw import seeded
from valueplatform.sample.fieldnote import first_input_use, input_definitions

Standing = Literal["validated", "proposed", "under-review", "estimated"]

EXCHANGE = {"USD": 1.0, "EUR": 0.92, "GBP": 0.79, "JPY": 150.0, "AUD": 1.5, "DKK": 6.9}
"""Units of a currency that buy what a dollar buys; for believable sizes only, nothing is converted by it."""

_JOBS_PER_HEAD = 25
_SPARE_HEADS = 1
"""Desks that are larger than what is saved of them."""

_MIXED: dict[str, Standing] = {
    "redeployed_share": "under-review",
    "quote_margin": "proposed",
    "incremental_quote_share": "proposed",
    "baseline_repeat_rate": "validated",
    "cost_per_repeat_visit": "validated",
}


@dataclass(frozen=True, slots=True)
class Range:
    """An input's three values; low <= expected <= high."""

    low: Decimal
    expected: Decimal
    high: Decimal


def tidy(value: float, digits: int = 3) -> Decimal:
    """A number as a person would state it: `digits` significant digits, no exponent."""
    stated = Decimal(f"{value:.{digits - 1}e}")
    return stated.quantize(Decimal(1)) if stated == stated.to_integral_value() else stated


def is_money(slug: str) -> bool:
    """Whether the input is an amount of money by something; dollars by dollars are the same in any currency."""
    unit = str(input_definitions()[slug]["unit"])
    return unit.startswith("USD/") and not unit.startswith("USD/USD")


def standing(account: Account, slug: str) -> Standing:
    """How far both sides agree on an input. Outside the supplier's currency nothing stays at its default."""
    trust = account.spec.trust
    if trust == "mixed":
        return _MIXED.get(slug, "estimated")
    return trust


def default_range(slug: str, segment: str) -> Range:
    """What the model says where nobody said anything for the account."""
    definition = input_definitions()[slug]
    stated = definition.get("segment", {}).get(segment, definition["default"])
    return Range(Decimal(stated["low"]), Decimal(stated["expected"]), Decimal(stated["high"]))


def input_ranges(account: Account, seed: int) -> dict[str, Range]:
    """Every input of the account's drivers as it is stated for the account."""
    return {slug: _stated(account, slug, seed) for slug in first_input_use(account)}


def expected_inputs(account: Account, seed: int) -> dict[str, float]:
    """Expected values of all inputs of the model for the account, also of drivers that it does not use."""
    return {slug: float(_stated(account, slug, seed).expected) for slug in input_definitions()}


def _stated(account: Account, slug: str, seed: int) -> Range:
    default = default_range(slug, account.spec.segment)
    if standing(account, slug) == "estimated":
        return default
    if slug == "dispatchers":
        heads = Decimal(account.spec.dispatchers or _SPARE_HEADS + ceil(account.spec.jobs / _JOBS_PER_HEAD))
        return Range(heads, heads, heads)
    rng = seeded(seed, account.key, slug)
    factor = rng.uniform(0.93, 1.07) * (EXCHANGE[account.spec.currency] if is_money(slug) else 1)
    return Range(*(tidy(float(value) * factor) for value in (default.low, default.expected, default.high)))
