"""The graph is made anew: it keeps when each thing was told, and until when it is so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from penstock.ledger.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

moment = UtcDateTime()
EMPTIED = (
    "graph_passed",
    "graph_document",
    "graph_column",
    "graph_label",
    "graph_job",
    "graph_run",
    "graph_lineage",
    "graph_source",
    "graph_edge",
    "graph_validity",
)


def upgrade() -> None:
    """Throws the graph away; whoever reads next makes it."""
    op.drop_table("graph_dataset")
    op.create_table(
        "graph_dataset",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("same_as", sa.Integer, nullable=False),
        sa.Column("facets", sa.Text, nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
        sa.Column("last_written", moment),
        sa.Column("names_withdrawn", moment),
        sa.UniqueConstraint("namespace", "name", name="graph_dataset_once"),
    )
    op.create_index("graph_dataset_same", "graph_dataset", ["same_as"])
    op.drop_table("graph_symlink")
    op.create_table(
        "graph_symlink",
        sa.Column("namespace", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("renamed", sa.Boolean, primary_key=True),
        sa.Column("told", moment, nullable=False),
    )
    op.drop_table("graph_use")
    op.create_table(
        "graph_use",
        sa.Column("teller", sa.String(64), primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("role", sa.String(3), primary_key=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("facets", sa.Text, nullable=False),
        sa.Column("history", sa.Text, nullable=False),
    )
    op.create_index("graph_use_of_dataset", "graph_use", ["dataset", "at"])
    op.drop_table("graph_told")
    op.create_table(
        "graph_told",
        sa.Column("job", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("at", moment, primary_key=True),
        sa.Column("teller", sa.String(64), primary_key=True),
        sa.Column("until", moment),
        sa.Column("lineage", sa.Integer, nullable=False),
    )
    op.create_index("graph_told_by", "graph_told", ["teller"])
    for table in EMPTIED:
        op.execute(sa.delete(sa.table(table)))
    op.execute(sa.update(sa.table("graph_cursor", sa.column("sequence"))).values(sequence=0))
