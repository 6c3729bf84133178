"""The first messages of conversations that are open between customers and their stewards."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from valueplatform.sample.cast import Account
from valueplatform.sample.records import email_of, steward_of


@dataclass(frozen=True, slots=True)
class Message:
    """One message; those of one account and title are one conversation, oldest first. `driver` is what it is about."""

    account: str
    title: str
    driver: str
    author_email: str
    at: datetime
    body: str


# account, title, driver, then (days back, author's role or "steward", text)
_TALKS: tuple[tuple[str, str, str, tuple[tuple[int, str, str], ...]], ...] = (
    (
        "harbor-logistics",
        "What does a repeat visit cost?",
        "repeat_visits_avoided",
        (
            (12, "validator", "Travel is already in the depot budget, so it should not be counted twice."),
            (
                9,
                "steward",
                "The depot budget covers planned routes. Nine in ten repeat visits are booked outside them.",
            ),
            (1, "validator", "Then half of travel, perhaps. What would that do to the total?"),
        ),
    ),
    (
        "harbor-logistics",
        "Reno is ahead. Why?",
        "repeat_visits_avoided",
        (
            (21, "sponsor", "Reno has been with us for three months and is already better than Dallas. Why?"),
            (
                20,
                "steward",
                "Reno has had guided checklists since its first day. Dallas got them five months in.",
            ),
        ),
    ),
    (
        "northline-elevators",
        "A third of the jobs is missing since the ERP changed",
        "dispatch_time",
        ((15, "champion", "The new ERP keeps some job types to itself. Who can look at the interface with us?"),),
    ),
    (
        "portside-cold-storage",
        "When do the valves come?",
        "repeat_visits_avoided",
        (
            (30, "champion", "Crews go back because the compressor valve is not on the van. Can the app warn us?"),
            (29, "steward", "The parts check can hold a job until the valve is booked. Shall we turn that on?"),
        ),
    ),
    (
        "cooper-vane",
        "No quotes since the price list ran out",
        "quotes_on_site",
        ((6, "sponsor", "My teams say that quoting no longer works. Is that on your side or ours?"),),
    ),
)


def conversations(accounts: tuple[Account, ...], until: datetime) -> tuple[Message, ...]:
    """All messages up to then, in order within each conversation."""
    by_key = {account.key: account for account in accounts}
    found = []
    for key, title, driver, lines in _TALKS:
        account = by_key.get(key)
        if account is None or account.live is None:
            continue
        for back, role, body in lines:
            at = datetime.combine(account.today - timedelta(days=back), time(14, len(body) % 60), UTC)
            if at <= until and at.date() > account.live:
                found.append(Message(key, title, driver, _author(account, role), at, body))
    return tuple(found)


def _author(account: Account, role: str) -> str:
    if role == "steward":
        return steward_of(account)[0]
    return next(email_of(account, person) for person in account.spec.people if person.role == role)
