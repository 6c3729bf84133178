from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.factories import TODAY, Wave, account, contract, record_of, rows
from tests.narrative.further_accounts import lakeshore
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Adjustment, for_provider
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.faithful.evaluation import evaluate
from valueplatform.narrative.faithful.record import Record
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.steady import MOST, steady
from valueplatform.narrative.judgment.steadiness import STEADY, steadiness
from valueplatform.narrative.wording import render
from valueplatform.value.derivation import Constant, Statistic
from valueplatform.value.proof_numbers import statistic
from valueplatform.value.states import State

START, END = date(2025, 9, 8), date(2026, 11, 1)
DAYS = Wave(400).days(START, TODAY)


def _facts(values: Mapping[date, Decimal] = DAYS, **changed: object) -> AccountFacts:
    facts = replace(lakeshore(), daily=account(rows("routing", values)).daily)
    return replace(facts, **changed)  # type: ignore[arg-type]  # fields of the facts


def _told(facts: AccountFacts) -> list[Insight]:
    return list(steady(facts))


def test_before_a_contract_ends_it_is_told_that_weeks_are_alike() -> None:
    facts = _facts()
    (found,) = _told(facts)
    (admitted,), _ = admit([found], rederive_from(record_of(facts), [found]))
    said = render(admitted, Audience.CUSTOMER).text.replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("Shorter routes is steady: over the last 26 weeks it brought $2.4")
    assert said.endswith("% around that.")


def test_without_a_decision_ahead_it_is_not_worth_a_sentence() -> None:
    assert _told(_facts(contracts=(contract(date(2025, 11, 1), date(2027, 11, 1), 90000),))) == []
    followed = (contract(date(2025, 11, 1), END, 90000), contract(END, None, 90000, kind="renewal"))
    assert _told(_facts(contracts=followed)) == []


def _with_week(factor: str) -> dict[date, Decimal]:
    return {
        day: value * (Decimal(factor) if date(2026, 7, 6) <= day <= date(2026, 7, 12) else 1)
        for day, value in DAYS.items()
    }


@pytest.mark.parametrize(
    "facts",
    [
        _facts(_with_week("1.6")),
        _facts({day: value for day, value in DAYS.items() if day >= date(2026, 2, 24)}),
        _facts({day: -value for day, value in DAYS.items()}),
        _facts(adjustments=(Adjustment("routing", date(2026, 3, 1), date(2026, 5, 4), Decimal(9), "late-events"),)),
        _facts(daily=account(rows("routing", DAYS, state=State.ESTIMATED)).daily),
        for_provider(_facts(), "supplier"),
    ],
    ids=["one week apart", "too short", "negative", "adjusted", "not counted", "a partner's"],
)
def test_where_it_is_not_known_to_be_steady_it_is_not_called_so(facts: AccountFacts) -> None:
    assert _told(facts) == []


def test_the_threshold_bounds_the_variation_by_ten_percent() -> None:
    """26 weeks whose deviation over their mean is the threshold: the 95 % bound of it is what is called steady."""
    size = float(MOST) * (25 / 26) ** 0.5
    found = steadiness([(1 + size * (-1) ** (day // 7)) / 7 for day in range(182)])
    assert found is not None
    assert found.variation == pytest.approx(float(MOST))
    assert found.at_most <= STEADY


def test_an_insight_that_calls_more_than_that_steady_is_refused() -> None:
    facts = _facts(_with_week("1.6"))
    (calm,) = _told(_facts())
    record = record_of(facts)
    numbers = rederive_from(record, [calm]).numbers
    wild = msgspec.structs.replace(
        calm,
        numbers=tuple(
            msgspec.structs.replace(n, value=Decimal(round(numbers[calm.id(record.key), n.name] * 10**4)).scaleb(-4))
            for n in calm.numbers
        ),
    )
    assert admit([wild], rederive_from(record, [wild]))[0] == []


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=26))
def test_codes_that_share_nothing_agree_on_the_variation(units: list[int]) -> None:
    values = [Fraction(unit, 10**4) for unit in units]
    node = Statistic("variation", tuple(Constant(str(value)) for value in values))
    assert evaluate(node, Record("a", "A", "USD", "F")) == statistic("variation", values, 4)
