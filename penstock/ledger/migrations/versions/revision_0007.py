"""What the name of a landing file says is of any length: a day, and other words of its pattern."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Takes the limit off; what is there stays."""
    with op.batch_alter_table("log_file") as table:
        table.alter_column("day", existing_type=sa.String(10), type_=sa.Text(), nullable=True)
