"""What was said of partners: in order, by those who may, and as the truths have it."""

from datetime import UTC, datetime

from tests.sample.conftest import TODAY
from valueplatform.sample import SampleSupplier, generate
from valueplatform.sample.partners import PARTNER_EMAIL, Claimed, Consented, Replied, Shared

STANDINGS = {"reported", "corroborated", "disputed", "withdrawn"}


def test_it_is_in_order_and_nothing_is_said_before_the_connector_or_after_today(sample: SampleSupplier) -> None:
    begun = {account.key: account.features["erp-connector"] for account in sample.cast if account.uses("erp-connector")}
    moments = [one.at for one in sample.sayings]
    assert moments == sorted(moments)
    assert all(begun[one.account] <= one.at.date() <= TODAY for one in sample.sayings)


def test_parties_speak_for_themselves(sample: SampleSupplier) -> None:
    people = {(row["account"], row["email"]): row["role"] for row in sample.people}
    stewards = {email for email, _ in sample.stewards}
    for one in sample.sayings:
        if one.party == "customer":
            assert people[one.account, one.author_email] == "validator"
        else:
            assert one.author_email in (stewards if one.party == "supplier" else {PARTNER_EMAIL})
        assert one.reason


def test_nothing_is_reported_without_consent(sample: SampleSupplier) -> None:
    let: set[str] = set()
    for one in sample.sayings:
        if isinstance(one, Consented) and one.what == "contribute":
            let.add(one.account)
        assert not isinstance(one, Claimed) or one.account in let


def test_the_truths_say_what_came_of_it(sample: SampleSupplier) -> None:
    kinds = {truth.kind for truth in sample.truths}
    assert {f"contribution_{standing}" for standing in STANDINGS} <= kinds
    shares = {(t.account, t.kind): t.magnitude for t in sample.truths if t.kind in {"joint_split", "split_waiting"}}
    said = {one.account for one in sample.sayings if isinstance(one, Shared)}
    assert {account for account, _ in shares} == said
    assert {kind for account, kind in shares if account == "harbor-logistics"} == {"joint_split", "split_waiting"}
    missing = {truth.account for truth in sample.truths if truth.kind == "consent_missing"}
    assert "kestrel-rail" in missing
    assert missing.isdisjoint(one.account for one in sample.sayings if isinstance(one, Claimed | Replied))


def test_a_sample_of_other_accounts_has_none_of_it() -> None:
    small = generate(accounts=1, days=90, today=TODAY, until=datetime(2026, 11, 22, tzinfo=UTC))
    assert {one.account for one in small.sayings} <= {"harbor-logistics"}
