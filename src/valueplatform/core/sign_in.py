"""One-time sign-in links, and the limit on guessing.

A link is shown once and kept as a hash. Opening it only shows a button, since mail scanners open every link; the
button's POST uses the link up and opens a session. Failed tries are counted by the address of the peer itself;
what a client writes into forwarded headers is not looked at.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import delete, func, insert, select, update

from valueplatform.core.authorization import UserPrincipal
from valueplatform.core.clock import Clock
from valueplatform.core.database import Transaction
from valueplatform.core.errors import OverloadedError
from valueplatform.core.sessions import OpenedSession, open_session
from valueplatform.core.tables import attempt, sign_in_link, user
from valueplatform.core.tokens import new_token, token_hash
from valueplatform.core.users import principal_of

SIGN_IN_PATH: Final = "/sign-in"
LINK_LIFETIME: Final = timedelta(hours=24)
FAILURES_ALLOWED: Final = 10
FAILURE_WINDOW: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Knock:
    """One try to sign in: the link's token, and the address of the peer that sent it."""

    token: str
    address: str
    replaces: str | None = None
    """The session cookie that came along; signing in ends that session."""


def sign_in_url(public_url: str, token: str) -> str:
    return f"{public_url.rstrip('/')}{SIGN_IN_PATH}?{urlencode({'token': token})}"


async def create_link(tx: Transaction, person: UserPrincipal, clock: Clock, lifetime: timedelta = LINK_LIFETIME) -> str:
    """The token of a new link, good once. Links that have expired are cleared away."""
    now, token = clock(), new_token()
    await tx.execute(delete(sign_in_link).where(sign_in_link.c.expires_at <= now))
    await tx.execute(
        insert(sign_in_link).values(token_hash=token_hash(token), user_id=person.user_id, expires_at=now + lifetime)
    )
    return token


async def sign_in(tx: Transaction, knock: Knock, clock: Clock) -> OpenedSession | None:
    """Use the link up and open a session; None where the link is unknown, used, expired or of a disabled user.

    A failure is recorded in this transaction, so the caller commits it. Raises OverloadedError after
    FAILURES_ALLOWED failures from one address within FAILURE_WINDOW, without looking at the link.
    """
    await _refuse_guessing(tx, knock.address, clock)
    person = await _redeem(tx, knock.token, clock)
    if person is None:
        await tx.execute(insert(attempt).values(subject=knock.address, at=clock()))
        return None
    return await open_session(tx, person, clock, replaces=knock.replaces)


async def _refuse_guessing(tx: Transaction, address: str, clock: Clock) -> None:
    since = clock() - FAILURE_WINDOW
    await tx.execute(delete(attempt).where(attempt.c.at < since))
    failures = await tx.scalar(select(func.count()).select_from(attempt).where(attempt.c.subject == address))
    if failures >= FAILURES_ALLOWED:
        raise OverloadedError(
            "Too many failed sign-ins from your address; wait a minute, then open your link again.",
            retry_after=int(FAILURE_WINDOW.total_seconds()),
        )


async def _redeem(tx: Transaction, token: str, clock: Clock) -> UserPrincipal | None:
    """One statement, so that of two tries at the same moment one wins."""
    now = clock()
    used = (
        update(sign_in_link)
        .where(
            sign_in_link.c.token_hash == token_hash(token),
            sign_in_link.c.used_at.is_(None),
            sign_in_link.c.expires_at > now,
            sign_in_link.c.user_id == user.c.user_id,
            user.c.disabled_at.is_(None),
        )
        .values(used_at=now)
        .returning(user)
    )
    row = await tx.row(used)
    return None if row is None else principal_of(row)
