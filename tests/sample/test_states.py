"""What the platform's own rules make of what both sides said: the account's currency, and every state."""

from collections import defaultdict
from datetime import date, timedelta

import pytest

from tests.sample.conftest import TODAY
from valueplatform.core.authorization import Side
from valueplatform.sample import SampleSupplier
from valueplatform.sample.cast import Account
from valueplatform.sample.fieldnote import driver_inputs, drivers_of, feature_of, model_toml
from valueplatform.value.assumptions import Action, Default, Entry, holding
from valueplatform.value.basis import Basis, build_basis, driver_statement
from valueplatform.value.model_file import read_model
from valueplatform.value.ranges import Range

MODEL = read_model(model_toml(), "fieldnote.toml")
METHODS = {baseline.slug: baseline.method for baseline in MODEL.baselines}
Record = dict[tuple[str, str], list[Entry]]


@pytest.fixture(scope="module")
def record(sample: SampleSupplier) -> Record:
    """The agreements as entries of the record; an answer answers the newest proposal before it."""
    found: Record = defaultdict(list)
    stewards = {email for email, _ in sample.stewards}
    for number, line in enumerate(sample.assumptions, 1):
        entries = found[line.account, line.slug]
        proposals = [entry.entry_id for entry in entries if entry.action is Action.PROPOSE]
        stated = None
        if line.low is not None and line.expected is not None and line.high is not None:
            stated = Range(line.low, line.expected, line.high)
        elif (driver := MODEL.driver(line.slug.removeprefix("driver:"))) is not None:
            stated = driver_statement(driver).value
        entry = Entry(
            entry_id=number,
            slug=line.slug,
            action=Action(line.action),
            answers=None if line.action == "propose" else proposals[-1],
            value=stated,
            unit=line.unit or None,
            effective_from=line.effective_from,
            author=line.author_email,
            side=Side.SUPPLIER if line.author_email in stewards else Side.CUSTOMER,
            reason=line.reason,
            known_at=line.at,
        )
        entries.append(entry)
    return found


def basis(account: Account, driver: str, day: date, record: Record) -> Basis:
    held = {}
    for slug in driver_inputs(driver):
        rate = MODEL.rate(slug)
        assert rate is not None
        value = rate.for_segment(account.spec.segment)
        assert value is not None
        held[slug] = holding(record[account.key, slug], Default(value, rate.unit), day)
    definition = MODEL.driver(driver)
    assert definition is not None
    found = build_basis(definition, held, METHODS, holding(record[account.key, f"driver:{driver}"], None, day))
    assert isinstance(found, Basis), (account.key, driver, day, found)
    return found


def bases(sample: SampleSupplier, record: Record) -> dict[tuple[str, str], Basis]:
    yesterday = TODAY - timedelta(days=1)
    live = [account for account in sample.cast if account.live is not None]
    return {(a.key, driver): basis(a, driver, yesterday, record) for a in live for driver in drivers_of(a)}


def test_every_amount_of_money_is_in_the_currency_of_its_account(sample: SampleSupplier, record: Record) -> None:
    for account in sample.cast:
        for driver in drivers_of(account):
            wanted = "incident" if driver == "incidents_avoided" else account.spec.currency
            for day in (account.features[feature_of(driver)], TODAY - timedelta(days=1)):
                assert basis(account, driver, day, record).unit == wanted


def test_all_that_is_planned_counts_where_the_customer_has_validated(sample: SampleSupplier, record: Record) -> None:
    found = bases(sample, record)
    trusted = {account.key for account in sample.cast if account.spec.trust == "validated"}
    planned = {(row["account"], row["driver"]) for row in sample.plans} & found.keys()
    assert all(found[pair].counted for pair in planned if pair[0] in trusted)


def test_every_state_occurs(sample: SampleSupplier, record: Record) -> None:
    states = {str(found.state) for found in bases(sample, record).values()}
    assert states == {"validated", "proposed", "under-review", "estimated"}


def test_what_only_the_vendor_asserts_counts_for_two_customers_who_checked_it(
    sample: SampleSupplier, record: Record
) -> None:
    found = bases(sample, record)
    asserted = {account: found[account, driver].counted for account, driver in found if driver == "calls_avoided"}
    assert {account for account, counted in asserted.items() if counted} == {"aster-medical", "calder-water"}
