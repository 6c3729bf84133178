"""Tables of what event types are worth."""

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Identity, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from valueplatform.core.schema import metadata, tenant_table
from valueplatform.core.tables import TIMESTAMP
from valueplatform.value.tables import AMOUNT

# What event types are worth (`value.worth`), made anew by the worker: rows of a `run` are written first; then the run
# gets its document, which shows it, and those before go. The document holds months, cohorts and reasons, and names no
# account.
catalog_estimate = Table(
    "catalog_estimate",
    metadata,
    Column("run", BigInteger, Identity(always=True), primary_key=True),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("digest", Text, nullable=True),
    Column("document", JSONB, nullable=True),
)

# An account's amounts of the months together; `by_month` holds the expected of each, null where there was none.
catalog_realized = tenant_table(
    "catalog_realized",
    Column("run", BigInteger, nullable=False),
    Column("driver", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("benefit_class", Text, nullable=False),
    Column("low", AMOUNT, nullable=False),
    Column("expected", AMOUNT, nullable=False),
    Column("high", AMOUNT, nullable=False),
    Column("counted", AMOUNT, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("by_month", ARRAY(AMOUNT), nullable=False),
    key=("run", "driver", "unit", "benefit_class"),
)

# What would come in an account, a month, if it sent a type, or a property ('' = the type itself).
catalog_potential = tenant_table(
    "catalog_potential",
    Column("run", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("driver", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("benefit_class", Text, nullable=False),
    Column("reach", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("size", AMOUNT, nullable=True),
    Column("low", AMOUNT, nullable=False),
    Column("expected", AMOUNT, nullable=False),
    Column("high", AMOUNT, nullable=False),
    Column("needs", ARRAY(Text), nullable=False),
    key=("run", "type", "path", "driver", "unit"),
)

# What an account could send and does not: `code` is why. `connected`: a client of it sends something else already.
catalog_gap = tenant_table(
    "catalog_gap",
    Column("run", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("connected", Boolean, nullable=False),
    Column("events", BigInteger, nullable=False),
    key=("run", "type", "path", "code"),
)
