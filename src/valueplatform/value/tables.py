"""Tables of what it is worth."""

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
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from valueplatform.core.schema import tenant_table
from valueplatform.core.tables import TIMESTAMP

AMOUNT = Numeric(38, 4)
INPUT = Numeric(27, 9)

# What was said about an assumption, baseline or driver of one account, append-only. `action` is estimate, propose,
# validate, dispute or withdraw; the last three answer an earlier entry. `effective_from` is when it holds,
# `known_at` when it was said.
assumption_entry = tenant_table(
    "assumption_entry",
    Column("entry_id", BigInteger, Identity(always=True), nullable=False),
    Column("slug", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("answers", BigInteger, nullable=True),
    Column("low", INPUT, nullable=True),
    Column("expected", INPUT, nullable=True),
    Column("high", INPUT, nullable=True),
    Column("unit", Text, nullable=True),
    Column("effective_from", Date, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_side", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("conversation_id", BigInteger, nullable=True),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("action IN ('estimate', 'propose', 'validate', 'dispute', 'withdraw')", name="action"),
    CheckConstraint("author_side IN ('supplier', 'customer', 'partner')", name="side"),
    CheckConstraint("(answers IS NULL) = (action IN ('estimate', 'propose'))", name="answers"),
    CheckConstraint("action <> 'validate' OR author_side = 'customer'", name="validator"),
    ForeignKeyConstraint(["account_id", "answers"], ["assumption_entry.account_id", "assumption_entry.entry_id"]),
    key=("entry_id",),
)

objective = tenant_table(
    "objective",
    Column("objective_id", BigInteger, Identity(always=True), nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False, server_default=func.now()),
    Index("uq_objective_account_id_title", "account_id", "title", unique=True),
    key=("objective_id",),
)

# Who answers for an objective, how and by when it is to be reached, and what became of it; append-only, the newest
# version holds. An objective without a version is open and has nobody yet.
objective_version = tenant_table(
    "objective_version",
    Column("objective_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("owner", Text, nullable=True),
    Column("customer_sponsor", Text, nullable=True),
    Column("supplier_sponsor", Text, nullable=True),
    Column("tactics", ARRAY(Text), nullable=False),
    Column("drivers", ARRAY(Text), nullable=False),
    Column("due", Date, nullable=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_side", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("state IN ('open', 'reached', 'dropped')", name="state"),
    CheckConstraint("state <> 'dropped' OR reason <> ''", name="dropped"),
    CheckConstraint("author_side IN ('supplier', 'customer')", name="side"),
    key=("objective_id", "version"),
)

# What a plan is, append-only, the newest version holds. A plan without terms is a commitment in force; one with terms
# is in force once both sides signed the same terms and targets (`digest`). From `from_month` on, a signed plan takes
# the place of those that it `replaces`.
plan_terms = tenant_table(
    "plan_terms",
    Column("plan_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("contract_id", Text, nullable=True),
    Column("milestone_id", Text, nullable=True),
    Column("replaces", ARRAY(Text), nullable=False),
    Column("from_month", Date, nullable=True),
    Column("withdrawn", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_side", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("kind IN ('business-case', 'commitment', 're-plan')", name="kind"),
    CheckConstraint("(cardinality(replaces) = 0) = (from_month IS NULL)", name="replaces"),
    CheckConstraint("kind <> 're-plan' OR from_month IS NOT NULL", name="re_plan"),
    CheckConstraint("author_side IN ('supplier', 'customer')", name="side"),
    key=("plan_id", "version"),
)

plan_signature = tenant_table(
    "plan_signature",
    Column("plan_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("signed_at", TIMESTAMP, nullable=False),
    CheckConstraint("side IN ('supplier', 'customer')", name="side"),
    key=("plan_id", "digest", "side"),
)

# A period's value as known at the end of a day, frozen with its digest, and who signed that.
value_statement = tenant_table(
    "value_statement",
    Column("statement_id", Text, nullable=False),
    Column("period_from", Date, nullable=False),
    Column("period_to", Date, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("title", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("made_at", TIMESTAMP, nullable=False),
    Column("digest", Text, nullable=False),
    Column("document", Text, nullable=False),
    key=("statement_id",),
)

statement_signature = tenant_table(
    "statement_signature",
    Column("statement_id", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("signed_at", TIMESTAMP, nullable=False),
    CheckConstraint("side IN ('supplier', 'customer')", name="side"),
    key=("statement_id", "side"),
)

# Committed value, every version kept: a plan row that changes gets a new version, the newest is in force.
# Expected null = the target was taken out again.
plan_target = tenant_table(
    "plan_target",
    Column("plan_id", Text, nullable=False),
    Column("objective_id", BigInteger, nullable=False),
    Column("driver", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("low", AMOUNT, nullable=True),
    Column("expected", AMOUNT, nullable=True),
    Column("high", AMOUNT, nullable=True),
    Column("source", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    key=("plan_id", "objective_id", "driver", "month", "version"),
)

# Value that a partner reports, append-only: it stands beside realized value and never in it. Days are local.
contribution = tenant_table(
    "contribution",
    Column("contribution_id", BigInteger, Identity(always=True), nullable=False),
    Column("provider", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("driver", Text, nullable=True),
    Column("title", Text, nullable=False),
    Column("amount", AMOUNT, nullable=False),
    Column("unit", Text, nullable=False),
    Column("start_day", Date, nullable=False),
    Column("end_day", Date, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("amount <> 0", name="amount"),
    CheckConstraint("start_day < end_day", name="ordered"),
    Index("uq_contribution_account_id_provider_id", "account_id", "provider", "id", unique=True),
    key=("contribution_id",),
)

# What was said of a contribution; the newest answer holds. Only the customer corroborates and disputes, only the
# partner takes back.
contribution_answer = tenant_table(
    "contribution_answer",
    Column("answer_id", BigInteger, Identity(always=True), nullable=False),
    Column("contribution_id", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_side", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("action IN ('corroborate', 'dispute', 'withdraw')", name="action"),
    CheckConstraint("author_side = CASE action WHEN 'withdraw' THEN 'partner' ELSE 'customer' END", name="side"),
    ForeignKeyConstraint(
        ["account_id", "contribution_id"], ["contribution.account_id", "contribution.contribution_id"]
    ),
    key=("answer_id",),
)

# What was said of how a joint driver is shared with one partner, append-only. `action` is propose, agree, refuse or
# withdraw; the last three answer a proposal. `day` is the account's local day of it.
split_entry = tenant_table(
    "split_entry",
    Column("entry_id", BigInteger, Identity(always=True), nullable=False),
    Column("driver", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("answers", BigInteger, nullable=True),
    Column("share", INPUT, nullable=True),
    Column("supplier_share", INPUT, nullable=True),
    Column("author", Text, nullable=False),
    Column("author_side", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    CheckConstraint("action IN ('propose', 'agree', 'refuse', 'withdraw')", name="action"),
    CheckConstraint("author_side IN ('supplier', 'customer', 'partner')", name="side"),
    CheckConstraint("(answers IS NULL) = (action = 'propose')", name="answers"),
    CheckConstraint(
        "(action = 'propose') = ((share >= 0 AND supplier_share >= 0 AND share + supplier_share <= 1) IS TRUE)",
        name="shares",
    ),
    ForeignKeyConstraint(["account_id", "answers"], ["split_entry.account_id", "split_entry.entry_id"]),
    key=("entry_id",),
)

# What somebody asked "what if" of: levers and months, not results, which are computed from the record whenever it is
# opened. Seen by whoever made it, and once it is shared by all who may plan.
scenario = tenant_table(
    "scenario",
    Column("scenario_id", BigInteger, Identity(always=True), nullable=False),
    Column("name", Text, nullable=False),
    Column("start_month", Date, nullable=False),
    Column("months", Integer, nullable=False),
    Column("changes", JSONB, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_side", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("removed_at", TIMESTAMP, nullable=True),
    CheckConstraint("author_side IN ('supplier', 'customer')", name="side"),
    key=("scenario_id",),
)

# What an amount rests on: driver version, formula, each input with its state. Many days share one basis, so it is
# kept once; `basis_id` is the hash of its content. Rows are never changed.
basis = tenant_table(
    "basis",
    Column("basis_id", UUID(as_uuid=True), nullable=False),
    Column("driver", Text, nullable=False),
    Column("driver_version", Integer, nullable=False),
    Column("formula", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("benefit_class", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("counted", Boolean, nullable=False),
    Column("inputs", JSONB, nullable=False),
    Column("pool", Text, nullable=True),
    Column("cap", Text, nullable=True),
    key=("basis_id",),
)

# Realized value as computed now: live and replaceable. A null amount carries the reason. `uncapped` is what was
# expected before the cap of a benefit pool took some of it.
accrual = tenant_table(
    "accrual",
    Column("driver", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("basis_id", UUID(as_uuid=True), nullable=False),
    Column("low", AMOUNT, nullable=True),
    Column("expected", AMOUNT, nullable=True),
    Column("high", AMOUNT, nullable=True),
    Column("reason", Text, nullable=True),
    Column("uncapped", AMOUNT, nullable=True),
    Index("ix_accrual_account_id_day", "account_id", "day"),
    key=("driver", "provider", "day"),
    hot=True,
)

# Months that are closed, per account.
closed_month = tenant_table(
    "closed_month",
    Column("month", Date, nullable=False),
    Column("closed_at", TIMESTAMP, nullable=False),
    Column("revision", BigInteger, nullable=False),
    key=("month",),
)

# A closed month, day by day, append-only (a trigger forbids change). `kind` close posts the day as it stood;
# `kind` adjustment posts a later difference, shown on `shown_day` with its cause. Realized value of a closed
# period = the sum of postings shown in it.
posting = tenant_table(
    "posting",
    Column("posting_id", BigInteger, Identity(always=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("driver", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("shown_day", Date, nullable=False),
    Column("basis_id", UUID(as_uuid=True), nullable=False),
    Column("low", AMOUNT, nullable=False),
    Column("expected", AMOUNT, nullable=False),
    Column("high", AMOUNT, nullable=False),
    Column("cause", Text, nullable=True),
    Column("posted_at", TIMESTAMP, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("ix_posting_account_id_shown_day", "account_id", "shown_day"),
    Index("ix_posting_account_id_day", "account_id", "day"),
    key=("posting_id",),
)
