"""Accounts made from plain numbers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from valueplatform.accounts.costs import KNOWN_EFFORT
from valueplatform.core.periods import months_between
from valueplatform.narrative.facts import (
    DAILY_SCHEMA,
    METER_SCHEMA,
    AccountFacts,
    Adjustment,
    ClosedAmount,
    Contract,
    DriverFacts,
    Expiry,
    Followed,
    InputChange,
    InputFacts,
    Milestone,
    Person,
    Proposal,
    Target,
)
from valueplatform.narrative.faithful import Admitted, Record, admit, rederive_from
from valueplatform.narrative.faithful.record import Effort, HeldInput, Metering, Planned, Posted, Price, Stretch
from valueplatform.narrative.insights import discover
from valueplatform.value.derivation import Graded
from valueplatform.value.states import State

TODAY = date(2026, 8, 21)
CENT = Decimal("0.0001")


def driver(slug: str, title: str | None = None, **given: Any) -> DriverFacts:
    fields: dict[str, Any] = {
        "benefit_class": "cashable",
        "unit": "USD",
        "evidence": "measured",
        "formula": "jobs * hourly_cost",
        "version": 1,
    }
    return DriverFacts(slug=slug, title=title or slug.replace("_", " ").capitalize(), **(fields | given))


def rows(
    slug: str,
    values: Mapping[date, Decimal | int | str],
    *,
    state: State = State.VALIDATED,
    unit: str = "USD",
    provider: str = "supplier",
    spread: str = "0.1",
) -> list[dict[str, object]]:
    """Daily rows of one driver; low and high lie `spread` below and above."""
    found: list[dict[str, object]] = []
    for day, value in sorted(values.items()):
        expected = Decimal(value).quantize(CENT)
        margin = (abs(expected) * Decimal(spread)).quantize(CENT)
        found.append(
            {
                "driver": slug,
                "provider": provider,
                "day": day,
                "low": expected - margin,
                "expected": expected,
                "high": expected + margin,
                "counted": state in {State.VALIDATED, State.MEASURED},
                "state": state.value,
                "evidence": "measured",
                "benefit_class": "cashable",
                "unit": unit,
            }
        )
    return found


def steady(start: date, end: date, amount: Decimal | int | str) -> dict[date, Decimal]:
    """The same amount on every day of [start, end)."""
    return {start + timedelta(days=i): Decimal(amount) for i in range((end - start).days)}


def workdays(start: date, end: date, amount: Decimal | int | str) -> dict[date, Decimal]:
    return {day: value for day, value in steady(start, end, amount).items() if day.weekday() < 5}


def targets(objective: str, slug: str, start: date, end: date, expected: int, share: str = "0.15") -> list[Target]:
    """One target a month, low and high `share` below and above."""
    amount = Decimal(expected)
    margin = amount * Decimal(share)
    return [
        Target(objective, slug, month.start, amount - margin, amount, amount + margin)
        for month in months_between(start, end)
    ]


def account(daily: Iterable[Mapping[str, object]] = (), **given: Any) -> AccountFacts:
    """Harbor Logistics, unless said otherwise; `today` decides `now`."""
    today: date = given.pop("today", TODAY)
    meters = given.pop("meters", [])
    base = AccountFacts(
        key="harbor",
        name="Harbor Logistics",
        currency="USD",
        timezone="America/New_York",
        supplier="Fieldnote",
        now=datetime(today.year, today.month, today.day, 14, tzinfo=UTC),
        today=today,
        daily=pl.DataFrame(list(daily), schema=DAILY_SCHEMA),
        meters=pl.DataFrame(meters, schema=METER_SCHEMA, orient="row"),
        provider_names={"supplier": "Fieldnote", "tessera": "Tessera Integrations"},
    )
    return replace(base, **given)


def followed(feature: str = "dispatch", title: str = "Automatic dispatch", **given: Any) -> Followed:
    """A suggestion taken up on 20 April 2026 that landed inside what was expected of its first 90 days."""
    fields: dict[str, Any] = {"horizon": 90, "version": 1, "accepted": date(2026, 4, 7), "compared": 14}
    fields |= {"suggestion": f"sug_{feature}", "start": date(2026, 4, 20), "end": date(2026, 7, 19)}
    names = ("low", "expected", "high", "realized", "range_low", "range_high")
    amounts = ("1500.25", "2400.5", "4100", "2950.125", "-820.5", "5600.75")
    exact = dict(zip(names, map(Decimal, amounts), strict=True))
    return Followed(feature=feature, title=title, **(fields | exact | given))


def contract(start: date, end: date | None, amount: int, **given: Any) -> Contract:
    fields: dict[str, Any] = {"contract_id": f"c-{start}", "currency": "USD", "period": "year", "kind": "new"}
    return Contract(start=start, end=end, amount=Decimal(amount), **(fields | given))


def assumption(slug: str, value: str, unit: str, state: State = State.VALIDATED, **given: Any) -> InputFacts:
    amount = Decimal(value)
    fields: dict[str, Any] = {"low": amount * Decimal("0.9"), "expected": amount, "high": amount * Decimal("1.1")}
    if state is State.VALIDATED:
        fields |= {"validated_by": "Priya Nair", "validated_on": date(2025, 11, 14), "author": "Fieldnote"}
    title = slug.replace("_", " ").capitalize()
    return InputFacts(slug=slug, title=title, unit=unit, state=state, **(fields | given))


@dataclass(frozen=True)
class Wave:
    """A believable daily amount: weekly season, growth by the day, and a swing that needs no random source."""

    level: float
    growth: float = 0.0
    start: date = date(2025, 9, 1)

    def on(self, day: date) -> Decimal:
        days = (day - self.start).days
        season = (1.1, 1.15, 1.1, 1.05, 1.0, 0.4, 0.2)[day.weekday()]
        ripple = 1 + 0.06 * (((days * 7919) % 101) / 50 - 1)
        return Decimal(str(round(self.level * (1 + self.growth * days) * season * ripple, 2)))

    def days(self, start: date, end: date) -> dict[date, Decimal]:
        return {start + timedelta(days=i): self.on(start + timedelta(days=i)) for i in range((end - start).days)}


def harbor(today: date = TODAY) -> AccountFacts:
    """A rich account: ahead, behind and on plan, one driver stalled, one new, one not validated, one never priced,
    a month restated, a partner's part, a question on an assumption."""
    start, end = date(2025, 9, 1), today + timedelta(days=1)
    slump = date(2026, 7, 1)
    repeat = Wave(1500).days(start, slump) | {d: v * Decimal("0.55") for d, v in Wave(1500).days(slump, end).items()}
    invoicing = Wave(1250).days(start, end)
    missing = {date(2026, 3, 9) + timedelta(days=i) for i in range(9)}
    late = date(2026, 8, 12)
    daily = [
        *rows("dispatch_time", Wave(2500, 0.0006).days(start, end)),
        *rows("repeat_visits", {d: v for d, v in repeat.items() if d not in missing}),
        *rows("invoicing", {d: v * Decimal("0.7") for d, v in invoicing.items()}),
        *rows(
            "invoicing",
            {d: v * Decimal("0.3") for d, v in invoicing.items() if d >= date(2026, 4, 6)},
            provider="tessera",
        ),
        *rows("penalties", Wave(300).days(start, date(2026, 8, 3))),
        *rows("calls", Wave(420).days(start, end), state=State.ESTIMATED),
        *rows("quotes", Wave(260).days(date(2026, 7, 20), end)),
        *rows("overtime", {date(2026, 5, 4): -8200, date(2026, 5, 5): -6100}),
        *rows("incidents", workdays(start, end, "0.06"), unit="incident"),
        *rows("invoicing", {late: 9200}),
    ]
    visits = Wave(270).days(start, slump) | {d: v * Decimal("0.6") for d, v in Wave(270).days(slump, end).items()}
    plan = [
        *targets("Send fewer people twice", "repeat_visits", start, date(2026, 12, 1), 52000),
        *targets("Dispatch without waiting", "dispatch_time", start, date(2026, 12, 1), 68000),
        *targets("Dispatch without waiting", "penalties", start, date(2026, 12, 1), 8400),
        *targets("Get paid sooner", "invoicing", start, date(2026, 12, 1), 32500),
    ]
    return account(
        daily,
        today=today,
        drivers=(
            driver("dispatch_time", "Dispatch hours saved", benefit_class="capacity", inputs=("hourly_cost",)),
            driver("repeat_visits", "Repeat visits avoided", meters=("visits",), inputs=("visit_cost",)),
            driver("invoicing", "Invoices out sooner", inputs=("cost_of_capital",)),
            driver("penalties", "Late-arrival penalties avoided", benefit_class="avoidance", evidence="benchmark"),
            driver("calls", "Calls to the dispatch desk avoided", benefit_class="capacity", inputs=("call_minutes",)),
            driver("quotes", "Work quoted and won on site", benefit_class="revenue"),
            driver("overtime", "Overtime after app outages"),
            driver("incidents", "Safety incidents avoided", benefit_class="strategic", unit="incident"),
        ),
        inputs=(
            assumption("hourly_cost", "41.50", "USD/hour"),
            assumption(
                "visit_cost",
                "310",
                "USD/visit",
                disputed_by="Priya Nair",
                disputed_on=date(2026, 8, 18),
                proposals=(
                    Proposal(7, "Priya Nair", "customer", Decimal(265), date(2026, 9, 1), date(2026, 8, 18), "Travel"),
                ),
            ),
            assumption("cost_of_capital", "0.085", "ratio/year"),
            assumption("call_minutes", "5", "minute/call", State.ESTIMATED),
        ),
        meters=[("visits", day, value) for day, value in visits.items()],
        meter_titles={"visits": "Visits"},
        targets=tuple(plan),
        contracts=(contract(start, date(2026, 12, 1), 600000),),
        milestones=(
            Milestone("go-live", "go-live", date(2025, 9, 15), "Go-live"),
            Milestone("reno", "rollout", date(2026, 8, 5), "Reno went live"),
        ),
        adjustments=(Adjustment("invoicing", date(2026, 3, 1), late, Decimal(9200), "late-events"),),
        input_changes=(InputChange("hourly_cost", date(2026, 7, 13), Decimal(40), Decimal("41.50")),),
        expiries=(
            Expiry("visit_cost", date(2026, 9, 30), ("repeat_visits",)),
            Expiry(None, date(2026, 8, 10), ("dispatch_time",)),
        ),
        closings=(ClosedAmount("invoicing", date(2026, 3, 1), Decimal("26100.5000")),),
        people=(Person("Priya Nair", "validator"), Person("Daniel Reyes", "champion")),
        steward="Maya Okafor",
    )


