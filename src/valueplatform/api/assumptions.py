"""Assumptions: what holds, the record, and what both sides say (value rules 9 to 11)."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from valueplatform.accounts.accounts import Account
from valueplatform.api.assumption_view import AssumptionOut, EntryOut, Reader, entry_out, shown_to
from valueplatform.api.calling import AccountKey, Caller, Gate, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import LONGEST_TEXT, day_of, range_of, text_of
from valueplatform.api.once import Sending, Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action as Right
from valueplatform.core.authorization import KeyPrincipal, Side, may, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, NotFoundError
from valueplatform.core.pages import Page
from valueplatform.core.periods import local_day
from valueplatform.value import assumption_record as record
from valueplatform.value.accruals import Record
from valueplatform.value.assumption_record import Author, Statement
from valueplatform.value.assumptions import Action, Entry, driver_slug
from valueplatform.value.basis import driver_statement
from valueplatform.value.comparable_values import comparable_values, estimate_from_comparable
from valueplatform.value.refreshing import read_record


class ProposalIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that somebody proposes. Without low and high it is one number; without a day it holds from today."""

    slug: Annotated[str, Meta(examples=["hourly_cost"])]
    expected: Annotated[Decimal, Meta(examples=["43.50"])]
    reason: Annotated[str, Meta(examples=["Payroll of the second quarter"])]
    low: Decimal | None = None
    high: Decimal | None = None
    unit: str | None = None
    effective_from: date | None = None


class AnswerIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why; it stays in the record."""

    reason: str = ""


class InputIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An assumption or a baseline."""

    slug: Annotated[str, Meta(examples=["hourly_cost"])]


class DefaultIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An assumption, a baseline, or a driver as `driver:SLUG`."""

    slug: Annotated[str, Meta(examples=["hourly_cost", "driver:dispatch_time"])]


EntryId = Annotated[int, PathParameter(description="The entry that is answered.")]

_ENTRY = {
    "entry_id": 7,
    "slug": "hourly_cost",
    "action": "propose",
    "answers": None,
    "low": "43.5",
    "expected": "43.5",
    "high": "43.5",
    "unit": "USD/hour",
    "effective_from": "2026-07-01",
    "author": "vera@harbor.example",
    "side": "customer",
    "reason": "Payroll of the second quarter",
    "known_at": "2026-06-30T14:00:00Z",
}
_ASSUMPTION = {
    "slug": "hourly_cost",
    "title": "Hourly cost of a dispatcher",
    "kind": "assumption",
    "unit": "USD/hour",
    "state": "validated",
    "low": "38",
    "expected": "45",
    "high": "52",
    "effective_from": "2026-01-01",
    "author": "Fieldnote",
    "validator": "priya@harbor.example",
    "pending": [7],
    "entries": [_ENTRY],
    "comparable": None,
}
_WRITTEN = answers(EntryOut, _ENTRY, *WRITES, status=201)


class AssumptionsController(Controller):
    path = "/api/v1/accounts/{key:str}/assumptions"
    tags = ("Assumptions",)

    @get(
        summary="What holds, and the record", responses=answers(Page[AssumptionOut], Page([_ASSUMPTION], None), *READS)
    )
    async def read(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[AssumptionOut]:
        """Every assumption and baseline as it holds today, with what was said of it, oldest first. A partner is shown
        those that its own drivers rest on, without disputes and without people."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Right.READ_ASSUMPTIONS)
            facts, _ = await read_record(tx, account.account_id)
            offers = await comparable_values(tx, account, facts)
        shown = shown_to(_reader(caller), facts, local_day(gate.clock(), account.timezone), offers)
        return page_after(shown, limit, cursor, lambda one: one.slug)

    @post(summary="Propose a value", responses=_WRITTEN)
    async def propose(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[ProposalIn]
    ) -> Response[EntryOut]:
        """It counts from when a validator of the customer validates it."""

        async def write(tx: Transaction, account: Account, now: datetime) -> Entry:
            statement = await _statement(tx, account, data, sending.caller, now)
            return await record.state_value(
                tx, account.account_id, Action.PROPOSE, statement, author_of(sending.caller), now
            )

        return await _written(sending, gate, key, Right.PROPOSE_ASSUMPTION, write)

    @post("/{entry_id:int}/validate", summary="Validate an estimate or a proposal", responses=_WRITTEN)
    async def validate(
        self,
        sending: Sent,
        gate: OpenGate,
        key: AccountKey,
        entry_id: EntryId,
        data: JSONBody[AnswerIn | None] = None,
    ) -> Response[EntryOut]:
        """For a named validator on the customer's side, by a key that acts for that person; never for who proposed."""
        reason = text_of(data.reason, "reason", LONGEST_TEXT, empty="") if data else ""

        async def write(tx: Transaction, account: Account, now: datetime) -> Entry:
            today = local_day(now, account.timezone)
            return await record.validate(
                tx, account.account_id, entry_id, author_of(sending.caller), now, today, reason
            )

        return await _written(sending, gate, key, Right.VALIDATE_ASSUMPTION, write)

    @post("/{entry_id:int}/dispute", summary="Put a value under review", responses=_WRITTEN)
    async def dispute(
        self,
        sending: Sent,
        gate: OpenGate,
        key: AccountKey,
        entry_id: EntryId,
        data: JSONBody[AnswerIn],
    ) -> Response[EntryOut]:
        """What rests on it falls back to the last validated value, or stops to count. Say why."""
        reason = text_of(data.reason, "reason", LONGEST_TEXT)

        async def write(tx: Transaction, account: Account, now: datetime) -> Entry:
            return await record.dispute(tx, account.account_id, entry_id, author_of(sending.caller), now, reason)

        return await _written(sending, gate, key, Right.DISPUTE_ASSUMPTION, write)

    @post("/{entry_id:int}/withdraw", summary="Take back a proposal or a dispute of one's own side", responses=_WRITTEN)
    async def withdraw(self, sending: Sent, gate: OpenGate, key: AccountKey, entry_id: EntryId) -> Response[EntryOut]:
        async def write(tx: Transaction, account: Account, now: datetime) -> Entry:
            if partner_of(sending.caller) is not None:
                await _require_own(tx, account, sending.caller, entry_id)
            return await record.withdraw(tx, account.account_id, entry_id, author_of(sending.caller), now)

        return await _written(sending, gate, key, Right.PROPOSE_ASSUMPTION, write)

    @post("/estimate-from-comparable", summary="Estimate a value from comparable accounts", responses=_WRITTEN)
    async def estimate_from_comparable(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[InputIn]
    ) -> Response[EntryOut]:
        """Where the account has no value of its own: the median of what comparable accounts validated, with its
        interval, as the supplier's estimate. It counts nowhere before a validator of the customer agrees to it."""
        require_supplier(sending.caller)

        async def write(tx: Transaction, account: Account, now: datetime) -> Entry:
            return await estimate_from_comparable(tx, account, data.slug, author_of(sending.caller), now)

        return await _written(sending, gate, key, Right.PROPOSE_ASSUMPTION, write)

    @post("/validate-default", summary="Validate what the value model says", responses=_WRITTEN)
    async def validate_default(
        self, sending: Sent, gate: OpenGate, key: AccountKey, data: JSONBody[DefaultIn]
    ) -> Response[EntryOut]:
        """The default of an assumption or baseline for this account's segment, or a driver itself."""

        async def write(tx: Transaction, account: Account, now: datetime) -> Entry:
            return await _validate_stated(tx, account, data.slug, author_of(sending.caller), now)

        return await _written(sending, gate, key, Right.VALIDATE_ASSUMPTION, write)


