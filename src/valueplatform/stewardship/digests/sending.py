"""Sending what waits, once: claimed, sent, settled, each a step of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import httpcore
import structlog

from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database
from valueplatform.core.outbound import Outbound, RefusedAddressError
from valueplatform.core.smtp import DeliveryError, SmtpSettings, send_mail
from valueplatform.narrative.document import Audience
from valueplatform.stewardship.digests.choice import Channel, unsubscribe_token
from valueplatform.stewardship.digests.gathered import gathered_mail, message_id
from valueplatform.stewardship.digests.mail import Envelope, digest_mail
from valueplatform.stewardship.digests.outbox import (
    Queued,
    drop,
    next_waiting,
    put_off,
    settle_failed,
    settle_sent,
    tried,
)
from valueplatform.stewardship.digests.webhook import signed_headers, webhook_body
from valueplatform.stewardship.holds import held_until

LOOK_AGAIN: Final = timedelta(minutes=1)
"""A hold may be released at any time."""
GONE: Final = 410
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Means:
    """What digests are sent with. `public_url` is where their links lead; without `smtp` no e-mail is sent."""

    public_url: str
    smtp: SmtpSettings | None = None
    outbound: Outbound = field(default_factory=Outbound)


async def send_next(database: Database, means: Means, clock: Clock) -> bool:
    """Send the message that waits longest, or put it off; False where none is due."""
    claimed = await claim(database, clock())
    if claimed is None:
        return False
    if claimed:
        await _send(database, means, claimed, clock)
    return True


async def claim(database: Database, now: datetime) -> tuple[Queued, ...] | None:
    """The next message's digests, each try counted; none where it is not to be sent now; None where none is due.

    A hold is looked at here again: news may have been held after the digest was composed.
    """
    async with database.transaction(operator_scope()) as tx:
        found = await next_waiting(tx, now)
        if not found:
            return None
        first = found[0]
        if not first.wanted:
            for one in found:
                await drop(tx, one, now)
            return ()
        if first.digest.audience != Audience.STEWARD.value and await held_until(
            tx, first.account_id, first.timezone, first.since_at, now
        ):
            await put_off(tx, first, now + LOOK_AGAIN)
            return ()
        return tuple([await tried(tx, one, now) for one in found])


async def _send(database: Database, means: Means, together: Sequence[Queued], clock: Clock) -> None:
    try:
        await transmit(means, together, clock())
    except DeliveryError as error:
        await _failed(database, together, error, clock())
    else:
        async with database.transaction(operator_scope()) as tx:
            for one in sorted(together, key=lambda one: one.account_id):
                await settle_sent(tx, one, clock())
        for one in together:
            log.info("digest sent", digest=str(one.digest_id), account=one.account_id, channel=one.channel.value)


async def _failed(database: Database, together: Sequence[Queued], error: DeliveryError, now: datetime) -> None:
    async with database.transaction(operator_scope()) as tx:
        given_up = [await settle_failed(tx, one, str(error), now, final=error.final) for one in together]
    for one, ended in zip(together, given_up, strict=True):
        log.warning("digest not sent", digest=str(one.digest_id), account=one.account_id, channel=one.channel.value,
                    attempts=one.attempts, reason=str(error), given_up=ended)  # fmt: skip


async def transmit(means: Means, together: Sequence[Queued], now: datetime) -> None:
    """Hand a message to the other side. Raises DeliveryError."""
    first = together[0]
    if first.channel is Channel.EMAIL:
        await _mail(means, together)
    else:
        await _webhook(means, first, now)


async def _mail(means: Means, together: Sequence[Queued]) -> None:
    first = together[0]
    if means.smtp is None or first.unsubscribe_key is None:
        raise DeliveryError("This installation has no mail server now.")
    try:
        named = first.digest_id if len(together) == 1 else message_id([one.digest_id for one in together])
        envelope = Envelope(named, means.smtp.sender, means.smtp.domain, first.email, first.queued_at)
        token = unsubscribe_token(first.user_id, first.unsubscribe_key)
        if len(together) == 1:
            mail = digest_mail(first.digest, envelope, means.public_url, token)
        else:
            mail = gathered_mail([one.digest for one in together], envelope, means.public_url, token)
    except ValueError as error:
        raise DeliveryError(f"The address cannot be written to: {error}", final=True) from error
    await send_mail(means.smtp, mail, first.email)


async def _webhook(means: Means, one: Queued, now: datetime) -> None:
    if one.webhook_url is None or one.secret is None:
        raise DeliveryError("There is no address to send to.", final=True)
    body = webhook_body(one.digest, one.queued_at, means.public_url)
    headers = signed_headers(one.secret, one.digest_id, body, now)
    try:
        status = await means.outbound.post(one.webhook_url, headers, body)
    except RefusedAddressError as error:
        raise DeliveryError(error.message) from error
    except TimeoutError as error:
        raise DeliveryError("The address did not answer in time.") from error
    except (OSError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise DeliveryError(f"The address could not be reached: {str(error) or type(error).__name__}") from error
    if not 200 <= status < 300:
        raise DeliveryError(f"The address answered {status}.", final=status == GONE)
