"""Quotas by the database's clock: time passes here by setting the row back."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from tests.conftest import Databases
from tests.telemetry.factories import cloud_event, execute, request_of, scalar
from valueplatform.core.authorization import KeyKind
from valueplatform.core.errors import OverloadedError
from valueplatform.core.keys import KeyGrant, Quota, create_key, limit_key
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.quotas import OverQuotaError, QuotaError, charge
from valueplatform.telemetry.requests import IngestRequest, Sender


async def key_with(databases: Databases, quota: Quota) -> UUID:
    async with databases.worker.transaction(no_accounts()) as tx:
        return (await create_key(tx, KeyGrant(KeyKind.INGEST, "limited", quota=quota))).key_id


def ask(key_id: UUID, events: int, *, limited: bool = True) -> IngestRequest:
    return request_of([cloud_event()] * events, Sender("http", "supplier", key_id, limited=limited))


async def charged(databases: Databases, *requests: IngestRequest, refuse: bool = True) -> dict[int, QuotaError]:
    """What is refused; where nothing is, all are charged."""
    try:
        async with databases.ingest.transaction(no_accounts()) as tx:
            await charge(await tx.driver(), requests, refuse=refuse)
    except OverQuotaError as over:
        return dict(over.refused)
    return {}


async def wait(databases: Databases, time: str) -> None:
    await execute(databases, f"UPDATE key_usage SET filled_at = filled_at - interval '{time}'")


async def tokens(databases: Databases) -> float:
    return float(await scalar(databases, "SELECT tokens FROM key_usage"))


async def told(databases: Databases, key_id: UUID, sizes: Sequence[int]) -> list[bool]:
    """Whether requests of these sizes go in, one after the other."""
    return [not await charged(databases, ask(key_id, size)) for size in sizes]


async def test_a_key_may_send_its_burst_at_once_and_then_its_rate(databases: Databases) -> None:
    key_id = await key_with(databases, Quota(rate_limit=1, burst=50))
    assert await told(databases, key_id, [20, 30, 20]) == [True, True, False]
    await wait(databases, "20 seconds")
    assert await told(databases, key_id, [40, 20, 20]) == [False, True, False]
    await wait(databases, "1 hour")
    assert await told(databases, key_id, [50, 20]) == [True, False]  # never more than the burst


async def test_a_refusal_names_the_key_the_limit_and_when_to_come_back(databases: Databases) -> None:
    key_id = await key_with(databases, Quota(rate_limit=2, burst=2000))
    await charged(databases, ask(key_id, 2000))
    (refusal,) = (await charged(databases, ask(key_id, 700))).values()
    assert isinstance(refusal, OverloadedError)
    assert 330 < refusal.retry_after <= 350
    assert str(key_id) in refusal.message
    limit = "2 events a second, 2000 at once"
    assert limit in refusal.message
    assert refusal.detail == {"retry_after": refusal.retry_after, "key": str(key_id), "limit": limit}
    await wait(databases, "350 seconds")
    assert await charged(databases, ask(key_id, 700)) == {}


async def test_a_batch_larger_than_the_burst_goes_in_when_the_bucket_is_full_and_leaves_a_debt(
    databases: Databases,
) -> None:
    key_id = await key_with(databases, Quota(rate_limit=1, burst=200))
    assert await told(databases, key_id, [1000, 1]) == [True, False]
    await wait(databases, "700 seconds")
    (refusal,) = (await charged(databases, ask(key_id, 1))).values()
    assert 80 < refusal.retry_after <= 101  # 800 in debt, 700 of it paid, and one event more
    (larger,) = (await charged(databases, ask(key_id, 1000))).values()
    assert 280 < larger.retry_after <= 300
    await wait(databases, "300 seconds")
    assert await told(databases, key_id, [1000]) == [True]


async def test_a_clock_that_steps_back_gives_nothing_and_takes_nothing(databases: Databases) -> None:
    key_id = await key_with(databases, Quota(rate_limit=1, burst=100))
    await charged(databases, ask(key_id, 40))
    await wait(databases, "-1 hour")  # the row is of a later time than the clock shows now
    assert await told(databases, key_id, [80, 60]) == [False, True]
    await wait(databases, "30 seconds")  # and it fills again from then on, not an hour later
    assert await told(databases, key_id, [30, 30]) == [True, False]


async def test_requests_of_one_group_are_charged_in_their_order(databases: Databases) -> None:
    key_id = await key_with(databases, Quota(rate_limit=1, burst=50))
    refused = await charged(databases, ask(key_id, 30), ask(key_id, 30), ask(key_id, 20), ask(key_id, 10))
    assert sorted(refused) == [1, 3]
    assert await scalar(databases, "SELECT count(*) FROM key_usage") == 0  # nothing was stored, nothing is charged
    assert await charged(databases, ask(key_id, 30), ask(key_id, 20)) == {}
    assert await charged(databases, ask(key_id, 30)) != {}


async def test_what_was_let_in_before_is_charged_even_into_debt(databases: Databases) -> None:
    key_id = await key_with(databases, Quota(rate_limit=1, burst=50, daily_quota=50))
    assert await charged(databases, ask(key_id, 40), ask(key_id, 40), refuse=False) == {}
    assert await tokens(databases) == -30
    assert await scalar(databases, "SELECT used FROM key_usage") == 80


async def test_a_day_has_its_quota_and_the_next_has_it_anew(databases: Databases) -> None:
    key_id = await key_with(databases, Quota(daily_quota=5))
    assert await told(databases, key_id, [3, 3, 2, 1]) == [True, False, True, False]
    (refusal,) = (await charged(databases, ask(key_id, 1))).values()
    assert 0 < refusal.retry_after <= 24 * 60 * 60
    assert "5 events a day (UTC)" in refusal.message
    await execute(databases, "UPDATE key_usage SET day = day - 1")
    assert await told(databases, key_id, [9, 1]) == [True, False]  # more than a day holds, of a day that is whole


async def test_a_quota_that_is_changed_holds_from_then_on(databases: Databases) -> None:
    key_id = await key_with(databases, Quota(daily_quota=1))
    assert await told(databases, key_id, [1, 1]) == [True, False]
    for quota, expected in (
        (Quota(rate_limit=1, burst=30), [True, True, True, False]),
        (Quota(rate_limit=1, burst=15), [False, False, False, False]),
        (Quota(daily_quota=42), [True, False, False, False]),
        (Quota(), [True, True, True, True]),
    ):
        async with databases.worker.transaction(no_accounts()) as tx:
            await limit_key(tx, key_id, quota)
        assert await told(databases, key_id, [10, 10, 10, 10]) == expected


async def test_keys_without_quota_leave_no_trace(databases: Databases) -> None:
    free = await key_with(databases, Quota())
    assert await charged(databases, ask(free, 5), ask(uuid4(), 5), ask(free, 5, limited=False)) == {}
    assert await charged(databases, request_of([cloud_event()])) == {}
    assert await scalar(databases, "SELECT count(*) FROM key_usage") == 0


@pytest.mark.parametrize("events", [20, 400])
async def test_the_quotas_of_two_keys_are_apart(databases: Databases, events: int) -> None:
    quota = Quota(rate_limit=1, burst=events)
    one, other = await key_with(databases, quota), await key_with(databases, quota)
    assert await told(databases, one, [events, 20]) == [True, False]
    assert await told(databases, other, [events, 20]) == [True, False]
