"""Why now, in a sentence that says nothing but what was re-derived."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.narrative.factories import account, assumption, contract, driver, harbor, rows, steady
from tests.stewardship.situations import START, TODAY, admitted, of_kind, plain, situation, suggested
from valueplatform.narrative.document import Span, Status
from valueplatform.narrative.facts import AccountFacts, Proposal
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best_store import State, StoredSuggestion
from valueplatform.stewardship.signal import SignalKind
from valueplatform.stewardship.signals import Question, signals
from valueplatform.stewardship.why_now import SignalWords


def why(
    facts: AccountFacts,
    kind: SignalKind,
    *,
    status: Status | None = None,
    questions: tuple[Question, ...] = (),
    suggestions: tuple[StoredSuggestion, ...] = (),
) -> tuple[Span, ...]:
    held = admitted(facts)
    given = situation(facts, status=status, questions=questions, suggestions=suggestions, held=held)
    (signal,) = of_kind(given, kind)
    spans = SignalWords().why(signal, given, held)
    assert spans is not None
    return spans


def said(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


ENDS = TODAY + timedelta(days=60)


def test_a_renewal_says_when_what_it_is_worth_and_how_the_account_stands() -> None:
    facts = plain(amount=500, contracts=(contract(START, ENDS, 365000),))
    spans = why(facts, SignalKind.RENEWAL)
    # 414 days of contract, and the year before its end whole.
    assert said(spans) == (
        "The contract ends on 19 Oct 2026, worth $365K over its last year, and the commitment is not met."
    )
    assert spans[1] == Span("$365K", "yearly", "365000.0000", "USD", Standing.VALIDATED)


def test_a_renewal_of_an_account_without_value_says_that_it_cannot_be_told() -> None:
    facts = account(contracts=(contract(date(2025, 10, 20), ENDS, 0),))
    assert said(why(facts, SignalKind.RENEWAL)) == (
        "The contract ends on 19 Oct 2026, and its value cannot be told yet."
    )


def silent(amount: int) -> AccountFacts:
    days = steady(START, date(2026, 8, 1), amount)
    return plain(daily=rows("visits", days), meters=[("jobs", day, Decimal(1)) for day in days], targets=())


def test_a_silent_account_says_since_when_and_what_it_brought() -> None:
    assert said(why(silent(1000), SignalKind.NO_DATA)) == (
        "No event has come since 31 Jul 2026; the weeks until then brought $28.0K."
    )


def test_a_silent_account_that_lost_value_keeps_the_sign() -> None:
    assert said(why(silent(-1000), SignalKind.NO_DATA)).endswith("brought \N{MINUS SIGN}$28.0K.")


def test_a_silent_account_that_brought_nothing_says_only_since_when() -> None:
    facts = plain(daily=[], meters=[("jobs", day, Decimal(1)) for day in steady(START, date(2026, 8, 1), 1)])
    assert said(why(facts, SignalKind.NO_DATA)) == "No event has come since 31 Jul 2026."


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (36500, "No event has come yet, and $10.0K has been paid since 14 May 2026."),
        (0, "No event has come yet; the contract runs since 14 May 2026."),
    ],
)
def test_an_account_that_never_sent_says_what_was_paid_meanwhile(amount: int, text: str) -> None:
    facts = account(contracts=(contract(TODAY - timedelta(days=99), None, amount),))
    assert said(why(facts, SignalKind.NO_DATA)) == text


def test_names_with_digits_and_of_any_script_pass_the_check() -> None:
    facts = plain(amount=500, name="3M 株式会社 Größe-7", contracts=(contract(START, ENDS, 365000),))
    assert "19 Oct 2026" in said(why(facts, SignalKind.RENEWAL))
    assert said(why(facts, SignalKind.BEHIND)).startswith("3M 株式会社 Größe-7 has realized")


def test_a_question_says_who_waits_and_since_which_day_of_theirs() -> None:
    asked = Question(1, "Nguyễn Thị Hoa", datetime(2026, 8, 20, 2, tzinfo=UTC))
    # Still the day before in New York.
    assert said(why(plain(), SignalKind.QUESTION, questions=(asked,))) == (
        "Nguyễn Thị Hoa has waited for an answer since 19 Aug 2026."
    )


def test_a_suggestion_marks_its_value_as_predicted() -> None:
    spans = why(plain(), SignalKind.SUGGESTION, suggestions=(suggested("310000"),))
    assert said(spans) == "Parts check is not in use. It may bring about $310K in the next 12 months."
    assert spans[1] == Span("$310K", "expected", "310000", "USD", Standing.PREDICTED)


def test_an_accepted_suggestion_says_since_when_the_customer_waits() -> None:
    stored = suggested("310000", state=State.ACCEPTED)
    text = said(why(plain(), SignalKind.SUGGESTION, suggestions=(stored,)))
    assert text == "They accepted Parts check on 2 Aug 2026. It may bring about $310K in the next 12 months."


def test_a_proposal_beside_a_validated_value_names_no_number_that_would_not_open() -> None:
    proposal = Proposal(7, "Priya Nair", "customer", Decimal(265), TODAY, date(2026, 8, 18), "Travel")
    facts = plain(
        drivers=(driver("visits", inputs=("visit_cost",)),),
        inputs=(assumption("visit_cost", "310", "USD/visit", proposals=(proposal,)),),
    )
    spans = why(facts, SignalKind.NOT_VALIDATED)
    assert spans == (
        Span("Priya Nair proposed another visit cost on 18 Aug 2026; the validated one holds until it is settled."),
    )


def test_every_signal_of_a_rich_account_has_its_sentence() -> None:
    facts = harbor()
    held = admitted(facts)
    given = situation(facts, suggestions=(suggested("310000"),), held=held)
    words = SignalWords()
    for signal in signals(given):
        spans = words.why(signal, given, held)
        assert spans, signal
        assert said(spans).endswith(".")


def test_a_signal_whose_insight_was_not_admitted_has_no_sentence() -> None:
    facts = plain(amount=500)
    given = situation(facts)
    (signal,) = of_kind(given, SignalKind.BEHIND)
    assert SignalWords().why(signal, given, {}) is None