def summit(today: date = TODAY) -> AccountFacts:
    """What Harbor has not: a second contract year that has been earned back, one bad week, a driver that was lost, one
    whose part of the total grew, a best week far above all others, one day far above its weekday, and a first contract
    that goes back a year more."""
    begun, year, end = date(2025, 1, 6), date(2026, 1, 6), today + timedelta(days=1)
    turn, record = date(2026, 5, 18), date(2026, 8, 10)
    calls = Wave(310).days(begun, turn) | Wave(620).days(turn, end)
    jump = {day: value * Decimal("2.2") for day, value in Wave(500).days(record, record + timedelta(days=7)).items()}
    daily = [
        *rows("dispatch_time", Wave(900).days(begun, end) | {date(2026, 8, 19): 4100}),
        *rows("routing", calls),
        *rows("invoicing", Wave(500).days(begun, end) | jump),
        *rows("quotes", Wave(40).days(begun, date(2026, 4, 20))),
        *rows("overtime", {date(2026, 7, 6): -3200, date(2026, 7, 8): -1100, date(2026, 2, 2): -90}),
        *rows("calls", Wave(60).days(begun, end), state=State.ESTIMATED),
    ]
    return account(
        daily,
        today=today,
        key="summit",
        name="Summit Facilities",
        drivers=(
            driver("dispatch_time", "Dispatch hours saved"),
            driver("routing", "Shorter routes"),
            driver("invoicing", "Invoices out sooner"),
            driver("quotes", "Work quoted and won on site"),
            driver("overtime", "Overtime after app outages"),
            driver("calls", "Calls to the dispatch desk avoided"),
            driver("incidents", "Safety incidents avoided", benefit_class="strategic", unit="incident"),
        ),
        milestones=(Milestone("kick-off", "rollout", date(2025, 1, 20), "Get paid sooner"),),
        followed=(followed(),),
        people=(Person("Daniel Reyes", "champion"),),
        contracts=(contract(begun, year, 200000), contract(year, date(2027, 6, 6), 340000, kind="renewal")),
    )


