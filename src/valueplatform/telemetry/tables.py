"""Tables of what happened."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from valueplatform.core.schema import metadata, tenant_table
from valueplatform.core.tables import TIMESTAMP

# Every (source, id) that was ever stored, for ever and across accounts: 16-byte hashes. Ingest role only.
event_key = Table(
    "event_key",
    metadata,
    Column("event_key", UUID(as_uuid=True), primary_key=True),
    Column("body_hash", UUID(as_uuid=True), nullable=False),
    Column("account_id", BigInteger, nullable=False),
)

# `data` is in normal form (`telemetry.payload`) and keeps exact decimals: jsonb numbers are numeric. `event_key` is
# unique by its own table, so the one index here leads by what events are read by; a second would cost 2 us an event.
event = tenant_table(
    "event",
    Column("event_key", UUID(as_uuid=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("time", TIMESTAMP, nullable=False),
    Column("day", Date, nullable=False),
    Column("subject", Text, nullable=True),
    Column("provider", Text, nullable=False),
    Column("data", JSONB, nullable=True),
    Column("received_at", TIMESTAMP, nullable=False),
    key=("type", "day", "event_key"),
    hot=True,
)

# The second sender's body under a key that is already taken by another body; the same body is kept once.
event_conflict = tenant_table(
    "event_conflict",
    Column("event_key", UUID(as_uuid=True), nullable=False),
    Column("body_hash", UUID(as_uuid=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    key=("event_key", "body_hash"),
    hot=True,
)

# What could not be taken, whole, with its reason; sent again, it is kept once, by `content_hash`.
# account_id 0 = the account could not be told.
rejected_event = tenant_table(
    "rejected_event",
    Column("rejected_id", BigInteger, Identity(always=True), nullable=False),
    Column("key_id", UUID(as_uuid=True), nullable=True),
    Column("origin", Text, nullable=False),
    Column("id", Text, nullable=True),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("content_hash", UUID(as_uuid=True), nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("replayed_at", TIMESTAMP, nullable=True),
    Index("ix_rejected_event_content_hash", "content_hash"),
    Index("ix_rejected_event_key_id_rejected_id", "key_id", "rejected_id"),
    key=("rejected_id",),
    hot=True,
)

# Daily aggregates. `dimensions` holds the values of the meter's dimensions in its order, null where absent.
# `events` counts all events of the meter, and `unmetered` those of them whose property could not be metered. `total`
# is the sum of SUM and AVG, the count of COUNT, and 0 for UNIQUE_COUNT, whose members are rows of their own. MIN, MAX
# and LATEST show the number of one event, `picked`: that of the highest (rank, picked_key), so that rows merge in any
# order (`telemetry.picks`). All three are null for other meters, and where no event has a number.
rollup = tenant_table(
    "rollup",
    Column("meter", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("provider", Text, nullable=False),
    Column("dimensions", ARRAY(Text), nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("total", Numeric, nullable=False),
    Column("unmetered", BigInteger, nullable=False),
    Column("picked", Numeric, nullable=True),
    Column("rank", Numeric, nullable=True),
    Column("picked_key", UUID(as_uuid=True), nullable=True),
    key=("meter", "day", "provider", "dimensions"),
    hot=True,
)

# Members of UNIQUE_COUNT meters: daily counts never add, members do. `events` lets a retraction take one away.
rollup_member = tenant_table(
    "rollup_member",
    Column("meter", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("provider", Text, nullable=False),
    Column("dimensions", ARRAY(Text), nullable=False),
    Column("member", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    key=("meter", "day", "provider", "dimensions", "member"),
    hot=True,
)

# Why events of a meter could not be metered: `code` of `telemetry.meters.Unmetered`, over all dimension values.
rollup_unmetered = tenant_table(
    "rollup_unmetered",
    Column("meter", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("provider", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    key=("meter", "day", "provider", "code"),
    hot=True,
)

# The latest total of each counter since each of its starts (`running_totals`); times in nanoseconds since 1970, a start
# of 0 is unknown. `last_ns` is null only inside the transaction that makes the row.
running_total = tenant_table(
    "running_total",
    Column("stream", UUID(as_uuid=True), nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=True),
    Column("last_value", Numeric, nullable=True),
    Column("last_count", BigInteger, nullable=True),
    key=("stream", "start_ns"),
    hot=True,
)

# What reconciliation found to differ; `ended_at` is when it was last looked for and no longer there.
quality_finding = tenant_table(
    "quality_finding",
    Column("finding_id", BigInteger, Identity(always=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("stated", Text, nullable=False),
    Column("recomputed", Text, nullable=False),
    Column("found_at", TIMESTAMP, nullable=False),
    Column("ended_at", TIMESTAMP, nullable=True),
    key=("finding_id",),
)
Index(
    "ix_quality_finding_open",
    quality_finding.c.account_id,
    quality_finding.c.what,
    quality_finding.c.place,
    unique=True,
    postgresql_where=quality_finding.c.ended_at.is_(None),
)

# Days whose value must be recomputed. Appended only; the worker deletes first and reads after. `noted`: the catalog
# knows of it already.
changed_day = tenant_table(
    "changed_day",
    Column("mark_id", BigInteger, Identity(always=True), nullable=False),
    Column("day", Date, nullable=False),
    Column("through", Date, nullable=False),
    Column("cause", Text, nullable=False),
    Column("marked_at", TIMESTAMP, nullable=False, server_default=func.clock_timestamp()),
    Column("noted", Boolean, nullable=False, server_default=false()),
    key=("mark_id",),
    hot=True,
)

# One row a stored count of each request's report, so that received = stored + duplicates + conflicts + rejected
# can be proved afterwards.
ingest_tally = Table(
    "ingest_tally",
    metadata,
    Column("tally_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", TIMESTAMP, nullable=False),
    Column("origin", Text, nullable=False),
    Column("received", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("conflicts", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
)

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
