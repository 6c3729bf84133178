"""The profile over an installation whose accounts are compared."""

from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.benchmark_worlds import PROSPECT, compared, model
from valueplatform.core.scope import grant_all
from valueplatform.narrative.ideal_profile_read import IdealProfile, meets, read_ideal_profile
from valueplatform.value.model import Criterion

SEATS = Criterion(slug="seats", attribute="seats", at_least=Decimal(11))
SMALL = Criterion(slug="small", attribute="segment", one_of=("small",))


async def read(databases: Databases) -> IdealProfile:
    declared = msgspec.structs.replace(model(), criteria=(SEATS, SMALL))
    async with databases.web.transaction(grant_all()) as tx:
        return await read_ideal_profile(tx, declared)


async def test_before_accounts_are_compared_it_says_so(databases: Databases) -> None:
    found = await read(databases)
    assert found.accounts == 0
    assert found.as_of is None
    assert found.says.startswith("Insufficient data")


async def test_declared_stands_beside_observed(databases: Databases) -> None:
    await compared(databases)
    found = await read(databases)
    assert found.accounts == 25
    declared = {one.criterion: one for one in found.declared}
    assert declared["seats"].met + declared["seats"].unmet == found.accounts
    assert declared["small"].observed is True
    assert declared["small"].unknown == 1
    observed = {one.attribute: one for one in found.observed}
    assert observed["segment"].holds
    assert not observed["seats"].holds
    groups = {group.choice: group for group in observed["segment"].groups}
    assert (groups["big"].median or 0) > (groups["small"].median or 0)


async def test_a_group_that_is_no_cohort_is_withheld(databases: Databases) -> None:
    await compared(databases)
    found = await read(databases)
    for one in found.observed:
        for group in one.groups:
            assert group.accounts is None or group.accounts >= 5
            assert (group.accounts is None) is (group.median is None)


async def test_accounts_without_value_are_told_with_what_they_meet(databases: Databases) -> None:
    await compared(databases)
    found = await read(databases)
    prospect = next(one for one in found.prospects if one.account == PROSPECT)
    assert {match.criterion: match.met for match in prospect.declared} == {"seats": True, "small": False}
    assert (prospect.score is None) is bool(prospect.says)


async def test_a_mail_address_in_an_attribute_is_never_compared(databases: Databases) -> None:
    await compared(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("""UPDATE account SET attributes = attributes || '{"owner": "eve@x.example"}'"""))
    found = await read(databases)
    assert "owner" not in {one.attribute for one in found.observed} | set(found.not_compared)


@pytest.mark.parametrize(
    ("criterion", "given", "met"),
    [
        (SEATS, {"seats": Decimal(11)}, True),
        (SEATS, {"seats": Decimal("10.999999999")}, False),
        (SEATS, {"seats": "many"}, None),
        (SEATS, {}, None),
        (SMALL, {"segment": "small"}, True),
        (SMALL, {"segment": "Small"}, False),
        (Criterion(slug="x", attribute="x", at_most=Decimal(0)), {"x": Decimal(-1)}, True),
    ],
)
def test_a_criterion_is_met_not_met_or_not_known(
    criterion: Criterion, given: dict[str, Decimal | str], met: object
) -> None:
    assert meets(criterion, given) is met
