"""Rows for import: accounts, contracts, people, milestones and costs, with exactly the columns of the contract."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from valueplatform.sample.cast import Account, Person
from valueplatform.sample.draw import seeded
from valueplatform.sample.fieldnote import model, partners_of
from valueplatform.sample.inputs import EXCHANGE, tidy
from valueplatform.sample.worth import yearly_run_rate

Row = dict[str, str]

STEWARDS = (
    ("maya.okafor@fieldnote.example", "Maya Okafor"),
    ("tom.lindqvist@fieldnote.example", "Tom Lindqvist"),
    ("ines.calvo@fieldnote.example", "Inés Calvo"),
)
"""The supplier's value stewards: e-mail and name."""

_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_WANTS = {
    "sponsor": ("Know before the renewal what the contract has returned", "Return on what was paid"),
    "economic-buyer": ("A business case that holds after the first year", "Net value a year"),
    "validator": ("Figures that stand up in an audit", "Share of the value that is validated"),
    "champion": ("See that the crews' extra work pays off", "Repeat visits in a hundred"),
    "admin": ("Know that the data is whole", "Days without data"),
    "user": ("Plan the week without calls", "Jobs planned a day ahead"),
}
RATE_SOURCE = "Fieldnote treasury, first working day"
_LEAST, _MOST = 60_000, 1_200_000
_VALUE_OF_A_JOB = 16
_WORKDAYS = 275
_PARTNER_OF = {"erp-connector": "tessera", "route-planning": "waypoint"}


def steward_of(account: Account) -> tuple[str, str]:
    """E-mail and name of the account's steward; Harbor Logistics has Maya Okafor."""
    return STEWARDS[sum(account.key.encode()) % len(STEWARDS) if account.key != "harbor-logistics" else 0]


