"""Reading a story with everything that stands around it on the page: a few indexed queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.accounts.stewards import steward_of
from valueplatform.core.authorization import Action
from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience
from valueplatform.narrative.grades import grades_of
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.news import lines_since
from valueplatform.narrative.next_best_store import State, StoredSuggestion, newest_tracks, suggestions_of
from valueplatform.narrative.since import SinceLine
from valueplatform.narrative.store import StoredStory, newest_story
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.collaborations import prompt_view, prompts_for
from valueplatform.portal.languages import ENGLISH, Wanted, language_for
from valueplatform.portal.story_view import Told, mark_of
from valueplatform.portal.view.conversation import Prompt
from valueplatform.portal.visits import Before, Reader, note_visit

_MARK: Final = text("""
    SELECT version, composed_at FROM story WHERE account_id = :account AND audience = 'customer'
    ORDER BY version DESC LIMIT 1
""")
_AROUND: Final = text("""
    SELECT classes.insight_id, classes.body::text AS body,
           ARRAY(SELECT month FROM closed_month WHERE account_id = :account AND month >= :since) AS closed
      FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
           SELECT insight_id, body FROM insight
            WHERE account_id = :account AND until IS NULL AND kind = 'benefit-classes' LIMIT 1) AS classes ON true
""")
_CHANGED: Final = text("""
    SELECT insight_id, since FROM insight
    WHERE account_id = :account AND until IS NULL AND insight_id = ANY(:ids)
""")


async def story_mark(tx: Transaction, account_id: int) -> str | None:
    """Names the state of the customer's story; None before the first."""
    row = await tx.row(_MARK, {"account": account_id})
    return None if row is None else mark_of(row.version, row.composed_at)


async def read_told(
    caller: Caller,
    place: Place,
    public_url: str,
    last_event: datetime | None,
    *,
    aside: str | None = None,
    wanted: Wanted = ENGLISH,
) -> Told | None:
    """The customer's story; None before the first is composed. The visit is noted.

    `last_event` is when the newest event happened. `aside` names a suggestion that was just set aside, so that this can
    be undone.
    """
    tx, account_id = caller.tx, place.account.account_id
    stored = await newest_story(tx, account_id, Audience.CUSTOMER, await language_for(caller, wanted))
    if stored is None:
        return None
    # The supplier's people are told of news by notices alone: the page is the customer's own.
    visited = await note_visit(tx, Reader(account_id, caller.user.user_id), stored.version, caller.now)
    before = visited if place.is_own else None
    lines = await _since(tx, account_id, before, stored)
    around = await _around(tx, account_id, stored.document.period_from)
    stored_suggestions = await suggestions_of(tx, account_id)
    return Told(
        place=place,
        stored=stored,
        now=caller.now,
        public_url=public_url,
        steward=await steward_of(tx, account_id),
        closed=around.closed,
        classes=around.classes,
        before=before,
        since=lines,
        changed=await _changed(tx, account_id, lines),
        suggestion=_chosen(stored_suggestions, aside),
        accepted=stored_suggestions,
        grades=await grades_of(tx, account_id) if stored_suggestions else (),
        tracks=await newest_tracks(tx) if stored_suggestions else (),
        asks=place.is_own and caller.may(Action.ASK),
        decides=place.is_own and caller.may(Action.DECIDE_SUGGESTIONS),
        partners=caller.may(Action.READ_CONSENTS),
        last_event=last_event,
        talk=await _talk(caller, place),
        asked=wanted.asked,
    )


async def _talk(caller: Caller, place: Place) -> Prompt | None:
    """The one conversation that the reader should have next; the supplier's people have theirs in the margin."""
    found = await prompts_for(caller, place, 1) if place.is_own else ()
    return prompt_view(caller, place, found[0], "story") if found else None


async def _since(tx: Transaction, account_id: int, before: Before | None, stored: StoredStory) -> Sequence[SinceLine]:
    return () if before is None else await lines_since(tx, account_id, Audience.CUSTOMER, before.version, stored)


async def _changed(tx: Transaction, account_id: int, lines: Sequence[SinceLine]) -> Mapping[str, datetime]:
    if not lines:
        return {}
    ids = [line.insight_id for line in lines]
    return {row.insight_id: row.since for row in await tx.rows(_CHANGED, {"account": account_id, "ids": ids})}


@dataclass(frozen=True, slots=True)
class _Around:
    closed: frozenset[date]
    classes: tuple[str, Insight] | None


async def _around(tx: Transaction, account_id: int, start: date) -> _Around:
    """The months of the story that are closed, and what its total is made of."""
    row = await tx.row(_AROUND, {"account": account_id, "since": start.replace(day=1)})
    if row is None:
        return _Around(frozenset(), None)
    told = None if row.body is None else (row.insight_id, msgspec.json.decode(row.body, type=Insight))
    return _Around(frozenset(row.closed), told)


def _chosen(found: Sequence[StoredSuggestion], aside: str | None) -> StoredSuggestion | None:
    chosen = next((s for s in found if s.suggestion.id == aside and s.state is State.DISMISSED), None)
    return chosen or next((s for s in found if s.state is State.OPEN), None)
