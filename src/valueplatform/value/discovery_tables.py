"""Tables of what the catalog suggests for the model."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Identity, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from valueplatform.core.schema import metadata
from valueplatform.core.tables import TIMESTAMP

# What the catalog suggests for the model (`value.discovery`), found anew by the worker; `place` is its order. What
# is no longer found stays where something was decided of it. It names no account.
proposal = Table(
    "proposal",
    metadata,
    Column("proposal_id", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("place", Integer, nullable=False),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("found", Boolean, nullable=False),
    Column("counted", BigInteger, nullable=True),
    Column("total", BigInteger, nullable=True),
)

# What people, and the worker for them, decided of proposals: append-only, with the proposal as it was then.
proposal_decision = Table(
    "proposal_decision",
    metadata,
    Column("proposal_id", Text, primary_key=True),
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("action", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("reason", Text, nullable=False),
    Column("parts", JSONB, nullable=True),
    Column("before", JSONB, nullable=True),
    Column("document", JSONB, nullable=False),
    Column("revision", BigInteger, nullable=True),
    CheckConstraint(
        "action IN ('suggested', 'accepted', 'applied', 'refused', 'rejected', 'withdrawing', 'withdrawn', 'kept')",
        name="action",
    ),
)
