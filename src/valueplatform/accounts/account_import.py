"""Importing accounts.

A column that the input does not have leaves what is stored as it is; an empty cell takes a segment, a stage or an
attribute away, and leaves name, zone and currency. Columns that are not well known become attributes.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import func, select, update

from valueplatform.accounts.accounts import (
    EVER,
    LONGEST_KEY,
    Account,
    Attributes,
    NewAccount,
    accounts_by_keys,
    as_jsonb,
    checked_currency,
    ensure_accounts,
    raise_revisions,
    set_currency,
)
from valueplatform.accounts.fields import Fields, InvalidValueError
from valueplatform.accounts.imports import Defaults, Mark, Outcome, Stored, Surroundings
from valueplatform.accounts.tables import account, contract
from valueplatform.core.database import Transaction, lock_model_exclusive
from valueplatform.core.periods import ONE_DAY, Period, local_day, zone

WithEvents = Callable[[Transaction, Sequence[int]], Awaitable[set[int]]]
"""Those of the accounts that have events."""

ALL_TIME: Final = Period(EVER, date.max)


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says. UNSET = nothing; None = that there is none. Attributes that are None are taken away."""

    key: str
    name: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET
    segment: str | UnsetType | None = UNSET
    stage: str | UnsetType | None = UNSET
    attributes: Attributes = {}


class AccountImport:
    """The zone of an account that has events is not written here, since they must be counted by its days first: `zones`
    are those that the account is to have, by id. All else is."""

    name: ClassVar[str] = "accounts"
    account_column: ClassVar[str] = "key"
    required: ClassVar[Sequence[str]] = ("key",)
    optional: ClassVar[Sequence[str]] = ("name", "currency", "timezone", "segment", "stage")
    takes_rest: ClassVar[bool] = True

    def __init__(self, defaults: Defaults, with_events: WithEvents) -> None:
        self._defaults = defaults
        self._with_events = with_events
        self.zones: dict[int, str] = {}

    def read(self, fields: Fields, _around: Surroundings, /) -> AccountRow:
        key = fields.text("key")
        if len(key) > LONGEST_KEY:
            raise InvalidValueError(f"Column key is over {LONGEST_KEY} characters; use a shorter key.")
        currency, timezone = fields.optional("currency"), fields.optional("timezone")
        return AccountRow(
            key=key,
            name=fields.optional("name") or UNSET,
            currency=checked_currency(currency) if currency else UNSET,
            timezone=zone(timezone).key if timezone else UNSET,
            segment=fields.optional("segment") if fields.has("segment") else UNSET,
            stage=fields.optional("stage") if fields.has("stage") else UNSET,
            attributes=_attributes(fields),
        )

    def identity(self, value: AccountRow) -> str:
        return value.key

    async def store(self, tx: Transaction, values: Sequence[AccountRow], now: datetime) -> Stored:
        # An account without events has its new zone at once, so none may come meanwhile: the lock goes before any row
        # is touched. It also keeps ingest from creating the same accounts.
        await lock_model_exclusive(tx)
        created = await ensure_accounts(tx, [self._new(value) for value in values])
        accounts = await accounts_by_keys(tx, [value.key for value in values], locked=True)
        contracted = await _with_contract(tx, [found.account_id for found in accounts.values()])
        moving = [accounts[value.key].account_id for value in values if _moves(accounts[value.key], value)]
        waiting = await self._with_events(tx, moving) if moving else set()
        outcomes, marks, touched = [], [], []
        for value in values:
            found, stated = accounts[value.key], value
            if found.account_id in waiting and value.timezone is not UNSET:
                self.zones[found.account_id] = value.timezone
                stated = msgspec.structs.replace(value, timezone=UNSET)
            change = _Change(found, stated, local_day(now, found.timezone), found.account_id in contracted)
            await self._apply(tx, change)
            marks += change.marks()
            if value.key in created:
                outcomes.append(Outcome.CREATED)
                marks.append(Mark(found.account_id, Period(change.today, change.today + ONE_DAY), "account:created"))
                continue
            if change.happens:
                touched.append(found.account_id)
            happens = change.happens or found.account_id in waiting
            outcomes.append(Outcome.CHANGED if happens else Outcome.UNCHANGED)
        await raise_revisions(tx, touched)
        return Stored(outcomes, marks)

    def _new(self, value: AccountRow) -> NewAccount:
        return NewAccount(
            key=value.key,
            name=value.name or value.key,
            timezone=value.timezone or self._defaults.timezone,
            currency=value.currency or self._defaults.currency,
            segment=value.segment or None,
            stage=value.stage or None,
            attributes={name: item for name, item in value.attributes.items() if item is not None},
        )

    async def _apply(self, tx: Transaction, change: "_Change") -> None:
        account_id = change.before.account_id
        columns = change.columns
        if columns:
            await tx.execute(update(account).where(account.c.account_id == account_id).values(columns))
        if change.currency is not None:
            await set_currency(tx, account_id, change.currency, change.currency_start)


@dataclass(frozen=True)
class _Change:
    """What a row changes in a stored account."""

    before: Account
    row: AccountRow
    today: date
    has_contract: bool

    @cached_property
    def columns(self) -> Mapping[str, Any]:
        """Columns of `account` with their new values; empty where nothing changes."""
        stated = {name: getattr(self.row, name) for name in ("name", "timezone", "segment", "stage")}
        columns = {n: value for n, value in stated.items() if value is not UNSET and value != getattr(self.before, n)}
        merged = {**self.before.attributes, **self.row.attributes}
        attributes = {name: value for name, value in merged.items() if value is not None}
        if attributes != self.before.attributes:
            columns["attributes"] = as_jsonb(attributes)
        return columns

    @property
    def currency(self) -> str | None:
        """The new currency; None where it stays."""
        stated = self.row.currency
        return None if stated is UNSET or stated == self.before.currency else stated

    @property
    def currency_start(self) -> date:
        """A currency changes from today on (value rule 11). As long as nothing was ever agreed in the first one, which
        the account may just have been given by default, the new one corrects it for all time."""
        return self.today if self.has_contract or len(self.before.currencies) > 1 else EVER

    @property
    def happens(self) -> bool:
        return bool(self.columns) or self.currency is not None

    def marks(self) -> list[Mark]:
        """Segments choose assumptions, zones choose days; what an account is called changes no amount."""
        causes = [(name, ALL_TIME) for name in ("timezone", "segment") if name in self.columns]
        if self.currency is not None:
            causes.append(("currency", Period(self.currency_start, date.max)))
        return [Mark(self.before.account_id, period, f"account:{name}") for name, period in causes]


def _moves(held: Account, row: AccountRow) -> bool:
    return row.timezone is not UNSET and row.timezone != held.timezone


def _attributes(fields: Fields) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in fields.row.items():
        if name not in AccountImport.required and name not in AccountImport.optional:
            found[name] = fields.optional(name) if isinstance(value, str) else value
    if _has_zero_byte(found):
        raise InvalidValueError("An attribute holds a zero byte, which the database cannot keep; take it out.")
    return found


def _has_zero_byte(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(map(_has_zero_byte, value))
        case dict():
            return any(_has_zero_byte(part) for entry in value.items() for part in entry)
        case _:
            return False


async def _with_contract(tx: Transaction, account_ids: Sequence[int]) -> set[int]:
    query = select(contract.c.account_id).distinct().where(contract.c.account_id == func.any(list(account_ids)))
    return {row.account_id for row in await tx.rows(query)}
