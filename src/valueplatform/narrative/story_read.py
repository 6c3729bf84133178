"""The story as somebody may read it: the one that is kept, or a partner's, composed from its own rows as it is read."""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError, UnprocessableError
from valueplatform.narrative.document import Audience, Language, StoryDocument
from valueplatform.narrative.facts import for_provider
from valueplatform.narrative.forms import story_json
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.proofs import StoredInsight
from valueplatform.narrative.store import newest_story
from valueplatform.narrative.story import NothingToTellError, compose
from valueplatform.narrative.telling import AUDIENCES, discover_admitted
from valueplatform.narrative.wording import wording_in

COMPOSED_NOW: Final = 0
"""The version of a story that is not kept."""

MOST_ACCOUNTS: Final = 50
"""Among so many shared accounts an insight of a partner is looked for."""

# The account of a kept insight of the same id first: kind, subject and period are often the same for both.
_SHARED: Final = text("""
    SELECT a.account_id FROM account a
    WHERE EXISTS (SELECT FROM accrual c WHERE c.account_id = a.account_id AND c.provider = :provider)
       OR EXISTS (SELECT FROM split_entry s WHERE s.account_id = a.account_id AND s.provider = :provider)
    ORDER BY EXISTS (SELECT FROM insight i WHERE i.account_id = a.account_id AND i.insight_id = :insight) DESC,
             a.account_id
    LIMIT :most
""")


class StoryRead(msgspec.Struct, frozen=True):
    """A story to be shown. `version` COMPOSED_NOW: made for this read."""

    account: str
    version: int
    document: StoryDocument

    @property
    def json(self) -> dict[str, Any]:
        """The contract's form."""
        return story_json(self.account, self.version, self.document)


async def read_story(
    tx: Transaction,
    account: Account,
    audience: Audience,
    now: datetime,
    *,
    provider: str | None = None,
    language: Language = Language.ENGLISH,
) -> StoryRead:
    """The account's story for an audience; `provider` is whose rows a partner's is made of.

    Before the worker has told the account's first story, one is composed from what there is. Raises NoModelError before
    a value model is applied.
    """
    stored = await newest_story(tx, account.account_id, audience, language) if audience in AUDIENCES else None
    if stored is not None:
        return StoryRead(account.key, stored.version, stored.document)
    facts = await gather(tx, account.account_id, now)
    if audience is Audience.PARTNER and provider is not None:
        facts = for_provider(facts, provider)
    try:
        admitted = await discover_admitted(tx, account.account_id, facts)
        document = compose(facts, admitted, audience, wording_in(language))
    except NothingToTellError as error:
        raise UnprocessableError(
            f"There is nothing to tell of {account.key!r} yet that its record bears out."
        ) from error
    return StoryRead(account.key, COMPOSED_NOW, document)


async def partner_insight(tx: Transaction, insight_id: str, provider: str, now: datetime) -> StoredInsight:
    """An insight of a partner's own story in one of the accounts in scope, as it holds now.

    Raises NotFoundError, also for an insight that rests on rows of others.
    """
    for row in await tx.rows(_SHARED, {"provider": provider, "insight": insight_id, "most": MOST_ACCOUNTS}):
        facts = for_provider(await gather(tx, row.account_id, now), provider)
        for admitted in await discover_admitted(tx, row.account_id, facts):
            if admitted.id == insight_id:
                return StoredInsight(row.account_id, insight_id, COMPOSED_NOW, admitted.insight, holds=True)
    raise NotFoundError(f"There is no insight {insight_id}.")
