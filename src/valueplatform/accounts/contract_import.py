"""Importing contracts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import select, tuple_

from valueplatform.accounts.accounts import checked_currency, raise_revisions
from valueplatform.accounts.contracts import BillingPeriod, Contract, ContractKind, contract_of
from valueplatform.accounts.fields import LAST_DAY, Fields, InvalidValueError
from valueplatform.accounts.imports import Mark, Stored, Surroundings, outcome_of, to_write, upsert_into
from valueplatform.accounts.providers import ensure_providers
from valueplatform.accounts.tables import contract
from valueplatform.core.database import Transaction
from valueplatform.core.keys import SUPPLIER
from valueplatform.core.periods import ONE_DAY, Period

_SHRINKING: Final = frozenset({ContractKind.CONTRACTION, ContractKind.CHURN})


class ContractRow(msgspec.Struct, frozen=True):
    account_id: int
    contract: Contract

    @property
    def identity(self) -> tuple[int, str]:
        return self.account_id, self.contract.contract_id


class ContractImport:
    """Without a column of its own, the currency is the account's on the first day of the contract."""

    name: ClassVar[str] = "contracts"
    account_column: ClassVar[str] = "account"
    required: ClassVar[Sequence[str]] = ("account", "id", "start", "amount", "period")
    optional: ClassVar[Sequence[str]] = ("end", "kind", "provider", "currency")
    takes_rest: ClassVar[bool] = False

    def read(self, fields: Fields, around: Surroundings, /) -> ContractRow:
        account = around.account(fields)
        start = fields.day("start", account.timezone)
        end = fields.optional_day("end", account.timezone, last=date.max)
        if end is not None and end < start:
            raise InvalidValueError(f"Column end ({end}) is before column start ({start}); the end is the day after.")
        kind, amount = fields.choice("kind", ContractKind, ContractKind.NEW), fields.amount("amount")
        if amount < 0 and kind not in _SHRINKING:
            raise InvalidValueError(f"Column amount is {amount}; only a contraction or churn may be below zero.")
        return ContractRow(
            account.account_id,
            Contract(
                contract_id=fields.text("id"),
                start=start,
                end=None if end is not None and end > LAST_DAY else end,  # 9999-12-31 is how many systems write "open"
                amount=amount,
                currency=checked_currency(fields.optional("currency") or account.currency_on(start)),
                period=fields.choice("period", BillingPeriod),
                kind=kind,
                provider=fields.optional("provider") or SUPPLIER,
            ),
        )

    def identity(self, value: ContractRow, /) -> tuple[int, str]:
        return value.identity

    async def store(self, tx: Transaction, values: Sequence[ContractRow], now: datetime, /) -> Stored:
        held = await _held(tx, values)
        outcomes = [outcome_of(held.get(value.identity), value.contract) for value in values]
        new = to_write(values, outcomes)
        if not new:
            return Stored(outcomes)
        await ensure_providers(tx, (value.contract.provider for value in new))
        await tx.execute(_UPSERT, [_columns(value, now) for value in new])
        await raise_revisions(tx, (value.account_id for value in new))
        return Stored(outcomes, [mark for value in new for mark in _marks(value, held.get(value.identity))])


_UPSERT: Final = upsert_into(contract)


def _columns(value: ContractRow, now: datetime) -> dict[str, Any]:
    one = value.contract
    return {
        "account_id": value.account_id,
        "contract_id": one.contract_id,
        "start_day": one.start,
        "end_day": one.end,
        "amount": one.amount,
        "currency": one.currency,
        "period": one.period.value,
        "kind": one.kind.value,
        "provider": one.provider,
        "known_at": now,
    }


async def _held(tx: Transaction, values: Sequence[ContractRow]) -> dict[tuple[int, str], Contract]:
    key = tuple_(contract.c.account_id, contract.c.contract_id)
    rows = await tx.rows(select(contract).where(key.in_([value.identity for value in values])))
    return {(row.account_id, row.contract_id): contract_of(row) for row in rows}


def _marks(value: ContractRow, before: Contract | None) -> list[Mark]:
    """The days on which the account paid, or pays now, something else."""
    spans = [Period(one.start, one.end or date.max) for one in (before, value.contract) if one is not None]
    return [
        Mark(value.account_id, Period(span.start, max(span.end, span.start + ONE_DAY)), "contract") for span in spans
    ]