def require_supplier(caller: KeyPrincipal) -> None:
    """Raises ForbiddenError for anybody else."""
    if caller.side is not Side.SUPPLIER:
        raise ForbiddenError("Only the supplier estimates; propose a value instead.")


def author_of(caller: KeyPrincipal) -> Author:
    return Author(caller.author, caller.side, validates=may(caller, Right.VALIDATE_ASSUMPTION))


def _reader(caller: KeyPrincipal) -> Reader:
    return Reader(caller.author, partner_of(caller))


async def _written(
    sending: Sending,
    gate: Gate,
    key: str,
    right: Right,
    write: Callable[[Transaction, Account, datetime], Awaitable[Entry]],
) -> Response[Any]:
    """One entry added to the record of an account, once."""
    async with gate.web.transaction(scope_of(sending.caller)) as tx:
        account = await open_account(tx, sending.caller, key, right)

        async def add() -> EntryOut:
            return entry_out(await write(tx, account, gate.clock()))

        return await once(tx, sending, gate.clock, add)


async def _require_own(tx: Transaction, account: Account, caller: KeyPrincipal, entry_id: int) -> None:
    """Partners do not speak for each other. Raises NotFoundError, as for an entry that is not there."""
    entries = await record.entries_of(tx, account.account_id)
    if not any(e.entry_id == entry_id and e.author == caller.author for found in entries.values() for e in found):
        raise NotFoundError(f"There is no entry {entry_id} in this account's record.")


async def _validate_stated(tx: Transaction, account: Account, slug: str, author: Author, now: datetime) -> Entry:
    """`slug` names an assumption, a baseline, or a driver as `driver:SLUG`."""
    facts, _ = await read_record(tx, account.account_id)
    drivers = {driver_slug(driver.slug): driver_statement(driver) for driver in facts.model.drivers}
    default = facts.defaults().get(slug) or drivers.get(slug)
    if default is None:
        raise NotFoundError(f"The value model states nothing under {slug!r}; a driver is `driver:SLUG`.")
    today = local_day(now, account.timezone)
    return await record.validate_stated(tx, account.account_id, slug, default, author, now, today)


async def _statement(
    tx: Transaction, account: Account, data: ProposalIn, caller: KeyPrincipal, now: datetime
) -> Statement:
    facts, _ = await read_record(tx, account.account_id)
    rate = facts.model.rate(data.slug)
    if rate is None or not _concerns(facts, data.slug, caller):
        raise NotFoundError(f"The value model has no assumption or baseline {data.slug!r}.")
    return Statement(
        slug=data.slug,
        value=range_of(data.expected, data.low, data.high, data.slug),
        unit=text_of(data.unit, "unit", empty=rate.unit) if data.unit else rate.unit,
        effective_from=day_of(data.effective_from or local_day(now, account.timezone), "effective_from"),
        reason=text_of(data.reason, "reason", LONGEST_TEXT),
    )


def _concerns(facts: Record, slug: str, caller: KeyPrincipal) -> bool:
    return slug in _reader(caller).slugs(facts.model)
