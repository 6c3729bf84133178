from datetime import date

from tests.narrative.factories import TODAY, account, assumption, driver, rows, steady
from valueplatform.narrative.facts import AccountFacts, Person
from valueplatform.narrative.insight import Insight, Standing, Strength
from valueplatform.narrative.insights.standing import standing
from valueplatform.value.states import State

START = date(2026, 1, 1)


def _by_kind(facts: AccountFacts) -> dict[tuple[str, str], Insight]:
    return {(insight.kind, insight.subject): insight for insight in standing(facts)}


def test_an_account_without_value_says_nothing_here() -> None:
    assert standing(account(drivers=(driver("a"),))) == []


def test_what_is_not_validated_stands_beside_the_total_never_in_it() -> None:
    daily = [*rows("a", {START: 100}), *rows("b", {START: 40}, state=State.ESTIMATED)]
    found = _by_kind(account(daily, drivers=(driver("a"), driver("b"))))
    assert found["realized", "account"].number("realized").value == 100
    beside = found["estimated-beside", "account"].number("estimated")
    assert beside.value == 40
    assert beside.standing is Standing.ESTIMATED
    assert ("realized", "b") not in found


def test_where_nothing_counts_the_estimate_is_called_one() -> None:
    facts = account(rows("a", {START: 40}, state=State.PROPOSED), drivers=(driver("a"),))
    found = _by_kind(facts)
    assert ("realized", "account") not in found
    assert found["estimated", "account"].number("estimated").standing is Standing.PROPOSED


def test_value_without_a_price_is_in_no_total() -> None:
    daily = [*rows("a", {START: 100}), *rows("s", {START: 3}, unit="incident")]
    found = _by_kind(account(daily, drivers=(driver("a"), driver("s", benefit_class="strategic", unit="incident"))))
    assert found["realized", "account"].number("realized").value == 100
    assert found["outcome", "s"].number("outcome").unit == "incident"


def test_strategic_value_with_a_price_is_in_no_total_either() -> None:
    daily = [*rows("a", {START: 100}), *rows("s", {START: 900})]
    found = _by_kind(account(daily, drivers=(driver("a"), driver("s", benefit_class="strategic"))))
    assert found["realized", "account"].number("realized").value == 100
    assert ("outcome", "s") in found


def test_a_loss_is_told_as_bad_news() -> None:
    found = _by_kind(account(rows("a", {START: -5}), drivers=(driver("a"),)))
    assert found["realized", "account"].favorable is False


def test_the_range_goes_with_the_point() -> None:
    found = _by_kind(account(rows("a", {START: 100}), drivers=(driver("a"),)))
    whole = found["realized", "account"]
    assert [whole.number(name).value for name in ("low", "realized", "high")] == [90, 100, 110]


def test_strength_follows_the_evidence_beneath() -> None:
    daily = rows("a", {START: 100})
    daily[0]["evidence"] = "benchmark"
    found = _by_kind(account(daily, drivers=(driver("a"),)))
    assert found["realized", "a"].strength is Strength.MODERATE


def test_the_estimate_says_whom_it_waits_for() -> None:
    daily = rows("a", steady(START, TODAY, 1), state=State.ESTIMATED)
    waiting = account(
        daily,
        drivers=(driver("a", inputs=("rate",)),),
        inputs=(assumption("rate", "1", "USD/job", State.ESTIMATED),),
        people=(Person("Priya Nair", "validator"),),
    )
    terms = _by_kind(waiting)["estimated", "a"].terms
    assert (terms["waits_for"], terms["validator_name"]) == ("inputs", "Priya Nair")
    own_word = account(daily, drivers=(driver("a"),))
    assert _by_kind(own_word)["estimated", "a"].terms["waits_for"] == "driver"
