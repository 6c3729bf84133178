"""Tables that belong to the supplier, not to an account: the model, identity, requests."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from valueplatform.core.schema import metadata

TIMESTAMP = DateTime(timezone=True)

# The value model, whole, in every revision; the newest is in force. `document` is the normalized model.
model_revision = Table(
    "model_revision",
    metadata,
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("document", JSONB, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("applied_at", TIMESTAMP, nullable=False, server_default=func.now()),
)

# People who sign in. `account_ids` null = every account (supplier-side roles only); a customer has exactly one.
user = Table(
    "app_user",
    metadata,
    Column("user_id", BigInteger, Identity(always=True), primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("account_ids", ARRAY(BigInteger), nullable=True),
    Column("provider", Text, nullable=True),
    Column("disabled_at", TIMESTAMP, nullable=True),
    Column("created_at", TIMESTAMP, nullable=False, server_default=func.now()),
)

# One-time sign-in links: only the hash is kept.
sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.user_id"), nullable=False),
    Column("expires_at", TIMESTAMP, nullable=False),
    Column("used_at", TIMESTAMP, nullable=True),
)

# Signed-in browsers: the cookie's hash, and the secret that CSRF tokens of this session are bound to.
session = Table(
    "session",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("app_user.user_id"), nullable=False),
    Column("csrf_token", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("expires_at", TIMESTAMP, nullable=False),
)

# Machine keys. `account_ids` null = every account; `sources` null = any source; `person` is the e-mail of the
# customer's person whom the key acts for, if any. Quotas in events: `rate_limit` a second with `burst` at once, and
# `daily_quota`; null = any number.
api_key = Table(
    "api_key",
    metadata,
    Column("key_id", UUID(as_uuid=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("provider", Text, nullable=False),
    Column("account_ids", ARRAY(BigInteger), nullable=True),
    Column("sources", ARRAY(Text), nullable=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("person", Text, nullable=True),
    Column("rate_limit", BigInteger, nullable=True),
    Column("burst", BigInteger, nullable=True),
    Column("daily_quota", BigInteger, nullable=True),
    Column("created_at", TIMESTAMP, nullable=False, server_default=func.now()),
    Column("revoked_at", TIMESTAMP, nullable=True),
)

# What keys with quotas have left (`telemetry.quotas`): `tokens` of the bucket as of `filled_at`, null without a rate
# limit; events `used` on `day`.
key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", UUID(as_uuid=True), ForeignKey("api_key.key_id"), primary_key=True),
    Column("tokens", Numeric, nullable=True),
    Column("filled_at", TIMESTAMP, nullable=False),
    Column("day", Date, nullable=False),
    Column("used", BigInteger, nullable=False),
)

# Answers of writes, by caller and Idempotency-Key, kept 24 hours.
idempotency = Table(
    "idempotency",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
)

# Failed sign-ins by address of the peer, counted in windows; the limits live beside the code that reads them.
attempt = Table(
    "attempt",
    metadata,
    Column("attempt_id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Index("ix_attempt_subject_at", "subject", "at"),
)
