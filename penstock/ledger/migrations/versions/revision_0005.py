"""What runs remember of logs and files has its tables; it is taken in when it is asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from penstock.ledger.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables, empty."""
    op.create_table(
        "log_index",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("table_id", sa.Text, nullable=False),
        sa.Column("properties", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger),
    )
    op.create_index("log_index_of_place", "log_index", ["place"], unique=True)
    op.create_table(
        "log_commit",
        _log(),
        _version(),
        sa.Column("ours", sa.Boolean, nullable=False),
        sa.Column("clone", sa.Boolean, nullable=False),
        sa.Column("slice_start", UtcDateTime),
        sa.Column("slice_end", UtcDateTime),
        sa.Column("slice_column", sa.Text),
    )
    op.create_table(
        "log_take",
        _log(),
        sa.Column("input", sa.Text, primary_key=True),
        sa.Column("dataset", sa.Text, primary_key=True),
        _version(),
    )
    op.create_table(
        "log_file",
        _log(),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("input", sa.Text, primary_key=True),
        _version(),
        sa.Column("day", sa.String(10)),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("said_at", UtcDateTime, nullable=False),
    )
    op.create_index("log_file_of_content", "log_file", ["log", "sha256"])
    op.create_table(
        "inspected_file",
        sa.Column("uri", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )


def _log() -> sa.Column[int]:
    return sa.Column("log", sa.Integer, sa.ForeignKey("log_index.id"), primary_key=True)


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False)
