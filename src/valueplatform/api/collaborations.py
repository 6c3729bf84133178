"""Next best collaboration: who should talk to whom, about what, by when and why now."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import PathParameter

from valueplatform.api.calling import AccountKey, Caller, OpenGate, open_account
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import text_of
from valueplatform.api.once import Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, Side, scope_of
from valueplatform.narrative.document import Span
from valueplatform.stewardship.collaboration import About, DueRule, Occasion, Party
from valueplatform.stewardship.collaboration_store import (
    Prompted,
    collaboration_for,
    collaborations_for,
    respond,
)
from valueplatform.stewardship.collaboration_store import Response as Answer
from valueplatform.stewardship.signal import Stake

PromptId = Annotated[str, PathParameter(description="As the list names it.")]
_ANA: Final = {"name": "Ana Brandt", "email": "ana@harbor.example", "role": "validator", "side": "customer"}
_MAYA: Final = {"name": "Maya Okafor", "email": "maya@fieldnote.example", "role": "steward", "side": "supplier"}
_PROMPT: Final = {
    "id": "col_0c1d2e3f4a5b6c7d8e9f",
    "occasion": "validation",
    "side": "supplier",
    "sender": _MAYA,
    "receiver": _ANA,
    "about": {"kind": "assumption", "id": "hourly_cost"},
    "insight_id": "ins_5b0c4d1e2f3a6b7c8d9e",
    "title": "Ask Ana Brandt to validate the hourly cost",
    "due": "2026-04-09",
    "due_rule": "before-the-month-closes",
    "text": "Hourly cost is estimated at $40 per hour; $354K rests on it.",
    "why": [{"text": "Hourly cost is estimated at $40 per hour; $354K rests on it."}],
    "stake": {
        "amount": "354000.0000",
        "unit": "USD",
        "standing": "estimated",
        "number": "carried",
        "insight_id": "ins_5b0c4d1e2f3a6b7c8d9e",
    },
    "draft": "Hello Ana Brandt,\n\nCould you look at the hourly cost and validate it by 9 Apr 2026?",
    "draft_spans": [{"text": "Hello Ana Brandt,"}],
    "raised_at": "2026-03-31T14:00:00Z",
}


class CollaborationOut(msgspec.Struct, frozen=True):
    """A prompt for `sender` to talk to `receiver`. `due` follows from `due_rule`; `stake` is one number of one insight
    or suggestion; `text` and `draft` are `why` and `draft_spans` without their numbers marked. Nothing is sent by
    itself."""

    id: str
    occasion: Occasion
    side: Side
    sender: Party
    receiver: Party
    about: About
    insight_id: str | None
    title: str
    due: date
    due_rule: DueRule
    text: str
    why: tuple[Span, ...]
    stake: Stake | None
    draft: str
    draft_spans: tuple[Span, ...]
    raised_at: datetime


class CollaborationsOut(msgspec.Struct, frozen=True):
    account: str
    items: Sequence[CollaborationOut]
    next_cursor: str | None


class CollaborationsController(Controller):
    path = "/api/v1/accounts/{key:str}/collaborations"
    tags = ("Stewardship",)

    @get(
        summary="Whom to talk to next, and about what",
        responses=answers(
            CollaborationsOut, {"account": "harbor-logistics", "items": [_PROMPT], "next_cursor": None}, *READS
        ),
    )
    async def collaborations(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> CollaborationsOut:
        """The most at stake first. A customer's person is given their own prompts, the supplier those of the account's
        steward. What was acted on or dismissed is left out until the matter changes."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_CONVERSATIONS)
            found = await collaborations_for(tx, account.account_id, caller)
        page = page_after(found, limit, cursor, lambda one: one.id)
        return CollaborationsOut(account.key, [_out(one) for one in page.items], page.next_cursor)

    @post(
        "/{collaboration_id:str}/dismiss",
        summary="Set a prompt aside",
        status_code=200,
        responses=answers(CollaborationOut, _PROMPT, *WRITES),
    )
    async def dismiss(
        self, sending: Sent, gate: OpenGate, key: AccountKey, collaboration_id: PromptId
    ) -> Response[CollaborationOut]:
        """It stays away until the matter changes."""
        caller, wanted = sending.caller, text_of(collaboration_id, "id")
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_CONVERSATIONS)

            async def write() -> Any:
                now = gate.clock()
                prompted = await collaboration_for(tx, account.account_id, caller, wanted)
                await respond(tx, account.account_id, caller, prompted, Answer.DISMISSED, now)
                return _out(prompted)

            return await once(tx, sending, gate.clock, write, status=200)


def _out(prompted: Prompted) -> CollaborationOut:
    given = prompted.prompt
    return CollaborationOut(
        id=prompted.id,
        occasion=given.occasion,
        side=given.side,
        sender=given.sender,
        receiver=given.receiver,
        about=given.about,
        insight_id=given.insight_id,
        title=given.title,
        due=given.due,
        due_rule=given.rule,
        text="".join(span.text for span in given.why),
        why=given.why,
        stake=given.stake,
        draft="".join(span.text for span in given.draft),
        draft_spans=given.draft,
        raised_at=prompted.raised_at,
    )
