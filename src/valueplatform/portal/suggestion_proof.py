"""A suggestion's number, opened: how it is predicted, from what, and what the same method gives when run again."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import text

from valueplatform.core.authorization import Action
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.narrative.document import Span
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best import ReasonNumber, Situation, Suggestion, suggest
from valueplatform.narrative.next_best_data import read_situation
from valueplatform.narrative.next_best_store import newest_fit, suggestions_of
from valueplatform.narrative.next_best_words import SuggestionWords
from valueplatform.portal.calling import Caller, Place, place_of_account
from valueplatform.portal.exact import exact_text, moment_text, short_text
from valueplatform.portal.grade_proof import PREFIX, open_grade
from valueplatform.portal.sentences import spans_view
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words
from valueplatform.value.models import newest_model

METHOD: Final = (
    "Accounts that began to use it are compared with themselves before, as a share of their own value, and with "
    "accounts without it in the same months. What comes out is applied to this account's own value of a year, less "
    "what the feature costs. Nine of ten such accounts are expected inside the interval."
)
LABELS: Final[Mapping[str, str]] = {
    "users": "Accounts that use it",
    "accounts": "Accounts that may use it",
    "top_using": "Of the top, use it",
    "top": "Accounts at the top",
    "rest_using": "Of the others, use it",
    "rest": "Other accounts compared with the top",
    "adopters": "Accounts that began while their value was on record",
    "compared": "Accounts compared",
    "own_months": "Whole months of this account on record",
    "uplift": "More value, for accounts like this one",
    "uplift_overall": "More value, over all accounts",
    "year_of_value": "This account's value of a year",
    "gross": "Expected before costs",
    "price": "Price of a year",
    "effort": "Effort to set it up, once",
    "low": "Low end of the interval",
    "expected": "Expected, next 12 months",
    "high": "High end of the interval",
}
_OWNER: Final = text("SELECT account_id FROM suggestion WHERE suggestion_id = :id")
_WORDS: Final = SuggestionWords()


async def open_suggestion(caller: Caller, suggestion_id: str, name: str | None) -> tuple[Place, view.Proof]:
    """Raises NotFoundError for a suggestion or number that is not there."""
    account_id = await caller.tx.scalar(_OWNER, {"id": suggestion_id})
    if account_id is None:
        raise NotFoundError("There is no such suggestion.")
    place = await place_of_account(caller, account_id, Action.READ_SUGGESTIONS)
    if name is not None and name.startswith(PREFIX):
        return place, await open_grade(caller.tx, place, suggestion_id, name, caller.now)
    stored = [one.suggestion for one in await suggestions_of(caller.tx, account_id)]
    stated = next(one for one in stored if one.id == suggestion_id)
    again = await _again(caller.tx, account_id, stated, caller.now)
    return place, _view(place, stated, again, name, caller.now)


async def _again(tx: Transaction, account_id: int, stated: Suggestion, now: datetime) -> Suggestion | None:
    """The same suggestion as the newest fit and the record give it now, whatever was decided meanwhile."""
    fitted = await newest_fit(tx)
    if fitted is None:
        return None
    model = await newest_model(tx)
    situation = await read_situation(tx, account_id, model, now)
    found = suggest(fitted, model, _undecided(situation, stated.feature))
    return next((one for one in found if one.feature == stated.feature), None)


def _undecided(situation: Situation, feature: str) -> Situation:
    return replace(situation, withheld=situation.withheld - {feature})


def _numbers(suggestion: Suggestion) -> dict[str, ReasonNumber]:
    found = {number.name: number for number in suggestion.numbers}
    found |= {cost.kind: ReasonNumber(cost.kind, cost.amount, cost.unit) for cost in suggestion.costs}
    for name in ("low", "expected", "high"):
        value = getattr(suggestion, name)
        if value is not None:
            found[name] = ReasonNumber(name, value, suggestion.unit)
    return found


def _view(place: Place, stated: Suggestion, again: Suggestion | None, name: str | None, now: datetime) -> view.Proof:
    numbers = _numbers(stated)
    chosen = numbers.get(name or next(iter(numbers), ""))
    if chosen is None:
        raise NotFoundError("This suggestion has no such number.")
    repeated = _numbers(again).get(chosen.name) if again is not None else None
    return view.Proof(
        ref=f"{stated.id}?number={chosen.name}",
        number=short_text(chosen.value, _unit(chosen)),
        sentence=_sentence(stated, chosen),
        verdict=_verdict(place, chosen, repeated, now),
        back=words.Link("Back to the story", place.path("/story#next")),
        rests=words.Chip("predicted", "A prediction, not yet true") if _is_predicted(stated, chosen) else None,
        method=METHOD,
        facts=tuple(_facts(numbers)),
    )


def _unit(number: ReasonNumber) -> str:
    return "count" if number.unit in {"account", "month"} else number.unit


def _is_predicted(stated: Suggestion, chosen: ReasonNumber) -> bool:
    spans = (span for span in _WORDS.reason(stated) if span.name == chosen.name)
    return any(span.standing is Standing.PREDICTED for span in spans) or chosen.name in {"low", "expected", "high"}


def _sentence(stated: Suggestion, chosen: ReasonNumber) -> words.Sentence:
    spans = _WORDS.reason(stated)
    if all(span.name != chosen.name for span in spans):
        shown = short_text(chosen.value, _unit(chosen))
        number = Span(shown, chosen.name, format(chosen.value, "f"), chosen.unit)
        spans = (Span(f"{_WORDS.what(stated)} {LABELS.get(chosen.name, chosen.name)}: "), number, Span("."))
    return words.Sentence(stated.id, "suggestion", spans_view(spans, stated.id, chosen.name))


def _verdict(place: Place, chosen: ReasonNumber, repeated: ReasonNumber | None, now: datetime) -> view.Verdict:
    when = moment_text(now, place.account.timezone)
    stated = exact_text(chosen.value, _unit(chosen))
    again = exact_text(repeated.value, _unit(repeated)) if repeated is not None else "no number"
    agrees = repeated is not None and repeated.value == chosen.value
    if agrees:
        return view.Verdict(True, stated, again, f"Run again on the record as it is, {when}.")
    how = "It is worked out anew with the next story."
    return view.Verdict(False, stated, again, how, "The record has moved on.")


def _facts(numbers: Mapping[str, ReasonNumber]) -> Iterator[words.Fact]:
    for name, label in LABELS.items():
        if name in numbers:
            yield words.Fact(label, exact_text(numbers[name].value, _unit(numbers[name])))
