"""Tables of who acts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from valueplatform.core.schema import tenant_table
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
