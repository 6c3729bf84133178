"""Tables of the catalog: what events hold, who answers for them, and what is wished for."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from valueplatform.core.schema import metadata, tenant_table
from valueplatform.core.tables import TIMESTAMP

# Stretches of days whose events have changed since the catalog looked at them. Appended only, as `changed_day`: by
# whoever takes the marks away, and by the catalog for marks that nobody has taken yet (`noted`).
catalog_due = tenant_table(
    "catalog_due",
    Column("due_id", BigInteger, Identity(always=True), nullable=False),
    Column("day", Date, nullable=False),
    Column("through", Date, nullable=False),
    key=("due_id",),
    hot=True,
)

# How far the catalog has come in the stretch that it looks at: the type, and in it the day and key of the last event.
catalog_look = tenant_table(
    "catalog_look",
    Column("first", Date, nullable=False),
    Column("through", Date, nullable=False),
    Column("type", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("event_key", UUID(as_uuid=True), nullable=False),
    key=("first",),
)

# What the events of a type and day hold: a `telemetry.catalog.Tally`. `fresh`: counted anew, and not yet whole; it
# takes the place of the other when the look is done.
catalog_day = tenant_table(
    "catalog_day",
    Column("type", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("fresh", Boolean, nullable=False),
    Column("tally", JSONB, nullable=False),
    key=("type", "day", "fresh"),
    hot=True,
)

# Sums of `catalog_day` by account: what is read. `crowded`: it has more property paths than are kept.
catalog_type = tenant_table(
    "catalog_type",
    Column("type", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("first_seen", TIMESTAMP, nullable=False),
    Column("last_seen", TIMESTAMP, nullable=False),
    Column("crowded", Boolean, nullable=False),
    key=("type",),
)

# `samples` null: the values are such that none may be shown.
catalog_property = tenant_table(
    "catalog_property",
    Column("type", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("samples", ARRAY(Text), nullable=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Index("ix_catalog_property_type", "type"),
    key=("type", "path"),
)

# Who answers for an event type: append-only, the newest entry holds; an empty owner is nobody.
catalog_owner = Table(
    "catalog_owner",
    metadata,
    Column("type", Text, primary_key=True),
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
)

# What it takes to send a type, or a property of it ('' = the type), as a person says: append-only, the newest entry
# holds; an empty effort takes back what was said, so that the rule holds again.
catalog_effort = Table(
    "catalog_effort",
    metadata,
    Column("type", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("effort", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    CheckConstraint("effort IN ('', 'small', 'medium', 'large')", name="effort"),
)

# Types that a person would like to have sent: append-only, the newest entry holds; `withdrawn` takes it off the list.
catalog_wish = Table(
    "catalog_wish",
    metadata,
    Column("type", Text, primary_key=True),
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("effort", Text, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    CheckConstraint("effort IN ('small', 'medium', 'large')", name="effort"),
)
