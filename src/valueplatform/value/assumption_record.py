"""Writing and reading the record of assumptions, and who may say what (value rules 9 and 11)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import Row, func, insert, select

from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, ForbiddenError, NotFoundError, UnprocessableError
from valueplatform.telemetry.tables import changed_day
from valueplatform.value.assumptions import (
    EVER,
    STATING,
    Action,
    Default,
    Entry,
    Stated,
    statements,
    validation_takes_effect,
)
from valueplatform.value.ranges import Range
from valueplatform.value.tables import assumption_entry

LAST_DAY = date(9999, 12, 31)
MODEL = "value model"
"""The author of what the supplier's model states."""


class Author(msgspec.Struct, frozen=True):
    """Who speaks: an e-mail address or the name of a key, on one side. `validates` = named validator of the
    account on the customer's side."""

    name: str
    side: Side
    validates: bool = False


class Statement(msgspec.Struct, frozen=True):
    """A value that somebody states, from a day on; `conversation_id` is the conversation that it was stated in."""

    slug: str
    value: Range | None
    unit: str | None
    effective_from: date
    reason: str
    conversation_id: int | None = None


async def entries_of(tx: Transaction, account_id: int) -> dict[str, list[Entry]]:
    """The whole record of one account by slug, oldest first."""
    return (await entries_by_account(tx, [account_id])).get(account_id, {})


async def entries_by_account(tx: Transaction, account_ids: Sequence[int]) -> dict[int, dict[str, list[Entry]]]:
    """The whole records of accounts by slug, oldest first; an account without any is not among them."""
    query = (
        select(assumption_entry)
        .where(assumption_entry.c.account_id == func.any(list(account_ids)))
        .order_by(assumption_entry.c.account_id, assumption_entry.c.entry_id)
    )
    found: defaultdict[int, dict[str, list[Entry]]] = defaultdict(dict)
    for row in await tx.rows(query):
        found[row.account_id].setdefault(row.slug, []).append(_entry(row))
    return dict(found)


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    value = None if row.expected is None else Range(row.low, row.expected, row.high)
    return Entry(
        entry_id=row.entry_id,
        slug=row.slug,
        action=Action(row.action),
        answers=row.answers,
        value=value,
        unit=row.unit,
        effective_from=row.effective_from,
        author=row.author,
        side=Side(row.author_side),
        reason=row.reason,
        known_at=row.known_at,
    )


async def state_value(
    tx: Transaction, account_id: int, action: Action, statement: Statement, author: Author, now: datetime
) -> Entry:
    """Append an estimate (supplier only) or a proposal (either side).

    Raises UnprocessableError where low, expected and high are out of order, ForbiddenError for an estimate by
    the customer.
    """
    if action is Action.ESTIMATE and author.side is not Side.SUPPLIER:
        raise ForbiddenError("Only the supplier estimates; propose a value instead.")
    value = statement.value
    if value is None:
        raise UnprocessableError(f"{statement.slug}: an estimate or a proposal states a value.")
    if not value.low <= value.expected <= value.high:
        raise UnprocessableError(
            f"{statement.slug}: low ({value.low}), expected ({value.expected}) and high ({value.high}) must rise."
        )
    return await _append(tx, account_id, action, statement, None, author, now)


async def validate(
    tx: Transaction, account_id: int, entry_id: int, author: Author, now: datetime, today: date, reason: str = ""
) -> Entry:
    """Let a named validator on the customer's side accept an estimate or a proposal.

    Raises ForbiddenError where the author may not validate, or proposed the value; ConflictError where it is
    settled or withdrawn already.
    """
    standing = await _standing(tx, account_id, entry_id)
    target = standing.entry
    if standing.is_settled:
        raise ConflictError(f"Entry {entry_id} of {target.slug} is settled already; read the record again.")
    if author.side is not Side.CUSTOMER or not author.validates:
        raise ForbiddenError("Only a named validator on the customer's side may validate (value rule 9).")
    if target.author == author.name:
        raise ForbiddenError("Whoever proposed a value cannot validate it; ask another validator (value rule 9).")
    effective = validation_takes_effect(target, today)
    answer = Statement(target.slug, target.value, target.unit, effective, reason)
    entry = await _append(tx, account_id, Action.VALIDATE, answer, entry_id, author, now)
    if effective > target.effective_from:
        # Until now the proposal held, as proposed, on the days before as well.
        await _mark(tx, account_id, target.slug, target.effective_from)
    return entry


