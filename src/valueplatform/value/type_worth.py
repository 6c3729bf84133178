"""The worth of event types as it is read: realized and potential value by driver, over the accounts in scope.

Every amount is of a month, the mean of the months that are named, rounded once. Amounts are never added over drivers of
several classes or units, nor over types (value rules 4 and 5).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

import msgspec

from valueplatform.core.database import Transaction
from valueplatform.value.feeds import Paths
from valueplatform.value.model import Evidence
from valueplatform.value.states import State
from valueplatform.value.values import is_money
from valueplatform.value.worth import Basis, Cohort, Reach, Reason, Verdict, a_month
from valueplatform.value.worth_store import (
    PotentialTotal,
    Stored,
    Total,
    newest,
    potential_totals,
    realized_totals,
)

_WHY: Final = {
    Reason.NO_MONTH: "There is no whole month of realized value yet.",
    Reason.NO_DRIVER: "A meter reads it, and no driver takes that meter.",
    Reason.NO_AMOUNTS: "The drivers that it feeds have no amounts in these months.",
    Reason.ALL_SEND: "Every account that might send it does, or has the driver's value without it.",
    Reason.FEW_PEERS: "Fewer than five comparable accounts have a value by it in every month.",
    Reason.ONE_ACCOUNT: "One account makes more than half of what its peers realize by it.",
    Reason.NO_SIZE: "The accounts that do not send it realize nothing else to tell their size by.",
    Reason.NOT_LOOKED_AT: "No meter reads it, and fewer than five accounts send it, or more send 50 other such types.",
    Reason.NOTHING_ALIKE: "The model ties no driver to it, and its volume goes with no type that feeds one.",
    Reason.NO_NUMBER: "It goes with {like}, but does not carry {lacks}, which the meters read.",
    Reason.SAME_WORK: "It goes with {like} in every account that sends it: what it tells is measured already.",
    Reason.NOT_CLEAR: "Accounts that send it do not clearly differ from those that do not.",
}


class RealizedAmount(msgspec.Struct, frozen=True):
    """What a driver that it feeds was worth a month, over all providers. `counted` is what value rule 10 counts."""

    driver: str
    unit: str
    benefit_class: str
    accounts: int
    low: Decimal
    expected: Decimal
    high: Decimal
    counted: Decimal
    evidence: Evidence
    state: State


class PotentialAmount(msgspec.Struct, frozen=True):
    """An estimate of one month, never part of a realized value. `reach` more: it would come on top, within: it goes
    with the type and is part of what is realized. Of `accounts`, `needing` would have to send other types too."""

    driver: str
    unit: str
    benefit_class: str
    reach: Reach
    basis: Basis
    accounts: int
    needing: int
    low: Decimal
    expected: Decimal
    high: Decimal


class NotEstimated(msgspec.Struct, frozen=True):
    """Why there is no estimate; `driver` is '' where it concerns no single one."""

    driver: str
    reason: Reason
    says: str


class Worth(msgspec.Struct, frozen=True):
    """`months` are the first days of the months that all amounts are a mean of, `as_of` when they were computed."""

    as_of: datetime
    months: Sequence[date]
    realized: Sequence[RealizedAmount]
    potential: Sequence[PotentialAmount]
    not_estimated: Sequence[NotEstimated]


class WorthBook:
    """What types are worth, by type and property, over the accounts in scope."""

    def __init__(
        self,
        stored: Stored,
        paths: Paths,
        currency: str,
        realized: Sequence[Total],
        potential: Sequence[PotentialTotal],
    ) -> None:
        self.stored = stored
        self.paths = paths
        self._currency = currency
        self._realized: defaultdict[str, list[Total]] = defaultdict(list)
        for total in realized:
            self._realized[total.driver].append(total)
        self._potential: defaultdict[tuple[str, str], list[PotentialTotal]] = defaultdict(list)
        for one in potential:
            self._potential[one.type, one.path].append(one)
        self._verdicts: defaultdict[tuple[str, str], list[Verdict]] = defaultdict(list)
        for verdict in stored.estimates.verdicts:
            self._verdicts[verdict.type, verdict.path].append(verdict)

    def of(self, kind: str, path: str = "") -> Worth:
        months = self.stored.estimates.months
        drivers = self.paths.fed.get((kind, path), ())
        return Worth(
            as_of=self.stored.as_of,
            months=months,
            realized=[_realized(one, len(months)) for slug in drivers for one in self._realized[slug]],
            potential=[_potential(one) for one in self._potential[kind, path]],
            not_estimated=self._not_estimated(kind, path),
        )

    def verdicts(self, kind: str, path: str = "") -> Sequence[Verdict]:
        return self._verdicts[kind, path]

    def cohorts(self, kind: str, driver: str, path: str = "") -> Sequence[Cohort]:
        return [cohort for one in self._verdicts[kind, path] if one.driver == driver for cohort in one.cohorts]

    def _not_estimated(self, kind: str, path: str) -> list[NotEstimated]:
        if not self.stored.estimates.months:
            return [_why(Reason.NO_MONTH)]
        verdicts = self._verdicts[kind, path]
        if not verdicts and not path:
            return [_why(Reason.NO_DRIVER if kind in self.paths.mapped else Reason.NOT_LOOKED_AT)]
        return [_why(one.reason, one) for one in verdicts if one.reason is not None]

    @cached_property
    def ranked(self) -> Sequence[str]:
        """The types that have an amount, by what would come on top in the supplier's currency; then those of other
        currencies and units, and then by what is realized. Currencies are never compared."""
        kinds = {kind for kind, path in (*self._potential, *self.paths.fed) if not path}
        valued = [kind for kind in kinds if self._potential[kind, ""] or self._sum_realized(kind)]
        return sorted(valued, key=self._order)

    def _order(self, kind: str) -> tuple[int, Decimal, str]:
        more = [one for one in self._potential[kind, ""] if one.reach is Reach.MORE]
        own = [one.expected for one in more if one.unit == self._currency and is_money(one.unit, one.benefit_class)]
        if own:
            return (0 if sum(own) > 0 else 2, -sum(own, Decimal(0)), kind)
        if more:
            return (1, Decimal(0), kind)
        return (3, -self._sum_realized(kind), kind)

    def _sum_realized(self, kind: str) -> Decimal:
        """Only to order by: classes are not added anywhere that is shown."""
        totals = [one for slug in self.paths.fed.get((kind, ""), ()) for one in self._realized[slug]]
        money = (one.expected for one in totals if one.unit == self._currency and is_money(one.unit, one.benefit_class))
        return sum(money, Decimal(0))


def _realized(total: Total, months: int) -> RealizedAmount:
    return RealizedAmount(
        driver=total.driver,
        unit=total.unit,
        benefit_class=total.benefit_class,
        accounts=total.accounts,
        low=a_month(total.low, months),
        expected=a_month(total.expected, months),
        high=a_month(total.high, months),
        counted=a_month(total.counted, months),
        evidence=total.evidence,
        state=total.state,
    )


def _potential(total: PotentialTotal) -> PotentialAmount:
    return PotentialAmount(
        driver=total.driver,
        unit=total.unit,
        benefit_class=total.benefit_class,
        reach=total.reach,
        basis=total.basis,
        accounts=total.accounts,
        needing=total.needing,
        low=total.low,
        expected=total.expected,
        high=total.high,
    )


def _why(reason: Reason, verdict: Verdict | None = None) -> NotEstimated:
    names: Mapping[str, str | None] = {"like": verdict.like, "lacks": verdict.lacks} if verdict else {}
    says = _WHY[reason]
    for name, value in names.items():
        says = says.replace(f"{{{name}}}", value or "")
    return NotEstimated(verdict.driver if verdict else "", reason, says)


async def read_worth(tx: Transaction, paths: Paths, currency: str) -> WorthBook | None:
    """None before the worker has made a first estimate."""
    stored = await newest(tx)
    if stored is None:
        return None
    realized, potential = await realized_totals(tx, stored.run), await potential_totals(tx, stored.run)
    return WorthBook(stored, paths, currency, realized, potential)
