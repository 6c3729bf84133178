"""Machine keys: made once, shown once, kept as a hash.

A key reads `vp_<kind>_<id in hex>_<secret>`. The front part says what it is and may be shown (`masked`); the secret
never is again. The id is the primary key, so checking a key is one look-up by index and one SHA-256.
"""

import asyncio
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, insert, select, update

from valueplatform.core.authorization import RIGHTS_OF_KEYS, RIGHTS_OF_PERSONS, Action, KeyKind, KeyPrincipal
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from valueplatform.core.scope import no_accounts
from valueplatform.core.tables import api_key
from valueplatform.core.tokens import TOKEN_LENGTH, new_token, token_hash, token_matches
from valueplatform.core.users import normal_email

SUPPLIER: Final = "supplier"
KEY_PATTERN: Final = re.compile(rf"vp_(ingest|partner|admin)_([0-9a-f]{{32}})_([A-Za-z0-9_-]{{{TOKEN_LENGTH}}})")
_NO_HASH: Final = bytes(32)
_MOST_HELD: Final = 10_000


@dataclass(frozen=True, slots=True)
class Quota:
    """How many events a key may send: `rate_limit` a second, `burst` of them at once, `daily_quota` a day of UTC; None
    = any number. A rate without a burst may come as that of ten seconds at once."""

    rate_limit: int | None = None
    burst: int | None = None
    daily_quota: int | None = None


