"""What would come if accounts that do not send a mapped type sent it as their peers do. Pure and exact.

**Who.** *Candidates* of a type and driver may send it (`Paths.is_eligible`), do not, and have no amount of the driver.
*Peers* may send it, do, and have an amount of the driver in every month; those of the candidate's segment where they
are a cohort, else all of them, else nobody is told of (value rule 20).

**How much.** Value grows with the account, so peers are compared by size: what the driver was worth to each as a share
of what all drivers that the type does not feed were worth to it, both in its own currency (a ratio to an auxiliary
total: Cochran 1977, chapter 6; no exchange rate is needed). A candidate's estimate is the median share times its own
total, a month; the range runs from the lower quartile of the peers' low shares to the upper quartile of their high
ones, so it holds how accounts differ and how far assumptions are known. Where a size cannot be told, or the driver is
no money, peers' amounts themselves stand in place of shares, those in one unit.

**What it is not.** Peers chose to send it and may differ in other ways: no cause is claimed. Drivers that count against
the product give estimates below zero, and are shown.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from valueplatform.value.cohorts import COHORT, is_masked, middle_half
from valueplatform.value.feeds import Paths
from valueplatform.value.model import Driver
from valueplatform.value.worth import (
    Answer,
    Basis,
    Cohort,
    Estimate,
    Reach,
    Reason,
    Standing,
    Sum,
    Verdict,
    a_month,
    cohort_of,
)

_Peer = tuple[str, Fraction, Fraction, Fraction]
"""Segment, low, expected, high: shares or amounts a month."""
_Found = tuple[Verdict, list[Estimate]]


def potential(paths: Paths, accounts: Sequence[Standing], months: int) -> Answer:
    """Of every type, and every property that a meter cannot do without, that feed a driver."""
    verdicts, estimates = [], []
    for (kind, path), slugs in paths.fed.items():
        eligible = [one for one in accounts if paths.is_eligible(kind, one)]
        for slug in slugs:
            verdict, found = _of(paths, kind, path, slug, eligible, months)
            verdicts.append(verdict)
            estimates += found
    return Answer(verdicts, estimates)


def sends(account: Standing, kind: str, path: str) -> bool:
    return kind in account.types and (not path or (kind, path) in account.paths)


def would_send(account: Standing, kind: str, path: str) -> bool:
    """Whether this is what the account lacks: of a property, it sends the type without it."""
    return not sends(account, kind, path) and (not path or kind in account.types)


def _of(paths: Paths, kind: str, path: str, slug: str, eligible: Sequence[Standing], months: int) -> _Found:
    """One type or property, and one driver."""
    peers = [one for one in eligible if sends(one, kind, path)]
    candidates = [one for one in eligible if would_send(one, kind, path) and not one.has_amounts(slug)]
    if not candidates:
        return Verdict(kind, path, slug, reason=Reason.ALL_SEND), []
    cohorts = Cohorts(slug, frozenset(paths.fed[kind, path]), peers, months)
    return as_peers(paths, Place(kind, path, slug), candidates, cohorts)


class Place(NamedTuple):
    """What an estimate is of."""

    kind: str
    path: str
    slug: str


def as_peers(
    paths: Paths, place: Place, candidates: Sequence[Standing], cohorts: "Cohorts", instead: str = ""
) -> _Found:
    """What candidates would realize as their peers do. `instead`: the type that it stands in for, if any."""
    driver = paths.drivers[place.slug]
    found = [(one, cohorts.for_candidate(one, driver)) for one in candidates]
    told = [(one, cohort) for one, cohort in found if isinstance(cohort, Cohort)]
    if not told:
        reasons = [cohort for _, cohort in found if isinstance(cohort, Reason)]
        return Verdict(*place, reason=max(reasons, key=list(Reason).index)), []
    used = {(cohort.segment, cohort.basis, cohort.unit): cohort for _, cohort in told}
    estimates = [
        cohorts.estimate(
            place,
            driver,
            one,
            cohort,
            Basis.STAND_IN if instead else cohort.basis,
            paths.lacking(place.slug, one, instead or place.kind),
        )
        for one, cohort in told
    ]
    return Verdict(*place, tuple(used[key] for key in sorted(used))), estimates


def scaled(cohort: Cohort, size: Decimal | None, months: int) -> tuple[Decimal, Decimal, Decimal]:
    """A month's low, expected and high of one account: rates times its size, or the amounts themselves."""
    rates = (cohort.low, cohort.expected, cohort.high)
    if size is None:
        low, expected, high = (a_month(one, 1) for one in rates)
    else:
        low, expected, high = (a_month(Fraction(one) * Fraction(size), months) for one in rates)
    return low, expected, high


