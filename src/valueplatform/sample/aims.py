"""Who answers for the objectives of an account, on both sides, how and by when they are to be reached.

Two of them are left with a gap, so that a sample shows one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from valueplatform.core.periods import ONE_DAY, month_of
from valueplatform.sample.cast import Account, Person
from valueplatform.sample.plans import plan_rows
from valueplatform.sample.records import steward_of


@dataclass(frozen=True, slots=True)
class Aim:
    """What is said of one objective, by the steward. People by name; '' = nobody yet."""

    account: str
    objective: str
    owner: str
    customer_sponsor: str
    supplier_sponsor: str
    tactics: tuple[str, ...]
    due: date
    author_email: str


NO_OWNER = ("northline-elevators", "dispatch_time")
NO_SUPPLIER_SPONSOR = ("harbor-logistics", "faster_invoicing")

_OWNERS = {
    "repeat_visits_avoided": ("user", "champion"),
    "dispatch_time": ("champion",),
    "faster_invoicing": ("validator",),
    "quotes_on_site": ("champion",),
    "incidents_avoided": ("user", "champion"),
    "late_arrivals_avoided": ("champion",),
}
"""By role, the first that the account has; else somebody who is not the sponsor already."""
_TACTICS = {
    "repeat_visits_avoided": ("Lead every crew through the job", "Check the part before the van leaves"),
    "dispatch_time": ("Hand routine jobs to automatic dispatch", "Look each month at what the desk still does by hand"),
    "faster_invoicing": ("Invoice from the report that is filled in on site",),
    "quotes_on_site": ("Quote while the crew is still there",),
    "incidents_avoided": ("No job begins without the check",),
    "late_arrivals_avoided": ("Plan the routes the evening before",),
}


def aims(cast: tuple[Account, ...], seed: int) -> tuple[Aim, ...]:
    """One for every objective of the plans, in their order."""
    return tuple(aim for account in cast for aim in _of(account, seed))


def _of(account: Account, seed: int) -> Iterator[Aim]:
    last: dict[tuple[str, str], date] = {}
    for row in plan_rows(account, seed):
        month = date.fromisoformat(f"{row['month']}-01")
        last[row["objective"], row["driver"]] = max(month, last.get((row["objective"], row["driver"]), month))
    email, steward = steward_of(account)
    for (objective, driver), month in last.items():
        at = account.key, driver
        yield Aim(
            account=account.key,
            objective=objective,
            owner="" if at == NO_OWNER else _owner(account, driver).name,
            customer_sponsor=_sponsor(account).name,
            supplier_sponsor="" if at == NO_SUPPLIER_SPONSOR else steward,
            tactics=_TACTICS[driver],
            due=month_of(month).end - ONE_DAY,
            author_email=email,
        )


def _owner(account: Account, driver: str) -> Person:
    people = account.spec.people
    named = [person for role in _OWNERS[driver] for person in people if person.role == role]
    others = [person for person in people if person != _sponsor(account)]
    return next(iter([*named, *others]), _sponsor(account))


def _sponsor(account: Account) -> Person:
    """The sponsor; where there is none, whoever pays."""
    people = account.spec.people
    ranked = [person for role in ("sponsor", "economic-buyer") for person in people if person.role == role]
    return next(iter([*ranked, *people]))
