"""Accounts: customer organizations and prospects, each with its zone, its currency over time, and its attributes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec
from babel.numbers import list_currencies
from sqlalchemy import Cast, Column, Row, ScalarSelect, Text, bindparam, cast, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from valueplatform.accounts.tables import account, account_currency
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.pages import Page, checked_limit, page_of, text_position

EVER: Final = date(1, 1, 1)
"""Since when the first currency of an account holds: for all time."""

CURRENCIES: Final = frozenset(list_currencies())
LONGEST_KEY: Final = 200

_JSON: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_ATTRIBUTES: Final = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)

Attributes = Mapping[str, object]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account as it stands. `currencies` are (first day, currency), oldest first; the first holds since EVER."""

    account_id: int
    key: str
    name: str
    timezone: str
    currencies: tuple[tuple[date, str], ...]
    segment: str | None = None
    stage: str | None = None
    attributes: Attributes = {}
    revision: int = 0

    @property
    def currency(self) -> str:
        """The newest; it may hold from a day to come."""
        return self.currencies[-1][1]

    def currency_on(self, day: date) -> str:
        return [currency for start, currency in self.currencies if start <= day][-1]


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What an account starts with. The zone and the currency are checked where they come in."""

    key: str
    name: str
    timezone: str
    currency: str
    segment: str | None = None
    stage: str | None = None
    attributes: Attributes = {}


def checked_currency(code: str) -> str:
    """An ISO 4217 code. Raises InvalidInputError."""
    if code not in CURRENCIES:
        raise InvalidInputError(f"There is no currency {code!r}; use an ISO 4217 code such as USD or EUR.")
    return code


def encoded_attributes(attributes: Attributes) -> str:
    """As JSON text, with exact numbers and the same order every time."""
    return _JSON.encode(attributes).decode()


def decoded_attributes(encoded: str) -> Attributes:
    """From JSON text, with exact numbers."""
    return _ATTRIBUTES.decode(encoded)


def as_jsonb(attributes: Attributes) -> Cast[Any]:
    """As a value for the column: text to the driver, which would make floats of the numbers, jsonb to the database."""
    return cast(literal(encoded_attributes(attributes), Text), JSONB)


def _currency_column(column: Column[Any]) -> ScalarSelect[Any]:
    """A column of the account's currencies, oldest first, as an array."""
    held = account_currency.c
    entries = func.array_agg(aggregate_order_by(column, held.effective_from))
    return select(entries).where(held.account_id == account.c.account_id).scalar_subquery()


# Attributes travel as text: read by the driver as jsonb, their decimals would become floats.
_ACCOUNT: Final = select(
    account.c.account_id,
    account.c.key,
    account.c.name,
    account.c.timezone,
    account.c.segment,
    account.c.stage,
    account.c.revision,
    cast(account.c.attributes, Text).label("attributes"),
    _currency_column(account_currency.c.effective_from).label("currency_days"),
    _currency_column(account_currency.c.currency).label("currencies"),
)


def _account(row: Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        key=row.key,
        name=row.name,
        timezone=row.timezone,
        currencies=tuple(zip(row.currency_days, row.currencies, strict=True)),
        segment=row.segment,
        stage=row.stage,
        attributes=decoded_attributes(row.attributes),
        revision=row.revision,
    )


async def account_by_key(tx: Transaction, key: str) -> Account:
    """Raises NotFoundError where there is none in the scope of the transaction; it never says what is outside."""
    row = None if "\0" in key else await tx.row(_ACCOUNT.where(account.c.key == key))
    if row is None:
        raise NotFoundError(f"There is no account {key!r}.")
    return _account(row)


async def account_by_id(tx: Transaction, account_id: int) -> Account:
    """Raises NotFoundError as `account_by_key` does."""
    row = await tx.row(_ACCOUNT.where(account.c.account_id == account_id))
    if row is None:
        raise NotFoundError(f"There is no account with id {account_id}.")
    return _account(row)