def email_of(account: Account, person: Person) -> str:
    plain = unicodedata.normalize("NFKD", person.name.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    local = person.mail or ".".join(re.findall(r"[a-z]+", plain.replace("'", "")))
    return f"{local}@{account.key}.example"


def account_row(account: Account) -> Row:
    spec = account.spec
    named = {"key": spec.key, "name": spec.name, "currency": spec.currency, "timezone": spec.timezone}
    sized = {"technicians": str(round(spec.jobs / 5.5))} if spec.jobs and not spec.sparse else {}
    sized = {"technicians": "60"} if spec.sparse else sized
    return named | {"segment": spec.segment, "stage": spec.stage, "steward": steward_of(account)[0]} | sized


def people_rows(account: Account) -> Iterator[Row]:
    for person in account.spec.people:
        need, measure = _WANTS[person.role]
        yield {
            "account": account.key,
            "email": email_of(account, person),
            "name": person.name,
            "role": person.role,
            "group": person.group,
            "need": need,
            "measure": measure,
        }


def years_on(day: date, years: int) -> date:
    """The same day of another year; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def price(account: Account, seed: int) -> Decimal:
    """The price of the first year, so that a year's value is `roi` times it; within what such contracts cost."""
    scale = EXCHANGE[account.spec.currency]
    value = yearly_run_rate(account, seed) or account.spec.jobs * _WORKDAYS * _VALUE_OF_A_JOB * scale
    wanted = value / account.spec.roi if account.spec.roi and not account.spec.sparse else 0
    return tidy(min(max(wanted, _LEAST * scale), _MOST * scale), 2)


def terms(account: Account) -> tuple[tuple[date, date], ...]:
    """The yearly terms of the contract, the running one last; end exclusive. Renewals lie in the past."""
    if account.signed is None:
        return ()
    found = [(account.signed, years_on(account.signed, 1))]
    while account.ended is None and found[-1][1] <= account.today:
        found.append((found[-1][1], years_on(account.signed, len(found) + 1)))
    return tuple(found)


def contract_rows(account: Account, seed: int) -> Iterator[Row]:
    """The terms, expansions for features that cost extra, and an end where there was one."""
    found = terms(account)
    if not found:
        return
    amount, shrinks = price(account, seed), account.spec.growth < -0.2
    monthly = account.spec.each_job or account.spec.sparse
    for number, (start, end) in enumerate(found):
        kind = "new" if not number else "contraction" if shrinks else "renewal"
        charged = tidy(float(amount) * (0.8 if shrinks else 1.05) ** number)
        period = ("month", tidy(float(charged) / 12)) if monthly else ("year", charged)
        yield _contract(account, f"term-{number + 1}", (start, end), period, kind, "supplier")
    if account.ended is not None:
        yield _contract(account, "end", (found[-1][1], None), ("year", Decimal(0)), "churn", "supplier")
    extra = [entry["slug"] for entry in model()["feature"] if not entry.get("included", True)]
    for feature in extra:
        begun = account.features.get(feature)
        if begun is not None and account.ended is None:
            partner = _PARTNER_OF.get(feature, "supplier")
            provider = partner if partner in partners_of(account) else "supplier"
            added = ("year", tidy(float(amount) * 0.06, 2))
            yield _contract(account, feature, (begun, found[-1][1]), added, "expansion", provider)


def _contract(
    account: Account,
    name: str,
    term: tuple[date, date | None],
    charge: tuple[str, Decimal],
    kind: str,
    provider: str,
) -> Row:
    return {
        "account": account.key,
        "id": f"{account.key}-{name}",
        "start": term[0].isoformat(),
        "end": term[1].isoformat() if term[1] else "",
        "amount": str(charge[1]),
        "period": charge[0],
        "kind": kind,
        "provider": provider,
    }


def milestone_rows(account: Account) -> Iterator[Row]:
    """What has happened on the way, in the account's own morning."""
    marks: list[tuple[str, str, date, str]] = []
    if account.signed is not None:
        marks.append(("purchase", "purchase", account.signed, "Contract signed"))
    if account.live is not None:
        where = _listed(account.spec.teams)
        marks.append(("go-live", "go-live", account.live, f"First jobs dispatched through Fieldnote: {where}"))
        marks.extend(_reviews(account, account.live))
    marks.extend(
        ("renewal", f"renewal-{n}", start, "Renewed for a year") for n, (start, _) in enumerate(terms(account)) if n
    )
    marks.extend(
        ("expansion", f"team-{n}", day, f"{team} joins") for n, (team, day) in enumerate(account.opened.items())
    )
    if account.ended is not None:
        marks.append(("churn", "end", account.ended, "Contract not renewed"))
    zone = ZoneInfo(account.spec.timezone)
    for kind, name, day, title in sorted(marks, key=lambda mark: mark[2]):
        at = datetime.combine(day, time(9), zone)
        row = {"account": account.key, "id": f"{account.key}-{name}", "kind": kind}
        if day < account.today:
            yield row | {"time": at.isoformat(), "title": title}


def _reviews(account: Account, live: date) -> Iterator[tuple[str, str, date, str]]:
    end = account.ended or account.today
    for number in range(1, 5):
        day = live + timedelta(days=120 * number)
        day += timedelta(days=(8 - day.weekday()) % 7)  # a Tuesday
        if day < end:
            yield ("review", f"review-{number}", day, f"Value review {number}, signed by both sides")


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def cost_rows(account: Account, seed: int) -> Iterator[Row]:
    """What winning, starting and serving the account costs, in its own currency."""
    if account.signed is None:
        return
    rng = seeded(seed, account.key, "costs")
    yearly = float(price(account, seed))
    yield _cost(account, "acquisition", account.signed, yearly * rng.uniform(0.3, 0.5))
    if account.live is None:
        return
    yield _cost(account, "implementation", account.live, yearly * rng.uniform(0.1, 0.18))
    yield _cost(account, "internal", account.live, yearly * rng.uniform(0.05, 0.1))
    for month in months_between(account.live, account.ended or account.today):
        yield _cost(account, "service", month, yearly / 12 * rng.uniform(0.07, 0.12))


def shared_cost_rows(first: date, today: date) -> Iterator[Row]:
    """What serves all accounts together, and what is spent on being found, in the supplier's currency."""
    for month in months_between(first, today):
        for kind, amount in (("service", "42000"), ("acquisition", "95000")):
            row = {"account": "", "id": f"shared-{kind}-{month:%Y-%m}", "kind": kind, "month": f"{month:%Y-%m}"}
            yield row | {"amount": amount}


def rate_rows(cast: tuple[Account, ...], seed: int, first: date, today: date) -> Iterator[Row]:
    """What the other currencies of the sample are in the supplier's, month by month from before the first contract."""
    for currency in sorted({account.spec.currency for account in cast} - {"USD"}):
        rng = seeded(seed, currency, "rates")
        drift = 0.0
        for month in months_between(first, today):
            drift = max(-0.06, min(0.06, drift + rng.uniform(-0.012, 0.012)))
            rate = tidy((1 + drift) / EXCHANGE[currency], 5)
            yield {"currency": currency, "day": month.isoformat(), "rate": str(rate), "source": RATE_SOURCE}


def _cost(account: Account, kind: str, day: date, amount: float) -> Row:
    row = {"account": account.key, "id": f"{account.key}-{kind}-{day:%Y-%m}", "kind": kind, "month": f"{day:%Y-%m}"}
    return row | {"amount": str(tidy(amount))}


def months_between(first: date, last: date) -> Iterator[date]:
    """First days of the months from the one of `first` to the one of `last`."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
