"""People of an account, and what follows from their role."""

from uuid import UUID

import pytest

from tests.accounts.factories import Kept, an_account, imported
from tests.conftest import Databases
from valueplatform.accounts.imports import ImportReport
from valueplatform.accounts.people import PeopleImport, Person, as_person, people_of, role_in_account
from valueplatform.core.authorization import (
    Action,
    KeyKind,
    KeyPrincipal,
    PersonRole,
    UserPrincipal,
    UserRole,
    may,
    scope_of,
)

VERA = {
    "account": "acme",
    "email": "Vera@acme.example",
    "name": "Vera",
    "role": "Validator",
    "group": "finance",
    "need": "Figures that hold",
    "measure": "Share validated",
}


def customer(account_id: int, email: str = "vera@acme.example") -> UserPrincipal:
    return UserPrincipal(1, email, "Vera", UserRole.CUSTOMER, frozenset({account_id}))


async def test_a_person_is_stored_with_need_and_measure(databases: Databases) -> None:
    account = await an_account(databases)
    rows = [VERA, {"account": "acme", "email": "adam@acme.example"}]
    assert await imported(databases, PeopleImport(), rows) == ImportReport(received=2, created=2)
    async with databases.web.transaction(scope_of(customer(account.account_id))) as tx:
        adam, vera = await people_of(tx, account.account_id)
    assert adam == Person(email="adam@acme.example", name="adam", role=PersonRole.USER)
    assert vera == Person(
        email="vera@acme.example",
        name="Vera",
        role=PersonRole.VALIDATOR,
        group="finance",
        need="Figures that hold",
        measure="Share validated",
    )


async def test_a_customers_rights_follow_the_role_in_the_account_as_it_is_now(databases: Databases) -> None:
    account = await an_account(databases)
    person = customer(account.account_id)
    for role, validates in (("validator", True), ("champion", False)):
        await imported(databases, PeopleImport(), [{**VERA, "role": role}])
        async with databases.web.transaction(scope_of(person)) as tx:
            known = await as_person(tx, person)
        assert known.person_role == role
        assert may(known, Action.VALIDATE_ASSUMPTION) is validates


async def test_a_role_in_another_account_counts_for_nothing(databases: Databases) -> None:
    await an_account(databases)
    other = await an_account(databases, "globex")
    await imported(databases, PeopleImport(), [VERA])
    person = customer(other.account_id)
    async with databases.web.transaction(scope_of(person)) as tx:
        assert (await as_person(tx, person)).person_role is None
        assert await role_in_account(tx, other.account_id, "vera@acme.example") is None


async def test_a_key_that_acts_for_a_person_may_what_the_person_may(databases: Databases) -> None:
    account = await an_account(databases)
    await imported(databases, PeopleImport(), [VERA])
    accounts, everything = frozenset({account.account_id}), frozenset(Action)
    key = KeyPrincipal(
        UUID(int=1), KeyKind.PARTNER, "k", "supplier", accounts, None, everything, person="vera@acme.example"
    )
    async with databases.web.transaction(scope_of(key)) as tx:
        known = await as_person(tx, key)
    assert may(known, Action.VALIDATE_ASSUMPTION)
    assert known.author == "vera@acme.example"


@pytest.mark.parametrize(
    "principal",
    [
        UserPrincipal(1, "vera@acme.example", "V", UserRole.STEWARD, None),
        UserPrincipal(1, "vera@acme.example", "V", UserRole.PARTNER, frozenset({1})),
        KeyPrincipal(UUID(int=1), KeyKind.ADMIN, "k", "supplier", None, None, frozenset(Action)),
    ],
)
async def test_those_who_are_no_people_of_the_account_stay_as_they_are(
    databases: Databases, principal: UserPrincipal | KeyPrincipal
) -> None:
    await an_account(databases)
    await imported(databases, PeopleImport(), [VERA])
    async with databases.web.transaction(scope_of(principal)) as tx:
        assert await as_person(tx, principal) == principal


async def test_an_address_that_is_none_is_refused(databases: Databases) -> None:
    kept = Kept()
    await an_account(databases)
    assert (await imported(databases, PeopleImport(), [{**VERA, "email": "vera"}], kept)).rejected == 1
    assert "Column email: 'vera' is not an e-mail address" in kept.rejections[0].message
