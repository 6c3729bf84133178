"""What both sides said about assumptions, baselines and drivers: proposed, validated, disputed, withdrawn.

The supplier's steward proposes, the customer's validator validates: never one person both, and never the supplier.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from valueplatform.sample.cast import Account
from valueplatform.sample.draw import seeded
from valueplatform.sample.fieldnote import drivers_of, feature_of, first_input_use, input_definitions
from valueplatform.sample.inputs import Range, input_ranges, standing, tidy
from valueplatform.sample.records import email_of, steward_of

Action = Literal["propose", "validate", "dispute", "withdraw"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One line of the record. What answers (validate, dispute, withdraw) answers the account's newest earlier proposal
    for the slug and repeats its values. `slug` is `driver:SLUG` where a driver itself is validated, without values.
    """

    account: str
    slug: str
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    unit: str
    effective_from: date
    action: Action
    author_email: str
    at: datetime
    reason: str


_REASONS = {
    "manual_minutes_per_job": (
        "Timed at the desk for two weeks before go-live.",
        "Matches what our dispatchers logged.",
    ),
    "baseline_repeat_rate": ("Counted in the work orders of the year before.", "Agrees with our own count."),
    "baseline_days_to_invoice": ("Taken from last year's invoices.", "Checked against the ledger."),
    "baseline_late_rate": ("Average of carriers of this size, from Waypoint.", "Close to what our customers claim."),
    "baseline_incidents_per_hour": ("From the safety log of the two years before.", "That is our log."),
    "incremental_quote_share": ("From the teams that started six weeks later.", "A fair comparison."),
    "dispatchers": ("Heads at the desk on the day the contract was signed.", "Matches the roster."),
    "hours_per_dispatcher": ("Paid hours without leave, as in the business case.", "Matches payroll."),
    "dispatcher_hourly_cost": ("Wage and on-costs as stated in the business case.", "Matches payroll."),
    "redeployed_share": ("Share of the saved hours that the desk has put to other work.", "Agreed with operations."),
    "calls_avoided_per_open": ("From 40 suppliers' phone logs.", "Plausible; we will count again next year."),
    "minutes_per_call": ("From the phone system.", "Matches our phone bill."),
    "cost_per_repeat_visit": ("Travel, labor and the second slot, from the business case.", "Matches our job costing."),
    "cost_of_capital": ("From your annual report.", "Treasury uses the same rate."),
    "cost_per_typed_document": ("From the bureau's last invoices.", "That is what we paid."),
    "penalty_per_late_arrival": ("From three service contracts.", "Average of what we paid."),
    "quote_margin": ("Contribution margin on repairs, from your price list.", "Agrees with last quarter."),
    "overtime_hourly_cost": ("From your collective agreement.", "That is the rate."),
}
_DRIVER_REASON = ("Please follow the whole calculation through once.", "We followed ten cases through. It holds.")
_VALIDATED_DRIVERS = {
    "aster-medical": ("calls_avoided",),
    "calder-water": ("calls_avoided", "quotes_on_site"),
    "summit-facilities": ("quotes_on_site",),
    "tokyo-setsubi": ("quotes_on_site",),
}
_DISPUTE = "The hours went into overtime we no longer book, not into other work. Show us where."


def agreements(accounts: tuple[Account, ...], seed: int, until: datetime) -> tuple[Agreement, ...]:
    """Everything said until then, oldest first."""
    found = [line for account in accounts for line in _said(account, seed)]
    return tuple(sorted((a for a in found if a.at <= until), key=lambda a: (a.at, a.account, a.slug)))


def validator_of(account: Account) -> str:
    return _email(account, "validator")


def _said(account: Account, seed: int) -> Iterator[Agreement]:
    if account.signed is None:
        return
    ranges = input_ranges(account, seed)
    for slug, driver in first_input_use(account).items():
        yield from _settlement(account, slug, ranges[slug], _needed_from(account, driver), seed)
    for driver in _VALIDATED_DRIVERS.get(account.key, ()):
        if driver in drivers_of(account):
            at = _moment(_needed_from(account, driver) + timedelta(days=40), "driver")
            yield _line(account, f"driver:{driver}", None, account.signed, "propose", _Words(at, _DRIVER_REASON[0]))
            later = at + timedelta(days=9)
            yield _line(account, f"driver:{driver}", None, account.signed, "validate", _Words(later, _DRIVER_REASON[1]))
    if account.key in _SPECIAL:
        yield from _SPECIAL[account.key](account, ranges)


def _needed_from(account: Account, driver: str) -> date:
    """When the inputs of a driver were first talked about: with the contract, or shortly before its feature."""
    signed = account.signed or account.today
    begun, live = account.features.get(feature_of(driver)), account.live
    if begun is None or live is None or (begun - live).days < 60:
        return signed
    return begun - timedelta(days=30)


