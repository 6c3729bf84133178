"""What a reader chose: by which way, how often, and when. Off until somebody chooses otherwise."""

import base64
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import select, text

from valueplatform.core.authorization import PersonRole, UserPrincipal, UserRole
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import ONE_DAY, zone
from valueplatform.narrative.document import Audience, Language
from valueplatform.stewardship.tables import digest_choice

SECRET_BYTES: Final = 32
WEBHOOK_PREFIX: Final = "whsec_"
READERS: Final = frozenset({UserRole.CUSTOMER, UserRole.STEWARD})
"""Who has a story to be told: a customer of its own account, a steward of the accounts of theirs."""
_FOR_EXECUTIVES: Final = frozenset({PersonRole.SPONSOR, PersonRole.ECONOMIC_BUYER})
_DAYS_OF_A_WEEK: Final = 7
_FAR_ENOUGH: Final = 40
"""Days within which every cadence has a turn."""


class Channel(StrEnum):
    NONE = "none"
    EMAIL = "email"
    WEBHOOK = "webhook"


class Cadence(StrEnum):
    """`changed`: each day on which something changed; `monthly`: on the first such weekday of the month."""

    CHANGED = "changed"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """`weekday` 0 = Monday; `hour` is local to `timezone`; `language` is that of the story, on pages too.
    `bad_news`: a steward wants bad news at once, too."""

    channel: Channel = Channel.NONE
    cadence: Cadence = Cadence.WEEKLY
    weekday: Annotated[int, Meta(ge=0, le=6)] = 0
    hour: Annotated[int, Meta(ge=0, le=23)] = 8
    timezone: str = "UTC"
    language: Language = Language.ENGLISH
    webhook_url: str | None = None
    bad_news: bool = False

    @property
    def is_on(self) -> bool:
        return self.channel is not Channel.NONE


def next_slot(choice: Choice, after: datetime) -> datetime:
    """The first moment after `after` at which a digest is due, in UTC.

    Once on each local day: an hour that the clocks leave out is taken just after the gap, one that comes twice at its
    first coming.
    """
    tz = zone(choice.timezone)
    day = after.astimezone(tz).date() - ONE_DAY
    for _ in range(_FAR_ENOUGH):
        day += ONE_DAY
        turn = {
            Cadence.CHANGED: True,
            Cadence.WEEKLY: day.weekday() == choice.weekday,
            Cadence.MONTHLY: day.weekday() == choice.weekday and day.day <= _DAYS_OF_A_WEEK,
        }[choice.cadence]
        slot = datetime(day.year, day.month, day.day, choice.hour, tzinfo=tz).astimezone(UTC)
        if turn and slot > after:
            return slot
    return after + timedelta(days=_FAR_ENOUGH)  # pragma: no cover - every cadence comes round sooner


def audience_of(user: UserPrincipal) -> Audience | None:
    """Whose story this reader is told; None for those who have none."""
    if user.role is UserRole.STEWARD:
        return Audience.STEWARD
    if user.role is not UserRole.CUSTOMER or user.person_role is None:
        return None
    return Audience.EXECUTIVE if user.person_role in _FOR_EXECUTIVES else Audience.CUSTOMER


_COLUMNS: Final = tuple(digest_choice.c[name] for name in Choice.__struct_fields__)
_SAVE: Final = text("""
    INSERT INTO digest_choice (user_id, channel, cadence, weekday, hour, timezone, language, webhook_url,
                               webhook_secret, bad_news, unsubscribe_key, chosen_at)
    VALUES (:user, :channel, :cadence, :weekday, :hour, :timezone, :language, :webhook_url, :secret, :bad_news, :key,
            :now)
    ON CONFLICT (user_id) DO UPDATE
    SET channel = :channel, cadence = :cadence, weekday = :weekday, hour = :hour, timezone = :timezone,
        language = :language, webhook_url = :webhook_url, bad_news = :bad_news, chosen_at = :now
""")
_NEW_SECRET: Final = text("UPDATE digest_choice SET webhook_secret = :secret WHERE user_id = :user")
_OFF: Final = text("UPDATE digest_choice SET channel = 'none', bad_news = false WHERE user_id = :user")


async def choice_of(tx: Transaction, user_id: int) -> Choice | None:
    """None where nothing was ever chosen."""
    row = await tx.row(select(*_COLUMNS).where(digest_choice.c.user_id == user_id))
    return None if row is None else msgspec.convert({str(name): value for name, value in row._asdict().items()}, Choice)


async def chosen_language(tx: Transaction, user_id: int) -> Language | None:
    """In which a reader wants stories told; None where nothing was chosen."""
    chosen = await tx.scalar(select(digest_choice.c.language).where(digest_choice.c.user_id == user_id))
    return None if chosen is None else Language(chosen)


async def save_choice(
    tx: Transaction, user_id: int, choice: Choice, now: datetime, *, new_secret: bool = False
) -> str | None:
    """Keep what a reader chose; the address of a webhook was checked. The secret that its requests are signed with,
    where it is a new one: show it once.

    There is a new one for a new address, and where it is asked for. Raises InvalidInputError.
    """
    zone(choice.timezone)
    if choice.channel is Channel.WEBHOOK and not choice.webhook_url:
        raise InvalidInputError("Give the address that digests are to be sent to.")
    before = await choice_of(tx, user_id)
    values = {**msgspec.structs.asdict(choice), "user": user_id, "now": now, "secret": None}
    await tx.execute(_SAVE, values | {"key": secrets.token_bytes(SECRET_BYTES)})
    moved = before is None or before.webhook_url != choice.webhook_url
    if choice.channel is not Channel.WEBHOOK or not (moved or new_secret):
        return None
    secret = secrets.token_bytes(SECRET_BYTES)
    await tx.execute(_NEW_SECRET, {"user": user_id, "secret": secret})
    return WEBHOOK_PREFIX + base64.b64encode(secret).decode()


async def turn_off(tx: Transaction, user_id: int) -> None:
    await tx.execute(_OFF, {"user": user_id})


def unsubscribe_token(user_id: int, key: bytes) -> str:
    """Good for one thing, for this reader, however often."""
    return f"{user_id}.{hmac.new(key, f'unsubscribe {user_id}'.encode(), sha256).hexdigest()}"


async def unsubscribing(tx: Transaction, token: str) -> int | None:
    """Whose token it is; None where it was not made here."""
    number, _, _ = token.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < len(str(2**63))):
        return None
    key = await tx.scalar(select(digest_choice.c.unsubscribe_key).where(digest_choice.c.user_id == int(number)))
    if key is None or not hmac.compare_digest(
        unsubscribe_token(int(number), key).encode(), token.encode("utf-8", "replace")
    ):
        return None
    return int(number)
