"""People who sign in, and the accounts that each may see.

A customer belongs to exactly one account, a partner to named accounts; the supplier's own people see every account
unless they are limited to some.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects import postgresql

from valueplatform.core.authorization import UserPrincipal, UserRole
from valueplatform.core.clock import Clock
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError
from valueplatform.core.tables import session, sign_in_link, user

_EMAIL: Final = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
LONGEST_EMAIL: Final = 254


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user as they may be listed. `account_ids` None = every account."""

    user_id: int
    email: str
    name: str
    role: UserRole
    account_ids: Sequence[int] | None
    provider: str | None
    disabled_at: datetime | None
    created_at: datetime


def normal_email(text: str) -> str:
    """The address as it is kept: trimmed, in lower case. Raises InvalidInputError."""
    email = text.strip().lower()
    if not _EMAIL.fullmatch(email) or len(email) > LONGEST_EMAIL:
        raise InvalidInputError(f"{text!r} is not an e-mail address; write it as name@example.com.")
    return email


async def create_user(
    tx: Transaction,
    email: str,
    role: UserRole,
    *,
    account_ids: Sequence[int] | None = None,
    name: str | None = None,
    provider: str | None = None,
) -> UserPrincipal:
    """Raises ConflictError where the address is taken, InvalidInputError where role and accounts do not go together."""
    address = normal_email(email)
    accounts = _checked_accounts(role, account_ids)
    created = await tx.row(
        postgresql.insert(user)
        .values(
            email=address,
            name=(name or "").strip() or address.partition("@")[0],
            role=role.value,
            account_ids=accounts,
            provider=provider,
        )
        .on_conflict_do_nothing(index_elements=[user.c.email])
        .returning(user)
    )
    if created is None:
        raise ConflictError(
            f"{address} is a user already. `valueplatform user link {address}` gives them a sign-in link."
        )
    return principal_of(created)


async def user_by_email(tx: Transaction, email: str) -> UserPrincipal:
    """Raises NotFoundError where there is none, or they are disabled."""
    address = normal_email(email)
    row = await tx.row(select(user).where(user.c.email == address, user.c.disabled_at.is_(None)))
    if row is None:
        raise NotFoundError(
            f"There is no user {address}, or they are disabled; `valueplatform user list` shows who there is."
        )
    return principal_of(row)


async def list_users(tx: Transaction) -> list[UserRecord]:
    rows = await tx.rows(select(*_SHOWN).order_by(user.c.email))
    return [UserRecord(**{**row._asdict(), "role": UserRole(row.role)}) for row in rows]


async def disable_user(tx: Transaction, email: str, clock: Clock) -> None:
    """Shut somebody out at once: sessions end, unused links become void. Raises NotFoundError."""
    user_id = (await user_by_email(tx, email)).user_id
    await tx.execute(update(user).where(user.c.user_id == user_id).values(disabled_at=clock()))
    await tx.execute(delete(session).where(session.c.user_id == user_id))
    await tx.execute(delete(sign_in_link).where(sign_in_link.c.user_id == user_id, sign_in_link.c.used_at.is_(None)))


async def enable_user(tx: Transaction, email: str) -> None:
    """Let somebody in again, by a new link. Raises NotFoundError."""
    address = normal_email(email)
    if not await tx.execute(update(user).where(user.c.email == address).values(disabled_at=None)):
        raise NotFoundError(f"There is no user {address}; `valueplatform user list` shows who there is.")


def principal_of(row: Row[Any]) -> UserPrincipal:
    """A row of `app_user` as a principal, without the role of a customer's person in the account."""
    return UserPrincipal(
        user_id=row.user_id,
        email=row.email,
        name=row.name,
        role=UserRole(row.role),
        account_ids=None if row.account_ids is None else frozenset(row.account_ids),
        provider=row.provider,
    )


_SHOWN: Final = tuple(user.c[field] for field in UserRecord.__dataclass_fields__)


def _checked_accounts(role: UserRole, account_ids: Sequence[int] | None) -> list[int] | None:
    accounts = None if account_ids is None else sorted(set(account_ids))
    if role is UserRole.CUSTOMER and (accounts is None or len(accounts) != 1):
        raise InvalidInputError("A customer belongs to exactly one account; name it with --account.")
    if role is UserRole.PARTNER and not accounts:
        raise InvalidInputError("A partner sees named accounts only; name them with --account.")
    if accounts == []:
        raise InvalidInputError("Name at least one account, or none at all for every account.")
    return accounts
