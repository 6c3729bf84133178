"""What people say of types that are not sent yet: what it takes to send them, and which they would like to have.

Both are append-only, with author and time; of each type (and property) the newest entry holds.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError

LONGEST_TYPE: Final = 200
LONGEST_NAME: Final = 200
LONGEST_REASON: Final = 1000
MOST_WISHES: Final = 500
"""Wishes that stand at one time: a list that people read."""

_EFFORTS: Final = text("""
    SELECT DISTINCT ON (type, path) type, path, effort, reason, author, at FROM catalog_effort
    ORDER BY type, path, entry_id DESC
""")
_EFFORT: Final = text("""
    SELECT effort, reason, author, at FROM catalog_effort
    WHERE type = :type AND path = :path ORDER BY entry_id DESC LIMIT 1
""")
_SAY: Final = text("""
    INSERT INTO catalog_effort (type, path, effort, reason, author, at)
    VALUES (:type, :path, :effort, :reason, :author, :now)
""")
_WISHES: Final = text("""
    SELECT * FROM (
        SELECT DISTINCT ON (type) type, name, why, effort, withdrawn, author, at FROM catalog_wish
        ORDER BY type, entry_id DESC
    ) newest WHERE NOT withdrawn ORDER BY type LIMIT :most
""")
_WISH: Final = text("""
    INSERT INTO catalog_wish (type, name, why, effort, withdrawn, author, at)
    VALUES (:type, :name, :why, :effort, :withdrawn, :author, :now)
""")


class Size(StrEnum):
    """How much work it is."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Said(msgspec.Struct, frozen=True):
    """What a person says it takes."""

    size: Size
    reason: str
    set_by: str
    set_at: datetime


class Wish(msgspec.Struct, frozen=True):
    """A type that somebody would like to have sent, and why."""

    type: str
    name: str
    why: str
    effort: Size
    set_by: str
    set_at: datetime


async def efforts(tx: Transaction) -> dict[tuple[str, str], Said]:
    """By type and path ('' = the type); what was taken back is absent."""
    rows = await tx.rows(_EFFORTS)
    return {(row.type, row.path): Said(Size(row.effort), row.reason, row.author, row.at) for row in rows if row.effort}


async def set_effort(
    tx: Transaction, place: tuple[str, str], effort: Size | None, reason: str, *, author: str, now: datetime
) -> Said | None:
    """Say what it takes to send a type, or a property of it; None takes it back. The same again changes nothing.

    `place` is type and path, of something that could be sent. Raises InvalidInputError.
    """
    reason = _text("reason", reason, LONGEST_REASON)
    kind, path = place
    row = await tx.row(_EFFORT, {"type": kind, "path": path})
    held = Said(Size(row.effort), row.reason, row.author, row.at) if row is not None and row.effort else None
    if effort is None and held is None:
        return None
    if held is not None and effort is held.size and reason == held.reason:
        return held
    values = {"type": kind, "path": path, "effort": effort.value if effort else "", "reason": reason}
    await tx.execute(_SAY, {**values, "author": author, "now": now})
    return Said(effort, reason, author, now) if effort else None


async def wishes(tx: Transaction) -> Sequence[Wish]:
    """Those that stand, by type."""
    return [
        Wish(row.type, row.name, row.why, Size(row.effort), row.author, row.at)
        for row in await tx.rows(_WISHES, {"most": MOST_WISHES})
    ]


async def set_wish(tx: Transaction, wish: Wish) -> Wish:
    """Wish for a type, or correct a wish. The same again changes nothing.

    Raises InvalidInputError; ConflictError where too many wishes stand.
    """
    kind, name = _text("type", wish.type, LONGEST_TYPE), _text("name", wish.name, LONGEST_NAME)
    why = _text("why", wish.why, LONGEST_REASON)
    for field, value in (("type", kind), ("name", name), ("why", why)):
        if not value:
            raise InvalidInputError(f"`{field}` is empty; a wish says which event type, how to call it, and why.")
    wish = Wish(kind, name, why, wish.effort, wish.set_by, wish.set_at)
    standing = {one.type: one for one in await wishes(tx)}
    held = standing.get(kind)
    if held is not None and (held.name, held.why, held.effort) == (name, why, wish.effort):
        return held
    if held is None and len(standing) >= MOST_WISHES:
        raise ConflictError(f"{MOST_WISHES} wishes stand already; take one back first.")
    await _keep_wish(tx, wish, withdrawn=False)
    return wish


async def withdraw_wish(tx: Transaction, event_type: str, *, author: str, now: datetime) -> None:
    """Take a wish back; it stays on record. Raises NotFoundError."""
    held = next((one for one in await wishes(tx) if one.type == event_type), None)
    if held is None:
        raise NotFoundError(f"Nobody wishes for {event_type!r}; GET /api/v1/catalog/gaps lists the wishes.")
    await _keep_wish(tx, msgspec.structs.replace(held, set_by=author, set_at=now), withdrawn=True)


async def _keep_wish(tx: Transaction, wish: Wish, *, withdrawn: bool) -> None:
    values = {"type": wish.type, "name": wish.name, "why": wish.why, "effort": wish.effort.value}
    await tx.execute(_WISH, {**values, "withdrawn": withdrawn, "author": wish.set_by, "now": wish.set_at})


def _text(field: str, value: str, longest: int) -> str:
    value = value.strip()
    if "\0" in value or len(value) > longest:
        raise InvalidInputError(f"`{field}` must be text of at most {longest} characters, without zero bytes.")
    return value
