"""What the customer lets each partner do with the account (A6): see it, and send value events of its own.

The newest statement of a partner and purpose holds. Before the customer has said anything, a partner sees an account
because the operator made its key or its user for it, and may not send. What is withdrawn is gone with the next request.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

import msgspec
from sqlalchemy import TextClause, insert, select, text

from valueplatform.accounts.providers import provider_names
from valueplatform.accounts.tables import consent, consent_request
from valueplatform.core.authorization import KeyPrincipal, Side, UserPrincipal
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, ForbiddenError, NotFoundError
from valueplatform.core.keys import SUPPLIER

AnyPrincipal = TypeVar("AnyPrincipal", KeyPrincipal, UserPrincipal)


class Purpose(StrEnum):
    """What is consented to."""

    SEE = "see"
    CONTRIBUTE = "contribute"


BY_DEFAULT: Final = {Purpose.SEE: True, Purpose.CONTRIBUTE: False}
"""What holds as long as the customer has said nothing."""

_WITHDRAWN: Final = text("""
    SELECT account_id FROM (
        SELECT DISTINCT ON (account_id) account_id, granted FROM consent
        WHERE provider = :provider AND what = 'see' ORDER BY account_id, consent_id DESC) newest
    WHERE NOT granted
""")
_ALL: Final = text("SELECT account_id FROM account WHERE account_id > 0")


class Wish(msgspec.Struct, frozen=True):
    """What the customer says: `granted` False withdraws it."""

    provider: str
    what: Purpose
    granted: bool
    reason: str


class Consent(msgspec.Struct, frozen=True):
    """One statement; `holds`: no later one has replaced it."""

    consent_id: int
    wish: Wish
    author: str
    known_at: datetime
    holds: bool


async def consents_of(tx: Transaction, account_id: int, provider: str | None = None) -> list[Consent]:
    """Every statement, oldest first; of one provider where it is named."""
    query = select(consent).where(consent.c.account_id == account_id).order_by(consent.c.consent_id)
    rows = await tx.rows(query if provider is None else query.where(consent.c.provider == provider))
    newest = {(row.provider, row.what): row.consent_id for row in rows}
    return [
        Consent(
            row.consent_id,
            Wish(row.provider, Purpose(row.what), row.granted, row.reason),
            row.author,
            row.known_at,
            newest[row.provider, row.what] == row.consent_id,
        )
        for row in rows
    ]


class ConsentRequest(msgspec.Struct, frozen=True):
    """What a partner asks to be let do, and why."""

    request_id: int
    provider: str
    what: Purpose
    reason: str
    author: str
    known_at: datetime


async def open_requests(tx: Transaction, account_id: int) -> list[ConsentRequest]:
    """The newest of each partner and purpose of which the customer has said nothing since, oldest first."""
    said = {(one.wish.provider, one.wish.what): one.known_at for one in await consents_of(tx, account_id) if one.holds}
    query = select(consent_request).where(consent_request.c.account_id == account_id)
    newest = {
        (row.provider, Purpose(row.what)): row for row in await tx.rows(query.order_by(consent_request.c.request_id))
    }
    asked = [
        ConsentRequest(row.request_id, row.provider, Purpose(row.what), row.reason, row.author, row.known_at)
        for key, row in newest.items()
        if key not in said or said[key] < row.known_at
    ]
    return sorted(asked, key=lambda one: one.request_id)


async def ask_consent(
    tx: Transaction, account_id: int, provider: str, what: Purpose, reason: str, author: str, now: datetime
) -> ConsentRequest:
    """Keep that a partner asks; what it asked and nobody answered is there already. Raises ConflictError for what the
    customer lets it do."""
    await lock_account(tx, account_id)
    if await consents_to(tx, account_id, provider, what):
        raise ConflictError(f"The customer lets you {what.value} already.")
    for asked in await open_requests(tx, account_id):
        if (asked.provider, asked.what) == (provider, what):
            return asked
    values = {"account_id": account_id, "provider": provider, "what": what.value}
    values |= {"reason": reason, "author": author, "known_at": now}
    made = await tx.scalar(insert(consent_request).values(values).returning(consent_request.c.request_id))
    return ConsentRequest(int(made), provider, what, reason, author, now)


async def say_consent(tx: Transaction, account_id: int, wish: Wish, author: str, now: datetime) -> Consent:
    """Grant or withdraw. What holds already is not written again, unless it answers a request. Raises NotFoundError for
    what is no partner.

    Contributions take the same lock, so that none is taken after the withdrawal.
    """
    if wish.provider == SUPPLIER or wish.provider not in await provider_names(tx):
        raise NotFoundError(f"There is no partner {wish.provider!r}.")
    await lock_account(tx, account_id)
    asked = {(one.provider, one.what) for one in await open_requests(tx, account_id)}
    for held in await consents_of(tx, account_id, wish.provider):
        if held.holds and held.wish.what is wish.what and held.wish.granted is wish.granted:
            if (wish.provider, wish.what) in asked:
                break
            return held
    values = {**msgspec.structs.asdict(wish), "account_id": account_id, "author": author, "known_at": now}
    consent_id = await tx.scalar(insert(consent).values(values).returning(consent.c.consent_id))
    return Consent(int(consent_id), wish, author, now, True)


async def consents_to(tx: Transaction, account_id: int, provider: str, what: Purpose) -> bool:
    for held in await consents_of(tx, account_id, provider):
        if held.holds and held.wish.what is what:
            return held.wish.granted
    return BY_DEFAULT[what]


async def require_consent(tx: Transaction, account_id: int, provider: str, what: Purpose) -> None:
    """Raises ForbiddenError where the customer does not let the partner."""
    if not await consents_to(tx, account_id, provider, what):
        raise ForbiddenError(
            f"The customer has not consented to that; somebody on its side has to grant {what.value!r} first.",
            {"missing": f"consent:{what.value}"},
        )


async def held_to_consent(tx: Transaction, principal: AnyPrincipal) -> AnyPrincipal:
    """A partner without the accounts whose customers have withdrawn that it sees them; others as they are.

    `tx` is in the principal's scope.
    """
    if principal.side is not Side.PARTNER:
        return principal
    withdrawn = await _ids(tx, _WITHDRAWN, {"provider": principal.provider})
    if not withdrawn:
        return principal
    held = principal.account_ids
    return replace(principal, account_ids=(await _ids(tx, _ALL, {}) if held is None else held) - withdrawn)


async def _ids(tx: Transaction, query: TextClause, values: Mapping[str, str | None]) -> frozenset[int]:
    return frozenset(row.account_id for row in await tx.rows(query, values))
