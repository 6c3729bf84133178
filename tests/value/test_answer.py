from datetime import date
from decimal import Decimal

import msgspec

from tests.value.test_values import SPRING, pledged, shown, target
from valueplatform.value.answer import value_answer
from valueplatform.value.reading import Question, ValueRead
from valueplatform.value.sharing import Combined
from valueplatform.value.values import Cut, rows, totals

DAY = date(2026, 4, 2)


def answered(question: Question, combined: Combined | None = None, paid: Decimal | None = None) -> dict[str, object]:
    values, given = [shown(DAY, "9.5")], pledged(target(date(2026, 4, 1), 100))
    found = rows(values, given, Cut(SPRING, group_by=question.group_by))
    sums = totals(values, given, SPRING, "USD")
    read = ValueRead("harbor", "USD", SPRING, question, found, sums, paid, combined)
    answer: dict[str, object] = msgspec.json.decode(msgspec.json.encode(value_answer(read)))
    return answer


def test_the_answer_is_that_of_the_contract() -> None:
    answer = answered(Question())
    totals_ = answer.pop("totals")
    assert answer == {
        "account": "harbor",
        "currency": "USD",
        "from": "2026-03-01",
        "to": "2026-06-01",
        "as_of": None,
        "rows": [
            {
                "window_start": "2026-03-01",
                "driver": "dispatch_time",
                "unit": "USD",
                "benefit_class": "capacity",
                "evidence": "measured",
                "state": "validated",
                "realized": "9.5000",
                "realized_low": "8.5000",
                "realized_high": "10.5000",
                "counted": "9.5000",
                "committed_low": "50.0000",
                "committed_expected": "100.0000",
                "committed_high": "200.0000",
            }
        ],
        "contributions": [],
        "splits": [],
    }
    assert isinstance(totals_, dict)
    assert totals_["realized_by_class"] == {"capacity": "9.5000"}
    assert (totals_["realized"], totals_["committed_expected"], totals_["paid"]) == ("9.5000", "100.0000", None)


def test_only_the_groups_that_were_asked_for_are_there_and_no_objective_is_null() -> None:
    values = [shown(DAY, 2, "crews_reached", unit="crews", benefit_class="strategic")]
    cut = Cut(SPRING, group_by=("objective",))
    question, sums = Question(group_by=("objective",)), totals([], [], SPRING, "USD")
    read = ValueRead("harbor", "USD", SPRING, question, rows(values, [], cut), sums, None, None)
    row = msgspec.to_builtins(value_answer(read))["rows"][0]
    assert row["objective"] is None
    assert not {"driver", "provider"} & row.keys()


def test_the_combined_total_is_there_for_partners_alone_and_null_where_it_is_suppressed() -> None:
    assert "combined" not in _totals(answered(Question()))
    suppressed = _totals(answered(Question(provider="tessera")))
    assert suppressed["combined"] is None
    told = Combined(Decimal("40.0000"), Decimal("9.5000"), Decimal("0.2375"))
    shared = _totals(answered(Question(provider="tessera"), told))
    assert shared["combined"] == {"realized": "40.0000", "counted": "9.5000", "share": "0.2375"}


def _totals(answer: dict[str, object]) -> dict[str, object]:
    found = answer["totals"]
    assert isinstance(found, dict)
    return found
