"""Who may do what."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from valueplatform.core.authorization import (
    RIGHTS_OF_KEYS,
    RIGHTS_OF_PERSONS,
    RIGHTS_OF_USERS,
    Action,
    KeyKind,
    KeyPrincipal,
    PersonRole,
    Principal,
    Side,
    UserPrincipal,
    UserRole,
    may,
    operator_scope,
    require,
    scope_of,
)
from valueplatform.core.errors import ForbiddenError
from valueplatform.core.scope import Scope


def a_user(role: UserRole, person_role: PersonRole | None = None) -> UserPrincipal:
    return UserPrincipal(1, "anna@acme.example", "Anna", role, frozenset({7}), person_role=person_role)


def a_key(kind: KeyKind, *, person: str | None = None, person_role: PersonRole | None = None) -> KeyPrincipal:
    everything = frozenset(Action)
    return KeyPrincipal(UUID(int=1), kind, "k", "supplier", None, None, everything, person, person_role)


def everyone() -> Iterator[Principal]:
    yield from (a_user(role) for role in UserRole)
    yield from (a_user(UserRole.CUSTOMER, role) for role in PersonRole)
    yield from (a_key(kind) for kind in KeyKind)
    yield a_key(KeyKind.PARTNER, person="vera@acme.example")
    for role in PersonRole:
        yield a_key(KeyKind.PARTNER, person="vera@acme.example", person_role=role)


def test_only_a_named_validator_of_the_customer_validates() -> None:
    validators = [principal for principal in everyone() if may(principal, Action.VALIDATE_ASSUMPTION)]
    assert {principal.person_role for principal in validators} == {PersonRole.VALIDATOR}
    assert {principal.side for principal in validators} == {Side.CUSTOMER}
    assert len(validators) == 2


def test_the_supplier_can_never_validate_whatever_its_key_says() -> None:
    for kind in KeyKind:
        assert not may(a_key(kind), Action.VALIDATE_ASSUMPTION)
    assert not may(a_user(UserRole.ADMIN), Action.VALIDATE_ASSUMPTION)
    # A role in the account means nothing for those who are not its people.
    assert not may(a_user(UserRole.STEWARD, PersonRole.VALIDATOR), Action.VALIDATE_ASSUMPTION)


@pytest.mark.parametrize("action", [Action.MANAGE_CONSENTS, Action.CONTRIBUTE])
def test_the_supplier_neither_consents_for_the_customer_nor_contributes_as_a_partner(action: Action) -> None:
    assert not any(may(principal, action) for principal in everyone() if principal.side is Side.SUPPLIER)


def test_every_role_and_every_kind_is_declared() -> None:
    assert set(RIGHTS_OF_USERS) == set(UserRole)
    assert set(RIGHTS_OF_PERSONS) == set(PersonRole)
    assert set(RIGHTS_OF_KEYS) == set(KeyKind)


def test_every_action_is_a_right_of_somebody() -> None:
    held = frozenset[Action]().union(*RIGHTS_OF_USERS.values(), *RIGHTS_OF_PERSONS.values(), *RIGHTS_OF_KEYS.values())
    assert held == set(Action)


@pytest.mark.parametrize(
    ("principal", "action", "allowed"),
    [
        (a_user(UserRole.CUSTOMER), Action.READ_STORY, True),
        (a_user(UserRole.CUSTOMER), Action.PROPOSE_ASSUMPTION, True),
        (a_user(UserRole.CUSTOMER), Action.ASK, True),
        (a_user(UserRole.CUSTOMER), Action.READ_EVENTS, False),
        (a_user(UserRole.CUSTOMER), Action.MANAGE_PLAN, False),
        (a_user(UserRole.CUSTOMER), Action.READ_PORTFOLIO, False),
        (a_user(UserRole.CUSTOMER, PersonRole.CHAMPION), Action.MANAGE_PLAN, True),
        (a_user(UserRole.CUSTOMER, PersonRole.CHAMPION), Action.READ_CONTRACTS, False),
        (a_user(UserRole.CUSTOMER, PersonRole.VALIDATOR), Action.READ_EVENTS, True),
        (a_user(UserRole.CUSTOMER, PersonRole.VALIDATOR), Action.ANSWER, False),
        (a_user(UserRole.STEWARD), Action.ANSWER, True),
        (a_user(UserRole.STEWARD), Action.READ_PORTFOLIO, True),
        (a_user(UserRole.STEWARD), Action.READ_EVENTS, True),
        (a_user(UserRole.STEWARD), Action.MANAGE_ACCESS, False),
        (a_user(UserRole.PARTNER), Action.READ_CONTRACTS, False),
        (a_user(UserRole.PARTNER), Action.READ_PEOPLE, False),
        (a_user(UserRole.PARTNER), Action.READ_CONVERSATIONS, False),
        (a_user(UserRole.PARTNER), Action.READ_EVENTS, False),
        (a_user(UserRole.PRODUCT), Action.READ_EVENTS, False),
        (a_user(UserRole.OPERATIONS), Action.READ_VALUE, False),
        (a_user(UserRole.FINANCE), Action.READ_FINANCE, True),
        (a_key(KeyKind.INGEST), Action.WRITE_EVENTS, True),
        (a_key(KeyKind.INGEST), Action.READ_ACCOUNTS, False),
        (a_key(KeyKind.INGEST), Action.READ_VALUE, False),
        (a_key(KeyKind.PARTNER), Action.READ_VALUE, True),
        (a_key(KeyKind.PARTNER), Action.WRITE_EVENTS, False),
        (a_key(KeyKind.PARTNER), Action.READ_PORTFOLIO, False),
        (a_key(KeyKind.PARTNER, person="gone@acme.example"), Action.READ_VALUE, False),
    ],
)
def test_rights(principal: Principal, action: Action, allowed: bool) -> None:  # noqa: FBT001 - a parameter of the table
    assert may(principal, action) is allowed


def test_a_key_may_no_more_than_its_scopes() -> None:
    narrow = KeyPrincipal(
        UUID(int=1), KeyKind.ADMIN, "k", "supplier", None, None, frozenset({Action.READ_VALUE, Action.ASK})
    )
    assert narrow.rights == {Action.READ_VALUE, Action.ASK}


def test_a_refusal_names_what_is_missing() -> None:
    with pytest.raises(ForbiddenError, match="ingest key may not do that: value:read") as error:
        require(a_key(KeyKind.INGEST), Action.READ_VALUE)
    assert error.value.detail == {"missing": "value:read"}
    require(a_key(KeyKind.PARTNER), Action.READ_VALUE)


def test_one_person_has_one_name_in_the_record_by_page_and_by_key() -> None:
    by_key = a_key(KeyKind.PARTNER, person="anna@acme.example")
    assert by_key.author == a_user(UserRole.CUSTOMER).author == "anna@acme.example"
    assert by_key.side is Side.CUSTOMER
    assert a_key(KeyKind.ADMIN).author == "key k"


def test_the_scope_is_that_of_the_principal() -> None:
    assert scope_of(a_user(UserRole.CUSTOMER)) == Scope(frozenset({7}))
    assert scope_of(a_key(KeyKind.ADMIN)) == operator_scope() == Scope(None)
