"""What can honestly be said of a type that no meter reads, from how it goes with what is measured. Pure.

**By comparison**, where the model ties the type to a driver, through a feature whose use it shows: what the driver is
worth to accounts that send it in every month, as a share of what all other drivers are worth to them, against accounts
of the same segment that may send it and do not (`cohorts.difference`). Told only where both are cohorts and the 90 %
interval leaves out zero. It says what goes *with* the type, never what it causes: accounts differ in other ways too.

**By standing in**, else: where a type goes with one that drivers take, and some accounts send only the former, that one
could be measured instead. Likeness is Spearman's (1904) rank correlation of how daily volumes changed against the same
day of the week before, which leaves out level, growth and the week; of each account that sends both, and the median of
them. The type must carry the numbers that the drivers' meters read; what it would bring is then estimated as for the
type it stands in for (`potential`). Where all who send it send the other too, it tells of the same work, and nothing.

Otherwise there is no estimate, and the reason says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.value.cohorts import COHORT, Groups, difference, is_masked, median
from valueplatform.value.feeds import Paths
from valueplatform.value.potential import Cohorts, Place, as_peers, scaled
from valueplatform.value.worth import (
    Answer,
    Basis,
    Cohort,
    Estimate,
    Reach,
    Reason,
    Standing,
    Verdict,
    cohort_of,
)

ALIKE: Final = Decimal("0.5")
WEEK: Final = 7
LEAST_CHANGES: Final = 14
"""Fewer changes of an account do not show a correlation."""
_LIKENESS_PLACES: Final = Decimal("0.01")

Volumes = Mapping[tuple[int, str], Sequence[int]]
"""Events by account and type, of every day of the months in order; of some accounts that send several types."""


def likeness(paths: Paths, accounts: Sequence[Standing], kinds: Sequence[str], volumes: Volumes, months: int) -> Answer:
    """Of each type of `kinds`, which no meter reads. One verdict a tied driver, or one of the best likeness."""
    verdicts: list[Verdict] = []
    estimates: list[Estimate] = []
    for kind in kinds:
        tied = paths.tied(kind)
        eligible = [one for one in accounts if paths.is_eligible(kind, one)]
        for slug in tied:
            verdict, found = _Compared(paths, kind, slug, months).of(eligible)
            verdicts.append(verdict)
            estimates += found
        if not tied:
            found_verdicts, found = _stand_in(paths, accounts, kind, volumes, months)
            verdicts += found_verdicts
            estimates += found
    return Answer(verdicts, estimates)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One unmapped type, and a driver that the model ties to it."""

    paths: Paths
    kind: str
    slug: str
    months: int

    def of(self, eligible: Sequence[Standing]) -> tuple[Verdict, list[Estimate]]:
        known = [(one, share) for one in eligible if (share := self._share(one)) is not None]
        groups = self._groups(known)
        senders, others = ([share for group in groups.values() for share in group[side]] for side in (0, 1))
        if is_masked(senders) or is_masked(others):
            few = min(len(senders), len(others)) < COHORT
            return self._none(Reason.FEW_PEERS if few else Reason.ONE_ACCOUNT), []
        spread = difference(groups)
        cohort = cohort_of(spread, Basis.COMPARISON, len(senders), others=len(others))
        if cohort.low <= 0 <= cohort.high:
            return self._none(Reason.NOT_CLEAR, cohort), []
        estimates = [self._estimate(one, cohort) for one, _ in known]
        return Verdict(self.kind, "", self.slug, (cohort,)), estimates

    def _groups(self, known: Sequence[tuple[Standing, Fraction]]) -> Groups:
        """Those that send it in every month, and those that do not, of segments that have both."""
        found: dict[str, tuple[list[Fraction], list[Fraction]]] = {}
        for one, share in known:
            if self.kind in one.steady or self.kind not in one.types:
                senders, others = found.setdefault(one.segment or "", ([], []))
                (senders if self.kind in one.steady else others).append(share)
        return {segment: group for segment, group in found.items() if all(group)}

    def _none(self, reason: Reason, *cohorts: Cohort) -> Verdict:
        return Verdict(self.kind, "", self.slug, cohorts, reason)

    def _size(self, account: Standing) -> Decimal:
        return account.size_without(frozenset({self.slug}))

    def _share(self, account: Standing) -> Fraction | None:
        amount = account.realized.get((self.slug, account.currency))
        size = self._size(account)
        if amount is None or not amount.is_steady or size <= 0:
            return None
        return Fraction(amount.expected) / Fraction(size)

    def _estimate(self, account: Standing, cohort: Cohort) -> Estimate:
        size = self._size(account)
        low, expected, high = scaled(cohort, size, self.months)
        return Estimate(
            account_id=account.account_id,
            type=self.kind,
            path="",
            driver=self.slug,
            unit=account.currency,
            benefit_class=self.paths.drivers[self.slug].benefit_class,
            reach=Reach.WITHIN if self.kind in account.types else Reach.MORE,
            basis=Basis.COMPARISON,
            segment="",
            size=size,
            low=low,
            expected=expected,
            high=high,
        )


