"""Tables of whom value concerns."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from valueplatform.core.schema import metadata, tenant_table
from valueplatform.core.tables import TIMESTAMP

# `revision` counts the changes to what is known of the account; *as of* reads go by it. `edition` names the rollups
# that are counted by the days of `timezone`: both change at once (`telemetry.rezoning`).
account = Table(
    "account",
    metadata,
    Column("account_id", BigInteger, Identity(always=True), nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("edition", Text, nullable=False, server_default=""),
    Column("segment", Text, nullable=True),
    Column("stage", Text, nullable=True),
    Column("attributes", JSONB, nullable=False, server_default="{}"),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("created_at", TIMESTAMP, nullable=False, server_default=func.now()),
    Column("refreshed_at", TIMESTAMP, nullable=True),
    Column("reconciled_at", TIMESTAMP, nullable=True),
    Column("examined_at", TIMESTAMP, nullable=True),
    PrimaryKeyConstraint("account_id"),
    info={"tenant": True},
)

# The reporting currency, by date from which it holds ('-infinity' is written 0001-01-01).
account_currency = tenant_table(
    "account_currency",
    Column("effective_from", Date, nullable=False),
    Column("currency", Text, nullable=False),
    key=("effective_from",),
)

provider = Table(
    "provider",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

person = tenant_table(
    "person",
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("person_group", Text, nullable=True),
    Column("need", Text, nullable=True),
    Column("measure", Text, nullable=True),
    key=("email",),
)

contract = tenant_table(
    "contract",
    Column("contract_id", Text, nullable=False),
    Column("start_day", Date, nullable=False),
    Column("end_day", Date, nullable=True),
    Column("amount", Numeric(27, 9), nullable=False),
    Column("currency", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False, server_default=func.now()),
    CheckConstraint("end_day IS NULL OR end_day >= start_day", name="ordered"),
    key=("contract_id",),
)

milestone = tenant_table(
    "milestone",
    Column("milestone_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("title", Text, nullable=False),
    key=("milestone_id",),
)

# What the customer lets a partner do with the account, append-only: the newest of a provider and `what` holds.
consent = tenant_table(
    "consent",
    Column("consent_id", BigInteger, Identity(always=True), nullable=False),
    Column("provider", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("what IN ('see', 'contribute')", name="what"),
    Index("ix_consent_provider", "provider", "what", "account_id", "consent_id"),
    key=("consent_id",),
)

# What a partner asked to be let do, append-only: open until the customer says something of that partner and `what`.
consent_request = tenant_table(
    "consent_request",
    Column("request_id", BigInteger, Identity(always=True), nullable=False),
    Column("provider", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("what IN ('see', 'contribute')", name="what"),
    key=("request_id",),
)

# What acquiring and serving accounts cost the supplier; no account = shared by all, so not a tenant table.
cost = Table(
    "cost",
    metadata,
    Column("cost_id", Text, primary_key=True),
    Column("account_id", BigInteger, nullable=True),
    Column("kind", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("amount", Numeric(27, 9), nullable=False),
    Column("currency", Text, nullable=False),
    Index("ix_cost_account_id_month", "account_id", "month"),
)
