"""The first schema: tables, row security, the rights of roles.

Revision ID: 0001
Revises:
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # asyncpg takes several statements at once only without preparing them, which SQLAlchemy always does.
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(script))


def downgrade() -> None:
    raise NotImplementedError("There is nothing before the first schema; drop the database instead.")