class Cohorts:
    """What peers realize by a driver, by segment; `excluded` are the drivers that no size holds."""

    def __init__(self, driver: str, excluded: frozenset[str], peers: Iterable[Standing], months: int) -> None:
        self.excluded = excluded
        self._driver = driver
        self._months = months
        self._peers = list(peers)
        self._sized = [peer for one in self._peers if (peer := self._share(one)) is not None]
        self._found: dict[tuple[str, Basis, str], Cohort | Reason] = {}

    def for_candidate(self, account: Standing, driver: Driver) -> Cohort | Reason:
        """The cohort that a candidate is compared with, or why there is none."""
        by_amount = self._chosen(account, Basis.AMOUNT, account.currency if driver.currency else driver.unit)
        if not driver.monetized:
            return by_amount
        if account.size_without(self.excluded) <= 0:
            return by_amount if isinstance(by_amount, Cohort) else Reason.NO_SIZE
        by_size = self._chosen(account, Basis.SIZE, "")
        return by_size if isinstance(by_size, Cohort) or isinstance(by_amount, Reason) else by_amount

    def estimate(
        self, place: Place, driver: Driver, account: Standing, cohort: Cohort, basis: Basis, needs: tuple[str, ...]
    ) -> Estimate:
        size = account.size_without(self.excluded) if cohort.basis is Basis.SIZE else None
        low, expected, high = scaled(cohort, size, self._months)
        return Estimate(
            account_id=account.account_id,
            type=place.kind,
            path=place.path,
            driver=place.slug,
            unit=cohort.unit or account.currency,
            benefit_class=driver.benefit_class,
            reach=Reach.MORE,
            basis=basis,
            segment=cohort.segment,
            size=size,
            low=low,
            expected=expected,
            high=high,
            needs=needs,
        )

    def _chosen(self, account: Standing, basis: Basis, unit: str) -> Cohort | Reason:
        """Of its segment where that is a cohort, else of all."""
        own = self._cohort(account.segment, basis, unit) if account.segment else Reason.FEW_PEERS
        return own if isinstance(own, Cohort) else self._cohort("", basis, unit)

    def _cohort(self, segment: str, basis: Basis, unit: str) -> Cohort | Reason:
        key = (segment, basis, unit)
        if key not in self._found:
            self._found[key] = self._made(*key)
        return self._found[key]

    def _made(self, segment: str, basis: Basis, unit: str) -> Cohort | Reason:
        peers = self._sized if basis is Basis.SIZE else self._amounts(unit)
        chosen = [peer for peer in peers if segment in {"", peer[0]}]
        _, lows, expected, highs = zip(*chosen, strict=True) if chosen else ((), (), (), ())
        if is_masked(expected):
            return Reason.ONE_ACCOUNT if len(expected) >= COHORT else Reason.FEW_PEERS
        return cohort_of(middle_half(lows, expected, highs), basis, len(chosen), segment=segment, unit=unit)

    def _share(self, account: Standing) -> _Peer | None:
        """As a share of its size; None where either is not known."""
        found = account.realized.get((self._driver, account.currency))
        size = account.size_without(self.excluded)
        if found is None or not found.is_steady or size <= 0:
            return None
        return _peer(account, found, Fraction(size))

    def _amounts(self, unit: str) -> list[_Peer]:
        found: list[tuple[Standing, Sum | None]] = [(o, o.realized.get((self._driver, unit))) for o in self._peers]
        return [_peer(one, amount, Fraction(self._months)) for one, amount in found if amount and amount.is_steady]


def _peer(account: Standing, amount: Sum, over: Fraction) -> _Peer:
    low, expected, high = (Fraction(one) / over for one in (amount.low, amount.expected, amount.high))
    return account.segment or "", low, expected, high