async def accounts_by_keys(tx: Transaction, keys: Iterable[str], *, locked: bool = False) -> dict[str, Account]:
    """The accounts that there are among `keys`; `locked` keeps their rows from changing until the transaction ends."""
    # By id, as everything that writes accounts goes: two that lock the same ones cannot wait for each other.
    query = _ACCOUNT.where(account.c.key == func.any(list(keys))).order_by(account.c.account_id)
    return {row.key: _account(row) for row in await tx.rows(query.with_for_update() if locked else query)}


async def list_accounts(tx: Transaction, *, limit: int, cursor: str | None = None) -> Page[Account]:
    """The accounts in scope by key. Raises InvalidInputError for a limit or cursor that cannot be."""
    query = _ACCOUNT.order_by(account.c.key).limit(checked_limit(limit) + 1)
    after = text_position(cursor)
    rows = await tx.rows(query if after is None else query.where(account.c.key > after))
    return page_of([_account(row) for row in rows], limit, lambda item: item.key)


async def ids_of(tx: Transaction, keys: Sequence[str]) -> list[int]:
    """Ids in the order of the keys. Raises NotFoundError naming every key that is unknown."""
    rows = await tx.rows(select(account.c.key, account.c.account_id).where(account.c.key == func.any(list(keys))))
    ids = {row.key: int(row.account_id) for row in rows}
    unknown = [key for key in keys if key not in ids]
    if unknown:
        raise NotFoundError(
            f"There is no account {', '.join(map(repr, unknown))}; `valueplatform import accounts` first."
        )
    return [ids[key] for key in keys]


async def keys_of(tx: Transaction, account_ids: Iterable[int]) -> dict[int, str]:
    """The key of each account in scope by its id."""
    query = select(account.c.account_id, account.c.key).where(account.c.account_id == func.any(list(set(account_ids))))
    return {row.account_id: row.key for row in await tx.rows(query)}


async def ensure_accounts(tx: Transaction, wanted: Sequence[NewAccount]) -> set[str]:
    """Make those whose key is new, in the order of their keys so that two processes cannot deadlock; the new keys."""
    if not wanted:
        return set()
    ordered = sorted({item.key: item for item in reversed(wanted)}.values(), key=lambda item: item.key)
    values = [
        {
            "key": item.key,
            "name": item.name,
            "timezone": item.timezone,
            "segment": item.segment,
            "stage": item.stage,
            "attributes": as_jsonb(item.attributes),
        }
        for item in ordered
    ]
    made = postgresql.insert(account).values(values).on_conflict_do_nothing(index_elements=[account.c.key])
    ids = {row.key: row.account_id for row in await tx.rows(made.returning(account.c.key, account.c.account_id))}
    if ids:
        currencies = [
            {"account_id": ids[item.key], "effective_from": EVER, "currency": item.currency}
            for item in ordered
            if item.key in ids
        ]
        await tx.execute(insert(account_currency), currencies)
    return set(ids)


async def set_currency(tx: Transaction, account_id: int, currency: str, start: date) -> None:
    """From `start` on the account reports in `currency`; what was said for that day and later is replaced."""
    held = account_currency.c
    # The driver writes EVER as -infinity, so this takes away a row that says 0001-01-01 too.
    await tx.execute(account_currency.delete().where(held.account_id == account_id, held.effective_from > start))
    await tx.execute(
        postgresql.insert(account_currency)
        .values(account_id=account_id, effective_from=start, currency=currency)
        .on_conflict_do_update(index_elements=[held.account_id, held.effective_from], set_={"currency": currency})
    )


async def raise_revisions(tx: Transaction, account_ids: Iterable[int]) -> None:
    """Count a change to what is known of each account, in the order of their ids."""
    statement = update(account).where(account.c.account_id == bindparam("id")).values(revision=account.c.revision + 1)
    parameters = [{"id": account_id} for account_id in sorted(set(account_ids))]
    if parameters:
        await tx.execute(statement, parameters)
