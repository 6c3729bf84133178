"""People who sign in."""

import pytest

from tests.conftest import Databases
from tests.core.factories import SetClock
from valueplatform.core.authorization import UserRole
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError, ProblemError
from valueplatform.core.scope import no_accounts
from valueplatform.core.users import (
    create_user,
    disable_user,
    enable_user,
    list_users,
    normal_email,
    user_by_email,
)

clock = SetClock()


@pytest.mark.parametrize("email", [" Anna@Acme.Example ", "anna@acme.example", "ANNA@ACME.EXAMPLE\n"])
def test_an_address_is_kept_trimmed_and_in_lower_case(email: str) -> None:
    assert normal_email(email) == "anna@acme.example"


@pytest.mark.parametrize(
    "email", ["", "anna", "@", "anna@", "@acme", "a b@acme", "a@b@c", "a@b,c@d", "<a@b>", "a" * 260 + "@b"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(InvalidInputError, match="not an e-mail address"):
        normal_email(email)


async def test_a_user_is_found_by_any_spelling_of_the_address(databases: Databases) -> None:
    async with databases.worker.transaction(no_accounts()) as tx:
        created = await create_user(tx, "Anna@acme.example", UserRole.CUSTOMER, account_ids=[7], name="Anna K.")
        assert await user_by_email(tx, "ANNA@acme.example") == created
    assert created.account_ids == frozenset({7})
    assert created.name == "Anna K."


async def test_the_second_user_of_one_address_is_refused_and_nothing_changes(databases: Databases) -> None:
    async with databases.worker.transaction(no_accounts()) as tx:
        await create_user(tx, "anna@acme.example", UserRole.STEWARD)
        with pytest.raises(ConflictError, match="user link"):
            await create_user(tx, "Anna@acme.example", UserRole.ADMIN)
        (record,) = await list_users(tx)
    assert record.role is UserRole.STEWARD
    assert record.name == "anna"


@pytest.mark.parametrize(
    ("role", "accounts", "says"),
    [
        (UserRole.CUSTOMER, None, "exactly one account"),
        (UserRole.CUSTOMER, [], "exactly one account"),
        (UserRole.CUSTOMER, [1, 2], "exactly one account"),
        (UserRole.PARTNER, None, "named accounts only"),
        (UserRole.PARTNER, [], "named accounts only"),
        (UserRole.STEWARD, [], "at least one account"),
    ],
)
async def test_roles_and_accounts_that_do_not_go_together(
    databases: Databases, role: UserRole, accounts: list[int] | None, says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        async with databases.worker.transaction(no_accounts()) as tx:
            await create_user(tx, "anna@acme.example", role, account_ids=accounts)


async def test_a_supplier_person_sees_all_accounts_or_those_named(databases: Databases) -> None:
    async with databases.worker.transaction(no_accounts()) as tx:
        everywhere = await create_user(tx, "a@fieldnote.example", UserRole.STEWARD)
        limited = await create_user(tx, "b@fieldnote.example", UserRole.STEWARD, account_ids=[2, 1, 2])
    assert everywhere.account_ids is None
    assert limited.account_ids == frozenset({1, 2})


async def test_a_disabled_user_is_not_found_until_enabled_again(databases: Databases) -> None:
    async with databases.worker.transaction(no_accounts()) as tx:
        await create_user(tx, "anna@acme.example", UserRole.ADMIN)
        await disable_user(tx, "anna@acme.example", clock)
        (record,) = await list_users(tx)
        assert record.disabled_at == clock()
        with pytest.raises(NotFoundError, match="disabled"):
            await user_by_email(tx, "anna@acme.example")
        await enable_user(tx, "anna@acme.example")
        assert (await user_by_email(tx, "anna@acme.example")).role is UserRole.ADMIN


async def test_users_who_are_not_there_cannot_be_disabled_or_enabled(databases: Databases) -> None:
    async with databases.worker.transaction(no_accounts()) as tx:
        with pytest.raises(NotFoundError):
            await disable_user(tx, "nobody@acme.example", clock)
        with pytest.raises(ProblemError, match="user list"):
            await enable_user(tx, "nobody@acme.example")
