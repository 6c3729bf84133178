"""Tables of what happened."""

from sqlalchemy import (
    JSON,
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
    text,
    true,
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
# `utc_day` is the day of `time` in UTC, by which events are kept and found. Which local day they are of is told at each
# read from the account's zone (`telemetry.local_days`), as in the archive: a changed zone touches no event.
event = tenant_table(
    "event",
    Column("event_key", UUID(as_uuid=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("time", TIMESTAMP, nullable=False),
    Column("utc_day", Date, nullable=False),
    Column("subject", Text, nullable=True),
    Column("provider", Text, nullable=False),
    Column("data", JSONB, nullable=True),
    Column("received_at", TIMESTAMP, nullable=False),
    key=("type", "utc_day", "event_key"),
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

# The last events of each key, with what became of them: `outcome` is stored, duplicate, conflict or rejected, `meters`
# those that read a stored one. `content_hash` leads to the body of a conflict, or of a rejected event. account_id 0 as
# above. Appended only; the worker keeps the newest of each key (`telemetry.recent_events`).
recent_event = tenant_table(
    "recent_event",
    Column("recent_id", BigInteger, Identity(always=True), nullable=False),
    Column("key_id", UUID(as_uuid=True), nullable=False),
    Column("origin", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("source", Text, nullable=True),
    Column("id", Text, nullable=True),
    Column("type", Text, nullable=True),
    Column("event_key", UUID(as_uuid=True), nullable=True),
    Column("content_hash", UUID(as_uuid=True), nullable=False),
    Column("day", Date, nullable=True),
    Column("time", TIMESTAMP, nullable=True),
    Column("provider", Text, nullable=True),
    Column("code", Text, nullable=True),
    Column("message", Text, nullable=True),
    Column("meters", ARRAY(Text), nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    Index("ix_recent_event_key_id_recent_id", "key_id", "recent_id"),
    key=("recent_id",),
    hot=True,
)

# Daily aggregates. `meter` is the name that the meter's rollups have (`Meter.rollup_name`) and the account's edition
# after it. `dimensions` holds the values of the meter's dimensions in its order, null where absent.
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

# Members of UNIQUE_COUNT meters: daily counts never add, members do. A row says that the member was seen. Whatever
# takes rows away advances the sequence `member_removal`, by a trigger (`telemetry.members`).
rollup_member = tenant_table(
    "rollup_member",
    Column("meter", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("provider", Text, nullable=False),
    Column("dimensions", ARRAY(Text), nullable=False),
    Column("member", Text, nullable=False),
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

# Where archived events are kept: one row, once there is an archive. Events stay in the database for `hot_days`;
# `ran_at` is when events were last moved.
archive = Table(
    "archive",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=true()),
    Column("root", Text, nullable=False),
    Column("hot_days", Integer, nullable=False),
    Column("ran_at", TIMESTAMP, nullable=True),
    CheckConstraint("single", name="single"),
)

# Files that no slice names any more, since when; reads that began before may still need them for a while.
archive_leftover = Table(
    "archive_leftover",
    metadata,
    Column("path", Text, primary_key=True),
    Column("since", TIMESTAMP, nullable=False),
)

# The events of an account, month (UTC) and type that are kept in the archived file at `path`, below the root. What a
# reader may not see of it, it cannot find: there is no other way to a path. `events` counts those retracted, too.
archived_slice = tenant_table(
    "archived_slice",
    Column("month", Date, nullable=False),
    Column("type", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("first_time", TIMESTAMP, nullable=False),
    Column("last_time", TIMESTAMP, nullable=False),
    Index("ix_archived_slice_path", "path"),
    key=("month", "type", "path"),
)

# Archived events that were retracted: no read gives them, and the next writing of their file leaves them out.
archived_retraction = tenant_table(
    "archived_retraction",
    Column("path", Text, nullable=False),
    Column("event_key", UUID(as_uuid=True), nullable=False),
    Column("retracted_at", TIMESTAMP, nullable=False, server_default=func.clock_timestamp()),
    key=("path", "event_key"),
)

# Meters that are being counted over history, beside what is in force: events raise them from the moment of the row on.
meter_build = Table(
    "meter_build",
    metadata,
    Column("build_id", BigInteger, Identity(always=True), primary_key=True),
    Column("meter", JSONB, nullable=False),
    Column("started_at", TIMESTAMP, nullable=False, server_default=func.clock_timestamp()),
)

# Accounts whose new zone is being counted beside the one in force (`telemetry.rezoning`): while `state` is 'counting',
# their events raise that edition of their rollups, too. 'in force' or 'given up', what is left behind is still to be
# seen to.
zone_build = tenant_table(
    "zone_build",
    Column("timezone", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("state", Text, nullable=False),
    CheckConstraint("state IN ('counting', 'in force', 'given up')", name="state"),
    key=(),
)

# Days (UTC) that must be counted anew for all that is being built, before it is put in force.
build_due = tenant_table(
    "build_due",
    Column("due_id", BigInteger, Identity(always=True), nullable=False),
    Column("day", Date, nullable=False),
    Column("through", Date, nullable=False),
    key=("due_id",),
)

# What each group of requests brought of an account and source (`intake.Came`). Appended only: the worker sums it up
# into `intake_day` and takes it away. `happened` counts new events by their local days. account_id 0 = unknown.
intake = tenant_table(
    "intake",
    Column("intake_id", BigInteger, Identity(always=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=True),
    Column("happened", JSON, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("conflicts", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("ahead", Integer, nullable=False),
    Column("lead", BigInteger, nullable=True),
    key=("intake_id",),
    hot=True,
)

# The same by local day: `happened` are stored events of that day less those retracted, all else is what came in on it.
# `behind`: how many days old the newest event was when the first of that day came in; null on the first day of all.
intake_day = tenant_table(
    "intake_day",
    Column("source", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("happened", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("conflicts", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("ahead", BigInteger, nullable=False),
    Column("lead", BigInteger, nullable=True),
    Column("behind", Integer, nullable=True),
    Column("last_at", TIMESTAMP, nullable=True),
    key=("source", "day"),
    hot=True,
)

# Whom group calls put into which account, and when: `member` is a hash of who in whose words (`groups.member_of`),
# `event_key` that of the call, which takes its row along when it is retracted.
group_member = tenant_table(
    "group_member",
    Column("event_key", UUID(as_uuid=True), nullable=False),
    Column("member", UUID(as_uuid=True), nullable=False),
    Column("since", TIMESTAMP, nullable=False),
    Index("ix_group_member_member", "member", "since", "event_key"),
    key=("event_key",),
    hot=True,
)

# What data quality and reconciliation found. `found_at` is when it was first seen, `ended_at` when it was looked for
# again and no longer there. Reconciliation says what is stated and what was recomputed, data quality what is usual and
# what was seen; `numbers` are the exact ones, by name, `types` the event types concerned. account_id 0 = all accounts
# together, or the account could not be told.
quality_finding = tenant_table(
    "quality_finding",
    Column("finding_id", BigInteger, Identity(always=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("stated", Text, nullable=False),
    Column("recomputed", Text, nullable=False),
    Column("found_at", TIMESTAMP, nullable=False),
    Column("ended_at", TIMESTAMP, nullable=True),
    Column("severity", Text, nullable=False, server_default="failure"),
    Column("source", Text, nullable=True),
    Column("since_day", Date, nullable=True),
    Column("through_day", Date, nullable=True),
    Column("numbers", JSONB, nullable=False, server_default="{}"),
    Column("types", ARRAY(Text), nullable=False, server_default="{}"),
    CheckConstraint("severity IN ('failure', 'warning', 'notice')", name="severity"),
    key=("finding_id",),
    hot=True,
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
# Small, since it holds the rows that should not be: reconciliation looks there.
Index(
    "ix_ingest_tally_unequal",
    ingest_tally.c.tally_id,
    postgresql_where=text("received <> stored + duplicates + conflicts + rejected"),
)

# How many keys were stored, by slice of their space (`intake.SLICES`): one row a group, which the worker sums up.
key_tally = Table(
    "key_tally",
    metadata,
    Column("tally_id", BigInteger, Identity(always=True), primary_key=True),
    Column("slices", ARRAY(BigInteger), nullable=False),
)
