"""Suggestions: next best value, and what was decided about it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import PathParameter

from valueplatform.api.calling import AccountKey, Caller, Gate, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, WRITES, answers
from valueplatform.api.given import text_of
from valueplatform.api.once import Sending, Sent, once
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, scope_of
from valueplatform.narrative.advice_read import read_advice, take_decision
from valueplatform.narrative.grade_view import GradesView, read_grades
from valueplatform.narrative.next_best_store import Decision
from valueplatform.narrative.next_best_view import SuggestionView

SuggestionId = Annotated[str, PathParameter(description="As the list names it.")]

_SUGGESTION: Final = {
    "id": "sug_0c1d2e3f4a5b6c7d8e9f",
    "rank": 1,
    "state": "open",
    "what": "Start to use Same-day invoicing.",
    "feature": "same-day-invoicing",
    "title": "Same-day invoicing",
    "product": "Core",
    "unit": "USD",
    "expected": "8400.0000",
    "interval": {"low": "2100.0000", "high": "15200.0000", "coverage": "0.9"},
    "net": True,
    "pricing": "included",
    "costs": [],
    "ground": "effect",
    "reason": "12 of 20 accounts in mid-market use it.",
    "numbers": [{"name": "users", "value": "12", "unit": "account"}],
    "standing": "predicted",
    "used_until": None,
    "suggested_at": "2026-03-31T14:00:00Z",
    "decided_at": None,
}
_ADVICE: Final = {"account": "harbor-logistics", "items": [_SUGGESTION], "next_cursor": None, "empty": None}
_GRADES: Final = {
    "account": "harbor-logistics",
    "grades": [
        {
            "suggestion": "sug_0c1d2e3f4a5b6c7d8e9f",
            "feature": "same-day-invoicing",
            "title": "Same-day invoicing",
            "horizon_days": 90,
            "version": 1,
            "outcome": "measured",
            "verdict": "Landed inside",
            "says": "In the 90 days from 1 Oct 2025 it went with $1,320 more than 12 comparable accounts suggest.",
            "start": "2025-10-01",
            "end": "2025-12-30",
            "unit": "USD",
            "expected": "1495.8904",
            "interval": {"low": "373.9726", "high": "2706.8493"},
            "range": {"low": "101.2200", "high": "3054.1180"},
            "realized": "1320.0000",
            "without": "41220.5000",
            "within": True,
            "compared": 12,
            "decided_at": "2025-09-20T14:00:00Z",
            "graded_at": "2026-01-03T02:00:00Z",
        }
    ],
    "calibration": [
        {
            "horizon_days": None,
            "graded": 14,
            "accounts": 11,
            "within": 11,
            "bias": "-0.0800",
            "says": "11 of 14 graded suggestions landed inside what was predicted.",
        }
    ],
}
_DECIDED: Final = answers(SuggestionView, {**_SUGGESTION, "state": "accepted"}, *WRITES)


class AdviceOut(msgspec.Struct, frozen=True):
    """Suggestions, open ones first, best first. `empty` is a sentence where nothing is open."""

    account: str
    items: Sequence[SuggestionView]
    next_cursor: str | None
    empty: str | None


class SuggestionsController(Controller):
    path = "/api/v1/accounts/{key:str}/suggestions"
    tags = ("Suggestions",)

    @get(summary="What is suggested, best first", responses=answers(AdviceOut, _ADVICE, *READS))
    async def suggestions(
        self, caller: Caller, gate: OpenGate, key: AccountKey, limit: Limit = SHORT, cursor: Cursor = None
    ) -> AdviceOut:
        """With the value to expect in 12 months, its interval, the reason and the state; where nothing is open, `empty`
        says why. A partner is shown the features that its own drivers draw on, without the reckoning."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_SUGGESTIONS)
            advice = await read_advice(tx, account, gate.clock(), provider=partner_of(caller))
        page = page_after(advice.suggestions, limit, cursor, lambda one: one.id)
        return AdviceOut(account.key, page.items, page.next_cursor, advice.empty)

    @get("/grades", summary="What became of accepted suggestions", responses=answers(GradesView, _GRADES, *READS))
    async def grades(self, caller: Caller, gate: OpenGate, key: AccountKey) -> GradesView:
        """30, 90 and 365 days after the first use: predicted against realized, by comparable accounts that went without
        the step. `calibration` says how predictions turned out over all accounts."""
        async with gate.web.transaction(scope_of(caller)) as tx:
            account = await open_account(tx, caller, key, Action.READ_SUGGESTIONS)
            return await read_grades(tx, account, provider=partner_of(caller))

    @post("/{suggestion_id:str}/accept", summary="Accept a suggestion", status_code=200, responses=_DECIDED)
    async def accept(
        self, sending: Sent, gate: OpenGate, key: AccountKey, suggestion_id: SuggestionId
    ) -> Response[SuggestionView]:
        """The numbers that it was accepted with are kept, to be graded by."""
        return await _decide(sending, gate, key, suggestion_id, Decision.ACCEPT)

    @post("/{suggestion_id:str}/dismiss", summary="Dismiss a suggestion", status_code=200, responses=_DECIDED)
    async def dismiss(
        self, sending: Sent, gate: OpenGate, key: AccountKey, suggestion_id: SuggestionId
    ) -> Response[SuggestionView]:
        """It does not come back for 90 days."""
        return await _decide(sending, gate, key, suggestion_id, Decision.DISMISS)

    @post("/{suggestion_id:str}/done", summary="Say that a suggestion is done", status_code=200, responses=_DECIDED)
    async def done(
        self, sending: Sent, gate: OpenGate, key: AccountKey, suggestion_id: SuggestionId
    ) -> Response[SuggestionView]:
        return await _decide(sending, gate, key, suggestion_id, Decision.DONE)


async def _decide(
    sending: Sending, gate: Gate, key: str, suggestion_id: str, decision: Decision
) -> Response[SuggestionView]:
    """Taking the same decision again changes nothing."""
    caller, wanted = sending.caller, text_of(suggestion_id, "id")
    async with gate.web.transaction(scope_of(caller)) as tx:
        account = await open_account(tx, caller, key, Action.DECIDE_SUGGESTIONS)

        async def write() -> Any:
            return await take_decision(
                tx, account, wanted, decision, by=caller.author, now=gate.clock(), provider=partner_of(caller)
            )

        return await once(tx, sending, gate.clock, write, status=200)
