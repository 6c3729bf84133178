from decimal import Decimal

import msgspec

from tests.narrative.next_best_records import NOW
from tests.narrative.next_best_worlds import feature
from tests.narrative.test_next_best import EVEN, a_fit, suggested
from valueplatform.narrative.next_best import Emptiness
from valueplatform.narrative.next_best_model import Verdict
from valueplatform.narrative.next_best_store import Advice, State, StoredSuggestion
from valueplatform.narrative.next_best_view import advice_view
from valueplatform.narrative.next_best_words import SuggestionWords


def test_the_answer_holds_what_the_contract_names() -> None:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a"))
    stored = StoredSuggestion(one, State.OPEN, NOW)
    said = msgspec.json.decode(msgspec.json.encode(advice_view("harbor", Advice((stored,)), SuggestionWords())))
    (given,) = said["suggestions"]
    assert (said["account"], said["empty"]) == ("harbor", None)
    assert (given["rank"], given["state"], given["unit"], given["standing"]) == (1, "open", "USD", "predicted")
    assert given["expected"] == "1100.0000"
    assert Decimal(given["interval"]["low"]) < Decimal(1100) < Decimal(given["interval"]["high"])
    assert given["interval"]["coverage"] == "0.9"
    assert given["reason"].startswith("10 of 20 accounts")
    assert given["pricing"] == "included"


def test_the_chance_of_adoption_and_who_decided_never_reach_the_customer() -> None:
    (one,) = suggested(a_fit({"a": EVEN}), feature("a"))
    stored = StoredSuggestion(
        msgspec.structs.replace(one, chance=Decimal("0.1234")), State.DISMISSED, NOW, NOW, "ana@harbor.example"
    )
    said = msgspec.json.encode(advice_view("harbor", Advice((stored,)), SuggestionWords()))
    assert b"0.1234" not in said
    assert b"chance" not in said
    assert b"ana@" not in said


def test_without_a_price_there_is_no_interval() -> None:
    (one,) = suggested(a_fit({"a": Verdict.FEW_ADOPTERS}), feature("a"))
    (given,) = advice_view("harbor", Advice((StoredSuggestion(one, State.OPEN, NOW),)), SuggestionWords()).suggestions
    assert (given.expected, given.interval) == (None, None)


def test_an_empty_answer_says_why() -> None:
    view = advice_view("harbor", Advice((), Emptiness.NOTHING_LEFT), SuggestionWords())
    assert view.empty == "Nothing is left to suggest: what may be had is in use, accepted or declined."
