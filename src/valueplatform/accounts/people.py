"""The people of an account, and what each may do there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import Row, func, select, tuple_

from valueplatform.accounts.fields import Fields, InvalidValueError
from valueplatform.accounts.imports import Stored, Surroundings, outcome_of, to_write, upsert_into
from valueplatform.accounts.tables import person
from valueplatform.core.authorization import KeyPrincipal, PersonRole, Principal, UserPrincipal, UserRole
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.users import normal_email


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the customer's organization: what they need, and how they measure it."""

    email: str
    name: str
    role: PersonRole
    group: str | None = None
    need: str | None = None
    measure: str | None = None


async def people_of(tx: Transaction, account_id: int) -> list[Person]:
    """Everybody in the account, by name."""
    query = select(person).where(person.c.account_id == account_id)
    rows = await tx.rows(query.order_by(func.lower(person.c.name), person.c.email))
    return [_person(row) for row in rows]


async def role_in_account(tx: Transaction, account_id: int, email: str) -> PersonRole | None:
    """None where the account knows nobody of that address."""
    query = select(person.c.role).where(person.c.account_id == account_id, person.c.email == email)
    role = await tx.scalar(query)
    return None if role is None else PersonRole(role)


async def as_person(tx: Transaction, principal: Principal) -> Principal:
    """The principal with the role that its person has in the account now, for customers and keys that act for one.

    `tx` is in the principal's scope. A role that is taken away counts from the next request on.
    """
    email = _customer_email(principal)
    if email is None or principal.account_ids is None or len(principal.account_ids) != 1:
        return principal
    (account_id,) = principal.account_ids
    return replace(principal, person_role=await role_in_account(tx, account_id, email))


def _customer_email(principal: Principal) -> str | None:
    match principal:
        case UserPrincipal(role=UserRole.CUSTOMER):
            return principal.email
        case KeyPrincipal():
            return principal.person
        case _:
            return None


def _person(row: Row[Any]) -> Person:
    return Person(
        email=row.email,
        name=row.name,
        role=PersonRole(row.role),
        group=row.person_group,
        need=row.need,
        measure=row.measure,
    )


class PersonRow(msgspec.Struct, frozen=True):
    account_id: int
    person: Person

    @property
    def identity(self) -> tuple[int, str]:
        return self.account_id, self.person.email


class PeopleImport:
    """Without a role a person is a user, without a name the front of the address."""

    name: ClassVar[str] = "people"
    account_column: ClassVar[str] = "account"
    required: ClassVar[Sequence[str]] = ("account", "email")
    optional: ClassVar[Sequence[str]] = ("name", "role", "group", "need", "measure")
    takes_rest: ClassVar[bool] = False

    def read(self, fields: Fields, around: Surroundings, /) -> PersonRow:
        text = fields.text("email")
        try:
            email = normal_email(text)
        except InvalidInputError as error:
            raise InvalidValueError(f"Column email: {error.message}") from error
        return PersonRow(
            around.account(fields).account_id,
            Person(
                email=email,
                name=fields.optional("name") or email.partition("@")[0],
                role=fields.choice("role", PersonRole, PersonRole.USER),
                group=fields.optional("group"),
                need=fields.optional("need"),
                measure=fields.optional("measure"),
            ),
        )

    def identity(self, value: PersonRow, /) -> tuple[int, str]:
        return value.identity

    async def store(self, tx: Transaction, values: Sequence[PersonRow], _now: datetime, /) -> Stored:
        key = tuple_(person.c.account_id, person.c.email)
        rows = await tx.rows(select(person).where(key.in_([value.identity for value in values])))
        held = {(row.account_id, row.email): _person(row) for row in rows}
        outcomes = [outcome_of(held.get(value.identity), value.person) for value in values]
        new = to_write(values, outcomes)
        if new:
            await tx.execute(_UPSERT, [_columns(value) for value in new])
        return Stored(outcomes)


_UPSERT: Final = upsert_into(person)


def _columns(value: PersonRow) -> dict[str, Any]:
    one = value.person
    return {
        "account_id": value.account_id,
        "email": one.email,
        "name": one.name,
        "role": one.role.value,
        "person_group": one.group,
        "need": one.need,
        "measure": one.measure,
    }
