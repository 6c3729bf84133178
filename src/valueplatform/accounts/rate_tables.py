"""The table of exchange rates, which belong to the supplier."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Identity, Index, Numeric, Table, Text

from valueplatform.core.schema import metadata
from valueplatform.core.tables import TIMESTAMP

# What one unit of `currency` is in `target` from `effective_from` on, until the next day that has a rate. Append-only:
# of two entries for one day the newer holds.
exchange_rate = Table(
    "exchange_rate",
    metadata,
    Column("rate_id", BigInteger, Identity(always=True), primary_key=True),
    Column("currency", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("rate", Numeric(27, 9), nullable=False),
    Column("source", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("rate > 0", name="positive"),
    CheckConstraint("currency <> target", name="pair"),
    Index("ix_exchange_rate_target", "target", "currency", "effective_from"),
)
