"""Accounts with what the others have not: a late first value, a plan far ahead, value that hardly varies, and a change
that one region made."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.narrative.factories import CENT, TODAY, Wave, account, contract, driver, record_of, rows, targets
from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts, Milestone, Person
from valueplatform.narrative.faithful import Admitted, Record, admit, rederive_from
from valueplatform.narrative.faithful.leaves import parts_in
from valueplatform.narrative.insights import discover
from valueplatform.narrative.insights.located import MemberCut, Members, located
from valueplatform.value.states import State


def cascade(today: date = TODAY, planned: int = 52000, fade: str = "0.6") -> AccountFacts:
    """On the way to the end of its plan: on plan so far, and since June at a pace that falls short of it."""
    begun, year, end = date(2025, 1, 6), date(2026, 1, 6), today + timedelta(days=1)
    turn, until = date(2026, 6, 1), date(2027, 1, 1)
    visits = Wave(1200).days(begun, turn) | {d: v * Decimal(fade) for d, v in Wave(1200).days(turn, end).items()}
    return account(
        [*rows("routing", visits), *rows("invoicing", Wave(900).days(begun, end))],
        today=today,
        key="cascade",
        name="Cascade Elevators",
        drivers=(
            driver("routing", "Shorter routes"),
            driver("invoicing", "Invoices out sooner"),
            driver("incidents", "Safety incidents avoided", benefit_class="strategic", unit="incident"),
        ),
        targets=tuple(targets("Drive less", "routing", year.replace(day=1), until, planned * 5 // 9, "0.05"))
        + tuple(targets("Get paid sooner", "invoicing", year.replace(day=1), until, planned * 4 // 9, "0.05")),
        contracts=(contract(begun, year, 200000), contract(year, date(2028, 1, 6), 340000, kind="renewal")),
        people=(Person("Daniel Reyes", "champion"),),
    )


def lakeshore(today: date = TODAY) -> AccountFacts:
    """A contract that ends soon, and value that hardly varies."""
    begun = date(2025, 11, 1)
    return account(
        rows("routing", Wave(400).days(date(2025, 9, 8), today + timedelta(days=1))),
        today=today,
        key="lakeshore",
        name="Lakeshore Heating",
        drivers=(
            driver("routing", "Shorter routes"),
            driver("incidents", "Safety incidents avoided", benefit_class="strategic", unit="incident"),
        ),
        contracts=(contract(begun, date(2026, 11, 1), 90000),),
        milestones=(Milestone("kick-off", "rollout", date(2025, 11, 20), "Get paid sooner"),),
        people=(Person("Daniel Reyes", "champion"),),
    )


def delmar(today: date = TODAY) -> AccountFacts:
    """A young account: its first value came two months after its contract began."""
    begun, first = date(2026, 5, 4), date(2026, 7, 2)
    daily = [
        *rows("dispatch_time", Wave(700).days(first, today + timedelta(days=1))),
        *rows("calls", Wave(90).days(begun, today + timedelta(days=1)), state=State.ESTIMATED),
    ]
    return account(
        daily,
        today=today,
        key="delmar",
        name="Delmar Pools",
        drivers=(
            driver("dispatch_time", "Dispatch hours saved"),
            driver("calls", "Calls to the dispatch desk avoided"),
            driver("incidents", "Safety incidents avoided", benefit_class="strategic", unit="incident"),
        ),
        contracts=(contract(begun, None, 90000),),
        milestones=(Milestone("kick-off", "rollout", date(2026, 5, 5), "Get paid sooner"),),
        people=(Person("Ana Silva", "validator"), Person("Daniel Reyes", "champion")),
    )


def cuts(facts: AccountFacts, slug: str = "repeat_visits", dimension: str = "site.region") -> tuple[MemberCut, ...]:
    """A driver's value of June and July by region: the south has a fourth of June, and lost what July lacks."""
    days = Period(date(2026, 6, 1), date(2026, 8, 1))
    values = {
        day: Decimal(units).scaleb(-4) for day, units in facts.ledger.by_day("USD", (slug,), counted=True).items()
    }
    north, south = {}, {}
    for day in (day for day in days if day in values):
        whole = values[day] if day.month == 6 else (values[day] / Decimal("0.55")).quantize(CENT)
        north[day] = (whole / 2).quantize(CENT)
        south[day] = values[day] - north[day]
    members = {"North": Members("North", north), "South": Members("South", south)}
    return (MemberCut(slug, dimension, days, members),)


def opened(facts: AccountFacts) -> tuple[Record, list[Admitted]]:
    """What is told of where changes sit, with the record that bears it out."""
    given = cuts(facts)
    found = located(facts, discover(facts), given)
    parts = {
        leaf: Fraction(cut.members[leaf.member].of(Period(leaf.start, leaf.end)))
        for cut in given
        for leaf in parts_in(number.derivation for insight in found for number in insight.numbers)
    }
    record = replace(record_of(facts), parts=parts)
    kept, refused = admit(found, rederive_from(record, found))
    assert not refused, refused
    return record, kept
