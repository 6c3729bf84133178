"""Assumptions: what holds, the record, and what both sides say (value rules 9 to 11)."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from litestar import Controller, Response, get, post

from valueplatform.accounts.accounts import Account
from valueplatform.api.calling import ApiRequest, Gate, open_account
from valueplatform.api.once import once
from valueplatform.core.authorization import Action as Right
from valueplatform.core.authorization import KeyPrincipal, may, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.numbers import decimal_text
from valueplatform.core.periods import local_day
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Author, Statement
from valueplatform.value.assumptions import Action, Entry, driver_slug, holding
from valueplatform.value.model import Baseline
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import read_record


class EntryOut(msgspec.Struct, frozen=True):
    """One line of the record."""

    entry_id: int
    slug: str
    action: str
    answers: int | None
    low: str | None
    expected: str | None
    high: str | None
    unit: str | None
    effective_from: date
    author: str
    side: str
    reason: str
    known_at: datetime


class AssumptionOut(msgspec.Struct, frozen=True):
    """What holds of one assumption or baseline today, and the record behind it, oldest first."""

    slug: str
    title: str
    kind: str
    unit: str
    state: str | None
    low: str | None
    expected: str | None
    high: str | None
    effective_from: date | None
    author: str | None
    validator: str | None
    pending: Sequence[int]
    entries: Sequence[EntryOut]


class ProposalIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that somebody proposes. Without low and high it is one number; without a day it holds from today."""

    slug: str
    expected: Decimal
    reason: str
    low: Decimal | None = None
    high: Decimal | None = None
    unit: str | None = None
    effective_from: date | None = None


class AnswerIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str = ""


def entry_out(entry: Entry) -> EntryOut:
    value = entry.value
    return EntryOut(
        entry_id=entry.entry_id,
        slug=entry.slug,
        action=entry.action,
        answers=entry.answers,
        low=decimal_text(value.low) if value else None,
        expected=decimal_text(value.expected) if value else None,
        high=decimal_text(value.high) if value else None,
        unit=entry.unit,
        effective_from=entry.effective_from,
        author=entry.author,
        side=entry.side,
        reason=entry.reason,
        known_at=entry.known_at,
    )


async def assumptions_of(tx: Transaction, account_id: int, today: date) -> list[AssumptionOut]:
    """Every assumption and baseline of the model, as they hold for the account."""
    facts, _ = await read_record(tx, account_id)
    defaults = facts.defaults()
    found = []
    for rate in (*facts.model.baselines, *facts.model.assumptions):
        entries = facts.entries.get(rate.slug, ())
        held = holding(entries, defaults.get(rate.slug), today)
        said = held.settled_by or held.entry if held else None
        found.append(
            AssumptionOut(
                slug=rate.slug,
                title=rate.title or rate.slug,
                kind="baseline" if isinstance(rate, Baseline) else "assumption",
                unit=held.unit if held else rate.unit,
                state=held.state if held else None,
                low=decimal_text(held.value.low) if held else None,
                expected=decimal_text(held.value.expected) if held else None,
                high=decimal_text(held.value.high) if held else None,
                effective_from=said.effective_from if said else None,
                author=held.entry.author if held and held.entry else None,
                validator=held.settled_by.author if held and held.settled_by else None,
                pending=[entry.entry_id for entry in held.pending] if held else [],
                entries=[entry_out(entry) for entry in entries],
            )
        )
    return found


def author_of(caller: KeyPrincipal) -> Author:
    return Author(caller.author, caller.side, validates=may(caller, Right.VALIDATE_ASSUMPTION))


