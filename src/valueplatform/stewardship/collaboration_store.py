"""Prompts in the database: found by the worker with the signals, read by whoever is to speak, and what became of them.

That a prompt was shown, acted on or dismissed is appended, so that prompts can be judged. Whoever acted on a prompt, or
dismissed it, does not see it again for as long as the matter stays what it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Row, text

from valueplatform.core.authorization import Action, Principal, Side, may
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import local_day
from valueplatform.narrative.faithful import Admitted
from valueplatform.stewardship.collaboration import AboutKind, Collaboration
from valueplatform.stewardship.collaboration_ground import read_ground
from valueplatform.stewardship.collaboration_rules import collaborations
from valueplatform.stewardship.collaboration_words import CollaborationWords
from valueplatform.stewardship.conversations import CAUSE, require_reader
from valueplatform.stewardship.signal import Signal
from valueplatform.stewardship.signals import Situation

_KEEP: Final = text("""
    INSERT INTO collaboration (account_id, collaboration_id, matter, side, sender, place, body, raised_at)
    VALUES (:account, :id, :matter, :side, :sender, :place, CAST(:body AS jsonb), :now)
    ON CONFLICT (account_id, collaboration_id) DO UPDATE
    SET matter = excluded.matter, sender = excluded.sender, place = excluded.place, body = excluded.body,
        settled_at = NULL,
        raised_at = CASE WHEN collaboration.settled_at IS NULL AND collaboration.matter = excluded.matter
                         THEN collaboration.raised_at ELSE excluded.raised_at END
    WHERE collaboration.settled_at IS NOT NULL OR (collaboration.place, collaboration.body)
          IS DISTINCT FROM (excluded.place, excluded.body)
""")
_SETTLE: Final = text("""
    UPDATE collaboration SET settled_at = :now
     WHERE account_id = :account AND settled_at IS NULL AND collaboration_id <> ALL(CAST(:kept AS text[]))
""")
# People are looked up anew: a role that was taken away, or a steward who left, ends the prompt with the next read.
_OPEN: Final = """
    SELECT c.collaboration_id, c.matter, c.body, c.raised_at FROM collaboration c
     WHERE c.account_id = :account AND c.settled_at IS NULL
       AND NOT EXISTS (SELECT FROM collaboration_response r
                        WHERE r.account_id = c.account_id AND r.collaboration_id = c.collaboration_id
                          AND r.matter = c.matter AND r.response <> 'shown')
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(jsonb_build_array(c.body->'sender', c.body->'receiver')) AS p
                        WHERE CASE p->>'side' WHEN 'customer' THEN NOT EXISTS (
                              SELECT FROM person WHERE person.account_id = c.account_id
                                 AND person.email = p->>'email' AND person.role = p->>'role')
                              ELSE NOT EXISTS (
                              SELECT FROM app_user u WHERE u.email = p->>'email' AND u.disabled_at IS NULL) END)
"""
_FOR: Final = text(
    f"{_OPEN} AND c.side = :side AND (CAST(:sender AS text) IS NULL OR c.sender = :sender) ORDER BY c.place"
)
_ANSWERED: Final = text("""
    SELECT collaboration_id, matter FROM collaboration_response WHERE account_id = :account AND response <> 'shown'
""")
_RESPOND: Final = text("""
    INSERT INTO collaboration_response (account_id, collaboration_id, matter, response, author, conversation_id, at)
    VALUES (:account, :id, :matter, :response, :author, :conversation, :now)
    ON CONFLICT (account_id, collaboration_id, matter, response, author) DO NOTHING
""")
_CHANGED: Final = text("""
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT account_id, :today, :today, :cause FROM account WHERE account_id = :account
""")
_ZONE: Final = text("SELECT timezone FROM account WHERE account_id = :account")
# What the customer's newest stories tell in sentences, which alone can go with a message (`attachments`).
_TOLD: Final = text("""
    SELECT DISTINCT told #>> '{}' AS insight_id
      FROM (SELECT DISTINCT ON (audience) document FROM story
             WHERE account_id = :account AND audience IN ('customer', 'executive')
             ORDER BY audience, version DESC) AS newest,
           jsonb_path_query(document, '$.** ? (exists(@.numbers)).insight_id') AS told
