"""Next best collaboration: who should talk to whom, about what, by when and why now. Types; the rules are beside it.

A prompt belongs to the person who should speak. Both sides get prompts; a partner gets none, since partners are not in
the conversations of customer and supplier (value rule 19). What is at stake is one number of one insight or suggestion.
"""

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from valueplatform.core.authorization import Side
from valueplatform.core.periods import ONE_DAY, next_month
from valueplatform.narrative.document import Span
from valueplatform.stewardship.signal import Stake
from valueplatform.value.postings import CLOSING_DAY

BEFORE_THE_END: Final = timedelta(days=60)
"""How long before a contract ends its results should have been gone through."""
_SATURDAY: Final = 5


class Occasion(StrEnum):
    """What there is to talk about, in the order in which it is told where as much is at stake and as soon."""

    NO_DATA = "no-data"
    BEHIND = "behind"
    UNDER_REVIEW = "under-review"
    STALLED = "stalled-driver"
    RENEWAL = "renewal"
    VALIDATION = "validation"
    NO_VALIDATOR = "no-validator"
    """As VALIDATION, where nobody is there who may validate: to name somebody."""
    PLAN = "plan"
    STATEMENT = "statement"
    SPLIT = "split"
    CONSENT = "consent"
    """A partner asks to be let report."""
    CONTRIBUTION = "contribution"
    """A partner reported what neither the customer nor telemetry has answered."""
    PLAN_ENDS = "plan-ends"
    BASELINE = "baseline-expires"
    STARTING = "suggestion-accepted"
    SUGGESTION = "suggestion"
    REFERENCE = "reference"


class DueRule(StrEnum):
    """Where the day comes from."""

    BAD_NEWS = "two-working-days-after-bad-news"
    CLOSE = "before-the-month-closes"
    ANSWER = "five-working-days"
    BEFORE_END = "sixty-days-before-the-contract-ends"
    EXPIRY = "before-it-expires"


class AboutKind(StrEnum):
    INSIGHT = "insight"
    ASSUMPTION = "assumption"
    SUGGESTION = "suggestion"
    PLAN = "plan"
    STATEMENT = "statement"
    SPLIT = "split"
    CONSENT = "consent"
    CONTRIBUTION = "contribution"


class About(msgspec.Struct, frozen=True):
    """`id` of an insight or suggestion, slug of an assumption or baseline, name of a plan or statement, provider
    of what a partner asks or reports."""

    kind: AboutKind
    id: str


class Party(msgspec.Struct, frozen=True):
    """`role` is the person's role in the account, or `steward`."""

    name: str
    email: str
    role: str
    side: Side


class Collaboration(msgspec.Struct, frozen=True):
    """A prompt for `sender`. `matter` names what it is about as it stands now: another matter is another prompt to
    whoever dismissed it. `subject` tells prompts of one occasion apart. `insight_id` is what the numbers of `why` open
    at; `attached` whether it goes with the message, as what the customer's story tells does. `signal` is the id of the
    signal that it answers. `draft` is a message with its numbers as spans.
    """

    occasion: Occasion
    subject: str
    sender: Party
    receiver: Party
    about: About
    due: date
    rule: DueRule
    matter: str
    title: str = ""
    why: tuple[Span, ...] = ()
    draft: tuple[Span, ...] = ()
    stake: Stake | None = None
    insight_id: str | None = None
    attached: bool = False
    signal: str | None = None

    @property
    def side(self) -> Side:
        return self.sender.side

    @property
    def amount(self) -> Decimal:
        return self.stake.amount if self.stake else Decimal(0)

    def draft_by(self, name: str) -> str:
        """The draft as text, signed by whoever sends it: not only the steward may, on the supplier's side."""
        said = "".join(span.text for span in self.draft)
        return said.removesuffix(self.sender.name) + name

    def id(self, account_key: str) -> str:
        """The same for as long as account, side, occasion and subject are."""
        return prompt_id(account_key, self.side, self.occasion, self.subject)


def prompt_id(account_key: str, side: Side, occasion: Occasion, subject: str) -> str:
    return "col_" + digest(account_key, side.value, occasion.value, subject)


def digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def in_order(prompt: Collaboration) -> tuple[Decimal, date, int, str]:
    """The most at stake first, then what is due first."""
    return -prompt.amount, prompt.due, list(Occasion).index(prompt.occasion), prompt.subject


def due_on(rule: DueRule, today: date, since: date, end: date | None = None) -> date:
    """The day by which to talk, never before `today`.

    `since` is when the matter was first found, `end` when the contract ends or the value expires (exclusive). Working
    days are Monday to Friday: no calendar of holidays is on record.
    """
    match rule:
        case DueRule.BAD_NEWS:
            day = working_days_after(since, 2)
        case DueRule.ANSWER:
            day = working_days_after(since, 5)
        case DueRule.CLOSE:
            day = last_day_before_close(today)
        case DueRule.BEFORE_END:
            # Found later than that, it is as pressing as bad news, but never due after the end.
            day = working_days_after(since, 2)
            if end is not None:
                day = min(max(end - BEFORE_THE_END, day), end - ONE_DAY)
        case DueRule.EXPIRY:
            day = today if end is None else end - ONE_DAY
    return max(day, today)


def working_days_after(day: date, count: int) -> date:
    while count:
        day += ONE_DAY
        count -= day.weekday() < _SATURDAY
    return day


def last_day_before_close(today: date) -> date:
    """The last day on which what is settled still goes into the next month that closes (value rule 12)."""
    closing = today.replace(day=CLOSING_DAY)
    if closing <= today:
        closing = next_month(today).replace(day=CLOSING_DAY)
    return closing - ONE_DAY
