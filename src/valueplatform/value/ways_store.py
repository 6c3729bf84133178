"""How long accounts took from step to step, in the database: written whole by the worker; figures name no account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.ways import Days, Ways

_NEWEST: Final = text("SELECT run, as_of, document::text AS document FROM way_run ORDER BY run DESC LIMIT 1")
_BEGIN: Final = text("""
    INSERT INTO way_run (as_of, document) VALUES (:as_of, CAST(:document AS jsonb)) RETURNING run
""")
_PUT: Final = text("""
    INSERT INTO way_days (account_id, run, scope, step, segment, halves)
    SELECT account_id, :run, scope, step, segment, halves FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (account_id bigint, scope text, step text, segment text, halves bigint)
""")
_FORGET: Final = (
    text("DELETE FROM way_days WHERE run < :run"),
    text("DELETE FROM way_run WHERE run < :run"),
)


class StoredWays(msgspec.Struct, frozen=True):
    run: int
    as_of: datetime
    ways: Ways


async def newest_ways(tx: Transaction) -> StoredWays | None:
    """None before the first run."""
    row = await tx.row(_NEWEST)
    if row is None:
        return None
    return StoredWays(row.run, row.as_of, msgspec.json.decode(row.document, type=Ways))


async def put_ways(tx: Transaction, ways: Ways, days: Sequence[Days], as_of: datetime) -> None:
    """A run with its rows, in place of those before; days are kept in halves, which a median of whole days may be."""
    document = msgspec.json.encode(ways).decode()
    run = int(await tx.scalar(_BEGIN, {"as_of": as_of, "document": document}))
    rows = [
        {
            "account_id": one.account_id,
            "scope": one.scope,
            "step": one.step,
            "segment": one.segment,
            "halves": int(one.days * 2),
        }
        for one in days
    ]
    await tx.execute(_PUT, {"run": run, "rows": msgspec.json.encode(rows).decode()})
    for statement in _FORGET:
        await tx.execute(statement, {"run": run})
