"""Signed-in browsers.

The cookie holds a random token, the database its hash: whoever reads the database cannot sign in. Every request reads
the session and its user anew, so that sign-out, expiry and disabling count at the next request. CSRF tokens are
the session's own: one from another session is refused.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import delete, insert, select

from valueplatform.core.authorization import UserPrincipal
from valueplatform.core.clock import Clock
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError
from valueplatform.core.tables import session, user
from valueplatform.core.tokens import new_token, token_hash
from valueplatform.core.users import principal_of

LIFETIME: Final = timedelta(days=7)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. `csrf_token` goes into its forms and comes back with each of them."""

    user: UserPrincipal
    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the value of the cookie that names it: for the answer to the browser, and nowhere else."""

    cookie: str
    session: Session


@dataclass(frozen=True, slots=True)
class CookieForm:
    """How the session cookie is written. Always HttpOnly and Path=/, and SameSite=Lax: who follows a link from an
    e-mail arrives signed in."""

    name: str
    secure: bool


def cookie_form(public_url: str) -> CookieForm:
    """`__Host-` and Secure everywhere but plain HTTP on loopback, where clients would not return such a cookie."""
    address = urlsplit(public_url)
    if address.scheme == "http" and address.hostname in _LOOPBACK:
        return CookieForm("valueplatform_session", secure=False)
    return CookieForm("__Host-valueplatform_session", secure=True)


async def open_session(
    tx: Transaction, person: UserPrincipal, clock: Clock, *, replaces: str | None = None
) -> OpenedSession:
    """A session under a new id. `replaces` is the cookie that the browser came with: that session ends."""
    if replaces:
        await end_session(tx, replaces)
    now = clock()
    await tx.execute(delete(session).where(session.c.expires_at <= now))
    opened = OpenedSession(new_token(), Session(person, new_token(), now + LIFETIME))
    await tx.execute(
        insert(session).values(
            session_hash=token_hash(opened.cookie),
            user_id=person.user_id,
            csrf_token=opened.session.csrf_token,
            created_at=now,
            expires_at=opened.session.expires_at,
        )
    )
    return opened


async def session_of(tx: Transaction, cookie: str, clock: Clock) -> Session | None:
    """The session that the cookie names; None where it ended, expired or never was, or its user is disabled."""
    row = await tx.row(
        select(user, session.c.csrf_token, session.c.expires_at)
        .join(session, session.c.user_id == user.c.user_id)
        .where(
            session.c.session_hash == token_hash(cookie),
            session.c.expires_at > clock(),
            user.c.disabled_at.is_(None),
        )
    )
    return None if row is None else Session(principal_of(row), row.csrf_token, row.expires_at)


async def end_session(tx: Transaction, cookie: str) -> None:
    await tx.execute(delete(session).where(session.c.session_hash == token_hash(cookie)))


def require_csrf(opened: Session, token: str | None) -> None:
    """Raises ForbiddenError where a request does not carry the token of this very session."""
    sent = (token or "").encode(errors="replace")
    if not hmac.compare_digest(sent, opened.csrf_token.encode()):
        raise ForbiddenError("This request does not come from a page of this session. Reload the page, try again.")