def _stand_in(
    paths: Paths, accounts: Sequence[Standing], kind: str, volumes: Volumes, months: int
) -> tuple[list[Verdict], list[Estimate]]:
    like = most_alike(paths, accounts, kind, volumes)
    if like is None:
        return [Verdict(kind, "", "", reason=Reason.NOTHING_ALIKE)], []
    other, correlation = like
    verdicts, estimates = [], []
    for slug in paths.fed[other, ""]:
        verdict, found = _StoodIn(paths, kind, other, slug, months).of(accounts)
        verdicts.append(_with_likeness(verdict, other, correlation))
        estimates += found
    return verdicts, estimates


def _with_likeness(verdict: Verdict, other: str, correlation: Decimal) -> Verdict:
    return Verdict(
        verdict.type, verdict.path, verdict.driver, verdict.cohorts, verdict.reason, other, correlation, verdict.lacks
    )


@dataclass(frozen=True, slots=True)
class _StoodIn:
    """One unmapped type in place of a mapped one, for one driver."""

    paths: Paths
    kind: str
    other: str
    slug: str
    months: int

    def of(self, accounts: Sequence[Standing]) -> tuple[Verdict, list[Estimate]]:
        candidates = [
            one
            for one in accounts
            if self.kind in one.types and self.other not in one.types and not one.has_amounts(self.slug)
        ]
        if not candidates:
            return Verdict(self.kind, "", self.slug, reason=Reason.SAME_WORK), []
        wanted = self.paths.numbers(self.slug, self.other)
        able = [one for one in candidates if all((self.kind, path) in one.paths for path in wanted)]
        if not able:
            lacks = min(path for path in wanted if any((self.kind, path) not in one.paths for one in candidates))
            return Verdict(self.kind, "", self.slug, reason=Reason.NO_NUMBER, lacks=lacks), []
        peers = [one for one in accounts if self.other in one.types and self.paths.is_eligible(self.other, one)]
        cohorts = Cohorts(self.slug, frozenset(self.paths.fed[self.other, ""]), peers, self.months)
        return as_peers(self.paths, Place(self.kind, "", self.slug), able, cohorts, self.other)


def most_alike(paths: Paths, accounts: Sequence[Standing], kind: str, volumes: Volumes) -> tuple[str, Decimal] | None:
    """The type that feeds a driver and whose volume goes with that of `kind` most closely; None below ALIKE."""
    found: list[tuple[Decimal, str]] = []
    for other in sorted({mapped for mapped, path in paths.fed if not path}):
        both = [one.account_id for one in accounts if {kind, other} <= one.steady]
        series = [(volumes.get((one, kind)), volumes.get((one, other))) for one in both]
        each = [known for a, b in series if a and b and (known := correlation_of_changes(a, b)) is not None]
        if len(each) >= COHORT:
            middle = median([Fraction(one) for one in each])
            found.append((Decimal(str(round(float(middle), 4))).quantize(_LIKENESS_PLACES), other))
    best = max(found, key=lambda one: (one[0], one[1]), default=None)
    return (best[1], best[0]) if best is not None and best[0] >= ALIKE else None


def correlation_of_changes(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Spearman's, of the changes against a week before; None where there are too few, or nothing changes."""
    changes = [
        (first[day] - first[day - WEEK], second[day] - second[day - WEEK])
        for day in range(WEEK, min(len(first), len(second)))
        if first[day] or first[day - WEEK] or second[day] or second[day - WEEK]
    ]
    if len(changes) < LEAST_CHANGES:
        return None
    left, right = _ranks([a for a, _ in changes]), _ranks([b for _, b in changes])
    middle = (len(changes) - 1) / 2
    across = sum((a - middle) * (b - middle) for a, b in zip(left, right, strict=True))
    within: float = sum((a - middle) ** 2 for a in left) * sum((b - middle) ** 2 for b in right)
    return across / within**0.5 if within else None


def _ranks(values: Sequence[int]) -> list[float]:
    """From 0; equal values share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end - 1) / 2
        start = end
    return ranks
