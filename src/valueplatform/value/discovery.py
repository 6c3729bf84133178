"""What the catalog suggests for the value model: the words and shapes of proposals, and their order. Pure.

A proposal is one or several definitions (`Parts`) that a person may accept, with the evidence that speaks for them. It
claims no cause: evidence says what goes with what, over how many accounts, and what is not known. Nothing of it names
an account.
"""

from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Final

import msgspec

from valueplatform.telemetry.meters import Meter
from valueplatform.value.model import Assumption, Baseline, Definition, Driver

MUCH: Final = Decimal("0.2")
"""A share that moved by so much makes evidence other than it was."""
TIMES: Final = 2
"""So does an amount that grew, or shrank, by this factor."""


class Proposed(StrEnum):
    """What kind of thing is proposed."""

    METER = "meter"
    DRIVER = "driver"
    BASELINE = "baseline"
    ASSUMPTION = "assumption"


class Outcome(StrEnum):
    """What accounts did with their contracts."""

    RENEWAL = "renewal"
    EXPANSION = "expansion"


class Finding(StrEnum):
    """What a comparison found."""

    MORE = "more"
    """Accounts with the outcome used it more, beyond what chance explains."""
    LESS = "less"
    NOT_CLEAR = "not-clear"
    TOO_FEW = "too-few"


class Coverage(msgspec.Struct, frozen=True):
    """`accounts` of `of` that send anything sent it in the last 13 weeks; `days` is the median share of days."""

    accounts: int
    of: int
    days: Decimal
    events: int

    @property
    def share(self) -> Decimal:
        return Decimal(self.accounts) / self.of if self.of else Decimal(0)


class Stability(msgspec.Struct, frozen=True):
    """Of whole weeks: their median volume, and how far weeks lie from it; None where that cannot be told."""

    weeks: int
    median: Decimal
    variation: Decimal | None


class Relation(msgspec.Struct, frozen=True):
    """How use went with an outcome in the last 12 months. `having` and `lacking` count the accounts with the outcome
    and without it, `used_*` those of them that used it in the 13 weeks before; `median_*` are their events a week.
    `low` to `high` holds the difference of the shares that used it (Newcombe). None where there are too few."""

    outcome: Outcome
    finding: Finding
    having: int
    lacking: int
    used_having: int = 0
    used_lacking: int = 0
    median_having: Decimal | None = None
    median_lacking: Decimal | None = None
    difference: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    p_value: Decimal | None = None


class Likeness(msgspec.Struct, frozen=True):
    """What it is like: a driver of the model, by `words` that both are named by, or by `correlation` of the daily
    volumes with the type `type` that feeds it."""

    driver: str
    words: tuple[str, ...] = ()
    type: str | None = None
    correlation: Decimal | None = None


class Worth(msgspec.Struct, frozen=True):
    """A month's potential over `accounts`, as the catalog estimates it: never part of a realized value."""

    driver: str
    unit: str
    accounts: int
    low: Decimal
    expected: Decimal
    high: Decimal


class Cohort(msgspec.Struct, frozen=True):
    """Whom a value comes from: so many accounts of a segment ('' = all); `coverage` is that of its interval."""

    segment: str
    accounts: int
    coverage: Decimal
    says: str


class Evidence(msgspec.Struct, frozen=True):
    """What speaks for a proposal; what could not be told is None or empty."""

    coverage: Coverage | None = None
    stability: Stability | None = None
    relations: tuple[Relation, ...] = ()
    likeness: Likeness | None = None
    worth: Worth | None = None
    cohort: Cohort | None = None


class Parts(msgspec.Struct, frozen=True):
    """The definitions that accepting adds to the model, or puts in the place of those of the same slug."""

    meters: tuple[Meter, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    drivers: tuple[Driver, ...] = ()

    @property
    def all(self) -> tuple[tuple[str, Definition], ...]:
        """Each with its kind, in the order in which they build on each other."""
        kinds: tuple[tuple[str, tuple[Definition, ...]], ...] = (
            ("meter", self.meters),
            ("baseline", self.baselines),
            ("assumption", self.assumptions),
            ("driver", self.drivers),
        )
        return tuple((kind, one) for kind, held in kinds for one in held)


class Proposal(msgspec.Struct, frozen=True):
    """`type` and `path` say what of the events it comes from ('' where from none); `why` says how it was made; `needs`
    are inputs that somebody has to state before there is an amount."""

    kind: Proposed
    slug: str
    type: str
    path: str
    why: str
    parts: Parts
    evidence: Evidence
    needs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The same for the same thing, whatever is found out of it later."""
        place = msgspec.json.encode((self.kind, self.type, self.path, self._what))
        return blake2b(place, digest_size=8).hexdigest()

    @property
    def _what(self) -> str:
        """What tells several proposals of one place apart."""
        match self.kind:
            case Proposed.METER:
                return str(self.parts.meters[0].aggregation)
            case Proposed.DRIVER:
                return ""
            case _:
                return f"{self.slug} {self.evidence.cohort.segment if self.evidence.cohort else ''}"

    @property
    def title(self) -> str:
        _, main = self.parts.all[-1]
        return main.label if not isinstance(main, Meter) else main.title or main.slug


def ranked(proposals: list[Proposal], currency: str) -> list[Proposal]:
    """By potential value in the supplier's currency, then by evidence: what goes with an outcome, how many accounts
    send it, how steadily; at last by name."""
    return sorted(proposals, key=lambda one: (*_weight(one.evidence, currency), one.type, one.path, one.kind, one.slug))


def _weight(evidence: Evidence, currency: str) -> tuple[Decimal, int, Decimal, Decimal]:
    worth = evidence.worth.expected if evidence.worth and evidence.worth.unit == currency else Decimal(0)
    told = sum(relation.finding is Finding.MORE for relation in evidence.relations)
    share = evidence.coverage.share if evidence.coverage else Decimal(0)
    steady = evidence.stability.variation if evidence.stability else None
    return -worth, -told, -share, steady if steady is not None else Decimal("Infinity")


def changed_much(before: Evidence, after: Evidence) -> bool:
    """Whether what was once turned down may be proposed again: another share of accounts, a potential twice or half of
    what it was, another finding, other values of a cohort."""
    if abs(_share(before) - _share(after)) >= MUCH or _findings(before) != _findings(after):
        return True
    return _moved(before.worth, after.worth) or _grew(before.cohort, after.cohort)


def _share(evidence: Evidence) -> Decimal:
    return evidence.coverage.share if evidence.coverage else Decimal(0)


def _findings(evidence: Evidence) -> set[tuple[Outcome, Finding]]:
    told = {Finding.MORE, Finding.LESS}
    return {(one.outcome, one.finding) for one in evidence.relations if one.finding in told}


def _moved(before: Worth | None, after: Worth | None) -> bool:
    if before is None or after is None:
        return before is None and after is not None
    small, large = sorted((abs(before.expected), abs(after.expected)))
    return large >= TIMES * small and large > 0


def _grew(before: Cohort | None, after: Cohort | None) -> bool:
    return before is not None and after is not None and after.accounts >= TIMES * before.accounts
