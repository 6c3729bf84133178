"""A digest as a webhook, by Standard Webhooks (https://www.standardwebhooks.com): id, timestamp and signature in
headers, `{"type", "timestamp", "data"}` in the body."""

import base64
import hmac
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec

from valueplatform.stewardship.digests.content import BAD_NEWS, Digest, digest_json

STORY_CHANGED: Final = "story.changed"
NEWS_IS_BAD: Final = "story.bad_news"
AGENT: Final = "valueplatform"


def webhook_body(digest: Digest, queued_at: datetime, public_url: str) -> bytes:
    """The same for every try."""
    kind = NEWS_IS_BAD if digest.kind == BAD_NEWS else STORY_CHANGED
    document = {"type": kind, "timestamp": queued_at.isoformat(), "data": digest_json(digest, public_url)}
    return msgspec.json.encode(document)


def signed_headers(secret: bytes, digest_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """`webhook-id` stays over retries; the timestamp, which is signed too, is of this try."""
    stamp = str(int(now.timestamp()))
    signed = b".".join((str(digest_id).encode(), stamp.encode(), body))
    signature = base64.b64encode(hmac.new(secret, signed, sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "user-agent": AGENT,
        "webhook-id": str(digest_id),
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }
