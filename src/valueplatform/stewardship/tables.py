"""Tables of who acts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from valueplatform.core.schema import metadata, tenant_table
from valueplatform.core.tables import TIMESTAMP

# `assumption` is the slug of an assumption or baseline that it is about; `waits_for` the side whose turn it is.
conversation = tenant_table(
    "conversation",
    Column("conversation_id", BigInteger, Identity(always=True), nullable=False),
    Column("title", Text, nullable=False),
    Column("assumption", Text, nullable=True),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", TIMESTAMP, nullable=False),
    Column("last_at", TIMESTAMP, nullable=False),
    Column("waits_for", Text, nullable=False),
    CheckConstraint("waits_for IN ('customer', 'supplier')", name="turn"),
    key=("conversation_id",),
)

# `insight` is the insight attached, with its sentence and numbers as they stood when it was attached.
message = tenant_table(
    "message",
    Column("conversation_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, Identity(always=True), nullable=False),
    Column("author", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("insight", JSONB(none_as_null=True), nullable=True),
    Column("at", TIMESTAMP, nullable=False),
    ForeignKeyConstraint(
        ["account_id", "conversation_id"], ["conversation.account_id", "conversation.conversation_id"]
    ),
    CheckConstraint("side IN ('customer', 'supplier')", name="side"),
    key=("conversation_id", "message_id"),
)

# What calls for the steward, one row an account, kind and subject. `urgency` 0 = today, 1 = this week. `raised_at`
# stays while it holds; `settled_at` is when it was found to hold no longer. `unit` is the account's currency.
signal = tenant_table(
    "signal",
    Column("signal_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("urgency", SmallInteger, nullable=False),
    Column("insight_id", Text, nullable=True),
    Column("unit", Text, nullable=False),
    Column("at_stake", Numeric(38, 4), nullable=False),
    Column("body", JSONB, nullable=False),
    Column("raised_at", TIMESTAMP, nullable=False),
    Column("settled_at", TIMESTAMP, nullable=True),
    Index(
        "ix_signal_raised_at",
        "raised_at",
        "account_id",
        "signal_id",
        postgresql_where=text("settled_at IS NULL"),
    ),
    key=("signal_id",),
)

# One row an account: what the portfolio shows, kept by the worker with the story. The columns are what the portfolio
# is ordered, filtered and counted by; `ix_standing_order` is its order. `urgency` 2 = nothing calls; `abroad` = `unit`
# is not the supplier's currency; `find_text` is name and key as they are searched.
standing = tenant_table(
    "standing",
    Column("urgency", SmallInteger, nullable=False),
    Column("abroad", Boolean, nullable=False),
    Column("unit", Text, nullable=False),
    Column("at_stake", Numeric(38, 4), nullable=False),
    Column("find_text", Text, nullable=False),
    Column("renews_on", Date, nullable=True),
    Column("under_review", Boolean, nullable=False),
    Column("no_data", Boolean, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("composed_at", TIMESTAMP, nullable=False),
    Index(
        "ix_standing_order",
        "urgency",
        "abroad",
        "unit",
        text("at_stake DESC"),
        "find_text",
        "account_id",
    ),
    key=(),
)

# Bad news as it was first told; `over_at` null = it still is. `text` is the sentence as it was told then,
# `position` its place among those told at the same time.
bad_news = tenant_table(
    "bad_news",
    Column("insight_id", Text, nullable=False),
    Column("told_at", TIMESTAMP, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("over_at", TIMESTAMP, nullable=True),
    Index("ix_bad_news_told_at", "told_at", "account_id", postgresql_where=text("over_at IS NULL")),
    key=("insight_id", "told_at"),
)

# A steward holds back notices and digests of an account. `told_at` is when the oldest news that it covers was told.
news_hold = tenant_table(
    "news_hold",
    Column("hold_id", BigInteger, Identity(always=True), nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_at", TIMESTAMP, nullable=False),
    Column("told_at", TIMESTAMP, nullable=False),
    Column("until", TIMESTAMP, nullable=False),
    key=("hold_id",),
)

news_hold_release = tenant_table(
    "news_hold_release",
    Column("hold_id", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("released_at", TIMESTAMP, nullable=False),
    ForeignKeyConstraint(["account_id", "hold_id"], ["news_hold.account_id", "news_hold.hold_id"]),
    key=("hold_id",),
)

# Up to which version of the story, and to which moment, a reader has put its notice aside.
notice_dismissal = tenant_table(
    "notice_dismissal",
    Column("user_id", BigInteger, nullable=False),
    Column("audience", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("dismissed_at", TIMESTAMP, nullable=False),
    key=("user_id", "audience"),
)

# How a reader wants to be told; without a row, not at all. `weekday` 0 = Monday. The web role writes `webhook_secret`
# and never reads it; links to unsubscribe are signed with `unsubscribe_key`.
digest_choice = Table(
    "digest_choice",
    metadata,
    Column("user_id", BigInteger, ForeignKey("app_user.user_id"), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("cadence", Text, nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("hour", SmallInteger, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("language", Text, nullable=False, server_default="en"),
    Column("webhook_url", Text, nullable=True),
    Column("webhook_secret", LargeBinary, nullable=True),
    Column("bad_news", Boolean, nullable=False),
    Column("unsubscribe_key", LargeBinary, nullable=False),
    Column("chosen_at", TIMESTAMP, nullable=False),
    CheckConstraint("channel IN ('none', 'email', 'webhook')", name="channel"),
    CheckConstraint("cadence IN ('changed', 'weekly', 'monthly')", name="cadence"),
    CheckConstraint("language IN ('en', 'de')", name="language"),
    CheckConstraint("weekday BETWEEN 0 AND 6 AND hour BETWEEN 0 AND 23", name="time"),
)

# How far a reader was told of an account: the version last sent and as of when; `next_at` is when to look again,
# `waiting_since` since when an executive's digest waits for the champion's.
digest_mark = tenant_table(
    "digest_mark",
    Column("user_id", BigInteger, nullable=False),
    Column("audience", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("sent_at", TIMESTAMP, nullable=True),
    Column("next_at", TIMESTAMP, nullable=False),
    Column("waiting_since", TIMESTAMP, nullable=True),
    Index("ix_digest_mark_next_at", "next_at"),
    key=("user_id",),
)

# What is to be sent, as it was composed, until it is sent or given up. The id follows from reader and version, so that
# each is there once; it is the Message-ID and the webhook-id too. News since `since_at` is in it.
digest = tenant_table(
    "digest",
    Column("digest_id", UUID(as_uuid=True), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("audience", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("since_at", TIMESTAMP, nullable=False),
    Column("channel", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("queued_at", TIMESTAMP, nullable=False),
    Column("next_at", TIMESTAMP, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at", TIMESTAMP, nullable=True),
    Column("error", Text, nullable=True),
    CheckConstraint("kind IN ('digest', 'bad-news')", name="kind"),
    CheckConstraint("channel IN ('email', 'webhook')", name="channel"),
    CheckConstraint("state IN ('waiting', 'sent', 'given-up', 'dropped')", name="state"),
    Index("ix_digest_next_at", "next_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_digest_user_id", "user_id", "queued_at"),
    key=("digest_id",),
)

# Who should talk to whom, about what: one row a prompt, kept by the worker with the signals. `place` is its rank in the
# account, `sender` the e-mail of whoever should speak, `matter` what it is about as it stood when it was last found.
collaboration = tenant_table(
    "collaboration",
    Column("collaboration_id", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("raised_at", TIMESTAMP, nullable=False),
    Column("settled_at", TIMESTAMP, nullable=True),
    CheckConstraint("side IN ('customer', 'supplier')", name="side"),
    key=("collaboration_id",),
)

# What became of prompts, append-only: of each, once a person and matter. No foreign key: it outlives the prompt.
collaboration_response = tenant_table(
    "collaboration_response",
    Column("collaboration_id", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("response", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("conversation_id", BigInteger, nullable=True),
    Column("at", TIMESTAMP, nullable=False),
    CheckConstraint("response IN ('shown', 'acted', 'dismissed')", name="response"),
    key=("collaboration_id", "matter", "response", "author"),
)
