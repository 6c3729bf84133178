"""What customers, the supplier and Tessera say of what they do together: consents, what Tessera reports, and how the
joint driver is shared.

One split in force with a newer proposal that waits for the others, one in force alone, one that waits for the customer;
and contributions that stand in every way there is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, Literal

from valueplatform.sample.cast import Account
from valueplatform.sample.inputs import EXCHANGE, tidy
from valueplatform.sample.records import email_of, steward_of

PARTNER: Final = "tessera"
PARTNER_EMAIL: Final = "partner@tessera.example"
"""Who signs in for Tessera."""
JOINT_DRIVER: Final = "retyping_avoided"

Party = Literal["customer", "supplier", "partner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Said by `author_email` for a party, at a moment."""

    account: str
    author_email: str
    party: Party
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented(_Said):
    """`what` is `see` or `contribute`; `granted` False withdraws it."""

    what: Literal["see", "contribute"]
    granted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(_Said):
    """What Tessera reports of a month, under an id of its own, in the account's currency; `reason` is its evidence."""

    id: str
    driver: str | None
    title: str
    amount: Decimal
    month: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied(_Said):
    """What is said of a claim."""

    id: str
    action: Literal["corroborate", "dispute", "withdraw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared(_Said):
    """A proposal with its shares, or what answers the newest one."""

    action: Literal["propose", "agree"]
    share: Decimal | None = None
    supplier_share: Decimal | None = None


Saying = Consented | Claimed | Replied | Shared

_CONSENTS: Final = {
    "harbor-logistics": (
        ("see", 236, "They run the connector to our ERP."),
        ("contribute", 200, "They keep our document log; let them tell us what they count."),
    ),
    "mueller-aufzuege": (("contribute", 190, "Tessera bills by the document, so its count is ours."),),
}
"""By account: what, days back, why. Kestrel Rail has said nothing, so Tessera may not report there."""

_SPLITS: Final = {
    "harbor-logistics": (
        (160, "supplier", "propose", ("0.35", "0.45"), "As we sold it together; the rest stays joint."),
        (157, "partner", "agree", None, "The connector is a third of the work."),
        (150, "customer", "agree", None, "Fair: the reports are yours, the wire is theirs."),
        (6, "partner", "propose", ("0.45", "0.45"), "The new connector books delivery notes as well."),
    ),
    "mueller-aufzuege": (
        (150, "supplier", "propose", ("0.4", "0.6"), "Two parties, nothing left over."),
        (148, "partner", "agree", None, "That is our understanding too."),
        (139, "customer", "agree", None, "Agreed at the spring review."),
    ),
    "kestrel-rail": (
        (21, "supplier", "propose", ("0.3", "0.5"), "The same as elsewhere, to begin with."),
        (18, "partner", "agree", None, "Fine by us."),
    ),
}
"""By account: days back, who, what, shares of partner and supplier, why."""


@dataclass(frozen=True, slots=True)
class _Report:
    """`amount` is in dollars' worth; `back` counts whole months."""

    id: str
    back: int
    driver: str | None
    title: str
    amount: int
    evidence: str
    answers: tuple[tuple[Party, Literal["corroborate", "dispute", "withdraw"], str], ...] = ()


_REPORTS: Final = {
    "harbor-logistics": (
        _Report("invoices-a", 4, "faster_invoicing", "", 900, "Invoices that our connector sent, from our own log."),
        _Report(
            "hotline", 4, None, "Hours of our hotline", 2400, "Time sheets of two people.",
            (("customer", "corroborate", "We would have paid a consultant for these."),),
        ),
        _Report("archive", 3, None, "Paper archive closed early", 5200, "Storage contract, ended in the month."),
        _Report(
            "invoices-b", 3, "faster_invoicing", "", 250000, "All invoices of the month, at the rate of the offer.",
            (("customer", "dispute", "The connector sent seven in ten of them, not all."),),
        ),
        _Report(
            "training", 2, None, "Training of the back office", 1800, "Twelve seats at list price.",
            (("partner", "withdraw", "It was part of the price already."),),
        ),
    ),
    "mueller-aufzuege": (
        _Report("rechnungen", 3, "faster_invoicing", "", 300, "Invoices sent by the connector, by our count."),
    ),
}  # fmt: skip


def sayings(accounts: tuple[Account, ...], until: datetime) -> tuple[Saying, ...]:
    """All that was said up to then, oldest first; of a time before the connector nothing."""
    found = [one for account in accounts for one in _of(account) if one.at <= until]
    return tuple(sorted(found, key=lambda one: (one.at, one.account)))


def _of(account: Account) -> Iterator[Saying]:
    begun = account.features.get("erp-connector")
    if begun is None:
        return
    every = (*_consents(account), *_reports(account), *_splits(account))
    yield from (one for one in every if one.at.date() >= begun)


def _consents(account: Account) -> Iterator[Saying]:
    begun = account.features["erp-connector"]
    for what, back, reason in _CONSENTS.get(account.key, ()):
        day = max(account.today - timedelta(days=back), begun)
        at = _moment(day, what)
        yield Consented(
            account=account.key, author_email=_who(account, "customer"), party="customer", at=at, reason=reason,
            what="see" if what == "see" else "contribute",
        )  # fmt: skip


def _reports(account: Account) -> Iterator[Saying]:
    scale = EXCHANGE[account.spec.currency]
    for one in _REPORTS.get(account.key, ()):
        month = _month_back(account.today, one.back)
        if month < account.features["erp-connector"]:
            continue
        at = _moment(_month_back(account.today, one.back - 1) + timedelta(days=2), one.id)
        yield Claimed(
            account=account.key, author_email=PARTNER_EMAIL, party="partner", at=at, reason=one.evidence,
            id=one.id, driver=one.driver, title=one.title, amount=tidy(one.amount * scale), month=month,
        )  # fmt: skip
        for number, (party, action, reason) in enumerate(one.answers, 1):
            yield Replied(
                account=account.key, author_email=_who(account, party), party=party,
                at=at + timedelta(days=4 * number), reason=reason, id=one.id, action=action,
            )  # fmt: skip


def _splits(account: Account) -> Iterator[Saying]:
    for back, party, action, shares, reason in _SPLITS.get(account.key, ()):
        at = _moment(account.today - timedelta(days=back), party)
        own, ours = (None, None) if shares is None else map(Decimal, shares)
        yield Shared(
            account=account.key, author_email=_who(account, party), party=_party(party), at=at, reason=reason,
            action="propose" if action == "propose" else "agree", share=own, supplier_share=ours,
        )  # fmt: skip


def _party(name: str) -> Party:
    return "customer" if name == "customer" else "supplier" if name == "supplier" else "partner"


def _who(account: Account, party: str) -> str:
    if party == "partner":
        return PARTNER_EMAIL
    if party == "supplier":
        return steward_of(account)[0]
    return next(email_of(account, person) for person in account.spec.people if person.role == "validator")


def _moment(day: date, salt: str) -> datetime:
    return datetime.combine(day, time(14, sum(salt.encode()) % 60), UTC)


def _month_back(day: date, months: int) -> date:
    first = day.replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    return first
