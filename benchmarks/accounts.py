"""Many accounts of the sample supplier's model, with contracts, plans, people and agreed inputs, and a history of
events that comes in the way that all events do."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import text

from valueplatform.commands.context import Databases
from valueplatform.core.periods import ONE_DAY
from valueplatform.core.scope import grant_all
from valueplatform.sample.fieldnote import model_toml
from valueplatform.telemetry.event import Attributes, Event, make_event
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.telemetry.storing import Ledger
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model

SENDER: Final = Sender("benchmark", "supplier")
EACH_WORKDAY: Final = ("job.dispatched", "visit.completed", "tracking.opened")
ONCE_A_WEEK: Final = "invoice.sent"
DRIVERS: Final = ("dispatch_time", "repeat_visits_avoided", "calls_avoided", "faster_invoicing")
AGREED: Final = {
    "manual_minutes_per_job": "minute/job",
    "dispatcher_hourly_cost": "USD/hour",
    "redeployed_share": "share",
    "baseline_repeat_rate": "share",
    "cost_per_repeat_visit": "USD/visit",
}
IN_REQUEST: Final = 5000
_ACCOUNTS: Final = """
    INSERT INTO account (key, name, timezone, segment)
    SELECT 'account-' || n, 'Account ' || n, 'America/New_York', 'logistics'
    FROM generate_series(1, CAST(:count AS bigint)) n
"""
_AROUND: Final = (
    "INSERT INTO account_currency SELECT account_id, DATE '0001-01-01', 'USD' FROM account",
    """INSERT INTO person (account_id, email, name, role)
       SELECT account_id, who || '@' || key || '.example', initcap(who) || ' Nair', who
       FROM account, unnest(ARRAY['validator', 'champion']) who""",
    """INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider)
       SELECT account_id, 'c1', CAST(:first AS date), CAST(:first AS date) + 1400, 12000, 'USD', 'year', 'new',
              'supplier' FROM account""",
    """INSERT INTO milestone (account_id, milestone_id, kind, at, title)
       SELECT account_id, 'm1', 'go-live', CAST(:first AS date) + TIME '12:00', 'Go-live' FROM account""",
    "INSERT INTO objective (account_id, title) SELECT account_id, 'Dispatch without waiting' FROM account",
    """INSERT INTO plan_target (account_id, plan_id, objective_id, driver, month, version, low, expected, high, source,
                                known_at)
       SELECT account_id, 'plan', objective_id, driver, month::date, 1, 200, 300, 400, 'case', CAST(:first AS date)
       FROM objective, unnest(CAST(:drivers AS text[])) driver,
            generate_series(date_trunc('month', CAST(:first AS date)), CAST(:last AS date), '1 month') month""",
)
_AGREE: Final = """
    WITH stated AS (
        INSERT INTO assumption_entry (account_id, slug, action, answers, low, expected, high, unit, effective_from,
                                      author, author_side, reason, known_at)
        SELECT account_id, slug, 'propose', NULL, 0.2, 0.3, 0.4, unit, DATE '0001-01-01', 'steward@supplier.example',
               'supplier', 'agreed', CAST(:first AS date)
        FROM account, unnest(CAST(:slugs AS text[]), CAST(:units AS text[])) said (slug, unit) RETURNING *
    )
    INSERT INTO assumption_entry (account_id, slug, action, answers, low, expected, high, unit, effective_from,
                                  author, author_side, reason, known_at)
    SELECT account_id, slug, 'validate', entry_id, low, expected, high, unit, effective_from,
           'validator@' || key || '.example', 'customer', '', known_at
    FROM stated JOIN account USING (account_id)
"""


async def make_accounts(databases: Databases, count: int, first: date, last: date) -> None:
    """Accounts 1 to `count`, in an empty database; contracts and plans hold from `first`, plans up to `last`."""
    async with databases.worker.transaction(grant_all()) as tx:
        await apply_model(tx, read_model(model_toml(), "model.toml"))
        await tx.execute(text(_ACCOUNTS), {"count": count})
        given: dict[str, Any] = {"first": first, "last": last, "drivers": list(DRIVERS)}
        for statement in _AROUND:
            await tx.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})
        agreed = {"first": first, "slugs": list(AGREED), "units": list(AGREED.values())}
        await tx.execute(text(_AGREE), agreed)


def history(number: int, first: date, last: date) -> Iterator[Event]:
    """The events of account `number` from `first` to `last`, both included."""
    day = first
    while day <= last:
        if day.weekday() < 5:
            kinds = (*EACH_WORKDAY, ONCE_A_WEEK) if day.weekday() == 0 else EACH_WORKDAY
            for place, kind in enumerate(kinds):
                yield event(number, kind, datetime.combine(day, time(15, place), UTC))
        day += ONE_DAY


def event(number: int, kind: str, moment: datetime, place: int = 0) -> Event:
    more = (moment.toordinal() * 7 + number) % 11
    data: dict[str, dict[str, object]] = {
        "job.dispatched": {"jobs": 20 + more, "minutes": 60 + more, "channel": "app"},
        "visit.completed": {"visits": 12 + more, "repeats": more % 3, "team": f"team-{more % 4}"},
        "tracking.opened": {"opens": 5 + more},
        "invoice.sent": {"amount": 4000 + more, "amount_days": 20_000 + more},
    }
    attributes = Attributes(
        id=f"{number}/{kind}/{moment.isoformat()}", source="field", type=kind, account=f"account-{number}", time=moment
    )
    return make_event(place, attributes, data[kind], moment + timedelta(seconds=1))


async def send(databases: Databases, events: Iterator[Event]) -> int:
    """Through the real path, some thousands at a time; how many were stored."""
    ledger, stored = Ledger(), 0
    for batch in _in_requests(events):
        now = max(each.time for each in batch) + timedelta(seconds=1)
        (report,) = await commit_requests(databases.ingest, [IngestRequest(SENDER, now, batch)], ledger)
        stored += report.stored
    return stored


def _in_requests(events: Iterator[Event]) -> Iterator[list[Event]]:
    while batch := list(islice(events, IN_REQUEST)):
        yield batch
