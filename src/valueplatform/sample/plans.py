"""Committed value: the business case of each account by driver and month, written before anyone knew the outcome.

Targets start low and rise to a run rate. The run rate is set so that realized over committed, from go-live to the
last whole month, is the attainment that the cast asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import msgspec

from valueplatform.sample.cast import Account
from valueplatform.sample.draw import seeded
from valueplatform.sample.fieldnote import drivers_of, feature_of
from valueplatform.sample.inputs import tidy
from valueplatform.sample.records import Row, months_between, price, terms
from valueplatform.sample.worth import PRICED, monthly_value

RISE = (0.3, 0.55, 0.75, 0.9)
"""Share of the run rate in the first months of a target; 1 from then on."""

LOW, HIGH = 0.86, 1.14
"""The committed range around the expected target."""

_PLANNED = ("repeat_visits_avoided", "dispatch_time", "faster_invoicing", "quotes_on_site", "incidents_avoided")
_JOINTLY_PLANNED = frozenset({"aero-faerger", "quayside-freight"})
_LATER_AFTER_DAYS = 130
_TOO_NEW_DAYS = 90
_HURT = 0.8
_NO_HURT = frozenset({"outage", "surge", "product_launch"})
_SHARES_BEFORE_LIVE = {"dispatch_time": 0.35, "repeat_visits_avoided": 0.5, "faster_invoicing": 0.15}

OBJECTIVES = {
    "repeat_visits_avoided": (
        "Send fewer crews back to the same site",
        "Fix it on the first visit",
        "Stop paying twice for the same repair",
    ),
    "dispatch_time": (
        "Run more jobs with the dispatch desk we have",
        "Let dispatchers plan tomorrow instead of chasing today",
        "Take the routine jobs off the desk",
    ),
    "faster_invoicing": (
        "Bill in the week the work is done",
        "Get the invoice out before the van is back",
        "Have the cash in before the suppliers want theirs",
    ),
    "quotes_on_site": (
        "Sell the repair while we stand in front of it",
        "Let technicians quote on the spot",
    ),
    "incidents_avoided": ("Bring every crew home unhurt",),
    "late_arrivals_avoided": ("Arrive when we said we would",),
}
"""What customers want, in their own words, by the driver that shows it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One driver's commitment from `start` until `end` (exclusive): `run_rate` a month in the driver's unit, in the
    first months by `rise`, its share in each. The month of the start counts by its days.
    """

    driver: str
    start: date
    end: date
    run_rate: float
    rise: tuple[float, ...] = RISE

    def expected(self, month: date) -> float:
        """The target of a month."""
        first = self.start.replace(day=1)
        number = (month.year - first.year) * 12 + month.month - first.month
        share = self.rise[number] if number < len(self.rise) else 1.0
        return self.run_rate * share * (_rest_of_month(self.start) if not number else 1.0)


def targets(account: Account, seed: int) -> tuple[Target, ...]:
    """The commitments of an account, those of money scaled together to its attainment."""
    found = terms(account)
    if not found or (account.live is None and not account.spec.roi):
        return ()
    if account.live is None or account.spec.sparse:
        return _before_any_record(account, seed, found[-1][1])
    value = monthly_value(account, seed)
    foreseen = monthly_value(_as_foreseen(account), seed)
    fitted = (_fitted(account, d, (value[d], foreseen[d]), found[-1][1], seed) for d in _planned(account))
    raw = [target for target in fitted if target is not None]
    priced = [t for t in raw if t.driver in PRICED]
    realized = sum(_upto(value[t.driver], account, t.start) for t in priced)
    committed = sum(t.expected(m) for t in priced for m in _whole_months(account, t.start))
    scale = realized / committed / account.spec.attainment if committed else 1.0
    return tuple(replace(t, run_rate=t.run_rate * (scale if t.driver in PRICED else 1)) for t in raw)


def plan_rows(account: Account, seed: int) -> Iterator[Row]:
    """The targets as import rows, month by month; what was committed later belongs to the value plan."""
    rng = seeded(seed, account.key, "objectives")
    chosen = {driver: rng.choice(words) for driver, words in OBJECTIVES.items()} | account.spec.objectives
    for target in targets(account, seed):
        later = account.live is not None and (target.start - account.live).days > _LATER_AFTER_DAYS
        plan = ("value-plan", "Value plan agreed at the review") if later else ("business-case", "Business case")
        for month in months_between(target.start, target.end - timedelta(days=1)):
            expected = target.expected(month)
            yield {
                "account": account.key,
                "id": plan[0],
                "objective": chosen[target.driver],
                "driver": target.driver,
                "month": f"{month:%Y-%m}",
                "low": str(tidy(expected * LOW)),
                "expected": str(tidy(expected)),
                "high": str(tidy(expected * HIGH)),
                "source": plan[1],
            }


def _planned(account: Account) -> list[str]:
    """Drivers with a commitment: those in use long enough to have been planned."""
    drivers = [d for d in _PLANNED if d in drivers_of(account)]
    if account.key in _JOINTLY_PLANNED:
        drivers.append("late_arrivals_avoided")
    first = min(d for d in (account.live, account.today) if d is not None)
    old = max((account.today - first).days - 30, 0)
    newest = account.today - timedelta(days=min(_TOO_NEW_DAYS, old))
    return [d for d in drivers if account.features[feature_of(d)] <= newest]


def _fitted(
    account: Account, driver: str, values: tuple[dict[date, float], dict[date, float]], end: date, seed: int
) -> Target | None:
    """A target to which the driver compares somewhat better or worse than the account as a whole.

    `values` are the driver's expected value as it came and as it was foreseen, by month.
    """
    came, foreseen = values
    start = account.features[feature_of(driver)]
    one = Target(driver, start, end, 1.0, _rise(start, foreseen, _whole_months(account, start)))
    shape = sum(one.expected(month) for month in _whole_months(account, start))
    realized = _upto(came, account, start)
    if shape <= 0 or realized <= 0:
        return None
    tilt = seeded(seed, account.key, driver, "tilt").uniform(0.95, 1.05)
    if any(e.subject == driver and e.factor for e in account.episodes if e.kind not in _NO_HURT):
        tilt *= _HURT
    return replace(one, run_rate=realized / shape / tilt)


def _rise(start: date, foreseen: dict[date, float], months: list[date]) -> tuple[float, ...]:
    """Share of the run rate by month, smoothed over three months: features come one after another."""
    daily = [foreseen.get(m, 0.0) / _days_from(start, m) for m in months]
    smooth = [sum(daily[max(0, n - 1) : n + 2]) / len(daily[max(0, n - 1) : n + 2]) for n in range(len(daily))]
    last = sum(daily[-3:]) / len(daily[-3:])
    if last <= 0:
        return RISE
    return tuple(round(min(1.0, max(0.05, share / last)), 2) for share in smooth)


def _as_foreseen(account: Account) -> Account:
    """The account as it was thought of at the start: no episodes, no growth, no season, no gaps, no new teams."""
    spec = msgspec.structs.replace(account.spec, growth=0, season=0, opened={})
    return msgspec.structs.replace(account, spec=spec, episodes=(), silent=(), opened={})


def _before_any_record(account: Account, seed: int, end: date) -> tuple[Target, ...]:
    """What was promised where nothing has been measured: a share of a multiple of the price."""
    start = account.live or (account.today + timedelta(days=30))
    monthly = float(price(account, seed)) * (account.spec.roi or 2.0) / 12
    drivers = _SHARES_BEFORE_LIVE if account.live is None else {"dispatch_time": 0.4, "repeat_visits_avoided": 0.6}
    return tuple(Target(driver, start, end, monthly * share) for driver, share in drivers.items())


def _whole_months(account: Account, start: date) -> list[date]:
    """Months from the start to the last whole one, or to the end of use; the running one where there is no other."""
    last = account.today.replace(day=1) - timedelta(days=1)
    if account.ended is not None:
        last = min(last, account.ended)
    months = list(months_between(start, last))
    return months or [start.replace(day=1)]


def _upto(by_month: dict[date, float], account: Account, start: date) -> float:
    return sum(by_month.get(month, 0.0) for month in _whole_months(account, start))


def _days_from(start: date, month: date) -> int:
    following = (month + timedelta(days=32)).replace(day=1)
    return (following - max(start, month)).days


def _rest_of_month(day: date) -> float:
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return (following - day).days / (following - day.replace(day=1)).days
