"""A number of a partner's own story, opened for the partner: the sentence, what its number is, and the same from raw
events. Who said what, and single events, are not for partners (value rule 19)."""

from decimal import Decimal

from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.document import Audience, Sentence
from valueplatform.narrative.proofs import StoredInsight, prove_insight
from valueplatform.narrative.story_read import partner_insight, read_story
from valueplatform.portal.calling import Caller, Place, shared_place
from valueplatform.portal.exact import short_text
from valueplatform.portal.party_proof import back, verdict
from valueplatform.portal.sentences import spans_view
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words

_METHOD = "It rests on your own rows and your agreed part of what is joint, each day's by the formula of its driver."


async def open_own_insight(caller: Caller, insight_id: str, name: str | None) -> tuple[Place, view.Proof]:
    """Raises NotFoundError for an insight that rests on rows of others."""
    caller.require(Action.READ_STORY)
    provider = caller.user.provider or ""
    stored = await partner_insight(caller.tx, insight_id, provider, caller.now)
    account = await account_by_id(caller.tx, stored.account_id)
    place = await shared_place(caller, account.key, Action.READ_VALUE)
    proof = await prove_insight(caller.tx, stored, number=name)
    told = await _told(caller, place, stored, provider)
    again = Decimal(proof.recomputed) if proof.recomputed[:1].isdigit() or proof.recomputed[:1] == "-" else None
    stated = Decimal(proof.stated)
    if proof.agrees:
        again = stated
    return place, view.Proof(
        ref=f"{insight_id}?number={proof.number}",
        number=short_text(stored.insight.number(proof.number).value, proof.unit),
        sentence=words.Sentence(insight_id, told.kind, spans_view(told.spans, insight_id, proof.number)),
        verdict=await verdict(place, caller, stated, again, proof.unit),
        back=back(place, provider),
        method=_METHOD,
    )


async def _told(caller: Caller, place: Place, stored: StoredInsight, provider: str) -> Sentence:
    """The sentence of its story. Raises NotFoundError where none tells it."""
    story = await read_story(caller.tx, place.account, Audience.PARTNER, caller.now, provider=provider)
    document = story.document
    told = (document.headline, *document.lead, *(one for chapter in document.chapters for one in chapter.insights))
    found = next((one for one in told if one.insight_id == stored.insight_id), None)
    if found is None:
        raise NotFoundError(f"There is no insight {stored.insight_id}.")
    return found