""")


class Response(StrEnum):
    SHOWN = "shown"
    ACTED = "acted"
    DISMISSED = "dismissed"


class Prompted(msgspec.Struct, frozen=True):
    """A prompt that is open, with its id and since when it holds."""

    id: str
    prompt: Collaboration
    raised_at: datetime


async def refresh_collaborations(
    tx: Transaction,
    account_id: int,
    given: Situation,
    admitted: Mapping[str, Admitted],
    found: Sequence[Signal],
) -> list[Prompted]:
    """Make what there is to talk about now the account's prompts, and settle the others. Those of the supplier's side
    that nobody has answered, the most at stake first. The caller holds the account's lock; stories are saved."""
    now = given.facts.now
    ground = await read_ground(tx, account_id, given, found)
    told = {row.insight_id for row in await tx.rows(_TOLD, {"account": account_id})}
    words = CollaborationWords()
    spoken = [words.worded(one, ground, admitted) for one in collaborations(ground)]
    prompts = [msgspec.structs.replace(p, attached=p.insight_id in told) for p in spoken if p is not None]
    rows = [_row(account_id, given.facts.key, place, prompt, now) for place, prompt in enumerate(prompts)]
    if rows:
        await tx.execute(_KEEP, rows)
    await tx.execute(_SETTLE, {"account": account_id, "now": now, "kept": [row["id"] for row in rows]})
    answered = {(r.collaboration_id, r.matter) for r in await tx.rows(_ANSWERED, {"account": account_id})}
    open_ones = [Prompted(p.id(given.facts.key), p, now) for p in prompts if p.side is Side.SUPPLIER]
    return [one for one in open_ones if (one.id, one.prompt.matter) not in answered]


def _row(account_id: int, key: str, place: int, prompt: Collaboration, now: datetime) -> dict[str, Any]:
    return {
        "account": account_id,
        "id": prompt.id(key),
        "matter": prompt.matter,
        "side": prompt.side.value,
        "sender": prompt.sender.email,
        "place": place,
        "body": msgspec.json.encode(prompt).decode(),
        "now": now,
    }


async def collaborations_for(tx: Transaction, account_id: int, reader: Principal) -> tuple[Prompted, ...]:
    """What the reader is prompted to talk about, the most at stake first: a customer's person their own, the supplier's
    people those of the account's steward. Raises ForbiddenError for partners, and whoever may not read conversations.
    """
    require_reader(reader)
    speaks = may(reader, Action.ASK if reader.side is Side.CUSTOMER else Action.ANSWER)
    if not tx.scope.covers(account_id) or not speaks:
        return ()
    sender = reader.author if reader.side is Side.CUSTOMER else None
    rows = await tx.rows(_FOR, {"account": account_id, "side": reader.side.value, "sender": sender})
    return tuple(_prompted(row) for row in rows)


async def collaboration_for(tx: Transaction, account_id: int, reader: Principal, collaboration_id: str) -> Prompted:
    """One of them. Raises as `collaborations_for`, and NotFoundError for one that the reader has not (any more)."""
    for one in await collaborations_for(tx, account_id, reader):
        if one.id == collaboration_id:
            return one
    raise NotFoundError("There is no such prompt for you any more.")


def _prompted(row: Row[Any]) -> Prompted:
    return Prompted(row.collaboration_id, msgspec.convert(row.body, Collaboration), row.raised_at)


async def show(tx: Transaction, account_id: int, reader: Principal, shown: Iterable[Prompted], now: datetime) -> None:
    """Note that the reader saw these; once a person and matter."""
    rows = [_response(account_id, one, reader, Response.SHOWN, now) for one in shown]
    if rows:
        await tx.execute(_RESPOND, rows)


async def respond(
    tx: Transaction,
    account_id: int,
    reader: Principal,
    prompted: Prompted,
    response: Response,
    now: datetime,
    *,
    conversation_id: int | None = None,
) -> None:
    """The prompt was acted on, or dismissed; saying so again changes nothing. The worker tells the portfolio."""
    row = _response(account_id, prompted, reader, response, now)
    await tx.execute(_RESPOND, row | {"conversation": conversation_id})
    await look_anew(tx, account_id, now)


async def look_anew(tx: Transaction, account_id: int, now: datetime) -> None:
    """Have the worker look at what there is to talk about: somebody has asked, answered or proposed."""
    zone = await tx.scalar(_ZONE, {"account": account_id})
    await tx.execute(_CHANGED, {"account": account_id, "today": local_day(now, zone), "cause": CAUSE})


def _response(account_id: int, one: Prompted, reader: Principal, response: Response, now: datetime) -> dict[str, Any]:
    return {
        "account": account_id,
        "id": one.id,
        "matter": one.prompt.matter,
        "response": response.value,
        "author": reader.author,
        "conversation": None,
        "now": now,
    }


def talk_about(prompt: Collaboration) -> dict[str, str]:
    """What a conversation that the prompt begins is opened about."""
    about = {"insight": prompt.insight_id} if prompt.attached and prompt.insight_id else {}
    if prompt.about.kind is AboutKind.ASSUMPTION and not prompt.about.id.startswith("driver:"):
        about["assumption"] = prompt.about.id
    if prompt.about.kind is AboutKind.SUGGESTION:
        about["suggestion"] = prompt.about.id
    return about
