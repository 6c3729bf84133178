"""What both sides said: every state occurs, and nobody validates what is not theirs to validate."""

from collections import defaultdict
from datetime import date

import pytest

from tests.sample.conftest import TODAY
from tests.sample.recount import in_force
from valueplatform.core.numbers import in_wire_range
from valueplatform.sample import SampleSupplier
from valueplatform.sample.agreements import Agreement
from valueplatform.sample.fieldnote import driver_inputs, drivers_of, feature_of, input_definitions, model


def by_input(sample: SampleSupplier) -> dict[tuple[str, str], list[Agreement]]:
    found: dict[tuple[str, str], list[Agreement]] = defaultdict(list)
    for line in sample.assumptions:
        found[line.account, line.slug].append(line)
    return found


def test_all_four_actions_occur_oldest_first(sample: SampleSupplier) -> None:
    assert {line.action for line in sample.assumptions} == {"propose", "validate", "dispute", "withdraw"}
    moments = [line.at for line in sample.assumptions]
    assert moments == sorted(moments)
    assert moments[-1] <= sample.until


def test_only_a_validator_of_the_customer_validates_and_never_the_proposer(sample: SampleSupplier) -> None:
    roles = {row["email"]: (row["account"], row["role"]) for row in sample.people}
    for (account, _), lines in by_input(sample).items():
        proposer = ""
        for line in lines:
            if line.action == "propose":
                proposer = line.author_email
            if line.action in {"validate", "dispute"}:
                assert roles[line.author_email] == (account, "validator")
            if line.action == "validate":
                assert line.author_email != proposer


def test_whatever_answers_answers_an_earlier_proposal(sample: SampleSupplier) -> None:
    for lines in by_input(sample).values():
        assert lines[0].action == "propose"
        assert all(line.at > lines[0].at for line in lines[1:])


def test_everyone_who_speaks_is_known(sample: SampleSupplier) -> None:
    known = {row["email"] for row in sample.people} | {email for email, _ in sample.stewards}
    assert {line.author_email for line in sample.assumptions} <= known


def test_values_ascend_and_are_fit_to_be_kept(sample: SampleSupplier) -> None:
    for line in sample.assumptions:
        if line.slug.startswith("driver:"):
            assert line.expected is None
            continue
        assert line.low is not None
        assert line.expected is not None
        assert line.high is not None
        assert 0 < line.low <= line.expected <= line.high
        assert in_wire_range(line.expected)


def test_slugs_are_inputs_or_drivers_of_the_model(sample: SampleSupplier) -> None:
    drivers = {f"driver:{entry['slug']}" for entry in model()["driver"]}
    assert {line.slug for line in sample.assumptions} <= input_definitions().keys() | drivers


def test_units_are_in_the_currency_of_the_account(sample: SampleSupplier) -> None:
    currencies = {row["key"]: row["currency"] for row in sample.accounts}
    for line in sample.assumptions:
        if not line.slug.startswith("driver:"):
            assert line.unit == input_definitions()[line.slug]["unit"].replace("USD", currencies[line.account])


def test_outside_the_supplier_s_currency_no_money_stays_at_its_default(sample: SampleSupplier) -> None:
    said = by_input(sample)
    money = {slug for slug, entry in input_definitions().items() if "USD" in entry["unit"]}
    for account in sample.cast:
        if account.live is None or account.spec.currency == "USD":
            continue
        assert account.spec.trust in {"validated", "proposed"}
        for driver in drivers_of(account):
            begun = account.features[feature_of(driver)]
            for slug in set(driver_inputs(driver)) & money:
                assert in_force(said[account.key, slug], begun) is not None, (account.key, slug)


def test_a_disputed_change_falls_back_to_what_was_validated_before(sample: SampleSupplier) -> None:
    lines = by_input(sample)["harbor-logistics", "cost_per_repeat_visit"]
    assert [line.action for line in lines] == ["propose", "validate", "propose", "validate", "dispute", "propose"]
    first, disputed, counter = lines[0], lines[2], lines[5]
    assert first.expected is not None
    assert disputed.expected is not None
    assert counter.expected is not None
    assert counter.expected < first.expected < disputed.expected
    assert in_force(lines, TODAY) == first.expected
    assert "depot budget" in lines[4].reason


@pytest.mark.parametrize(
    ("account", "actions"),
    [
        ("redwood-property", set()),
        ("harrow-lifts", {"propose"}),
        ("sagebrush-gas", {"propose", "validate", "dispute"}),
    ],
)
def test_states_that_are_short_of_validated_occur(sample: SampleSupplier, account: str, actions: set[str]) -> None:
    assert {line.action for line in sample.assumptions if line.account == account} == actions


def test_what_is_validated_holds_from_the_first_day_of_use(sample: SampleSupplier) -> None:
    said = by_input(sample)
    lines = said["calder-water", "baseline_repeat_rate"]
    live = next(account.live for account in sample.cast if account.key == "calder-water")
    assert live is not None
    assert in_force(lines, live) == lines[0].expected


def test_a_changed_wage_holds_from_its_day_on_and_not_before(sample: SampleSupplier) -> None:
    lines = by_input(sample)["halden-medical", "dispatcher_hourly_cost"]
    change = next(t for t in sample.truths if t.kind == "assumption_changed" and t.account == "halden-medical")
    assert isinstance(change.start, date)
    assert in_force(lines, change.start) == change.magnitude
    assert in_force(lines, change.start.replace(day=1) if change.start.day > 1 else change.start) is not None
    assert in_force(lines, lines[0].effective_from) == lines[0].expected != change.magnitude
