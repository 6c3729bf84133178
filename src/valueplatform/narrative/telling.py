"""From amounts to the story: insights found, re-derived by other code, admitted, composed, kept (flow 2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience, Language, StoryDocument
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import Admitted, admit, rederive
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights import discover
from valueplatform.narrative.insights.located import located
from valueplatform.narrative.member_cuts import read_cuts
from valueplatform.narrative.next_best_store import refresh_suggestions
from valueplatform.narrative.rewording.store import read_rewordings, want
from valueplatform.narrative.store import Telling, save_insights, save_stories
from valueplatform.narrative.story import compose
from valueplatform.narrative.wording import wording_in

AUDIENCES = (Audience.CUSTOMER, Audience.STEWARD, Audience.EXECUTIVE)
"""Stories that are kept; a partner's is composed when it is read, from its own rows."""

TRANSLATED: tuple[Language, ...] = tuple(one for one in Language if one is not Language.ENGLISH)
"""Told beside English, from the same insights: numbers, ids and order are the same."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told, and what it was told from. `changed` holds the version of each story that a reader would see
    change."""

    facts: AccountFacts
    admitted: Sequence[Admitted]
    documents: Mapping[Audience, StoryDocument]
    changed: Mapping[Audience, int]


Also = Callable[[AccountFacts], Sequence[Insight]]
"""Further insights that a room above finds in the same facts; they are re-derived and kept like all others."""


async def discover_admitted(
    tx: Transaction, account_id: int, facts: AccountFacts, also: Also | None = None
) -> list[Admitted]:
    """The insights whose numbers re-compute; the others are left out, and logged."""
    found = [*discover(facts), *(also(facts) if also else ())]
    found += located(facts, found, await read_cuts(tx, account_id, facts, found))
    admitted, refused = admit(found, await rederive(tx, account_id, found))
    for refusal in refused:
        _log.error("insight withheld", account=facts.key, insight=refusal.id, reasons=refusal.reasons)
    return admitted


async def tell(
    tx: Transaction, account_id: int, now: datetime, also: Also | None = None, *, reworded: bool = False
) -> Told:
    """Tell the account's stories as they are now, with the rewordings that hold where they are asked for. The caller
    holds the account's lock."""
    facts = await gather(tx, account_id, now)
    admitted = await discover_admitted(tx, account_id, facts, also)
    await save_insights(tx, account_id, admitted, now)
    await refresh_suggestions(tx, account_id, now)
    rewordings = await read_rewordings(tx, account_id, _private(facts)) if reworded else None
    documents = {audience: compose(facts, admitted, audience, rewordings=rewordings) for audience in AUDIENCES}
    if rewordings is not None:
        await want(tx, account_id, rewordings.wanted, now)
    tellings = [
        Telling(document, {tongue: compose(facts, admitted, audience, wording_in(tongue)) for tongue in TRANSLATED})
        for audience, document in documents.items()
    ]
    saved = zip(documents, await save_stories(tx, account_id, tellings, now), strict=True)
    changed = {audience: kept.version for audience, kept in saved if kept.is_changed}
    return Told(facts, admitted, documents, changed)


def _private(facts: AccountFacts) -> frozenset[str]:
    """Names of people, which never leave the program for a language model."""
    stated = {name for given in facts.inputs for name in (given.author, given.validated_by, given.disputed_by)}
    proposed = {proposal.author for given in facts.inputs for proposal in given.proposals}
    known = {person.name for person in facts.people} | stated | proposed | {facts.steward}
    return frozenset(name for name in known if name)
