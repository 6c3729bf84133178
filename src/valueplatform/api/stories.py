"""The story of an account, and the proof of each of its numbers."""

from datetime import date
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, PathParameter, QueryParameter

from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.api.given import text_of
from valueplatform.api.proof_view import proof_for_partner
from valueplatform.core.authorization import Action, KeyPrincipal, Side, may, require, scope_of
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, UnprocessableError
from valueplatform.narrative.document import Audience, Language, Status
from valueplatform.narrative.insight import Strength
from valueplatform.narrative.proofs import Proof, StoredInsight, prove_insight, read_insight
from valueplatform.narrative.story_read import partner_insight, read_story
from valueplatform.value.answer import Amount
from valueplatform.value.models import newest_model


class PeriodOut(msgspec.Struct, frozen=True):
    """`to` is the day after the last."""

    start: date = msgspec.field(name="from")
    end: date = msgspec.field(name="to")


class NumberOut(msgspec.Struct, frozen=True):
    """`value` is exact, `text` as the sentence words it; `state` is the weakest thing beneath it."""

    name: str | None
    value: Amount | None
    unit: str | None
    state: str | None
    text: str


class InsightOut(msgspec.Struct, frozen=True):
    id: str
    kind: str
    text: str
    numbers: list[NumberOut]
    strength: Strength
    period: PeriodOut


class NoteOut(msgspec.Struct, frozen=True):
    """What stands in the margin; `beside` is the insight that it stands next to."""

    id: str
    kind: str
    title: str
    text: str
    beside: str


class ChapterOut(msgspec.Struct, frozen=True):
    id: str
    title: str
    period: PeriodOut
    status: Status | None
    meta: str
    insights: list[InsightOut]
    notes: list[NoteOut]


class StepOut(msgspec.Struct, frozen=True):
    """What to do next. `act` is its code ("nothing": nothing is to be done), `insight` what it follows from, if any."""

    act: str
    text: str
    insight: str | None


class StoryOut(msgspec.Struct, frozen=True):
    """A story. `version` rises when something worth telling changed; 0: composed for this read. `reason` says why the
    status is what it is."""

    account: str
    version: int
    audience: Audience
    language: Language
    composed_at: str | None
    period: PeriodOut
    headline: str
    headline_insight: InsightOut
    lead: list[InsightOut]
    status: Status
    reason: str
    chapters: list[ChapterOut]
    next: StepOut | None


_PERIOD: Final = {"from": "2026-01-01", "to": "2026-04-01"}
_INSIGHT: Final = {
    "id": "ins_0c1d2e3f4a5b6c7d8e9f",
    "kind": "attainment",
    "text": "You are ahead of plan: $10,342 realized against $10,000 committed.",
    "numbers": [
        {"name": "realized", "value": "10342.5000", "unit": "USD", "state": "validated", "text": "$10,342"},
        {"name": "committed", "value": "10000.0000", "unit": "USD", "state": "validated", "text": "$10,000"},
    ],
    "strength": "strong",
    "period": _PERIOD,
}
_STORY: Final = {
    "account": "harbor-logistics",
    "version": 12,
    "audience": "customer",
    "language": "en",
    "composed_at": "2026-03-31T14:00:00+00:00",
    "period": _PERIOD,
    "headline": _INSIGHT["text"],
    "headline_insight": _INSIGHT,
    "lead": [],
    "status": "ahead",
    "reason": "What is realized lies above what was committed.",
    "chapters": [
        {
            "id": "dispatch-without-waiting",
            "title": "Dispatch without waiting",
            "period": _PERIOD,
            "status": "ahead",
            "meta": "",
            "insights": [_INSIGHT],
            "notes": [],
        }
    ],
    "next": {"act": "nothing", "text": "Nothing here waits for you.", "insight": None},
}
_READERS: Final = {
    Side.CUSTOMER: (Audience.CUSTOMER, Audience.EXECUTIVE),
    Side.SUPPLIER: tuple(Audience),
    Side.PARTNER: (Audience.PARTNER,),
}
"""Whose stories each side may read; the first is what it reads unasked."""


class StoriesController(Controller):
    path = "/api/v1"
    tags = ("Story",)

    @get(
        "/accounts/{key:str}/story",
        summary="The story as it stands",
        responses=answers(StoryOut, _STORY, *READS, 422),
    )
    async def story(
        self,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        audience: Annotated[
            Audience | None, QueryParameter(description="Without it, the customer's; for a partner's key, its own.")
        ] = None,
        lang: Annotated[
            Language, QueryParameter(description="In which language sentences are worded; numbers are the same.")
        ] = Language.ENGLISH,
    ) -> dict[str, Any]:
        """Chapters of insights, by objective and driver. A partner's story is made of its own rows. Titles and names
        are as the record has them, in any language."""
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_STORY)
            whose, provider = readable(caller, audience), caller.provider
            read = await read_story(tx, account, whose, gate.clock(), provider=provider, language=lang)
        return read.json

    @get(
        "/insights/{insight_id:str}/proof",
        summary="One number opened",
        responses=answers(Proof, None, *READS, 422),
    )
    async def proof(
        self,
        caller: Caller,
        gate: OpenGate,
        insight_id: Annotated[str, PathParameter(description="As the story names it.")],
        number: Annotated[
            str | None, QueryParameter(description="Which of its numbers; without it, the first.")
        ] = None,
        cursor: FromQuery[str | None] = None,
    ) -> dict[str, Any]:
        """Formula, baselines and assumptions with who validated them, meters and events; every number of the insight
        recomputed from raw events, just now, by code apart from that which stated it. An insight that holds no longer
        can be opened all the same. A partner opens insights of its own story."""
        require(caller, Action.READ_STORY)
        wanted = text_of(insight_id, "id")
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            stored = await _insight(tx, caller, gate, wanted)
            if not stored.insight.numbers:
                raise UnprocessableError(f"Insight {wanted} states no number, so there is none to prove.")
            proof = await prove_insight(
                tx, stored, number=number, cursor=cursor, shows_subjects=may(caller, Action.READ_EVENTS)
            )
            if partner_of(caller) is None:
                shown: dict[str, Any] = msgspec.to_builtins(proof)
                return shown
            return proof_for_partner(proof, await newest_model(tx))


async def _insight(tx: Transaction, caller: KeyPrincipal, gate: OpenGate, insight_id: str) -> StoredInsight:
    provider = partner_of(caller)
    if provider is None:
        return await read_insight(tx, insight_id)
    return await partner_insight(tx, insight_id, provider, gate.clock())


def readable(caller: KeyPrincipal, audience: Audience | None) -> Audience:
    """The audience whose story the caller reads. Raises ForbiddenError."""
    allowed = _READERS[caller.side]
    if audience is not None and audience not in allowed:
        raise ForbiddenError(f"This key reads the story for {', '.join(allowed)}, not for {audience}.")
    return audience or allowed[0]
