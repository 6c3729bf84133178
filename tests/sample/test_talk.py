"""Conversations that are open."""

from datetime import timedelta
from itertools import groupby

from tests.sample.conftest import TODAY
from valueplatform.sample import SampleSupplier
from valueplatform.sample.fieldnote import drivers_of
from valueplatform.sample.talk import conversations


def test_messages_follow_one_another_and_end_before_now(sample: SampleSupplier) -> None:
    for _, messages in groupby(sample.conversations, key=lambda m: (m.account, m.title)):
        moments = [message.at for message in messages]
        assert moments == sorted(moments)
        assert moments[-1] <= sample.until
    assert len({message.title for message in sample.conversations}) >= 4


def test_they_are_between_the_customer_s_people_and_its_steward(sample: SampleSupplier) -> None:
    people = {(row["account"], row["email"]) for row in sample.people}
    stewards = {email for email, _ in sample.stewards}
    for message in sample.conversations:
        assert message.author_email in stewards or (message.account, message.author_email) in people


def test_they_are_about_a_driver_that_the_account_has(sample: SampleSupplier) -> None:
    accounts = {account.key: account for account in sample.cast}
    assert all(message.driver in drivers_of(accounts[message.account]) for message in sample.conversations)


def test_nothing_is_said_before_its_time(sample: SampleSupplier) -> None:
    early = conversations(sample.cast, sample.until - timedelta(days=10))
    assert early == tuple(m for m in sample.conversations if m.at.date() <= TODAY - timedelta(days=10) and m in early)
    assert len(early) < len(sample.conversations)
