"""Loading the sample supplier: rows by the importers, events over HTTP, agreements through the record's own rules."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final

import httpx
import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account, account_by_key, accounts_by_keys
from valueplatform.accounts.people import as_person, people_of
from valueplatform.commands.context import Databases
from valueplatform.commands.importing import import_rows
from valueplatform.core.authorization import KeyKind, PersonRole, Side, UserRole, accounts_or_all, operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ConflictError, UnavailableError
from valueplatform.core.keys import KeyGrant, create_key
from valueplatform.core.periods import local_day
from valueplatform.core.users import create_user, user_by_email
from valueplatform.narrative.next_best_store import train
from valueplatform.sample import SOURCES, SampleSupplier
from valueplatform.sample.agreements import Agreement
from valueplatform.sample.events import Arrival
from valueplatform.sample.talk import Message
from valueplatform.stewardship.conversations import Opening, open_conversation, reply
from valueplatform.value.applying import apply_model
from valueplatform.value.assumption_record import (
    Author,
    Statement,
    dispute,
    entries_of,
    state_value,
    validate,
    withdraw,
)
from valueplatform.value.assumptions import Action, Default, Entry
from valueplatform.value.basis import driver_statement
from valueplatform.value.calendar import close_due_months
from valueplatform.value.model_file import read_model
from valueplatform.value.models import newest_model
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value
from valueplatform.worker import Worker

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""

BATCH: Final = 1000
SENDERS: Final = 2
TRIES: Final = 30
OTHER_ROLES: Final = (UserRole.PRODUCT, UserRole.OPERATIONS, UserRole.FINANCE, UserRole.LEADERSHIP)
KINDS: Final = ("accounts", "contracts", "people", "milestones", "plans", "costs", "rates")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_NAME_PROVIDER: Final = text("""
    INSERT INTO provider (slug, name) VALUES (:slug, :name) ON CONFLICT (slug) DO UPDATE SET name = excluded.name
""")
_LOADED: Final = text("""
    SELECT EXISTS (SELECT FROM next_best_fit
                   WHERE fitted_at > (SELECT min(applied_at) - interval '1 day' FROM model_revision))
""")
_BEGUN: Final = text("SELECT min(applied_at) FROM model_revision")


@dataclass(frozen=True, slots=True)
class Access:
    """Who can sign in: one person a role. `customer_account` is the account of the first two. `others` are by
    the name of their role."""

    customer: str
    customer_account: str
    validator: str
    steward: str
    admin: str
    others: Mapping[str, str]


async def is_loaded(databases: Databases) -> bool:
    """The last step of loading is the first fit as of today, so a load that was broken off is taken up again."""
    async with databases.worker.transaction(operator_scope()) as tx:
        return bool(await tx.scalar(_LOADED))


async def first_day(databases: Databases, now: datetime) -> datetime:
    """The moment of which the sample speaks: when loading began. A sample made on another day is another one."""
    async with databases.worker.transaction(operator_scope()) as tx:
        return await tx.scalar(_BEGUN) or now


async def load_rows(databases: Databases, supplier: SampleSupplier, report: Report) -> None:
    """The model, and everything that is imported; repeating it changes nothing."""
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model(supplier.model_toml(), "fieldnote.toml"))
        for slug, name in supplier.partners.items():
            await tx.execute(_NAME_PROVIDER, {"slug": slug, "name": name})
    for kind in KINDS:
        rows: Sequence[Any] = getattr(supplier, kind)
        await import_rows(databases.worker, kind, rows, system_clock, partial(report, f"Importing {kind}"))


async def load_access(databases: Databases, supplier: SampleSupplier, account: str) -> Access:
    """People who can sign in: the stewards, an administrator, and two people of one customer."""
    async with databases.worker.transaction(operator_scope()) as tx:
        for email, name in supplier.stewards:
            await _ensure_user(tx, email, UserRole.STEWARD, name)
        await _ensure_user(tx, "admin@fieldnote.example", UserRole.ADMIN, "Fieldnote Admin")
        others = await _ensure_others(tx, supplier)
        chosen = await account_by_key(tx, account)
        people = await people_of(tx, chosen.account_id)
        for person in people:
            await _ensure_user(tx, person.email, UserRole.CUSTOMER, person.name, account_ids=[chosen.account_id])
        sponsors = [p for p in people if p.role is PersonRole.SPONSOR] or people
        validators = [p for p in people if p.role is PersonRole.VALIDATOR] or people
    return Access(
        customer=sponsors[0].email,
        customer_account=account,
        validator=validators[0].email,
        steward=_steward_of(supplier, account),
        admin="admin@fieldnote.example",
        others=others,
    )


async def _ensure_others(tx: Transaction, supplier: SampleSupplier) -> dict[str, str]:
    """One person of every further role; the partner's sees the accounts that it reports events for."""
    people = {role.value: f"{role}@fieldnote.example" for role in OTHER_ROLES}
    for role in OTHER_ROLES:
        await _ensure_user(tx, people[role.value], role, f"Fieldnote {role.value.capitalize()}")
    partner, name = next(iter(supplier.partners.items()))
    shared = await accounts_by_keys(tx, supplier.accounts_of(partner))
    if shared:
        people[UserRole.PARTNER.value] = email = f"partner@{partner}.example"
        ids = [account.account_id for account in shared.values()]
        await _ensure_user(tx, email, UserRole.PARTNER, name, account_ids=ids, provider=partner)
    return people


