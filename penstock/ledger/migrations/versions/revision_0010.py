"""The index of logs is made anew: a table that was read by slice counted as taken.

What it holds is in the logs of the tables.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empties it; the next run of each dataset fills it again."""
    for table in ("log_commit", "log_take", "log_file", "log_index"):
        op.execute(f"DELETE FROM {table}")
