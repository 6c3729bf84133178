"""What a story has new since a version that somebody saw: one definition for pages, notices, digests and the API."""

from collections.abc import Sequence

import msgspec

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience, Language
from valueplatform.narrative.since import SinceLine, since
from valueplatform.narrative.store import StoredStory, newest_story, story_version


class News(msgspec.Struct, frozen=True):
    """`lines` is empty where nothing worth a line changed; `stored` is the newest version."""

    stored: StoredStory
    lines: tuple[SinceLine, ...]


async def lines_since(
    tx: Transaction, account_id: int, audience: Audience, seen: int, newest: StoredStory
) -> Sequence[SinceLine]:
    """What `newest` tells that the version `seen` did not, in the language of `newest`. Of version 0, before
    the first, all that leads the story."""
    if seen >= newest.version:
        return ()
    if seen <= 0:
        document = newest.document
        return tuple(SinceLine(s.text, s.insight_id) for s in (document.headline, *document.lead))
    old = await story_version(tx, account_id, audience, seen, newest.document.language)
    return () if old is None else since(old.document, newest.document)


async def news_since(
    tx: Transaction, account_id: int, audience: Audience, seen: int, language: Language = Language.ENGLISH
) -> News | None:
    """None before the first story."""
    newest = await newest_story(tx, account_id, audience, language)
    if newest is None:
        return None
    return News(newest, tuple(await lines_since(tx, account_id, audience, seen, newest)))