class AssumptionsController(Controller):
    path = "/api/v1/accounts/{key:str}/assumptions"
    tags = ("Assumptions",)

    @get(summary="What holds, and the record")
    async def read(self, caller: KeyPrincipal, gate: Gate, key: str) -> list[AssumptionOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Right.READ_ASSUMPTIONS)
            return await assumptions_of(tx, account.account_id, local_day(gate.clock(), account.timezone))

    @post(summary="Propose a value")
    async def propose(
        self, request: ApiRequest, caller: KeyPrincipal, gate: Gate, key: str, data: ProposalIn
    ) -> Response[EntryOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Right.PROPOSE_ASSUMPTION)

            async def write() -> tuple[int, Any]:
                statement = await _statement(tx, account, data, gate.clock())
                author, now = author_of(caller), gate.clock()
                entry = await record.state_value(tx, account.account_id, Action.PROPOSE, statement, author, now)
                return 201, entry_out(entry)

            return await once(tx, request, caller, gate.clock, write)

    @post("/{entry_id:int}/validate", summary="Validate an estimate or a proposal", status_code=201)
    async def validate(
        self,
        request: ApiRequest,
        caller: KeyPrincipal,
        gate: Gate,
        key: str,
        entry_id: int,
        data: AnswerIn | None = None,
    ) -> Response[EntryOut]:
        reason = data.reason if data else ""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Right.VALIDATE_ASSUMPTION)

            async def write() -> tuple[int, Any]:
                now = gate.clock()
                today = local_day(now, account.timezone)
                entry = await record.validate(tx, account.account_id, entry_id, author_of(caller), now, today, reason)
                return 201, entry_out(entry)

            return await once(tx, request, caller, gate.clock, write)

    @post("/{entry_id:int}/dispute", summary="Put a value under review", status_code=201)
    async def dispute(
        self, request: ApiRequest, caller: KeyPrincipal, gate: Gate, key: str, entry_id: int, data: AnswerIn
    ) -> Response[EntryOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Right.DISPUTE_ASSUMPTION)

            async def write() -> tuple[int, Any]:
                entry = await record.dispute(
                    tx, account.account_id, entry_id, author_of(caller), gate.clock(), data.reason
                )
                return 201, entry_out(entry)

            return await once(tx, request, caller, gate.clock, write)

    @post("/{entry_id:int}/withdraw", summary="Take back one's own proposal or dispute", status_code=201)
    async def withdraw(
        self, request: ApiRequest, caller: KeyPrincipal, gate: Gate, key: str, entry_id: int
    ) -> Response[EntryOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Right.PROPOSE_ASSUMPTION)

            async def write() -> tuple[int, Any]:
                entry = await record.withdraw(tx, account.account_id, entry_id, author_of(caller), gate.clock())
                return 201, entry_out(entry)

            return await once(tx, request, caller, gate.clock, write)

    @post("/{slug:str}/validate-default", summary="Validate the model's default, or a driver", status_code=201)
    async def validate_default(
        self, request: ApiRequest, caller: KeyPrincipal, gate: Gate, key: str, slug: str
    ) -> Response[EntryOut]:
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Right.VALIDATE_ASSUMPTION)

            async def write() -> tuple[int, Any]:
                return 201, entry_out(await _validate_stated(tx, account, slug, author_of(caller), gate.clock()))

            return await once(tx, request, caller, gate.clock, write)


async def _validate_stated(tx: Transaction, account: Account, slug: str, author: Author, now: datetime) -> Entry:
    """`slug` names an assumption, a baseline, or a driver as `driver:SLUG`."""
    facts, _ = await read_record(tx, account.account_id)
    default = facts.defaults().get(slug)
    if default is None and slug not in {driver_slug(driver.slug) for driver in facts.model.drivers}:
        raise NotFoundError(f"The value model states nothing under {slug!r}; a driver is `driver:SLUG`.")
    today = local_day(now, account.timezone)
    return await record.validate_stated(tx, account.account_id, slug, default, author, now, today)


async def _statement(tx: Transaction, account: Account, data: ProposalIn, now: datetime) -> Statement:
    facts, _ = await read_record(tx, account.account_id)
    rate = facts.model.rate(data.slug)
    if rate is None:
        raise NotFoundError(f"The value model has no assumption or baseline {data.slug!r}.")
    if not data.reason.strip():
        raise InvalidInputError("`reason` is empty: say where the value comes from; it stays in the record.")
    low = data.expected if data.low is None else data.low
    high = data.expected if data.high is None else data.high
    value = Range(low, data.expected, high)
    unit = data.unit or rate.unit
    return Statement(data.slug, value, unit, data.effective_from or local_day(now, account.timezone), data.reason)
