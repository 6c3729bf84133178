"""The events of every account: CloudEvents drawn around what is expected, in order of arrival."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from valueplatform.sample.cast import Account
from valueplatform.sample.draw import dealt, exact, near, seeded
from valueplatform.sample.inputs import expected_inputs
from valueplatform.sample.rates import AccountDay, Expectation, TeamDay

Event = dict[str, object]
"""A CloudEvent 1.0 in structured mode. Numbers in `data` are int or Decimal; `time` is RFC 3339 in UTC."""

Data = dict[str, str | int | Decimal]

DISPATCH, MOBILE, BILLING = "/fieldnote/dispatch", "/fieldnote/mobile", "/fieldnote/billing"
TESSERA, WAYPOINT = "/tessera/connector", "/waypoint/telematics"
SOURCES = {"supplier": (DISPATCH, MOBILE, BILLING), "tessera": (TESSERA,), "waypoint": (WAYPOINT,)}
"""Which sources each provider writes."""

_SOURCE_OF = {
    "job.dispatched": DISPATCH,
    "tracking.opened": DISPATCH,
    "route.planned": DISPATCH,
    "visit.completed": MOBILE,
    "checklist.completed": MOBILE,
    "parts.checked": MOBILE,
    "quote.accepted": MOBILE,
    "safety.checked": MOBILE,
    "incident.reported": MOBILE,
    "app.outage": MOBILE,
    "invoice.sent": BILLING,
    "erp.synced": TESSERA,
    "arrival.recorded": WAYPOINT,
}
_PROVIDER_OF = {TESSERA: "tessera", WAYPOINT: "waypoint"}
_WHOLE_UNITS = frozenset({"JPY"})
_NIGHT = "Night crew"
_LATE_SHARE = 0.004
_TWICE_SHARE = 0.003
_TWO_BATCHES = 12


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event with the moment at which it arrives; `again` marks the second delivery of one that came before."""

    at: datetime
    event: Event
    again: bool = False
    late: bool = False


