"""An insight: one statement with its numbers, never free text."""

import hashlib
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from valueplatform.value.derivation import Derivation


class Strength(StrEnum):
    STRONG = "strong"
    MODERATE = "moderate"
    WEAK = "weak"


class Standing(StrEnum):
    """The weakest thing beneath a number; decides its underline and whether it may stand in a headline."""

    VALIDATED = "validated"
    TOUCHED = "touched"
    ESTIMATED = "estimated"
    PROPOSED = "proposed"
    UNDER_REVIEW = "under-review"
    PREDICTED = "predicted"


class Number(msgspec.Struct, frozen=True):
    """One number of an insight. `value` is exact; wording rounds it. `unit` is a currency, or a plain unit such as
    'jobs', 'days', 'share' (0.089 = 8.9 %) or 'ratio' (2.31 = 2.3 times)."""

    name: str
    value: Decimal
    unit: str
    derivation: Derivation
    standing: Standing = Standing.VALIDATED


class Insight(msgspec.Struct, frozen=True):
    """`subject` names what it is about ('account', a driver's slug, a milestone's id); `terms` are the words that
    wording needs beside numbers (titles, names, causes), already plain text. `importance` in [0, 1] ranks it.
    `favorable` is None where it is neither good nor bad news.

    Keys of `terms` tell what their text is, so that it can be checked: `*_name` is a title or a person's name as the
    record has it (`x_name` is of whatever number `x` is about), `*_day` an ISO date, `*month` the first day of a
    month, anything else a code that wording turns into words. `anchor` takes the place of the period in the id where
    the period moves on while the statement stays the same ('since 2025-09-01')."""

    kind: str
    subject: str
    period_from: date
    period_to: date
    numbers: tuple[Number, ...]
    strength: Strength
    importance: float
    terms: dict[str, str] = {}
    drivers: tuple[str, ...] = ()
    objective: str | None = None
    audiences: tuple[str, ...] = ("customer", "steward", "executive")
    favorable: bool | None = None
    anchor: str | None = None

    def id(self, account_key: str) -> str:
        """Stable while account, kind, subject and period (or anchor) are the same; versions are kept apart."""
        when = self.anchor or f"{self.period_from.isoformat()}/{self.period_to.isoformat()}"
        parts = (account_key, self.kind, self.subject, when)
        return "ins_" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]

    def number(self, name: str) -> Number:
        return next(number for number in self.numbers if number.name == name)
