"""An insight attached to a message: its sentence and numbers as they stood, kept for good (A21).

Only what the customer's own stories tell may be attached, since both sides read the message.
"""

from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.document import Sentence

STORIES_LOOKED_AT: Final = 50
"""A page that was open for a while may show an insight that the newest story no longer tells."""

# The newest story that tells the insight, the customer's wording before the executive's, and the version of the
# insight that held when that story was composed. A note in the margin carries the id too, but no numbers.
_TOLD = text("""
    SELECT told.sentence,
           (SELECT max(i.version) FROM insight i
             WHERE i.account_id = :account AND i.insight_id = :insight AND i.since <= told.composed_at) AS version
      FROM (SELECT audience, version, composed_at,
                   jsonb_path_query_first(document, '$.** ? (@.insight_id == $id && exists(@.numbers))',
                                          jsonb_build_object('id', CAST(:insight AS text))) AS sentence
              FROM (SELECT audience, version, composed_at, document FROM story
                     WHERE account_id = :account AND audience IN ('customer', 'executive')
                     ORDER BY version DESC LIMIT :stories) AS late) AS told
     WHERE told.sentence IS NOT NULL
     ORDER BY told.version DESC, told.audience LIMIT 1
""")


class Attached(msgspec.Struct, frozen=True):
    """`version` is the insight's, so that what it said then can be opened beside what it says now."""

    version: int
    sentence: Sentence


async def attached(tx: Transaction, account_id: int, insight_id: str) -> Attached:
    """The insight as the account's story tells it. Raises NotFoundError where no story of late does."""
    where = {"account": account_id, "insight": insight_id, "stories": STORIES_LOOKED_AT}
    row = None if "\0" in insight_id else await tx.row(_TOLD, where)
    if row is None or row.version is None:
        raise NotFoundError(f"The story has no sentence {insight_id!r} to attach; open the story again.")
    return Attached(row.version, msgspec.convert(row.sentence, Sentence))
