"""Imports: rows in, row by row validated, what is good stored, what is bad kept with its reason.

Repeatable: the same rows again change nothing. Within one input the first row of an identity holds; a later one
that says something else is kept as rejected, so that no row undoes another. What an input says differently from
what is stored is a change and counts as one.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Generic, Protocol, TypeVar

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from valueplatform.accounts.accounts import LONGEST_KEY, Account, accounts_by_keys
from valueplatform.accounts.fields import Fields, Row, UnknownAccountError
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import Period

T = TypeVar("T")

NO_ACCOUNT: Final = 0
"""The account id of rejected rows whose account cannot be told."""

_JSON: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


def outcome_of(before: T | None, after: T) -> Outcome:
    """What storing `after` over `before` is; None where nothing was stored."""
    if before is None:
        return Outcome.CREATED
    return Outcome.UNCHANGED if before == after else Outcome.CHANGED


def to_write(values: Sequence[T], outcomes: Sequence[Outcome]) -> list[T]:
    """The values that are not stored yet as they are."""
    return [value for value, outcome in zip(values, outcomes, strict=True) if outcome is not Outcome.UNCHANGED]


def upsert_into(table: Table) -> postgresql.Insert:
    """An INSERT that overwrites what is stored under the same primary key."""
    statement = postgresql.insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key},
    )


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an account has where nobody says otherwise: the supplier's own zone and currency."""

    timezone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Days whose value, or what is told of it, may have changed, and why."""

    account_id: int
    period: Period
    cause: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The outcome of each value that was taken, in their order, and the days that they touched; `refused` are the
    others by their place among the values, and why."""

    outcomes: Sequence[Outcome]
    marks: Sequence[Mark] = ()
    refused: Mapping[int, InvalidInputError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not taken, whole. `account_id` is NO_ACCOUNT where it cannot be told."""

    account_id: int
    row_id: str | None
    code: str
    message: str
    body: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What reading a row needs to know: the accounts that its batch names, and the supplier's defaults."""

    accounts: Mapping[str, Account]
    defaults: Defaults

    def account(self, fields: Fields, column: str = "account") -> Account:
        key = fields.text(column)
        found = self.accounts.get(key)
        if found is None:
            raise UnknownAccountError(f"Column {column} is {key!r}, which is no account; import the accounts first.")
        return found


class DuplicateRowError(InvalidInputError):
    """Two rows of one input say different things of the same thing."""

    code = "duplicate_id"


class Importable(Protocol[T]):
    """A kind of thing that can be imported."""

    name: ClassVar[str]
    account_column: ClassVar[str]
    required: ClassVar[Sequence[str]]
    """Columns that every input has."""
    optional: ClassVar[Sequence[str]]
    """Further well-known columns."""
    takes_rest: ClassVar[bool]
    """Whether other columns mean something too."""

    def read(self, fields: Fields, around: Surroundings, /) -> T:
        """The row as a value. Raises InvalidInputError."""

    def identity(self, value: T, /) -> Hashable:
        """What makes two rows speak of the same thing."""

    async def store(self, tx: Transaction, values: Sequence[T], now: datetime, /) -> Stored:
        """Create or change; `values` have different identities."""


KeepRejections = Callable[[Transaction, str, Sequence[Rejection]], Awaitable[None]]
"""Keeps rejected rows under an origin; a row that is kept already is not kept twice."""

AppendMarks = Callable[[Transaction, Sequence[Mark]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """received = created + changed + unchanged + rejected. `reasons` counts the rejected by code; `ignored` are columns
    that mean nothing to the kind."""

    received: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    def __add__(self, other: "ImportReport") -> "ImportReport":
        return ImportReport(
            self.received + other.received,
            self.created + other.created,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.rejected + other.rejected,
            dict(sorted((Counter(self.reasons) + Counter(other.reasons)).items())),
            tuple(dict.fromkeys((*self.ignored, *other.ignored))),
        )


@dataclass(frozen=True, slots=True)
class Ports:
    """What an import needs from rooms above this one."""

    keep_rejections: KeepRejections
    append_marks: AppendMarks


class Importer(Generic[T]):
    """Takes the rows of one input, batch by batch; each batch is the caller's transaction."""

    def __init__(self, kind: Importable[T], defaults: Defaults, ports: Ports) -> None:
        self.kind = kind
        self._defaults = defaults
        self._ports = ports
        self._seen: dict[Hashable, T] = {}

    async def take(self, tx: Transaction, rows: Sequence[Row], now: datetime) -> ImportReport:
        fields = [Fields(row) for row in rows]
        around = Surroundings(await self._accounts(tx, fields), self._defaults)
        good: list[tuple[Fields, T]] = []
        rejected: list[Rejection] = []
        for one in fields:
            try:
                value = self.kind.read(one, around)
                if self._is_new(value):
                    good.append((one, value))
            except InvalidInputError as error:
                rejected.append(self._rejection(one, around, error))
        repeated = len(rows) - len(good) - len(rejected)
        stored = await self.kind.store(tx, [value for _, value in good], now) if good else Stored(())
        rejected += [self._rejection(good[place][0], around, error) for place, error in stored.refused.items()]
        await self._ports.keep_rejections(tx, f"import:{self.kind.name}", rejected)
        await self._ports.append_marks(tx, stored.marks)
        counts = Counter(stored.outcomes)
        return ImportReport(
            received=len(rows),
            created=counts[Outcome.CREATED],
            changed=counts[Outcome.CHANGED],
            unchanged=counts[Outcome.UNCHANGED] + repeated,
            rejected=len(rejected),
            reasons=dict(sorted(Counter(one.code for one in rejected).items())),
        )

    def _is_new(self, value: T) -> bool:
        """Whether this input has not said it before. Raises DuplicateRowError where it said something else."""
        identity = self.kind.identity(value)
        before = self._seen.setdefault(identity, value)
        if before is value:
            return True
        if before != value:
            raise DuplicateRowError(
                "An earlier row of this input says something else of the same thing; the first holds."
            )
        return False

    async def _accounts(self, tx: Transaction, fields: Iterable[Fields]) -> Mapping[str, Account]:
        keys = {self._account_key(one) for one in fields} - {None}
        return await accounts_by_keys(tx, [key for key in keys if key is not None]) if keys else {}

    def _account_key(self, fields: Fields) -> str | None:
        with suppress(InvalidInputError):
            return fields.optional(self.kind.account_column)
        return None

    def _rejection(self, fields: Fields, around: Surroundings, error: InvalidInputError) -> Rejection:
        account = around.accounts.get(self._account_key(fields) or "")
        return Rejection(
            account_id=NO_ACCOUNT if account is None else account.account_id,
            row_id=_row_id(fields),
            code=error.code,
            message=error.message,
            body=_JSON.encode(fields.row).decode(),
        )


def _row_id(fields: Fields) -> str | None:
    for column in ("id", "key", "email"):
        value = fields.row.get(column)
        if isinstance(value, str) and value.strip() and "\0" not in value:
            return value.strip()[:LONGEST_KEY]
    return None
