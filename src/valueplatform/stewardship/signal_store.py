"""Signals in the database: raised once, kept while they hold, settled when they no longer do."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from sqlalchemy import Row, text

from valueplatform.core.database import Transaction
from valueplatform.core.pages import Page, checked_limit
from valueplatform.narrative.document import Span
from valueplatform.narrative.insight import Standing
from valueplatform.stewardship.cursors import Position, cursor_of, position_in
from valueplatform.stewardship.signal import Act, Signal, SignalKind, Urgency
from valueplatform.stewardship.signals import Question

# When the record knows since when it holds, that is when it was raised; else when it was first found, or found again.
_KEEP: Final = text("""
    INSERT INTO signal (account_id, signal_id, kind, urgency, insight_id, unit, at_stake, body, raised_at)
    VALUES (:account, :id, :kind, :urgency, :insight_id, :unit, :at_stake, CAST(:body AS jsonb),
            coalesce(CAST(:since AS timestamptz), :now))
    ON CONFLICT (account_id, signal_id) DO UPDATE
    SET urgency = excluded.urgency, insight_id = excluded.insight_id, unit = excluded.unit,
        at_stake = excluded.at_stake, body = excluded.body, settled_at = NULL,
        raised_at = CASE WHEN signal.settled_at IS NULL AND CAST(:since AS timestamptz) IS NULL THEN signal.raised_at
                         ELSE excluded.raised_at END
    WHERE signal.settled_at IS NOT NULL
       OR (signal.urgency, signal.insight_id, signal.unit, signal.at_stake, signal.body)
          IS DISTINCT FROM (excluded.urgency, excluded.insight_id, excluded.unit, excluded.at_stake, excluded.body)
""")
_SETTLE: Final = text("""
    UPDATE signal SET settled_at = :now
     WHERE account_id = :account AND settled_at IS NULL AND signal_id <> ALL(CAST(:kept AS text[]))
""")
_OPEN: Final = """
    SELECT s.account_id, s.signal_id, a.key, a.name, s.unit, s.at_stake, s.body, s.raised_at
      FROM signal s JOIN account a ON a.account_id = s.account_id
     WHERE s.settled_at IS NULL
"""
_OF_ACCOUNT: Final = text(f"{_OPEN} AND s.account_id = :account ORDER BY s.urgency, s.at_stake DESC, s.raised_at")
_FIRST_PAGE: Final = text(f"{_OPEN} ORDER BY s.raised_at DESC, s.account_id DESC, s.signal_id DESC LIMIT :limit")
_NEXT_PAGE: Final = text(f"""{_OPEN}
       AND (s.raised_at, s.account_id, s.signal_id) < (CAST(:raised_at AS timestamptz), :after_account, :signal)
     ORDER BY s.raised_at DESC, s.account_id DESC, s.signal_id DESC LIMIT :limit
""")
_QUESTIONS: Final = text("""
    SELECT c.conversation_id, asked.author_name AS asked_by, asked.at AS since,
           (SELECT m.insight FROM message m
             WHERE m.account_id = c.account_id AND m.conversation_id = c.conversation_id AND m.insight IS NOT NULL
             ORDER BY m.message_id DESC LIMIT 1) AS insight
      FROM conversation c
      JOIN LATERAL (
           SELECT m.author_name, m.at FROM message m
            WHERE m.account_id = c.account_id AND m.conversation_id = c.conversation_id AND m.message_id > coalesce(
                  (SELECT max(s.message_id) FROM message s WHERE s.account_id = c.account_id
                      AND s.conversation_id = c.conversation_id AND s.side = 'supplier'), 0)
            ORDER BY m.message_id LIMIT 1) AS asked ON true
     WHERE c.account_id = :account AND c.waits_for = 'supplier'
     ORDER BY c.conversation_id
""")


class SignalItem(msgspec.Struct, frozen=True):
    """One item of `GET /api/v1/signals`. `at_stake` is in `unit`, the account's currency; it opens as number `number`
    of the insight, or of the suggestion that the act is about. `text` is `why` without its numbers marked."""

    id: str
    account: str
    account_name: str
    kind: SignalKind
    urgency: str
    at_stake: Decimal
    unit: str
    standing: Standing | None
    number: str | None
    insight_id: str | None
    text: str
    why: tuple[Span, ...]
    act: Act
    raised_at: datetime


class _Place(Position, frozen=True, array_like=True):
    raised_at: Annotated[datetime, msgspec.Meta(tz=True)]
    account_id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    signal_id: Annotated[str, msgspec.Meta(pattern=r"\Asig_[0-9a-f]{20}\Z")]


async def keep_signals(
    tx: Transaction, account_id: int, account_key: str, unit: str, found: Sequence[Signal], now: datetime
) -> None:
    """Make `found` the account's open signals. The caller holds the account's lock."""
    rows = [_row(account_id, account_key, unit, signal, now) for signal in found]
    if rows:
        await tx.execute(_KEEP, rows)
    await tx.execute(_SETTLE, {"account": account_id, "now": now, "kept": [row["id"] for row in rows]})


def _row(account_id: int, account_key: str, unit: str, signal: Signal, now: datetime) -> dict[str, Any]:
    return {
        "account": account_id,
        "id": signal.id(account_key),
        "kind": signal.kind.value,
        "urgency": int(signal.urgency),
        "insight_id": signal.insight_id,
        "unit": unit,
        "at_stake": signal.amount,
        "body": msgspec.json.encode(signal).decode(),
        "since": signal.since,
        "now": now,
    }


async def open_questions(tx: Transaction, account_id: int) -> tuple[Question, ...]:
    """Conversations of the account that wait for the supplier, the oldest first."""
    rows = await tx.rows(_QUESTIONS, {"account": account_id})
    return tuple(msgspec.convert(row._mapping, Question) for row in rows)  # noqa: SLF001 - public in SQLAlchemy


async def open_signals(tx: Transaction, account_id: int) -> tuple[SignalItem, ...]:
    """What calls in one account, the one that speaks for it first."""
    return tuple(_item(row) for row in await tx.rows(_OF_ACCOUNT, {"account": account_id}))


async def signals_page(tx: Transaction, *, limit: int, cursor: str | None = None) -> Page[SignalItem]:
    """Open signals of all accounts in scope, the latest raised first. Raises InvalidInputError for a limit or cursor
    that cannot be."""
    after = position_in(cursor, _Place)
    where: dict[str, object] = {"limit": checked_limit(limit) + 1}
    if after is None:
        rows = await tx.rows(_FIRST_PAGE, where)
    else:
        where |= {"raised_at": after.raised_at, "after_account": after.account_id, "signal": after.signal_id}
        rows = await tx.rows(_NEXT_PAGE, where)
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursor_of(_Place(last.raised_at, last.account_id, last.signal_id)) if last is not None else None
    return Page([_item(row) for row in rows[:limit]], following)


def _item(row: Row[Any]) -> SignalItem:
    signal = msgspec.convert(row.body, Signal)
    return SignalItem(
        id=row.signal_id,
        account=row.key,
        account_name=row.name,
        kind=signal.kind,
        urgency=urgency_word(signal.urgency),
        at_stake=row.at_stake,
        unit=row.unit,
        standing=signal.stake.standing if signal.stake else None,
        number=signal.stake.number if signal.stake else None,
        insight_id=signal.insight_id,
        text="".join(span.text for span in signal.why),
        why=signal.why,
        act=signal.act,
        raised_at=row.raised_at,
    )


def urgency_word(urgency: Urgency) -> str:
    return urgency.name.lower().replace("_", "-")
