from datetime import date, timedelta
from typing import Any

from valueplatform.narrative.insight import Insight, Strength


def _insight(**given: Any) -> Insight:
    fields: dict[str, Any] = {
        "kind": "realized",
        "subject": "account",
        "period_from": date(2026, 1, 1),
        "period_to": date(2026, 2, 1),
        "numbers": (),
        "strength": Strength.STRONG,
        "importance": 0.5,
    }
    return Insight(**(fields | given))


def test_the_id_differs_by_account_kind_subject_and_period() -> None:
    ids = {
        _insight().id("a"),
        _insight().id("b"),
        _insight(kind="trend").id("a"),
        _insight(subject="dispatch").id("a"),
        _insight(period_to=date(2026, 3, 1)).id("a"),
    }
    assert len(ids) == 5


def test_the_id_cannot_be_forged_by_moving_a_border_between_parts() -> None:
    assert _insight(kind="ab", subject="c").id("a") != _insight(kind="a", subject="bc").id("a")


def test_an_anchor_keeps_the_id_while_the_period_moves_on() -> None:
    today = _insight(anchor="since 2026-01-01")
    tomorrow = _insight(anchor="since 2026-01-01", period_to=today.period_to + timedelta(days=1))
    assert today.id("a") == tomorrow.id("a")


def test_numbers_and_terms_do_not_change_the_id() -> None:
    assert _insight(terms={"direction": "up"}, importance=0.1).id("a") == _insight().id("a")
