"""Bad news, as the story first told it: what the steward is told at once, and what a hold may be placed on.

News is bad where an insight says so (`favorable` False) and a sentence or note of the customer's stories tells it. It
is told once: what ends and comes back within a week is the same news.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience, StoryDocument
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.since import told
from valueplatform.narrative.story import sentences_in

FOR_CUSTOMERS: Final = (Audience.CUSTOMER, Audience.EXECUTIVE)
SAME_AGAIN: Final = timedelta(days=7)

_OPEN: Final = text("""
    SELECT insight_id, told_at, text FROM bad_news
    WHERE account_id = :account AND over_at IS NULL AND told_at > :since ORDER BY told_at, position
""")
_OVER: Final = text("""
    UPDATE bad_news SET over_at = :now WHERE account_id = :account AND over_at IS NULL
       AND insight_id <> ALL(CAST(:holding AS text[]))
""")
_AGAIN: Final = text("""
    UPDATE bad_news SET over_at = NULL WHERE account_id = :account AND over_at > :since
       AND insight_id = ANY(CAST(:told AS text[])) RETURNING insight_id
""")
_KNOWN: Final = text("SELECT insight_id FROM bad_news WHERE account_id = :account AND over_at IS NULL")
_ADD: Final = text("""
    INSERT INTO bad_news (account_id, insight_id, told_at, position, text)
    VALUES (:account, :insight_id, :now, :position, :text)
""")
_EVER: Final = datetime.min.replace(tzinfo=UTC)


class BadNews(msgspec.Struct, frozen=True):
    """One piece that still holds; `text` is the sentence as it was first told."""

    insight_id: str
    told_at: datetime
    text: str


async def note_bad_news(
    tx: Transaction,
    account_id: int,
    admitted: Sequence[Admitted],
    documents: Mapping[Audience, StoryDocument],
    now: datetime,
) -> tuple[BadNews, ...]:
    """Keep what bad news is told now; what of it was not told before. The caller holds the account's lock."""
    bad = {one.id for one in admitted if one.insight.favorable is False}
    sentences: dict[str, str] = {}  # in reading order, worded as the customer's story words it
    for insight_id, said in (said for document in _customers(documents) for said in _said(document)):
        if insight_id in bad:
            sentences.setdefault(insight_id, said)
    await tx.execute(_OVER, {"account": account_id, "holding": sorted(bad), "now": now})
    again = {"account": account_id, "told": sorted(sentences), "since": now - SAME_AGAIN}
    await tx.rows(_AGAIN, again)
    known = {row.insight_id for row in await tx.rows(_KNOWN, {"account": account_id})}
    new = tuple(BadNews(i, now, said) for i, said in sentences.items() if i not in known)
    if new:
        rows = [{"insight_id": n.insight_id, "text": n.text, "position": place} for place, n in enumerate(new)]
        await tx.execute(_ADD, [{"account": account_id, "now": now, **row} for row in rows])
    return new


def _customers(documents: Mapping[Audience, StoryDocument]) -> Iterable[StoryDocument]:
    return (documents[audience] for audience in FOR_CUSTOMERS if audience in documents)


def _said(document: StoryDocument) -> Iterator[tuple[str, str]]:
    """Ids and first sentences of all that the story tells, margin notes last."""
    for sentence in told(document):
        yield sentence.insight_id, sentences_in(sentence.text)[0]
    for chapter in document.chapters:
        for note in chapter.notes:
            yield note.insight_id, sentences_in("".join(span.text for span in note.spans))[0]


async def open_bad_news(tx: Transaction, account_id: int, since: datetime = _EVER) -> tuple[BadNews, ...]:
    """What still holds and was first told after `since`: oldest first, then as the story reads."""
    rows = await tx.rows(_OPEN, {"account": account_id, "since": since})
    return tuple(BadNews(row.insight_id, row.told_at, row.text) for row in rows)
