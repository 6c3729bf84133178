"""Findings as they are stored: opened, kept up to date, and ended when they were looked for again and are gone."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.telemetry.quality import Found

ALL_ACCOUNTS: Final = 0
"""Of all accounts together, or of no account that could be told."""

_OPEN: Final = text("""
    INSERT INTO quality_finding AS held (account_id, what, place, stated, recomputed, found_at, severity, source,
                                         since_day, through_day, numbers, types)
    VALUES (:account, :what, :place, :usual, :seen, :now, :severity, :source, :since, :through,
            CAST(:numbers AS jsonb), CAST(:types AS text[]))
    ON CONFLICT (account_id, what, place) WHERE ended_at IS NULL DO UPDATE SET
        stated = excluded.stated, recomputed = excluded.recomputed, severity = excluded.severity,
        since_day = excluded.since_day, through_day = excluded.through_day, numbers = excluded.numbers,
        types = excluded.types
""")
_END: Final = text("""
    UPDATE quality_finding SET ended_at = :now
    WHERE account_id = :account AND ended_at IS NULL AND what = ANY(CAST(:looked AS text[]))
      AND (CAST(:at AS text[]) IS NULL OR place = ANY(CAST(:at AS text[])))
      AND (what, place) NOT IN (SELECT * FROM unnest(CAST(:whats AS text[]), CAST(:places AS text[])))
""")
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


async def keep_findings(
    tx: Transaction,
    account_id: int,
    found: Collection[Found],
    now: datetime,
    *,
    looked: Iterable[str],
    at: Iterable[str] | None = None,
) -> None:
    """Make `found` the open findings of the kinds that were `looked` for; `at`: only at these places."""
    for one in found:
        values = {
            "what": one.what,
            "place": one.place,
            "usual": one.usual,
            "seen": one.seen,
            "severity": one.severity,
            "source": one.source,
            "since": one.since,
            "through": one.through,
            "numbers": _ENCODER.encode(one.numbers).decode(),
            "types": list(one.types),
        }
        await tx.execute(_OPEN, {"account": account_id, "now": now, **values})
    told = {"whats": [one.what for one in found], "places": [one.place for one in found]}
    where = {"looked": list(looked), "at": None if at is None else list(at)}
    await tx.execute(_END, {"account": account_id, "now": now, **where, **told})
