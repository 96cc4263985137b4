"""The graph is made anew: a lineage knows its ends, of which another run may say no more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

EMPTIED = (
    "graph_passed",
    "graph_document",
    "graph_dataset",
    "graph_symlink",
    "graph_column",
    "graph_label",
    "graph_job",
    "graph_run",
    "graph_use",
    "graph_told",
    "graph_source",
    "graph_edge",
    "graph_validity",
)


def upgrade() -> None:
    """Throws the graph away; whoever reads next makes it."""
    op.drop_table("graph_lineage")
    op.create_table(
        "graph_lineage",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("ends", sa.String(64), nullable=False),
        sa.Column("job", sa.Integer, nullable=False),
        sa.Column("dataset", sa.Integer, nullable=False),
        sa.UniqueConstraint("digest", name="graph_lineage_once"),
    )
    op.create_index("graph_lineage_of_dataset", "graph_lineage", ["dataset"])
    op.create_index("graph_lineage_of_ends", "graph_lineage", ["ends"])
    for table in EMPTIED:
        op.execute(sa.delete(sa.table(table)))
    op.execute(sa.update(sa.table("graph_cursor", sa.column("sequence"))).values(sequence=0))
