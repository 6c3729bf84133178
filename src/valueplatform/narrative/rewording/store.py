"""Drafts that wait for a language model, and what it answered: kept once an account and draft."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.rewording.draft import Rewordings, draft_id

FORGOTTEN_AFTER: Final = timedelta(days=90)
"""Drafts name days, so that most are told for a while and never again; one still in use is asked for anew."""
ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)
"""A worker that took a draft and died leaves it to others after this."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(days=1)
MOST_TRIES: Final = 8

_ANSWERS: Final = text("SELECT draft, answer, state FROM rewording WHERE account_id = :account")
_WANT: Final = text("""
    INSERT INTO rewording (account_id, draft_id, draft, state, due_at, tries)
    VALUES (:account, :draft_id, :draft, 'wanted', :now, 0) ON CONFLICT DO NOTHING
""")
_TAKE: Final = text("""
    UPDATE rewording SET due_at = :again, tries = tries + 1
    WHERE (account_id, draft_id) IN (
        SELECT account_id, draft_id FROM rewording WHERE state = 'wanted' AND due_at <= :now
        ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    RETURNING account_id, draft_id, draft, tries
""")
_ANSWER: Final = text("""
    UPDATE rewording SET state = :state, answer = :answer, reason = :reason, model = :model, due_at = :due
    WHERE account_id = :account AND draft_id = :draft_id AND state = 'wanted'
""")
_FORGET: Final = text("DELETE FROM rewording WHERE due_at < :before")


class Wanted(msgspec.Struct, frozen=True):
    account_id: int
    draft_id: str
    draft: str
    tries: int


async def read_rewordings(tx: Transaction, account_id: int, private: AbstractSet[str]) -> Rewordings:
    """`answers` hold what was accepted; drafts that wait, or whose answer was refused, answer with themselves."""
    rows = await tx.rows(_ANSWERS, {"account": account_id})
    answers = {row.draft: row.answer if row.state == "accepted" else row.draft for row in rows}
    return Rewordings(answers, private)


async def want(tx: Transaction, account_id: int, drafts: Iterable[str], now: datetime) -> None:
    rows = [
        {"account": account_id, "draft_id": draft_id(draft), "draft": draft, "now": now} for draft in sorted(drafts)
    ]
    if rows:
        await tx.execute(_WANT, rows)


async def take(tx: Transaction, now: datetime, most: int) -> Sequence[Wanted]:
    """Drafts to be asked now; nobody else takes them for a while."""
    rows = await tx.rows(_TAKE, {"now": now, "again": now + ASKED_AGAIN_AFTER, "most": most})
    return [Wanted(row.account_id, row.draft_id, row.draft, row.tries) for row in rows]


async def keep_answer(
    tx: Transaction, wanted: Wanted, answer: str, refused: Sequence[str], model: str, now: datetime
) -> None:
    """Keep what was answered, and why it may not be told where it may not."""
    await tx.execute(
        _ANSWER,
        _row(wanted, model, now)
        | {"state": "refused" if refused else "accepted", "answer": answer, "reason": "; ".join(refused) or None},
    )


async def keep_failure(tx: Transaction, wanted: Wanted, reason: str, model: str, now: datetime) -> None:
    """It is asked again, later each time; after some tries it stays in our own words."""
    given_up = wanted.tries >= MOST_TRIES
    pause = min(FIRST_PAUSE * 2 ** (wanted.tries - 1), LONGEST_PAUSE)
    state = {"state": "refused" if given_up else "wanted", "answer": None, "reason": reason}
    await tx.execute(_ANSWER, _row(wanted, model, now if given_up else now + pause) | state)


async def forget_old(tx: Transaction, now: datetime) -> None:
    await tx.execute(_FORGET, {"before": now - FORGOTTEN_AFTER})


def _row(wanted: Wanted, model: str, due: datetime) -> dict[str, object]:
    return {"account": wanted.account_id, "draft_id": wanted.draft_id, "model": model, "due": due}