UNLIMITED: Final = Quota()
_SECONDS_AT_ONCE: Final = 10
_MOST_EVENTS: Final = 10**12


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a new key is for. `account_ids` and `sources` None = any; `scopes` None = all that its kind may."""

    kind: KeyKind
    name: str
    provider: str = SUPPLIER
    account_ids: Sequence[int] | None = None
    sources: Sequence[str] | None = None
    scopes: Sequence[str] | None = None
    person: str | None = None
    quota: Quota = UNLIMITED


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key` is the whole secret: show it once, keep it nowhere."""

    key_id: uuid.UUID
    key: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as it may be listed."""

    key_id: uuid.UUID
    kind: KeyKind
    name: str
    provider: str
    account_ids: Sequence[int] | None
    sources: Sequence[str] | None
    scopes: Sequence[str]
    person: str | None
    rate_limit: int | None
    burst: int | None
    daily_quota: int | None
    created_at: datetime
    revoked_at: datetime | None


def masked(text: str) -> str:
    """The text with the secret of every key in it taken out, for logs."""
    return KEY_PATTERN.sub(r"vp_\1_\2_…", text)


async def create_key(tx: Transaction, grant: KeyGrant) -> NewKey:
    """Raises InvalidInputError for a grant that could never work."""
    scopes = _checked_scopes(grant)
    key_id, secret = uuid.uuid4(), new_token()
    await tx.execute(
        insert(api_key).values(
            key_id=key_id,
            kind=grant.kind.value,
            name=_checked_name(grant),
            secret_hash=token_hash(secret),
            provider=grant.provider,
            account_ids=None if grant.account_ids is None else sorted(set(grant.account_ids)),
            sources=None if grant.sources is None else sorted(set(grant.sources)),
            scopes=scopes,
            person=_checked_person(grant),
            **asdict(_checked_quota(grant.quota)),
        )
    )
    return NewKey(key_id, f"vp_{grant.kind}_{key_id.hex}_{secret}")


async def limit_key(tx: Transaction, key_id: uuid.UUID, quota: Quota) -> Quota:
    """Give a key another quota; as it is held. Raises NotFoundError, InvalidInputError."""
    held = _checked_quota(quota)
    if not await tx.execute(update(api_key).where(api_key.c.key_id == key_id).values(**asdict(held))):
        raise _no_key(key_id)
    return held


def _checked_quota(quota: Quota) -> Quota:
    for name, number in asdict(quota).items():
        if number is not None and not 1 <= number <= _MOST_EVENTS:
            raise InvalidInputError(f"The {name.replace('_', ' ')} of a key is a number of events, at least 1.")
    if quota.rate_limit is None and quota.burst is not None:
        raise InvalidInputError("A burst needs a rate limit, by which it fills up again.")
    if quota.rate_limit is not None and quota.burst is None:
        return replace(quota, burst=_SECONDS_AT_ONCE * quota.rate_limit)
    return quota


def _no_key(key_id: uuid.UUID) -> NotFoundError:
    return NotFoundError(f"There is no key {key_id}; `valueplatform key list` shows them.")


async def list_keys(tx: Transaction) -> list[KeyRecord]:
    """Every key, newest first, the revoked ones too."""
    rows = await tx.rows(select(*_SHOWN).order_by(api_key.c.created_at.desc(), api_key.c.key_id))
    return [KeyRecord(**{**row._asdict(), "kind": KeyKind(row.kind)}) for row in rows]


async def revoke_key(tx: Transaction, key_id: uuid.UUID, clock: Clock) -> bool:
    """Whether this call revoked it; False where it was revoked before. Raises NotFoundError."""
    revoked = await tx.execute(
        update(api_key).where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=clock())
    )
    if not revoked and await tx.scalar(select(api_key.c.key_id).where(api_key.c.key_id == key_id)) is None:
        raise _no_key(key_id)
    return bool(revoked)


async def authenticate_key(tx: Transaction, bearer: str) -> KeyPrincipal:
    """Whose key this is. Raises UnauthenticatedError, the same for every reason.

    The role of a `person` in its account is not known here: `accounts.people.as_person` adds it.
    """
    parts = KEY_PATTERN.fullmatch(bearer)
    if parts is None:
        raise _unknown_key()
    row = await tx.row(select(api_key).where(api_key.c.key_id == uuid.UUID(parts[2])))
    # An unknown id is compared too, so that it takes as long as a wrong secret.
    matches = token_matches(parts[3], _NO_HASH if row is None else row.secret_hash)
    if row is None or not matches or row.kind != parts[1] or row.revoked_at is not None:
        raise _unknown_key()
    return _principal(row)


class KeyRing:
    """Checks keys, and remembers the good ones for at most half a second: a busy sender costs two look-ups a
    second instead of one a request, and a revoked key is out within a second."""

    def __init__(
        self, database: Database, monotonic: Callable[[], float], hold: timedelta = timedelta(seconds=0.5)
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._hold = hold.total_seconds()
        self._held: dict[bytes, tuple[float, KeyPrincipal]] = {}
        self._looking: dict[bytes, asyncio.Task[KeyPrincipal]] = {}

    async def principal(self, bearer: str) -> KeyPrincipal:
        """As `authenticate_key`, in a transaction of its own where one is needed. Who asks for the same key meanwhile
        waits for the same look-up."""
        name = token_hash(bearer)
        held = self._held.get(name)
        if held is not None and self._monotonic() < held[0]:
            return held[1]
        looking = self._looking.get(name)
        if looking is None:
            looking = self._looking[name] = asyncio.create_task(self._look_up(name, bearer))
            looking.add_done_callback(lambda found: self._looked_up(name, found))
        return await asyncio.shield(looking)

    def _looked_up(self, name: bytes, found: "asyncio.Task[KeyPrincipal]") -> None:
        del self._looking[name]
        if not found.cancelled():
            found.exception()  # whoever asked may have gone by now

    async def _look_up(self, name: bytes, bearer: str) -> KeyPrincipal:
        self._held.pop(name, None)
        # From before the look-up: a key revoked meanwhile is not held longer for it.
        until = self._monotonic() + self._hold
        async with self._database.transaction(no_accounts()) as tx:
            principal = await authenticate_key(tx, bearer)
        if len(self._held) >= _MOST_HELD:
            self._held.clear()
        self._held[name] = (until, principal)
        return principal


_SHOWN: Final = tuple(api_key.c[field] for field in KeyRecord.__dataclass_fields__)


def _principal(row: Row[Any]) -> KeyPrincipal:
    known = frozenset(Action)
    return KeyPrincipal(
        key_id=row.key_id,
        kind=KeyKind(row.kind),
        name=row.name,
        provider=row.provider,
        account_ids=None if row.account_ids is None else frozenset(row.account_ids),
        sources=None if row.sources is None else frozenset(row.sources),
        scopes=frozenset(Action(scope) for scope in row.scopes if scope in known),
        person=row.person,
        limited=row.rate_limit is not None or row.daily_quota is not None,
    )


def _unknown_key() -> UnauthenticatedError:
    return UnauthenticatedError(
        "This key is not valid. Send a key that `valueplatform key create` gave out and nobody has revoked."
    )


NO_PROVIDERS: Final = frozenset({"joint", "event"})
"""What the value model calls what several bring together, and whoever sends: nobody holds a key as these."""


def _checked_name(grant: KeyGrant) -> str:
    if grant.provider in NO_PROVIDERS:
        raise InvalidInputError(f"No provider is called {grant.provider!r}: the value model means several by it.")
    name = grant.name.strip()
    if not name:
        raise InvalidInputError("A key needs a name, so that people can tell later what it was for.")
    return name


def _checked_scopes(grant: KeyGrant) -> list[str]:
    ceiling = frozenset[Action]().union(*RIGHTS_OF_PERSONS.values()) if grant.person else RIGHTS_OF_KEYS[grant.kind]
    wanted: Iterable[str] = ceiling if grant.scopes is None else grant.scopes
    beyond = sorted(set(wanted) - ceiling)
    if beyond:
        raise InvalidInputError(
            f"A key of kind {grant.kind} cannot have {', '.join(beyond)}. It can have: {', '.join(sorted(ceiling))}."
        )
    return sorted(set(wanted))


def _checked_person(grant: KeyGrant) -> str | None:
    if grant.person is None:
        return None
    if grant.kind is not KeyKind.PARTNER or grant.account_ids is None or len(set(grant.account_ids)) != 1:
        raise InvalidInputError(
            "A key that acts for a person is of kind partner and limited to the one account of that person."
        )
    return normal_email(grant.person)
