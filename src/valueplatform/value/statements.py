"""Value statements: what was realized, counted and committed in a period as both sides knew it, frozen and signed.

A statement holds the value read of whole days, by month and driver, as known at the end of a day that is over; nothing
that is posted later changes that read (value rule 12), and the statement keeps its own copy and the digest of it. Both
sides sign that digest. Statements are never changed; what was wrong is stated again.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import insert, select

from valueplatform.accounts.accounts import Account
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, NotFoundError, UnprocessableError
from valueplatform.core.periods import ONE_DAY, Period, Window, local_day
from valueplatform.value.answer import value_answer
from valueplatform.value.assumption_record import Author
from valueplatform.value.reading import Question, read_value
from valueplatform.value.tables import statement_signature, value_statement

GROUPS: Final = ("driver", "provider")
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class Signature(msgspec.Struct, frozen=True):
    side: Side
    signer: str
    signed_at: datetime


class Statement(msgspec.Struct, frozen=True):
    """`document` is the value read as text, `digest` its SHA-256; `as_of` the local day by whose end it was known."""

    statement_id: str
    period: Period
    as_of: date
    title: str
    author: str
    made_at: datetime
    digest: str
    document: str
    signatures: tuple[Signature, ...] = ()

    @property
    def is_signed(self) -> bool:
        """By both sides."""
        return {one.side for one in self.signatures} >= {Side.CUSTOMER, Side.SUPPLIER}

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.document)
        return found


def digest_of(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


async def document_of(tx: Transaction, account: Account, period: Period, as_of: date, now: datetime) -> str:
    """The read that a statement freezes. Raises NoModelError."""
    question = Question(period.start, period.end, as_of, Window.MONTH, GROUPS, shows_paid=False)
    return _ENCODER.encode(value_answer(await read_value(tx, account, question, now))).decode()


async def make_statement(
    tx: Transaction, account: Account, statement_id: str, title: str, period: Period, author: Author, now: datetime
) -> Statement:
    """Freeze a period as it was known by the end of yesterday. Raises ConflictError where the id is taken,
    UnprocessableError for days that are not over."""
    await lock_account(tx, account.account_id)
    as_of = local_day(now, account.timezone) - ONE_DAY
    if period.end > as_of + ONE_DAY:
        raise UnprocessableError(f"A statement is of days that are over; ask for days up to {as_of}.")
    if any(one.statement_id == statement_id for one in await statements_of(tx, account.account_id)):
        raise ConflictError(f"There is a statement {statement_id!r} already; statements stay as they are.")
    document = await document_of(tx, account, period, as_of, now)
    await tx.execute(
        insert(value_statement).values(
            account_id=account.account_id,
            statement_id=statement_id,
            period_from=period.start,
            period_to=period.end,
            as_of=as_of,
            title=title,
            author=author.name,
            made_at=now,
            digest=digest_of(document),
            document=document,
        )
    )
    return await statement_of(tx, account.account_id, statement_id)


async def sign_statement(
    tx: Transaction, account_id: int, statement_id: str, digest: str, author: Author, now: datetime
) -> Statement:
    """One side signs what it read; signing again changes nothing. Raises NotFoundError, and ConflictError where the
    digest is another."""
    await lock_account(tx, account_id)
    statement = await statement_of(tx, account_id, statement_id)
    if digest != statement.digest:
        raise ConflictError(f"What was read is not statement {statement_id!r}; read it again before you sign.")
    if author.side in {one.side for one in statement.signatures}:
        return statement
    await tx.execute(
        insert(statement_signature).values(
            account_id=account_id,
            statement_id=statement_id,
            side=author.side.value,
            digest=digest,
            signer=author.name,
            signed_at=now,
        )
    )
    return await statement_of(tx, account_id, statement_id)


async def statement_of(tx: Transaction, account_id: int, statement_id: str) -> Statement:
    """Raises NotFoundError."""
    for one in await statements_of(tx, account_id):
        if one.statement_id == statement_id:
            return one
    raise NotFoundError(f"There is no statement {statement_id!r}.")


async def statements_of(tx: Transaction, account_id: int) -> Sequence[Statement]:
    """By period, then id."""
    held = value_statement.c
    query = select(value_statement).where(held.account_id == account_id).order_by(held.period_from, held.statement_id)
    signed = statement_signature.c
    rows = await tx.rows(select(statement_signature).where(signed.account_id == account_id).order_by(signed.signed_at))
    return [
        Statement(
            statement_id=row.statement_id,
            period=Period(row.period_from, row.period_to),
            as_of=row.as_of,
            title=row.title,
            author=row.author,
            made_at=row.made_at,
            digest=row.digest,
            document=row.document,
            signatures=tuple(
                Signature(Side(one.side), one.signer, one.signed_at)
                for one in rows
                if (one.statement_id, one.digest) == (row.statement_id, row.digest)
            ),
        )
        for row in await tx.rows(query)
    ]
