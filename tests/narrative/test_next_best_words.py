from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from gettext import NullTranslations
from typing import Any

import msgspec
import pytest

from tests.narrative.next_best_worlds import TODAY, feature
from tests.narrative.test_next_best import EVEN, a_fit, an_account, suggested, use
from valueplatform.narrative.document import Span
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best import Emptiness, Suggestion
from valueplatform.narrative.next_best_model import Verdict
from valueplatform.narrative.next_best_prompt import Contact, Prompt, Why
from valueplatform.narrative.next_best_store import State
from valueplatform.narrative.next_best_words import SuggestionWords

WORDS = SuggestionWords()
CAUSAL = ("cause", "because of", "thanks to", "led to", "due to", "brought", "will gain")


def text(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


def priced(**given: Any) -> Suggestion:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a", title="Guided checklists", **given))
    return one


def test_a_priced_suggestion_gives_its_reason_its_size_and_its_cost() -> None:
    one = priced(included=False, price=Decimal(20), effort_cost=Decimal(100))
    assert WORDS.what(one) == "Start to use Guided checklists."
    assert text(WORDS.reason(one)) == (
        "10 of 20 accounts in Northern trade use it. 12 accounts began to use it while their value was on record, and "
        "went on to realize 10% more, measured against accounts without it in the same months. On $12.0K a year, that "
        "is $1.10K in the next 12 months. It costs extra: $240 a year. Setting it up takes effort worth $100. The "
        "expected value is what remains after that."
    )


def test_numbers_in_words_are_spans_that_carry_the_exact_value() -> None:
    spans = {span.name: span for span in WORDS.reason(priced()) if span.name}
    assert (spans["gross"].value, spans["gross"].unit) == ("1100.0000", "USD")
    assert spans["uplift_overall"].standing is Standing.PREDICTED
    assert (spans["users"].text, spans["users"].standing) == ("10", None)


@pytest.mark.parametrize("verdict", [Verdict.FEW_ACCOUNTS, Verdict.FEW_ADOPTERS, Verdict.ONE_ACCOUNT, Verdict.UNCLEAR])
def test_what_cannot_be_priced_is_said_without_an_amount(verdict: Verdict) -> None:
    (one,) = suggested(a_fit({"a": verdict}), feature("a"))
    said = text(WORDS.reason(one))
    assert "cannot price this yet" in said or "We name no value" in said
    assert "$" not in said


def test_few_adopters_are_counted() -> None:
    (one,) = suggested(a_fit({"a": Verdict.FEW_ADOPTERS}), feature("a"))
    assert "only 3 accounts began to use it while their value was on record." in text(WORDS.reason(one))


def test_a_short_record_is_the_accounts_own() -> None:
    account = an_account(values=an_account().values.clear())
    (one,) = suggested(a_fit({"a": EVEN}), feature("a"), account=account)
    assert "too little of your own value is on record" in text(WORDS.reason(one))


def test_effects_that_scatter_are_said_to() -> None:
    (one,) = suggested(a_fit({"a": replace(EVEN, spread=0.3)}), feature("a"))
    said = text(WORDS.reason(one))
    assert "We cannot price this for you yet: accounts that began to use it differ too much." in said
    assert "$" not in said


def test_costs_without_a_rate_are_said_to_be_left_out() -> None:
    paid = feature("a", included=False, price=Decimal(20))
    (one,) = suggested(a_fit({"a": EVEN}), paid, account=an_account(currency="EUR"))
    assert text(WORDS.reason(one)).endswith(
        "It costs extra: $240 a year. The expected value is before that: no exchange rate is on record."
    )


def test_an_unstated_price_is_said_to_be_unstated() -> None:
    said = text(WORDS.reason(priced(included=False)))
    assert said.endswith("It costs extra; the price is not stated. The expected value is before that.")


def test_what_was_used_once_is_suggested_again() -> None:
    account = an_account(use(TODAY - timedelta(days=200), "a"))
    (one,) = suggested(a_fit({"a": EVEN}), feature("a", title="Routes"), account=account)
    assert WORDS.what(one) == "Use Routes again."


def test_no_sentence_claims_a_cause() -> None:
    ways = [
        *(suggested(a_fit({"a": verdict}), feature("a")) for verdict in Verdict if verdict is not Verdict.PRICED),
        (priced(included=False, price=Decimal(20), effort_cost=Decimal(1)),),
    ]
    said = " ".join(text(WORDS.reason(one)).lower() for way in ways for one in way)
    assert len(said) > 500
    assert not [word for word in CAUSAL if word in said]


def test_braces_in_a_title_are_only_braces() -> None:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a", title="{0} {users}"))
    prompt = Prompt(one, State.OPEN, None, Why.STANDING, None, None)
    assert WORDS.what(one) == "Start to use {0} {users}."
    assert text(WORDS.prompt(prompt)).startswith("Start to use {0} {users}.")


def test_the_stewards_prompt_says_whom_why_now_and_what_is_at_stake() -> None:
    one = msgspec.structs.replace(priced(), chance=Decimal("0.3400"))
    contact = Contact("Ana Ruiz", "ana@harbor.example", "champion")
    prompt = Prompt(one, State.OPEN, contact, Why.RENEWAL, date(2026, 5, 12), Decimal("374.0000"))
    said = text(WORDS.prompt(prompt))
    assert said.startswith(
        "Start to use Guided checklists. Talk to Ana Ruiz (champion). The contract ends on 12 May 2026. Expected in "
        "the next 12 months: $1.10K, likely $"
    )
    assert said.endswith("The chance that it is taken up within half a year is 34%.")


def test_every_way_to_have_nothing_is_said() -> None:
    said = [WORDS.empty(why) for why in Emptiness]
    assert len(set(said)) == len(Emptiness)


def test_wording_is_apart_from_what_is_said() -> None:
    class Shouting(NullTranslations):
        def gettext(self, message: str) -> str:
            return message.replace("It is included.", "IT IS INCLUDED.")

    assert "IT IS INCLUDED." in text(SuggestionWords(translations=Shouting()).reason(priced()))
