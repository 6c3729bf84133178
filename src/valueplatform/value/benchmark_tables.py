"""Tables of how accounts compare."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Identity, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from valueplatform.core.schema import metadata, tenant_table
from valueplatform.core.tables import TIMESTAMP
from valueplatform.value.tables import AMOUNT, INPUT

# How accounts compare (`value.benchmark`), made anew by the worker: rows of a `run` are written first; then the run
# gets its document, which shows it, and those before go. The document holds figures of cohorts, and names no account.
benchmark_run = Table(
    "benchmark_run",
    metadata,
    Column("run", BigInteger, Identity(always=True), primary_key=True),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("digest", Text, nullable=True),
    Column("document", JSONB, nullable=True),
)

# What one account brought into the cohorts of a driver: its amount of all months, its scale, and where it stands.
benchmark_member = tenant_table(
    "benchmark_member",
    Column("run", BigInteger, nullable=False),
    Column("driver", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("benefit_class", Text, nullable=False),
    Column("segment", Text, nullable=True),
    Column("total", AMOUNT, nullable=False),
    Column("scale", INPUT, nullable=True),
    Column("standings", JSONB, nullable=False),
    key=("run", "driver", "unit"),
)

# What one account validated of an input, as the run knew it.
benchmark_input = tenant_table(
    "benchmark_input",
    Column("run", BigInteger, nullable=False),
    Column("slug", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("segment", Text, nullable=True),
    Column("value", INPUT, nullable=False),
    key=("run", "slug"),
)

# How long accounts took from step to step (`value.ways`): the figures of cohorts, which name no account, and the days
# that they are made of, in halves, since a median of whole days may be one.
way_run = Table(
    "way_run",
    metadata,
    Column("run", BigInteger, Identity(always=True), primary_key=True),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("document", JSONB, nullable=False),
)
way_days = tenant_table(
    "way_days",
    Column("run", BigInteger, nullable=False),
    Column("scope", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("segment", Text, nullable=True),
    Column("halves", BigInteger, nullable=False),
    key=("run", "scope", "step"),
)

# Since when one account uses a feature, as the run knew it: what goes with a high figure is told from these.
benchmark_use = tenant_table(
    "benchmark_use",
    Column("run", BigInteger, nullable=False),
    Column("feature", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("is_used", Boolean, nullable=False),
    key=("run", "feature"),
)
