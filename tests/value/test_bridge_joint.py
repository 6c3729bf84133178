"""A bridge by provider divides joint drivers as they were agreed; `ask` compares each with the value read and with raw
events."""

from datetime import date
from decimal import Decimal

import pytest

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_model
from tests.value.test_bridge_read import MAY, ask, told
from tests.value.test_bridge_verify import verified
from tests.value.three_parties import (
    JOINT_DRIVER,
    JOINTLY,
    agree_on,
    put_etas,
    put_jobs,
    put_syncs,
    refresh,
    validate_joint,
)
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.value.bridge_cells import SHARE, Kind
from valueplatform.value.bridge_read import BridgeQuestion, BridgeRead, read_bridge
from valueplatform.value.postings import close_month

BY = {"by": ("driver", "provider")}


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """Each sync is worth 1 together: 30 in April, 7 and 11 in May."""
    await put_model(databases, JOINTLY)
    account_id = await new_account(databases)
    await put_jobs(databases, account_id, date(2026, 4, 14), 10)
    await put_syncs(databases, account_id, date(2026, 4, 14), 30)
    await put_syncs(databases, account_id, date(2026, 5, 4), 7)
    await put_syncs(databases, account_id, date(2026, 5, 12), 11)
    await put_etas(databases, account_id, date(2026, 5, 5), 4)
    await validate_joint(databases, account_id)
    await refresh(databases, account_id)
    return account_id


def ends(read: BridgeRead) -> dict[str, tuple[str, str]]:
    lines = [line for line in read.lines if line.driver == JOINT_DRIVER]
    return {line.provider: (str(line.before), str(line.after)) for line in lines}


def part(read: BridgeRead, provider: str, kind: Kind, subject: str | None = None) -> Decimal:
    lines = [line for line in read.lines if (line.driver, line.provider) == (JOINT_DRIVER, provider)]
    return sum((line.amount(kind, subject) for line in lines), Decimal(0))


async def test_without_an_agreed_split_all_of_it_is_joint(databases: Databases, harbor: int) -> None:
    assert ends(await ask(databases, harbor, **BY)) == {"joint": ("30.0000", "18.0000")}


async def test_a_share_that_began_is_told_as_a_share_and_not_as_new_value(databases: Databases, harbor: int) -> None:
    await agree_on(databases, harbor, "0.3", "0.5", date(2026, 5, 10))
    read = await ask(databases, harbor, **BY)
    assert ends(read) == {
        "joint": ("30.0000", "9.2000"),
        "supplier": ("0.0000", "5.5000"),
        "tessera": ("0.0000", "3.3000"),
    }
    assert part(read, "tessera", Kind.ASSUMPTION, SHARE) == Decimal("3.3")
    assert part(read, "joint", Kind.VOLUME) == Decimal(-12)
    assert part(read, "joint", Kind.ASSUMPTION, SHARE) == Decimal("-8.8")
    assert not part(read, "tessera", Kind.NEW)


async def test_parties_add_up_to_the_whole_to_the_last_unit(databases: Databases, harbor: int) -> None:
    await agree_on(databases, harbor, "0.333333333", "0.333333333", date(2026, 4, 1))
    await agree_on(databases, harbor, "0.123456789", "0.111111111", date(2026, 5, 10), provider="waypoint")
    lines = [line for line in (await ask(databases, harbor, **BY)).lines if line.driver == JOINT_DRIVER]
    assert {line.provider for line in lines} == {"joint", "supplier", "tessera", "waypoint"}
    assert (sum(line.before for line in lines), sum(line.after for line in lines)) == (30, 18)


async def test_by_driver_alone_it_stays_whole(databases: Databases, harbor: int) -> None:
    await agree_on(databases, harbor, "0.3", "0.5", date(2026, 4, 1))
    async with databases.web.transaction(grant_accounts([harbor])) as tx:
        account = await account_by_id(tx, harbor)
        read = await read_bridge(tx, account, BridgeQuestion(month_of(date(2026, 4, 1)), MAY))
    assert told(read)[JOINT_DRIVER] == {"volume": "-12"}


async def test_a_partner_is_told_its_part_alone(databases: Databases, harbor: int) -> None:
    with pytest.raises(UnprocessableError, match="no driver 'paid_sooner'"):
        await ask(databases, harbor, provider="tessera", drivers=(JOINT_DRIVER,))
    await agree_on(databases, harbor, "0.3", "0.5", date(2026, 4, 1))
    read = await ask(databases, harbor, provider="tessera")
    assert ends(read) == {"tessera": ("9.0000", "5.4000")}
    assert {line.provider for line in read.lines} == {"tessera"}


async def test_what_changed_after_the_close_is_shared_as_of_the_day_it_was_earned_on(
    databases: Databases, harbor: int
) -> None:
    await agree_on(databases, harbor, "0.333333333", "0.5", date(2026, 5, 10))
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "America/New_York", month_of(date(2026, 4, 14)), NOW)
    await put_syncs(databases, harbor, date(2026, 4, 14), 1)
    await refresh(databases, harbor)
    read = await ask(databases, harbor, **BY, after=month_of(NOW.date()), before=month_of(date(2026, 4, 14)))
    assert ends(read)["joint"] == ("30.0000", "1.0000")
    count, found = await verified(databases, harbor)
    assert count > 8
    assert found == []
