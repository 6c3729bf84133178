"""What an account may be expected to report on a day: means, from which the events are drawn and the plans are made.

The pattern to be learned from the features is here: guided checklists lower the repeat rate, with the parts check
most where equipment is complex; the ERP connector shortens invoicing on top of same-day invoicing; route planning
lowers late arrivals; quotes on site bring revenue, most in facilities and utilities.
"""

import math
from dataclasses import dataclass
from datetime import date

from valueplatform.sample.cast import Account
from valueplatform.sample.inputs import EXCHANGE
from valueplatform.sample.season import adoption, day_weight, growth, of_the_year, ramp

COMPLEX = frozenset({"elevators", "medical"})
"""Segments in which checklists and parts check help each other."""

_INVOICE = {"elevators": 1400, "facilities": 700, "logistics": 1000, "medical": 1900, "utilities": 850}
_QUOTES_PER_VISIT = {"elevators": 0.008, "facilities": 0.016, "utilities": 0.014}
_QUOTE = 1450
_MINUTES_BY_APP = 5.2
_MINUTES_TO_LEARN = 4.0
_VISITS_PER_JOB = 0.96
_JOBS_PER_TECHNICIAN = 5.5
_HOURS_PER_VISIT = 1.9
_INCIDENT_RATE = 0.00019
_SPARSE_DAY = 11


@dataclass(frozen=True, slots=True)
class TeamDay:
    """Jobs, minutes a job, visits, repeat visits a visit, and the checklists of one team."""

    team: str
    jobs: float
    minutes: float
    visits: float
    repeat_rate: float
    checklists: float


@dataclass(frozen=True, slots=True)
class AccountDay:
    """Means of one local day. `invoiced` and `quote` are in the account's currency, `outage` in minutes."""

    teams: tuple[TeamDay, ...]
    by_phone: float
    opens: float
    routes: float
    part_checks: float
    invoiced: float
    invoice_days: float
    by_connector: float
    documents: float
    arrivals: float
    late_rate: float
    quotes: float
    quote: float
    crew_hours: float
    incidents: float
    outage: float

    @property
    def visits(self) -> float:
        return sum(team.visits for team in self.teams)

    @property
    def technicians(self) -> float:
        return sum(team.jobs for team in self.teams) / _JOBS_PER_TECHNICIAN


