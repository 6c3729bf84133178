"""Tables of what it means."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Identity, Index, Integer, Numeric, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from valueplatform.core.schema import metadata, tenant_table
from valueplatform.core.tables import TIMESTAMP

# Every version of every insight; `until` null = the one that holds.
insight = tenant_table(
    "insight",
    Column("insight_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("period_from", Date, nullable=False),
    Column("period_to", Date, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("since", TIMESTAMP, nullable=False),
    Column("until", TIMESTAMP, nullable=True),
    Index("ix_insight_insight_id", "insight_id"),
    Index("ix_insight_holding", "account_id", "kind", "subject", postgresql_where=text("until IS NULL")),
    key=("insight_id", "version"),
)

# Stories as composed, every version.
# What a story tells, in English; `translations` by language say the same.
story = tenant_table(
    "story",
    Column("audience", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("translations", JSONB, nullable=False, server_default="{}"),
    Column("fingerprint", Text, nullable=False),
    Column("composed_at", TIMESTAMP, nullable=False),
    key=("audience", "version"),
)

# The next-best-value model in every fit, as plain numbers; the newest is in force.
next_best_fit = Table(
    "next_best_fit",
    metadata,
    Column("fit_id", BigInteger, Identity(always=True), primary_key=True),
    Column("fitted_at", TIMESTAMP, nullable=False),
    Column("document", JSONB, nullable=False),
)

suggestion = tenant_table(
    "suggestion",
    Column("suggestion_id", Text, nullable=False),
    Column("feature", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("low", Numeric(38, 4), nullable=True),
    Column("expected", Numeric(38, 4), nullable=True),
    Column("high", Numeric(38, 4), nullable=True),
    Column("state", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("suggested_at", TIMESTAMP, nullable=False),
    Column("decided_at", TIMESTAMP, nullable=True),
    Column("decided_by", Text, nullable=True),
    key=("suggestion_id",),
)

# What became of accepted suggestions, at fixed horizons, against comparable accounts; every version is kept.
suggestion_grade = tenant_table(
    "suggestion_grade",
    Column("suggestion_id", Text, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("graded_at", TIMESTAMP, nullable=False),
    key=("suggestion_id", "horizon", "version"),
)

# What a grade rests on. It names other accounts with their amounts, so pages and the API never read it.
suggestion_grade_input = tenant_table(
    "suggestion_grade_input",
    Column("suggestion_id", Text, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    key=("suggestion_id", "horizon", "version"),
)

# All candidates of an account with their chances whenever they changed, so that policies can be compared later. Chances
# are for the supplier's outreach, so pages and the API never read it (value rule 17).
suggestion_log = tenant_table(
    "suggestion_log",
    Column("logged_at", TIMESTAMP, nullable=False),
    Column("policy", Text, nullable=False),
    Column("fit_id", BigInteger, nullable=False),
    Column("candidates", JSONB, nullable=False),
    key=("logged_at",),
)

# Story pages that are open just now, so that the worker serves them first.
open_page = tenant_table(
    "open_page",
    Column("page_id", UUID(as_uuid=True), nullable=False),
    Column("seen_at", TIMESTAMP, nullable=False),
    key=("page_id",),
)

# What a reader saw last, and at the end of the visit before this one, for "since your last visit".
visit = tenant_table(
    "visit",
    Column("user_id", BigInteger, nullable=False),
    Column("audience", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("visited_at", TIMESTAMP, nullable=False),
    Column("before_version", Integer, nullable=True),
    Column("before_at", TIMESTAMP, nullable=True),
    key=("user_id", "audience"),
)

# What a language model made of sentences, by draft (the sentence without its numbers): accepted, refused or wanted.
rewording = tenant_table(
    "rewording",
    Column("draft_id", Text, nullable=False),
    Column("draft", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("answer", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Column("model", Text, nullable=True),
    Column("due_at", TIMESTAMP, nullable=False),
    Column("tries", Integer, nullable=False),
    Index("ix_rewording_wanted", "due_at", postgresql_where=text("state = 'wanted'")),
    CheckConstraint("state IN ('wanted', 'accepted', 'refused')", name="state"),
    key=("draft_id",),
)