def _settlement(account: Account, slug: str, value: Range, since: date, seed: int) -> Iterator[Agreement]:
    state = standing(account, slug)
    if state == "estimated":
        return
    rng = seeded(seed, account.key, slug, "said")
    at = _moment(since + timedelta(days=rng.randint(3, 9)), slug)
    proposal, validation = _REASONS[slug]
    yield _line(account, slug, value, since, "propose", _Words(at, proposal))
    later = at + timedelta(days=rng.randint(4, 16), hours=rng.randint(0, 5))
    if state == "validated":
        yield _line(account, slug, value, since, "validate", _Words(later, validation))
    if state == "under-review":
        yield _line(account, slug, value, since, "dispute", _Words(later, _DISPUTE))


@dataclass(frozen=True, slots=True)
class _Words:
    """When it was said and why; `by` where it is neither the steward nor the validator."""

    at: datetime
    reason: str
    by: str = ""


def _line(account: Account, slug: str, value: Range | None, since: date, action: Action, said: _Words) -> Agreement:
    author = said.by or (steward_of(account)[0] if action in {"propose", "withdraw"} else validator_of(account))
    unit = str(input_definitions()[slug]["unit"]).replace("USD", account.spec.currency) if value else ""
    low, expected, high = (value.low, value.expected, value.high) if value else (None, None, None)
    return Agreement(account.key, slug, low, expected, high, unit, since, action, author, said.at, said.reason)


def _email(account: Account, role: str) -> str:
    return next(email_of(account, person) for person in account.spec.people if person.role == role)


def _moment(day: date, salt: str) -> datetime:
    """A moment in office hours of most of the world, in UTC."""
    return datetime.combine(day, time(13 + len(salt) % 4, sum(salt.encode()) % 60), UTC)


def _times(value: Range, factor: float) -> Range:
    return Range(*(tidy(float(part) * factor) for part in (value.low, value.expected, value.high)))


def _harbor(account: Account, ranges: dict[str, Range]) -> Iterator[Agreement]:
    """A higher cost was validated by operations; finance disputes it and proposes a lower one."""
    slug, today = "cost_per_repeat_visit", account.today
    doubted = _moment(today - timedelta(days=12), slug)
    higher, lower = _times(ranges[slug], 1.1), _times(ranges[slug], 0.94)
    since = today - timedelta(days=60)
    finance, operations = (email_of(account, p) for p in account.spec.people if p.role == "validator")
    new = "Repeat visits now take a second van more often; 412 work orders of the spring show it."
    yield _line(account, slug, higher, since, "propose", _Words(_moment(today - timedelta(days=70), slug), new))
    agreed, at = "Fits what the depots tell me.", _moment(today - timedelta(days=62), slug)
    yield _line(account, slug, higher, since, "validate", _Words(at, agreed, operations))
    doubt = "Travel is already in the depot budget, so it should not be counted twice."
    yield _line(account, slug, higher, since, "dispute", _Words(doubted, doubt, finance))
    counter = "Without travel I make it this much."
    at = doubted + timedelta(minutes=20)
    yield _line(account, slug, lower, today - timedelta(days=10), "propose", _Words(at, counter, finance))


def _halden(account: Account, ranges: dict[str, Range]) -> Iterator[Agreement]:
    """A wage agreement changes an assumption from a day on, not before."""
    slug = "dispatcher_hourly_cost"
    since = account.today - timedelta(days=100)
    value = _times(ranges[slug], 1.05)
    at = _moment(since - timedelta(days=12), slug)
    yield _line(account, slug, value, since, "propose", _Words(at, "The new wage agreement adds five percent."))
    later = at + timedelta(days=6)
    yield _line(account, slug, value, since, "validate", _Words(later, "Matches payroll from that month on."))


def _kestrel(account: Account, ranges: dict[str, Range]) -> Iterator[Agreement]:
    """The customer's champion proposes, thinks again and withdraws."""
    slug, by = "dispatcher_hourly_cost", _email(account, "champion")
    value = _times(ranges[slug], 1.12)
    at = _moment(account.today - timedelta(days=33), slug)
    since = account.today - timedelta(days=30)
    yield _line(account, slug, value, since, "propose", _Words(at, "Night shifts cost more.", by))
    second = "Night shifts are planned at another desk, so this does not apply."
    yield _line(account, slug, value, since, "withdraw", _Words(at + timedelta(days=3), second, by))


_SPECIAL = {"harbor-logistics": _harbor, "halden-medical": _halden, "kestrel-rail": _kestrel}
