"""The sample supplier, whole: what to import, the events to send, and the truths that were planted.

Pure and seeded: the same arguments give the same supplier, to the last digit. No database, no network, no clock.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import msgspec

from valueplatform.core.errors import InvalidInputError
from valueplatform.sample.agreements import Agreement, agreements
from valueplatform.sample.aims import Aim, aims
from valueplatform.sample.cast import Account, settle, written_cast
from valueplatform.sample.decisions import Decided, decisions
from valueplatform.sample.events import Event, arrivals
from valueplatform.sample.fieldnote import PARTNERS, model_toml, partners_of, releases_toml
from valueplatform.sample.invented import invented
from valueplatform.sample.papers import Foreseen, Signed, papers
from valueplatform.sample.partners import Saying, sayings
from valueplatform.sample.plans import plan_rows
from valueplatform.sample.records import (
    STEWARDS,
    Row,
    account_row,
    contract_rows,
    cost_rows,
    milestone_rows,
    people_rows,
    rate_rows,
    shared_cost_rows,
)
from valueplatform.sample.shared import shared_episodes
from valueplatform.sample.talk import Message, conversations
from valueplatform.sample.truths import Deliveries, Truth, planted
from valueplatform.sample.truths_of_year import planted_of_year

BATCH = 1000
"""The most events in one batch."""

RATES_DAYS = 1096
"""Rates go back further than the sample: contracts and what they are compared with began before it."""

LEAST_DAYS = 60
"""Less history than this has no month to compare."""


@dataclass(frozen=True, slots=True)
class SampleSupplier:
    """Rows are dicts of text with the columns of the import contract; `aims` (of objectives), `assumptions`,
    `conversations`, `sayings` (of partners), `decisions` (about suggestions), `papers` and `truths` are typed.
    `situations` names what each account shows, by its key; those that began before the sample's first day are left out
    of shorter samples. `event_total` counts second deliveries too. `stewards` are e-mail and name, `partners` slug and
    name.
    """

    accounts: tuple[Row, ...]
    contracts: tuple[Row, ...]
    people: tuple[Row, ...]
    milestones: tuple[Row, ...]
    plans: tuple[Row, ...]
    aims: tuple[Aim, ...]
    costs: tuple[Row, ...]
    rates: tuple[Row, ...]
    assumptions: tuple[Agreement, ...]
    conversations: tuple[Message, ...]
    sayings: tuple[Saying, ...]
    decisions: tuple[Decided, ...]
    papers: tuple[Signed | Foreseen, ...]
    truths: tuple[Truth, ...]
    situations: dict[str, str]
    event_total: int
    stewards: tuple[tuple[str, str], ...]
    partners: dict[str, str]
    cast: tuple[Account, ...]
    seed: int
    until: datetime

    def model_toml(self) -> str:
        """The value model, in the form that `valueplatform model apply` takes, with releases of late."""
        return model_toml() + releases_toml(self.until.date())

    def events(self) -> Iterator[list[Event]]:
        """CloudEvents in structured mode, in order of arrival, in batches of at most 1,000. The same at every call."""
        each = (arrival.event for arrival in arrivals(self.cast, self.seed, self.until))
        while batch := list(islice(each, BATCH)):
            yield batch

    def accounts_of(self, partner: str) -> tuple[str, ...]:
        """The keys of the accounts for which a partner reports events."""
        return tuple(account.key for account in self.cast if partner in partners_of(account))

    def truths_json(self) -> bytes:
        """The planted truths as a JSON array; decimals as strings, days as ISO 8601."""
        return msgspec.json.format(msgspec.json.encode(self.truths), indent=1)


def _in_order(truths: Iterable[Truth]) -> tuple[Truth, ...]:
    return tuple(sorted(truths, key=lambda t: (t.account, t.start, t.kind, t.subject)))


def generate(
    *, accounts: int = 36, days: int = 548, seed: int = 7, today: date, until: datetime | None = None
) -> SampleSupplier:
    """The supplier as of `today`, with nothing after `until` (default: the first moment of `today` in UTC).

    Beyond the 36 written accounts further ones are invented. Raises `InvalidInputError` for fewer than one account,
    less than 60 days, or an `until` without a zone.
    """
    if accounts < 1 or days < LEAST_DAYS:
        raise InvalidInputError(
            f"A sample needs at least 1 account and {LEAST_DAYS} days; it was asked for {accounts} and {days}."
        )
    end = until or datetime.combine(today, time(), UTC)
    if end.tzinfo is None:
        raise InvalidInputError("`until` has no zone; give it one, such as UTC.")
    cast = _cast(accounts, days, seed, today)
    said = agreements(cast, seed, end)
    deliveries = _counted(cast, seed, end)
    return SampleSupplier(
        accounts=tuple(account_row(a) for a in cast),
        contracts=tuple(row for a in cast for row in contract_rows(a, seed)),
        people=tuple(row for a in cast for row in people_rows(a)),
        milestones=tuple(row for a in cast for row in milestone_rows(a)),
        plans=tuple(row for a in cast for row in plan_rows(a, seed)),
        aims=aims(cast, seed),
        costs=(
            *(row for a in cast for row in cost_rows(a, seed)),
            *shared_cost_rows(today - timedelta(days=days), today),
        ),
        rates=tuple(rate_rows(cast, seed, today - timedelta(days=max(days, RATES_DAYS)), today)),
        assumptions=said,
        conversations=conversations(cast, end),
        sayings=(together := sayings(cast, end)),
        decisions=decisions(cast, end),
        papers=papers(cast),
        truths=_in_order((*planted(cast, seed, said, deliveries, together), *planted_of_year(cast, seed, said))),
        situations={a.key: a.spec.situation for a in cast},
        event_total=deliveries.total,
        stewards=STEWARDS,
        partners=PARTNERS,
        cast=cast,
        seed=seed,
        until=end,
    )


def _cast(accounts: int, days: int, seed: int, today: date) -> tuple[Account, ...]:
    written = written_cast()[:accounts]
    specs = (*written, *(invented(number, seed) for number in range(len(written), accounts)))
    return tuple(settle(spec, today, days, shared_episodes(spec, today, days)) for spec in specs)


def _counted(cast: tuple[Account, ...], seed: int, until: datetime) -> Deliveries:
    """Draws all events once, to know how many there are and how they arrive."""
    total, again, late = 0, Counter[str](), Counter[str]()
    for arrival in arrivals(cast, seed, until):
        key = str(arrival.event["account"])
        total += 1
        again[key] += arrival.again
        late[key] += arrival.late and not arrival.again
    return Deliveries(total, dict(again), dict(late))