async def validate_stated(
    tx: Transaction, account_id: int, slug: str, stated: Default, author: Author, now: datetime, today: date
) -> Entry:
    """Let a validator accept what the supplier's model says: the default of an assumption or baseline, or a driver in
    its present version (`driver_statement`).

    What is accepted is written down first, as the supplier's estimate for all days, so that the record shows it.
    Raises ConflictError where the account has a statement of its own: validate that one.
    """
    await lock_account(tx, account_id)
    for held in statements((await entries_of(tx, account_id)).get(slug, ())):
        if held.entry.author != MODEL:
            raise ConflictError(
                f"{slug} has a value of this account's own; validate entry {held.entry.entry_id} instead."
            )
        if held.is_settled and held.entry.value == stated.value:
            raise ConflictError(f"{slug} is validated already, as the value model states it.")
    supplier = Author(name=MODEL, side=Side.SUPPLIER)
    statement = Statement(slug, stated.value, stated.unit, EVER, "What the value model says.")
    estimate = await state_value(tx, account_id, Action.ESTIMATE, statement, supplier, now)
    return await validate(tx, account_id, estimate.entry_id, author, now, today)


async def dispute(tx: Transaction, account_id: int, entry_id: int, author: Author, now: datetime, reason: str) -> Entry:
    """Put a stated value under review; both sides may. A reason is required, since the story tells it.

    Raises ConflictError where it is withdrawn, or under review already.
    """
    if not reason.strip():
        raise UnprocessableError("Say why the value is questioned: the reason is shown beside every number it touches.")
    standing = await _standing(tx, account_id, entry_id)
    if standing.dispute is not None:
        raise ConflictError(f"Entry {entry_id} of {standing.entry.slug} is under review already.")
    answer = Statement(standing.entry.slug, None, None, standing.entry.effective_from, reason)
    return await _append(tx, account_id, Action.DISPUTE, answer, entry_id, author, now)


async def withdraw(tx: Transaction, account_id: int, entry_id: int, author: Author, now: datetime) -> Entry:
    """Take back one's own side's proposal or dispute. What was validated cannot be taken back: dispute it.

    Raises ConflictError for anything else, ForbiddenError for the other side's.
    """
    await lock_account(tx, account_id)
    target = await _entry_by_id(tx, account_id, entry_id)
    if target.action not in {Action.PROPOSE, Action.DISPUTE}:
        raise ConflictError(f"A {target.action} cannot be withdrawn; dispute the value instead.")
    if target.side is not author.side:
        raise ForbiddenError("Only the side that proposed or disputed may withdraw it.")
    if target.action is Action.PROPOSE and (await _standing(tx, account_id, entry_id)).validation is not None:
        raise ConflictError("A validator has accepted this proposal, so it cannot be withdrawn; dispute it instead.")
    answer = Statement(target.slug, None, None, target.effective_from, "")
    return await _append(tx, account_id, Action.WITHDRAW, answer, entry_id, author, now)


async def _standing(tx: Transaction, account_id: int, entry_id: int) -> Stated:
    """The stated value that an answer is to refer to, under the account's lock, so that it cannot change meanwhile.

    Raises NotFoundError, and ConflictError where it states no value or was withdrawn.
    """
    await lock_account(tx, account_id)
    target = await _entry_by_id(tx, account_id, entry_id)
    if target.action not in STATING:
        raise ConflictError(f"Entry {entry_id} states no value, so it cannot be answered; name the proposal.")
    for standing in statements((await entries_of(tx, account_id))[target.slug]):
        if standing.entry.entry_id == entry_id:
            return standing
    raise ConflictError(f"Entry {entry_id} of {target.slug} was withdrawn.")


async def _entry_by_id(tx: Transaction, account_id: int, entry_id: int) -> Entry:
    row = await tx.row(
        select(assumption_entry).where(
            assumption_entry.c.account_id == account_id, assumption_entry.c.entry_id == entry_id
        )
    )
    if row is None:
        raise NotFoundError(f"There is no entry {entry_id} in this account's record.")
    return _entry(row)


async def _append(
    tx: Transaction,
    account_id: int,
    action: Action,
    statement: Statement,
    answers: int | None,
    author: Author,
    now: datetime,
) -> Entry:
    await lock_account(tx, account_id)
    value = statement.value
    row = await tx.row(
        insert(assumption_entry)
        .values(
            account_id=account_id,
            slug=statement.slug,
            action=action,
            answers=answers,
            low=value and value.low,
            expected=value and value.expected,
            high=value and value.high,
            unit=statement.unit,
            effective_from=statement.effective_from,
            author=author.name,
            author_side=author.side,
            reason=statement.reason,
            conversation_id=statement.conversation_id,
            known_at=now,
        )
        .returning(assumption_entry)
    )
    assert row is not None  # noqa: S101 - INSERT … RETURNING of one row
    await _mark(tx, account_id, statement.slug, statement.effective_from)
    return _entry(row)


async def _mark(tx: Transaction, account_id: int, slug: str, first: date) -> None:
    """What rests on `slug` may be worth something else from `first` on."""
    mark = {"account_id": account_id, "day": first, "through": LAST_DAY, "cause": f"assumption:{slug}"}
    await tx.execute(insert(changed_day).values(mark))