def _steward_of(supplier: SampleSupplier, account: str) -> str:
    row = next(row for row in supplier.accounts if row["key"] == account)
    return row.get("steward") or supplier.stewards[0][0]


async def _ensure_user(
    tx: Transaction,
    email: str,
    role: UserRole,
    name: str,
    *,
    account_ids: Sequence[int] | None = None,
    provider: str | None = None,
) -> None:
    try:
        async with tx.connection.begin_nested():
            await create_user(tx, email, role, name=name, account_ids=account_ids, provider=provider)
    except ConflictError:
        await user_by_email(tx, email)


async def load_events(
    databases: Databases, arrivals: Iterable[Arrival], base_url: str, done: Callable[[int], None]
) -> None:
    """Send events to the running server in the order of their arrival, each provider with its own key."""
    async with _keys(databases) as keys, httpx.AsyncClient(base_url=base_url, timeout=60) as client:
        queue: asyncio.Queue[tuple[str, list[Any]] | None] = asyncio.Queue(maxsize=SENDERS * 2)

        async def send() -> None:
            while (batch := await queue.get()) is not None:
                await _post(client, keys[batch[0]], batch[1])
                done(len(batch[1]))

        async with asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(send())
            for batch in _batches(arrivals):
                for provider, events in _by_provider(batch):
                    await queue.put((provider, events))
            for _ in range(SENDERS):
                await queue.put(None)


