"""A signal: something that calls for the steward, what is at stake, why now, and the next act."""

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

import msgspec

from valueplatform.narrative.document import Span
from valueplatform.narrative.insight import Insight, Standing


class SignalKind(StrEnum):
    """In the order in which they are told where as much is at stake."""

    NO_DATA = "no-data"
    BEHIND = "behind"
    UNDER_REVIEW = "under-review"
    STALLED = "stalled-driver"
    RENEWAL = "renewal"
    QUESTION = "question"
    NOT_VALIDATED = "not-validated"
    SUGGESTION = "suggestion"
    AHEAD = "ahead"


class Urgency(IntEnum):
    TODAY = 0
    THIS_WEEK = 1
    NONE = 2


class TargetKind(StrEnum):
    """What an act is about: the story (a sentence of it), an assumption, baseline or driver that must be agreed, a
    conversation, a suggestion, or a prompt to talk to somebody."""

    STORY = "story"
    ASSUMPTION = "assumption"
    CONVERSATION = "conversation"
    SUGGESTION = "suggestion"
    COLLABORATION = "collaboration"


class Act(msgspec.Struct, frozen=True):
    """The next act in words ("Answer Priya Nair"), and what it is about: `target` is the id or slug of that, empty
    where there is none. Pages and the API make their own addresses of it."""

    text: str
    about: TargetKind
    target: str = ""


class Stake(msgspec.Struct, frozen=True):
    """An amount, never negative, in the account's currency.

    It opens as number `number` of the insight, or of the suggestion that the act is about where `insight_id` is None.
    """

    amount: Decimal
    unit: str
    standing: Standing
    number: str
    insight_id: str | None = None


class Signal(msgspec.Struct, frozen=True):
    """`subject` tells signals of one kind apart. `why` is a sentence; `insight_id` is the insight that it speaks of,
    which is `own` where no story tells it. `since` is when it began, where the record knows."""

    kind: SignalKind
    subject: str
    urgency: Urgency
    act: Act
    why: tuple[Span, ...] = ()
    stake: Stake | None = None
    insight_id: str | None = None
    own: Insight | None = None
    since: datetime | None = None

    @property
    def amount(self) -> Decimal:
        return self.stake.amount if self.stake else Decimal(0)

    def id(self, account_key: str) -> str:
        """The same for as long as account, kind and subject are."""
        parts = (account_key, self.kind.value, self.subject)
        return "sig_" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def in_order(signal: Signal) -> tuple[Urgency, Decimal, int, str]:
    """What cannot wait first, then the most at stake; the first of them speaks for the account."""
    return signal.urgency, -signal.amount, list(SignalKind).index(signal.kind), signal.subject
