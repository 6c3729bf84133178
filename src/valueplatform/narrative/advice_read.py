"""Suggestions as somebody may read and decide them: all of an account's, or a partner's own (value rules 17 and 19)."""

from datetime import datetime
from typing import Final

import msgspec

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.next_best_store import Advice, Decision, State, advice_of, decide, suggestions_of
from valueplatform.narrative.next_best_view import AdviceView, SuggestionView, advice_view, suggestion_view
from valueplatform.narrative.next_best_words import SuggestionWords
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model

_WORDS: Final = SuggestionWords()


async def read_advice(tx: Transaction, account: Account, now: datetime, *, provider: str | None = None) -> AdviceView:
    """What is suggested to the account, best first, and what became of it. A partner is shown the features that its own
    drivers draw on; how a value was reckoned from the account's whole year is not told to it."""
    advice = await advice_of(tx, account.account_id, now)
    if provider is None:
        return advice_view(account.key, advice, _WORDS)
    own = features_of(await newest_model(tx), provider)
    stored = tuple(one for one in advice.suggestions if one.suggestion.feature in own)
    is_open = any(one.state is State.OPEN for one in stored)
    view = advice_view(account.key, Advice(stored, None if is_open else advice.empty), _WORDS)
    return msgspec.structs.replace(view, suggestions=tuple(_without_reckoning(one) for one in view.suggestions))


async def take_decision(
    tx: Transaction,
    account: Account,
    suggestion_id: str,
    decision: Decision,
    *,
    by: str,
    now: datetime,
    provider: str | None = None,
) -> SuggestionView:
    """Decide on a suggestion that the caller is shown. Raises NotFoundError, and ConflictError where its state does not
    allow it."""
    if provider is not None:
        own = features_of(await newest_model(tx), provider)
        found = await suggestions_of(tx, account.account_id)
        if not any(one.suggestion.id == suggestion_id and one.suggestion.feature in own for one in found):
            raise NotFoundError(f"There is no suggestion {suggestion_id!r}.")
    decided = await decide(tx, account.account_id, suggestion_id, decision, by=by, now=now)
    view = suggestion_view(decided, _WORDS)
    return view if provider is None else _without_reckoning(view)


def features_of(model: ValueModel, provider: str) -> set[str]:
    """The features that the provider's own drivers draw on."""
    return {feature for driver in model.drivers if driver.provider == provider for feature in driver.features}


def _without_reckoning(view: SuggestionView) -> SuggestionView:
    return msgspec.structs.replace(view, reason="", numbers=())