def _batches(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    each = iter(arrivals)
    while batch := list(islice(each, BATCH)):
        yield batch


def _by_provider(batch: Iterable[Arrival]) -> Iterable[tuple[str, list[Any]]]:
    events: defaultdict[str, list[Any]] = defaultdict(list)
    for arrival in batch:
        events[str(arrival.event.get("provider") or "supplier")].append(arrival.event)
    return events.items()


@asynccontextmanager
async def _keys(databases: Databases) -> AsyncIterator[dict[str, str]]:
    """An ingest key a provider, limited to its sources; good for this load only."""
    keys = {}
    ids = []
    async with databases.worker.transaction(operator_scope()) as tx:
        for provider, sources in SOURCES.items():
            grant = KeyGrant(KeyKind.INGEST, f"sample {provider}", provider=provider, sources=sources)
            made = await create_key(tx, grant)
            keys[provider] = made.key
            ids.append(made.key_id)
    try:
        yield keys
    finally:
        async with databases.worker.transaction(operator_scope()) as tx:
            revoke = text("UPDATE api_key SET revoked_at = now() WHERE key_id = ANY(CAST(:ids AS uuid[]))")
            await tx.execute(revoke, {"ids": ids})


async def _post(client: httpx.AsyncClient, key: str, events: list[Any]) -> None:
    """Send one batch until it is answered with success: sending twice stores once."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents-batch+json"}
    body = _ENCODER.encode(events)
    for attempt in range(TRIES):
        try:
            answer = await client.post("/api/v1/events", content=body, headers=headers)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.is_success:
            return
        if answer is not None and answer.status_code not in {429, 503}:
            raise ConflictError(f"The sample's events were refused: {answer.status_code} {answer.text[:300]}")
        await asyncio.sleep(min(0.2 * (attempt + 1), 2))
    raise UnavailableError("The server does not take events; look at what it printed.", retry_after=5)


async def load_agreements(databases: Databases, supplier: SampleSupplier, report: Report) -> None:
    """What both sides said, each line at its own moment. An account that has a record already is left as it is."""
    by_account: defaultdict[str, list[Agreement]] = defaultdict(list)
    for line in supplier.assumptions:
        by_account[line.account].append(line)
    for number, (key, lines) in enumerate(by_account.items(), start=1):
        async with databases.worker.transaction(operator_scope()) as tx:
            account = await account_by_key(tx, key)
            if not await entries_of(tx, account.account_id):
                for line in sorted(lines, key=lambda a: a.at):
                    await _say(tx, account, line)
        report("Agreeing on assumptions", number, len(by_account))


async def _say(tx: Transaction, account: Account, line: Agreement) -> None:
    people = {person.email: person.role for person in await people_of(tx, account.account_id)}
    side = Side.CUSTOMER if line.author_email in people else Side.SUPPLIER
    author = Author(line.author_email, side, validates=people.get(line.author_email) is PersonRole.VALIDATOR)
    action = Action(line.action)
    if action is Action.PROPOSE:
        stated = await _stated(tx, line)
        statement = Statement(line.slug, stated.value, stated.unit, line.effective_from, line.reason)
        await state_value(tx, account.account_id, action, statement, author, line.at)
        return
    target = await _newest_proposal(tx, account.account_id, line.slug)
    if action is Action.VALIDATE:
        today = local_day(line.at, account.timezone)
        await validate(tx, account.account_id, target.entry_id, author, line.at, today, line.reason)
    elif action is Action.DISPUTE:
        await dispute(tx, account.account_id, target.entry_id, author, line.at, line.reason)
    else:
        await withdraw(tx, account.account_id, target.entry_id, author, line.at)


async def _stated(tx: Transaction, line: Agreement) -> Default:
    """The value of a line, or the version of the driver that it speaks of."""
    low, expected, high = line.low, line.expected, line.high
    if low is not None and expected is not None and high is not None:
        return Default(Range(low, expected, high), line.unit)
    driver = (await newest_model(tx)).driver(line.slug.removeprefix("driver:"))
    if driver is None:
        raise ConflictError(f"The sample speaks of {line.slug}, which its model does not have.")
    return driver_statement(driver)


async def _newest_proposal(tx: Transaction, account_id: int, slug: str) -> Entry:
    entries = (await entries_of(tx, account_id))[slug]
    return [entry for entry in entries if entry.action is Action.PROPOSE][-1]


async def close_history(databases: Databases, now: datetime) -> int:
    """Close the months of accounts that are live as the schedule would have done by `now`; how many months."""
    async with databases.worker.transaction(operator_scope()) as tx:
        # The sample's accounts joined on the day that each went live.
        await tx.execute(_JOINED)
        rows = await tx.rows(text("SELECT account_id FROM account WHERE account_id > 0 ORDER BY account_id"))
    closed = 0
    for row in rows:
        async with databases.worker.transaction(accounts_or_all([row.account_id])) as tx:
            await refresh_value(tx, row.account_id, now)
            closed += await close_due_months(tx, row.account_id, now)
    return closed


_JOINED: Final = text("""
    UPDATE account a SET created_at = m.at FROM milestone m
    WHERE m.account_id = a.account_id AND m.kind = 'go-live' AND m.at < a.created_at
""")


async def load_conversations(databases: Databases, supplier: SampleSupplier) -> None:
    """Open conversations, with the story's own sentence on the driver attached where there is one."""
    talks: defaultdict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in supplier.conversations:
        talks[message.account, message.title].append(message)
    for (key, title), messages in talks.items():
        await _load_talk(databases, key, title, sorted(messages, key=lambda m: m.at))


async def _load_talk(databases: Databases, key: str, title: str, messages: Sequence[Message]) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        (account,) = (await accounts_by_keys(tx, [key])).values()
        known = text("SELECT 1 FROM conversation WHERE account_id = :account AND title = :title")
        if await tx.scalar(known, {"account": account.account_id, "title": title}):
            return
        for person in await people_of(tx, account.account_id):
            await _ensure_user(tx, person.email, UserRole.CUSTOMER, person.name, account_ids=[account.account_id])
        first, *rest = messages
        author = await user_by_email(tx, first.author_email)
        insight = await tx.scalar(_INSIGHT_ON, {"account": account.account_id, "driver": first.driver})
        opening = Opening(body=first.body, title=title, insight_id=insight)
        number = await open_conversation(tx, account.account_id, await as_person(tx, author), opening, first.at)
        for message in rest:
            author = await user_by_email(tx, message.author_email)
            await reply(tx, account.account_id, number, await as_person(tx, author), message.body, message.at)


# A sentence about the driver that the customer's story tells; only such a one can be attached.
_INSIGHT_ON: Final = text("""
    SELECT i.insight_id FROM insight i
    JOIN story s ON s.account_id = i.account_id AND s.audience = 'customer'
    WHERE i.account_id = :account AND i.subject = :driver AND i.until IS NULL
      AND jsonb_path_exists(s.document, '$.chapters[*].insights[*] ? (@.insight_id == $id)',
                            jsonb_build_object('id', i.insight_id))
    ORDER BY s.version DESC, i.kind = 'attainment' DESC, i.insight_id LIMIT 1
""")


async def finish(databases: Databases, worker: Worker, now: datetime) -> None:
    """Fit the next-best-value model, and tell every story with its suggestions."""
    await train(databases.worker, operator_scope(), now)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(_MARK_TODAY, {"now": now})
    await worker.drain()


_MARK_TODAY: Final = text("""
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT account_id, CAST(CAST(:now AS timestamptz) AT TIME ZONE timezone AS date),
           CAST(CAST(:now AS timestamptz) AT TIME ZONE timezone AS date), 'suggestions'
    FROM account WHERE account_id > 0
""")


def closing_moment(now: datetime) -> datetime:
    """The newest moment up to `now` at which the schedule has closed months everywhere: the 11th, at noon."""
    eleventh = now.replace(day=11, hour=12, minute=0, second=0, microsecond=0)
    if eleventh <= now:
        return eleventh
    return (now.replace(day=1) - timedelta(days=1)).replace(day=11, hour=12, minute=0, second=0, microsecond=0)
