"""Accounts, and a way to import rows, for the tests of every room."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from tests.conftest import Databases
from valueplatform.accounts.account_import import AccountImport
from valueplatform.accounts.accounts import Account, NewAccount, account_by_key, ensure_accounts
from valueplatform.accounts.fields import Row
from valueplatform.accounts.imports import Defaults, Importable, Importer, ImportReport, Mark, Ports, Rejection
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import Transaction

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DEFAULTS = Defaults(timezone="America/New_York", currency="USD")
T = TypeVar("T")


async def an_account(
    databases: Databases,
    key: str = "acme",
    *,
    timezone: str = "Europe/Berlin",
    currency: str = "EUR",
    segment: str | None = None,
) -> Account:
    """An account as it stands after it was made."""
    new = NewAccount(key=key, name=key.title(), timezone=timezone, currency=currency, segment=segment)
    async with databases.worker.transaction(operator_scope()) as tx:
        await ensure_accounts(tx, [new])
        return await account_by_key(tx, key)


async def found(databases: Databases, key: str = "acme") -> Account:
    async with databases.worker.transaction(operator_scope()) as tx:
        return await account_by_key(tx, key)


@dataclass
class Kept:
    """What an import handed to the rooms above."""

    origins: list[str] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    busy: set[int] = field(default_factory=set)
    """Accounts that have events."""
    zones: dict[int, str] = field(default_factory=dict)

    async def keep(self, _tx: Transaction, origin: str, rejections: Sequence[Rejection]) -> None:
        self.origins.append(origin)
        self.rejections += rejections

    async def mark(self, _tx: Transaction, marks: Sequence[Mark]) -> None:
        self.marks += marks

    async def with_events(self, _tx: Transaction, account_ids: Sequence[int]) -> set[int]:
        return self.busy & set(account_ids)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(one.code, one.message) for one in self.rejections]


async def imported(
    databases: Databases, kind: Importable[T], rows: Sequence[Row], kept: Kept | None = None, now: datetime = NOW
) -> ImportReport:
    """One input in one batch."""
    into = kept or Kept()
    importer = Importer(kind, DEFAULTS, Ports(into.keep, into.mark))
    async with databases.worker.transaction(operator_scope()) as tx:
        return await importer.take(tx, rows, now)


async def imported_accounts(databases: Databases, rows: Sequence[Row], kept: Kept | None = None) -> ImportReport:
    into = kept or Kept()
    kind = AccountImport(DEFAULTS, into.with_events)
    report = await imported(databases, kind, rows, into)
    into.zones |= kind.zones
    return report
