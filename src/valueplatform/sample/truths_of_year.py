"""What else was planted: how the running contract year stands by plan and growth alone, milestones, contracts that end,
and assumptions that wait. Known from cast_files, plans and agreements, never found in the events.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from valueplatform.sample.agreements import Agreement
from valueplatform.sample.cast import Account
from valueplatform.sample.draw import exact
from valueplatform.sample.plans import HIGH, LOW, Target, targets
from valueplatform.sample.records import contract_rows, milestone_rows, terms
from valueplatform.sample.truths import Truth
from valueplatform.sample.worth import PRICED, monthly_value

_AHEAD = timedelta(days=120)
_LEAST_DAYS = 30
_UNDECIDED = 0.06
"""So near to an edge of the committed range the noise of the events decides, and nothing is written down."""


def planted_of_year(accounts: tuple[Account, ...], seed: int, said: tuple[Agreement, ...]) -> Iterator[Truth]:
    for account in accounts:
        yield from _milestones(account)
        yield from _endings(account, seed)
        yield from _standings(account, seed)
    yield from _assumptions(said)


def _milestones(account: Account) -> Iterator[Truth]:
    for row in milestone_rows(account):
        if row["kind"] not in {"go-live", "purchase", "churn"}:
            day = date.fromisoformat(row["time"][:10])
            yield Truth("milestone", account.key, row["id"], day, None, None, "", row["title"])


def _endings(account: Account, seed: int) -> Iterator[Truth]:
    """A contract year that is over within the next four months, if one runs."""
    ends = {date.fromisoformat(row["end"]) for row in contract_rows(account, seed) if row["end"]}
    coming = [end for end in ends if account.today < end <= account.today + _AHEAD]
    if coming and account.ended is None:
        note = "Contracts end on this day unless they are renewed."
        yield Truth("contract_ending", account.key, "", min(coming), None, None, "", note)


def _standings(account: Account, seed: int) -> Iterator[Truth]:
    """Expected over committed value of the running contract year, of the plan and of each of its drivers of money."""
    spec = account.spec
    if account.live is None or account.ended is not None or spec.sparse or spec.trust != "validated":
        return
    year = terms(account)[-1][0]
    planned = [target for target in targets(account, seed) if target.driver in PRICED]
    stands = {t.driver: _of_year(account, seed, t, year) for t in planned}
    known = {driver: found for driver, found in stands.items() if found is not None}
    if not known or len(known) < len(stands):
        return
    whole = (sum(came for came, _ in known.values()), sum(meant for _, meant in known.values()))
    for subject, (came, meant) in [("", whole), *known.items()]:
        share = came / meant
        if min(abs(share - LOW), abs(share - HIGH)) > _UNDECIDED:
            kind = "year_ahead" if share > HIGH else "year_behind" if share < LOW else "year_on_plan"
            note = "Expected over committed value of the running contract year."
            yield Truth(kind, account.key, subject, year, None, exact(share, 2), "ratio", note)


def _of_year(account: Account, seed: int, target: Target, year: date) -> tuple[float, float] | None:
    """What is expected to have come since the later of the year's start and the first month of the target, and what was
    committed for these days; None where they are few."""
    start, end = max(year, target.start.replace(day=1)), account.today
    if (end - start).days < _LEAST_DAYS:
        return None
    days = [start + timedelta(days=i) for i in range((end - start).days)]
    came = sum(
        monthly_value(account, seed, [day for day in days if day in set(account.days())])[target.driver].values()
    )
    meant = 0.0
    for day in days:
        month = day.replace(day=1)
        following = (month + timedelta(days=32)).replace(day=1)
        meant += target.expected(month) / (following - month).days
    return (came, meant) if meant > 0 else None


def _assumptions(said: Iterable[Agreement]) -> Iterator[Truth]:
    """Assumptions that somebody proposed, and nobody has answered to."""
    lines: defaultdict[tuple[str, str], list[Agreement]] = defaultdict(list)
    for line in said:
        if not line.slug.startswith("driver:"):
            lines[line.account, line.slug].append(line)
    for (account, slug), spoken in lines.items():
        last = max(spoken, key=lambda line: line.at)
        if last.action == "propose":
            yield Truth(
                "assumption_waiting", account, slug, last.at.date(), None, last.expected, last.unit, last.reason
            )
