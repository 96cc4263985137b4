"""The graph is made anew: a use that writes knows which version it made, and when."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from penstock.ledger.tables import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MADE: dict[str, Any] = {
    f"{kind}_where": sa.text("made_at IS NOT NULL") for kind in ("sqlite", "postgresql")
}


EMPTIED = (
    "graph_passed",
    "graph_document",
    "graph_dataset",
    "graph_symlink",
    "graph_column",
    "graph_label",
    "graph_job",
    "graph_run",
    "graph_told",
    "graph_lineage",
    "graph_source",
    "graph_edge",
    "graph_validity",
)


def upgrade() -> None:
    """Throws the graph away; whoever reads next makes it."""
    op.drop_table("graph_use")
    op.create_table(
        "graph_use",
        sa.Column("teller", sa.String(64), primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("role", sa.String(3), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("facets", sa.Text, nullable=False),
        sa.Column("history", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime),
        sa.Column("told_version", sa.Text),
    )
    op.create_index("graph_use_of_dataset", "graph_use", ["dataset", "at"])
    op.create_index("graph_use_made", "graph_use", ["dataset", "made_at", "teller"], **_MADE)
    op.create_index(
        "graph_use_called", "graph_use", ["dataset", "told_version", "made_at", "teller"], **_MADE
    )
    for table in EMPTIED:
        op.execute(sa.delete(sa.table(table)))
    op.execute(sa.update(sa.table("graph_cursor", sa.column("sequence"))).values(sequence=0))
