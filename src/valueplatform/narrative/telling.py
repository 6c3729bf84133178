"""From amounts to the story: insights found, re-derived by other code, admitted, composed, kept (flow 2)."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import Admitted, admit, rederive
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.insights import discover
from valueplatform.narrative.next_best_store import refresh_suggestions
from valueplatform.narrative.store import save_insights, save_story
from valueplatform.narrative.story import compose

AUDIENCES = (Audience.CUSTOMER, Audience.STEWARD, Audience.EXECUTIVE)
"""Stories that are kept; a partner's is composed when it is read, from its own rows."""

_log = structlog.get_logger(__name__)


async def discover_admitted(tx: Transaction, account_id: int, facts: AccountFacts) -> list[Admitted]:
    """The insights whose numbers re-compute; the others are left out, and logged."""
    found = discover(facts)
    admitted, refused = admit(found, await rederive(tx, account_id, found))
    for refusal in refused:
        _log.error("insight withheld", account=facts.key, insight=refusal.id, reasons=refusal.reasons)
    return admitted


async def tell(tx: Transaction, account_id: int, now: datetime) -> Mapping[Audience, int]:
    """Tell the account's stories as they are now; the version of each that a reader would see change.

    The caller holds the account's lock.
    """
    facts = await gather(tx, account_id, now)
    admitted = await discover_admitted(tx, account_id, facts)
    await save_insights(tx, account_id, admitted, now)
    await refresh_suggestions(tx, account_id, now)
    versions = {}
    for audience in AUDIENCES:
        saved = await save_story(tx, account_id, compose(facts, admitted, audience), now)
        if saved.is_changed:
            versions[audience] = saved.version
    return versions