def record_of(facts: AccountFacts) -> Record:
    """The record that the facts of an account were read from, day by day."""
    strategic = {given.slug for given in facts.drivers if given.benefit_class == "strategic"}
    values = tuple(
        Stretch(
            start=row["day"],
            end=row["day"] + timedelta(days=1),
            driver=row["driver"],
            provider=row["provider"],
            unit=row["unit"],
            strategic=row["driver"] in strategic,
            counted=row["counted"],
            low=row["low"],
            expected=row["expected"],
            high=row["high"],
        )
        for row in facts.daily.iter_rows(named=True)
    )
    posted = [Posted("close", c.driver, c.month, c.month, c.expected) for c in facts.closings]
    posted += [Posted("adjustment", a.driver, a.month, a.shown_day, a.expected) for a in facts.adjustments]
    titles = {f"driver:{given.slug}": given.title for given in facts.drivers}
    titles |= {f"input:{given.slug}": given.title for given in facts.inputs}
    titles |= {f"feature:{one.feature}": one.title for one in facts.followed}
    titles |= {f"meter:{slug}": title for slug, title in facts.meter_titles.items()}
    people = {person.name for person in facts.people}
    people |= {name for given in facts.inputs for name in (given.validated_by, given.disputed_by) if name}
    return Record(
        key=facts.key,
        name=facts.name,
        currency=facts.currency,
        supplier=facts.supplier,
        values=values,
        posted=tuple(posted),
        planned=tuple(Planned(t.driver, t.month, t.low, t.expected, t.high) for t in facts.targets),
        efforts=tuple(
            Effort(c.month, c.kind.value, c.amount, c.currency) for c in facts.efforts if c.kind in KNOWN_EFFORT
        ),
        prices=tuple(Price(c.start, c.end, c.amount, c.currency, c.period) for c in facts.contracts),
        metered=tuple(
            Metering(meter, day, day + timedelta(days=1), total) for meter, day, total in facts.meters.iter_rows()
        ),
        inputs=_held_inputs(facts),
        sent={
            source: tuple((day, events) for (name, day), events in facts.sent.items() if name == source)
            for source in {doubt.source for doubt in facts.doubts}
        },
        graded=_graded(facts),
        titles=titles,
        names=frozenset(
            people
            | {doubt.source for doubt in facts.doubts}
            | {title for key, title in titles.items() if not key.startswith("feature:")}
            | {facts.name, facts.supplier}
            | set(facts.provider_names.values())
            | {target.objective for target in facts.targets}
            | {milestone.title for milestone in facts.milestones}
        ),
        days=frozenset(_days_in(facts)),
    )


