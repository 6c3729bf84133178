"""What customers decided about suggestions, and when. Whether a step was suggested at all is the platform's to say:
what it did not suggest then, nobody decided about."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal

from valueplatform.sample.cast import Account
from valueplatform.sample.records import email_of

ACCEPTED_DAYS: Final = 130
"""Before the end: so far back that the first 90 days of a step have passed."""
DECLINED_DAYS: Final = 20
LEAST_HISTORY: Final = timedelta(days=90)
"""Nothing is suggested to an account that has been live for less."""
_THOUGHT_OVER: Final = timedelta(days=2)
_SET_UP: Final = timedelta(days=14)
_DECIDES: Final = ("champion", "sponsor", "validator")


Decision = Literal["accept", "dismiss", "done"]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision `at` a moment, about what was suggested at `suggested_at`: accepted steps that were begun are done."""

    account: str
    feature: str
    decision: Decision
    author_email: str
    suggested_at: datetime
    at: datetime


def decisions(accounts: tuple[Account, ...], until: datetime) -> tuple[Decided, ...]:
    """All decisions until then, oldest first."""
    found = [one for account in accounts for one in _of(account) if one.at <= until]
    return tuple(sorted(found, key=lambda one: (one.at, one.account, one.feature)))


def _of(account: Account) -> Iterator[Decided]:
    ways: tuple[tuple[int, Decision, tuple[str, ...]], ...] = (
        (ACCEPTED_DAYS, "accept", account.spec.accepted),
        (DECLINED_DAYS, "dismiss", account.spec.declined),
    )
    for back, decision, features in ways:
        day = account.today - timedelta(days=back)
        if account.live is None or day - account.live < LEAST_HISTORY:
            continue
        suggested = datetime.combine(day, time(9), UTC)
        for feature in features:
            said = Decided(account.key, feature, decision, _author(account), suggested, suggested + _THOUGHT_OVER)
            yield said
            begun = account.features.get(feature)
            if decision == "accept" and begun is not None:
                yield replace(said, decision="done", at=datetime.combine(begun, time(9), UTC) + _SET_UP)


def _author(account: Account) -> str:
    """Who decides: the champion where there is one."""
    people = {person.role: person for person in reversed(account.spec.people)}
    return email_of(account, next(people[role] for role in _DECIDES if role in people))
