from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from tests.narrative.factories import account, driver, harbor, record_of, rows
from valueplatform.narrative.faithful.claims import problems
from valueplatform.narrative.faithful.evaluation import evaluate
from valueplatform.narrative.faithful.record import Record
from valueplatform.narrative.insight import Insight, Standing
from valueplatform.narrative.insights import discover
from valueplatform.value.derivation import Realized

FACTS = harbor()
RECORD = record_of(FACTS)
INSIGHTS = {(insight.kind, insight.subject): insight for insight in discover(FACTS)}


def _problems(insight: Insight, record: Record = RECORD) -> list[str]:
    numbers = {number.name: evaluate(number.derivation, record) for number in insight.numbers}
    return list(problems(insight, numbers, record))


def _terms(insight: Insight, **terms: str) -> Insight:
    return msgspec.structs.replace(insight, terms=insight.terms | terms)


@pytest.mark.parametrize("key", INSIGHTS, ids=str)
def test_what_the_engine_says_is_borne_out(key: tuple[str, str]) -> None:
    assert _problems(INSIGHTS[key]) == []


@pytest.mark.parametrize(
    ("kind", "subject", "terms"),
    [
        ("attainment", "account", {"status": "ahead"}),
        ("attainment", "repeat_visits", {"status": "on-plan"}),
        ("committed-range", "account", {"status": "behind"}),
        ("plan-standing", "account", {"shape": "ahead1"}),
        ("period-over-period", "repeat_visits", {"direction": "up"}),
        ("attainment", "repeat_visits", {"driver_name": "Dispatch hours saved"}),
        ("attainment", "repeat_visits", {"driver_name": "A driver that nobody knows"}),
        ("attainment", "repeat_visits", {"objective_name": "Something else"}),
        ("realized", "account", {"since_day": "2025-09-15"}),
        ("stalled-driver", "penalties", {"stopped_day": "2026-08-04"}),
        ("period-over-period", "repeat_visits", {"month": "2026-05-01"}),
        ("validated-input", "hourly_cost", {"validator_name": "Somebody Else"}),
        ("validated-input", "hourly_cost", {"validated_day": "2025-11-13"}),
        ("validated-input", "hourly_cost", {"input_name": "Visit cost"}),
        ("top-contributors", "account", {"first_name": "Repeat visits avoided"}),
        ("period-over-period", "repeat_visits", {"volume_name": "Repeat visits avoided"}),
    ],
)
def test_a_false_word_is_caught(kind: str, subject: str, terms: dict[str, str]) -> None:
    assert _problems(_terms(INSIGHTS[kind, subject], **terms)) != []


def test_a_wrong_unit_is_caught() -> None:
    insight = INSIGHTS["realized", "account"]
    wrong = msgspec.structs.replace(insight.numbers[0], unit="EUR")
    assert _problems(msgspec.structs.replace(insight, numbers=(wrong, *insight.numbers[1:]))) != []


def test_a_headline_that_takes_in_an_estimate_is_caught_though_it_re_computes() -> None:
    insight = INSIGHTS["realized", "account"]
    leaf = insight.numbers[0].derivation
    assert isinstance(leaf, Realized)
    open_leaf = msgspec.structs.replace(leaf, counted=False)
    wrong = msgspec.structs.replace(
        insight.numbers[0],
        derivation=open_leaf,
        value=Decimal(evaluate(open_leaf, RECORD).numerator) / evaluate(open_leaf, RECORD).denominator,
    )
    assert any("does not count" in problem for problem in _problems(msgspec.structs.replace(insight, numbers=(wrong,))))


def test_an_estimate_called_validated_is_caught() -> None:
    insight = INSIGHTS["estimated", "calls"]
    wrong = msgspec.structs.replace(insight.numbers[0], standing=Standing.VALIDATED)
    assert any(
        "called validated" in problem for problem in _problems(msgspec.structs.replace(insight, numbers=(wrong,)))
    )


def test_another_period_than_that_of_the_numbers_is_caught() -> None:
    insight = INSIGHTS["period-over-period", "repeat_visits"]
    wrong = msgspec.structs.replace(insight, period_from=date(2026, 6, 1), period_to=date(2026, 7, 1))
    assert any("is not that of its numbers" in problem for problem in _problems(wrong))


def test_a_record_that_was_beaten_before_is_caught() -> None:
    insight = INSIGHTS["stalled-driver", "penalties"]
    numbers = {"before": Fraction(1), "since": Fraction(5)}
    assert list(problems(insight, numbers, RECORD)) != []


def test_names_of_another_account_are_caught() -> None:
    stranger = replace(record_of(account(rows("a", {date(2026, 1, 1): 1}), drivers=(driver("a"),))), values=())
    insight = INSIGHTS["validated-input", "hourly_cost"]
    numbers = {number.name: Fraction(number.value) for number in insight.numbers}
    assert list(problems(insight, numbers, stranger)) != []