class AccountEvents:
    """Draws the events of one account; each day from its own seed, so that a day can be drawn by itself."""

    def __init__(self, account: Account, seed: int) -> None:
        self._account = account
        self._seed = seed
        self._zone = ZoneInfo(account.spec.timezone)
        self._expectation = Expectation(account, expected_inputs(account, seed))
        self._places = 0 if account.spec.currency in _WHOLE_UNITS else 2

    def on(self, day: date) -> list[Arrival]:
        """The arrivals that the day's events lead to, whenever they come; in no particular order."""
        expected = self._expectation.on(day)
        if expected is None:
            return []
        rng = seeded(self._seed, self._account.key, day)
        busy = max(0.5, rng.gauss(1, 0.035))
        drawn = _Day(self._account, day, self._zone, rng)
        self._crews(drawn, expected.teams, busy)
        self._desk(drawn, expected, busy)
        self._billing(drawn, expected, busy)
        self._safety(drawn, expected, busy)
        self._outage(drawn, expected)
        return drawn.arrivals

    def _crews(self, drawn: "_Day", teams: tuple[TeamDay, ...], busy: float) -> None:
        rng = drawn.rng
        visits = [near(rng, team.visits * busy, 0.03) for team in teams]
        strain = max(0.0, rng.gauss(1, 0.05))
        repeats = dealt(rng, [n * team.repeat_rate * strain for n, team in zip(visits, teams, strict=True)])
        for team, visited, again in zip(teams, visits, repeats, strict=True):
            jobs = near(rng, team.jobs * busy, 0.03)
            minutes = team.minutes * max(0.5, rng.gauss(1, 0.04))
            if self._account.spec.each_job or self._account.spec.sparse:
                self._each_job(drawn, team.team, jobs, minutes)
                self._each_visit(drawn, team.team, visited, again)
            else:
                self._in_batches(drawn, team.team, jobs, minutes)
                made: Data = {"team": team.team, "visits": visited, "repeats": again, "feature": "job-reports"}
                if visited:
                    drawn.add("visit.completed", made)
            checklists = near(rng, team.checklists * busy, 0.05)
            if checklists:
                filled: Data = {"team": team.team, "checklists": checklists, "feature": "guided-checklists"}
                drawn.add("checklist.completed", filled)

    @staticmethod
    def _in_batches(drawn: "_Day", team: str, jobs: int, minutes: float) -> None:
        for batch in (jobs - jobs // 3, jobs // 3) if jobs >= _TWO_BATCHES else (jobs,):
            sums: Data = {"jobs": batch, "minutes": exact(batch * minutes, 1), "feature": "auto-dispatch"}
            if batch:
                drawn.add("job.dispatched", {"team": team, "channel": "app"} | sums)

    @staticmethod
    def _each_job(drawn: "_Day", team: str, jobs: int, minutes: float) -> None:
        for number in range(jobs):
            took = exact(max(0.5, drawn.rng.gauss(minutes, 1)), 1)
            job: Data = {"team": team, "channel": "app", "jobs": 1, "minutes": took, "feature": "auto-dispatch"}
            drawn.add("job.dispatched", job, subject=f"WO-{drawn.day:%y%m%d}-{number + 1:03}")

    @staticmethod
    def _each_visit(drawn: "_Day", team: str, visits: int, repeats: int) -> None:
        for number in range(visits):
            visit: Data = {"team": team, "visits": 1, "repeats": int(number < repeats), "feature": "job-reports"}
            drawn.add("visit.completed", visit, subject=f"WO-{drawn.day:%y%m%d}-{number + 1:03}")

    def _desk(self, drawn: "_Day", expected: AccountDay, busy: float) -> None:
        rng = drawn.rng
        by_phone = near(rng, expected.by_phone * busy, 0.1)
        if by_phone:
            drawn.add("job.dispatched", {"channel": "phone", "jobs": by_phone, "minutes": exact(by_phone * 13.5, 1)})
        opens = near(rng, expected.opens * busy, 0.04)
        if opens:
            drawn.add("tracking.opened", {"opens": opens, "feature": "arrival-tracking"})
        routes = near(rng, expected.routes * busy, 0.04)
        if routes:
            drawn.add("route.planned", {"routes": routes, "stops": routes * 6, "feature": "route-planning"})
        arrivals = near(rng, expected.arrivals * busy, 0.03)
        if arrivals:
            late = min(arrivals, near(rng, arrivals * expected.late_rate, 0.08))
            drawn.add("arrival.recorded", {"arrivals": arrivals, "late": late})

    def _billing(self, drawn: "_Day", expected: AccountDay, busy: float) -> None:
        rng, currency = drawn.rng, self._account.spec.currency
        sent = expected.invoiced * busy * max(0.5, rng.gauss(1, 0.05))
        days = expected.invoice_days * max(0.5, rng.gauss(1, 0.03))
        for source, share in ((BILLING, 1 - expected.by_connector), (TESSERA, expected.by_connector)):
            amount = exact(sent * share, self._places)
            if amount:
                waited = exact(days, 1)
                bill: Data = {"amount": amount, "amount_days": amount * waited, "currency": currency}
                drawn.add("invoice.sent", bill | {"feature": "same-day-invoicing"}, source=source)
        documents = near(rng, expected.documents * busy, 0.04)
        if documents:
            drawn.add("erp.synced", {"documents": documents, "feature": "erp-connector"})
        quotes = near(rng, expected.quotes * busy, 0.1)
        if quotes:
            won = exact(sum(expected.quote * rng.uniform(0.75, 1.25) for _ in range(quotes)), self._places)
            quote: Data = {"quotes": quotes, "amount": won, "currency": currency, "feature": "on-site-quotes"}
            drawn.add("quote.accepted", quote)

    def _safety(self, drawn: "_Day", expected: AccountDay, busy: float) -> None:
        rng = drawn.rng
        checks = near(rng, expected.part_checks * busy, 0.04)
        if checks:
            missing = near(rng, checks * 0.06, 0.2)
            drawn.add("parts.checked", {"checks": checks, "missing": missing, "feature": "parts-check"})
        hours = exact(expected.crew_hours * busy, 1)
        if hours:
            done = max(1, near(rng, expected.visits * 0.3, 0.05))
            drawn.add("safety.checked", {"checks": done, "crew_hours": hours, "feature": "safety-checks"})
        for _ in range(near(rng, expected.incidents, 0)):
            drawn.add("incident.reported", {"severity": rng.choice(("minor", "minor", "minor", "lost time"))})

    def _outage(self, drawn: "_Day", expected: AccountDay) -> None:
        if not expected.outage:
            return
        for team in expected.teams:
            lost = near(drawn.rng, expected.outage * team.jobs / 5.5, 0.02)
            if lost:
                minutes: Data = {"outage_minutes": int(expected.outage), "technician_minutes": lost}
                drawn.add("app.outage", {"team": team.team} | minutes)


class _Day:
    """Collects one local day's events, gives each its id, time, and moment of arrival."""

    def __init__(self, account: Account, day: date, zone: ZoneInfo, rng: random.Random) -> None:
        self.day = day
        self.rng = rng
        self.arrivals: list[Arrival] = []
        self._account = account
        self._utc_noon = datetime.combine(day, time(12), zone).astimezone(UTC)

    def add(self, kind: str, data: Data, *, source: str = "", subject: str = "") -> None:
        team = str(data.get("team", ""))
        hour = self.rng.uniform(20.5, 23.9) if team == _NIGHT else self.rng.uniform(6.5, 19.5)
        happened = (self._utc_noon + timedelta(hours=hour - 12)).replace(microsecond=0)
        origin = source or _SOURCE_OF[kind]
        event: Event = {
            "specversion": "1.0",
            "id": f"{self._account.key}.{self.day:%Y%m%d}.{len(self.arrivals) + 1:03}",
            "source": origin,
            "type": kind,
            "time": f"{happened:%Y-%m-%dT%H:%M:%S}Z",
            "account": self._account.key,
        }
        if subject:
            event["subject"] = subject
        if origin in _PROVIDER_OF:
            event["provider"] = _PROVIDER_OF[origin]
        event |= {"datacontenttype": "application/json", "data": data}
        self._arrive(event, happened, team or None)

    def _arrive(self, event: Event, happened: datetime, team: str | None) -> None:
        rng = self.rng
        at, late = happened + timedelta(seconds=rng.randint(1, 240)), False
        for stretch in self._account.delayed:
            if stretch.covers(self.day, team):
                at, late = happened + timedelta(days=stretch.days, seconds=rng.randint(1, 7200)), True
        if rng.random() < _LATE_SHARE:
            at, late = at + timedelta(hours=rng.uniform(6, 70)), True
        self.arrivals.append(Arrival(at, event, late=late))
        repeated = any(stretch.covers(self.day, team) for stretch in self._account.repeated)
        if repeated or rng.random() < _TWICE_SHARE:
            self.arrivals.append(Arrival(at + timedelta(seconds=rng.randint(5, 5000)), event, again=True, late=late))


def arrivals(accounts: tuple[Account, ...], seed: int, until: datetime) -> Iterator[Arrival]:
    """All arrivals up to `until`, in order; ties by account and id. Holds little more than what is still under way."""
    drawing = [(AccountEvents(account, seed), set(account.days())) for account in accounts if account.live]
    begun = [account.live for account in accounts if account.live]
    if not begun:
        return
    waiting: dict[date, list[Arrival]] = {}
    day, last = min(begun) - timedelta(days=1), until.date() + timedelta(days=1)
    while day <= last:
        for events, days in drawing:
            for arrival in events.on(day) if day in days else ():
                waiting.setdefault(arrival.at.date(), []).append(arrival)
        # A local day can begin 14 hours before the same day in UTC: all of the day before yesterday has been drawn.
        yield from _in_order(waiting.pop(day - timedelta(days=2), []), until)
        day += timedelta(days=1)
    for rest in sorted(waiting):
        yield from _in_order(waiting[rest], until)


def _in_order(day: list[Arrival], until: datetime) -> Iterator[Arrival]:
    for arrival in sorted(day, key=lambda a: (a.at, str(a.event["id"]), a.again)):
        if arrival.at <= until:
            yield arrival
