"""A slice may be of values, too; a commit that was known before was of all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; what is there stays."""
    with op.batch_alter_table("log_commit") as table:
        table.add_column(sa.Column("slice_values", sa.Text))
        table.add_column(sa.Column("slice_values_column", sa.Text))