def _held_inputs(facts: AccountFacts) -> dict[tuple[str, date], HeldInput]:
    """As they hold today, and as they held before and after each change."""
    units = {given.slug: given.unit for given in facts.inputs}
    held = {
        (given.slug, facts.today): HeldInput(
            Fraction(given.low), Fraction(given.expected), Fraction(given.high), given.unit
        )
        for given in facts.inputs
    }
    for change in facts.input_changes:
        for day, value in ((change.day - timedelta(days=1), change.before), (change.day, change.now)):
            held[change.slug, day] = HeldInput(Fraction(value), Fraction(value), Fraction(value), units[change.slug])
    return held


def _graded(facts: AccountFacts) -> dict[Graded, Fraction]:
    names = ("low", "expected", "high", "range_low", "range_high", "realized", "compared")
    return {
        Graded(one.suggestion, one.feature, one.horizon, one.version, one.start, one.end, what): Fraction(
            getattr(one, what)
        )
        for one in facts.followed
        for what in names
    }


def _days_in(facts: AccountFacts) -> Iterator[date]:
    for given in facts.contracts:
        yield given.start
        if given.end is not None:
            yield given.end - timedelta(days=1)
    yield from (one.accepted for one in facts.followed)
    yield from (milestone.day for milestone in facts.milestones)
    yield from (expiry.day for expiry in facts.expiries)
    yield from (gap.day for gap in facts.gaps)
    yield from (adjustment.shown_day for adjustment in facts.adjustments)
    for stated in facts.inputs:
        yield from (day for day in (stated.validated_on, stated.disputed_on) if day is not None)


def admitted(facts: AccountFacts) -> list[Admitted]:
    """All that the account's insights may say; fails where any of them is not borne out by the record."""
    insights = discover(facts)
    kept, refused = admit(insights, rederive_from(record_of(facts), insights))
    assert not refused, refused
    return kept