class Expectation:
    """The means of one account, by day. `extra` are features to be thought of as in full use since go-live."""

    def __init__(self, account: Account, inputs: dict[str, float], extra: frozenset[str] = frozenset()) -> None:
        self._account = account
        self._inputs = inputs
        self._extra = extra
        self._weights = _team_weights(account.spec.teams)

    def on(self, day: date) -> AccountDay | None:
        """None where nothing is to be expected: before go-live, after the end, on days off, in a silence."""
        account = self._account
        if account.live is None or day < account.live or (account.ended is not None and day > account.ended):
            return None
        jobs = self._jobs(day)
        if not jobs or any(s.covers(day, None) for s in account.silent):
            return None
        teams = tuple(t for name in account.teams if (t := self._team(name, jobs, day)) is not None)
        return self._whole(day, teams)

    def _jobs(self, day: date) -> float:
        spec, live = self._account.spec, self._account.live
        if live is None or (spec.sparse and day.toordinal() % _SPARSE_DAY):
            return 0
        jobs = spec.jobs * day_weight(spec.segment, day, spec.timezone) * ramp(live, day)
        jobs *= growth(live, day, spec.growth) * of_the_year(day, spec.season, spec.peak)
        return jobs * self._factor("jobs", day)

    def _team(self, name: str, jobs: float, day: date) -> TeamDay | None:
        account = self._account
        opened = account.opened.get(name)
        if opened is not None and day < opened:
            return None
        if any(s.covers(day, name) for s in account.silent):
            return None
        share = self._weights.get(name, 0.16)
        own = jobs * share * (1 if opened is None else ramp(opened, day))
        visits = own * _VISITS_PER_JOB
        lagging = name in account.spec.lagging
        checklists = 0.0 if lagging else visits * self._use("guided-checklists", day)
        return TeamDay(name, own, self._minutes(day), visits, self._repeat_rate(name, day), checklists)

    def _minutes(self, day: date) -> float:
        live = self._account.live or day
        learned = _MINUTES_BY_APP + _MINUTES_TO_LEARN * math.exp(-(day - live).days / 45)
        return learned * self._factor("minutes", day)

    def _repeat_rate(self, team: str, day: date) -> float:
        lagging = team in self._account.spec.lagging
        checklists = 0.0 if lagging else self._use("guided-checklists", day)
        parts = self._use("parts-check", day)
        relief = (-0.1 if lagging else 0.09) + 0.17 * checklists + 0.06 * parts
        relief += 0.03 if team in self._account.opened else 0.0
        if self._account.spec.segment in COMPLEX:
            relief += 0.12 * checklists * parts
        return self._inputs["baseline_repeat_rate"] * (1 - relief) * self._factor("repeats", day)

    def _whole(self, day: date, teams: tuple[TeamDay, ...]) -> AccountDay:
        account, spec = self._account, self._account.spec
        scale = EXCHANGE[spec.currency]
        visits = sum(t.visits for t in teams)
        jobs = sum(t.jobs for t in teams)
        connector = self._use("erp-connector", day)
        routed = self._use("route-planning", day)
        invoicing = self._use("same-day-invoicing", day)
        return AccountDay(
            teams=teams,
            by_phone=jobs * (0.06 + 0.25 * (1 - ramp(account.live or day, day))),
            opens=jobs * 0.62 * self._use("arrival-tracking", day) * self._factor("opens", day),
            routes=jobs * 0.17 * routed,
            part_checks=visits * self._use("parts-check", day),
            invoiced=visits * _INVOICE[spec.segment] * scale * min(1.0, invoicing * 10) * self._factor("invoices", day),
            invoice_days=(9.5 - 3.8 * invoicing - 1.9 * connector) * self._factor("invoice_days", day),
            by_connector=0.7 * connector,
            documents=visits * 1.3 * connector,
            arrivals=jobs * 0.6 * min(1.0, routed * 10) if "waypoint" in spec.partners else 0.0,
            late_rate=self._inputs["baseline_late_rate"] * (1 - 0.38 * routed) * self._factor("late", day),
            quotes=self._quotes(day, visits),
            quote=_QUOTE * scale,
            crew_hours=visits * _HOURS_PER_VISIT * min(1.0, self._use("safety-checks", day) * 10),
            incidents=self._incidents(day, visits),
            outage=self._outage(day),
        )

    def _quotes(self, day: date, visits: float) -> float:
        each = _QUOTES_PER_VISIT.get(self._account.spec.segment, 0.004)
        return visits * each * self._use("on-site-quotes", day) * self._factor("quotes", day)

    def _incidents(self, day: date, visits: float) -> float:
        if not self._use("safety-checks", day):
            return 0.0
        return visits * _HOURS_PER_VISIT * _INCIDENT_RATE * self._factor("incidents", day)

    def _outage(self, day: date) -> float:
        return sum(e.factor for e in self._account.episodes if e.quantity == "outage" and e.first <= day <= e.last)

    def _use(self, feature: str, day: date) -> float:
        return 1.0 if feature in self._extra else adoption(self._account.features.get(feature), day)

    def _factor(self, quantity: str, day: date) -> float:
        found = (e for e in self._account.episodes if e.quantity == quantity and e.first <= day <= e.last)
        return math.prod(e.factor for e in found)


def _team_weights(teams: tuple[str, ...]) -> dict[str, float]:
    """The first team is the largest; the weights of the teams that were there from the start add up to 1."""
    raw = [1 / (place + 2) for place in range(len(teams))]
    return {team: weight / sum(raw) for team, weight in zip(teams, raw, strict=True)}
