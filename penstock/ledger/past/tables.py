"""The tables of what is remembered: of each Delta log what runs ask of it, and of landing files.

Nothing here is the truth. The log and the files are, and all of this can be made of them again.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from penstock.ledger.tables import UtcDateTime, metadata

__all__ = ["inspected_file", "log_commit", "log_file", "log_index", "log_take"]

# How far the log of the table at `place` was read; the digest is of the last commit's file. `rows`
# are those of the table at that version, where they were counted.
log_index = Table(
    "log_index",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("place", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("table_id", Text, nullable=False),
    Column("properties", Text, nullable=False),
    Column("rows", BigInteger),
    Index("log_index_of_place", "place", unique=True),
)

# A commit that changes rows and no RESTORE undid. `ours`: a run made it, of the slice that is here.
# `clone`: its rows are those of another table.
log_commit = Table(
    "log_commit",
    metadata,
    Column("log", Integer, ForeignKey("log_index.id"), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("ours", Boolean, nullable=False),
    Column("clone", Boolean, nullable=False),
    Column("slice_start", UtcDateTime),
    Column("slice_end", UtcDateTime),
    Column("slice_column", Text),
    Column("slice_values", Text),  # as `log_index` writes them
    Column("slice_values_column", Text),
)

# That a commit says how far the changes of an input were taken.
log_take = Table(
    "log_take",
    metadata,
    Column("log", Integer, ForeignKey("log_index.id"), primary_key=True),
    Column("input", Text, primary_key=True),
    Column("dataset", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
)

# A landing file of an input: the first commit that named it with these bytes, and when the last
# one did of those that follow without another content between.
log_file = Table(
    "log_file",
    metadata,
    Column("log", Integer, ForeignKey("log_index.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("input", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Text),  # and what else its name says
    Column("sha256", String(64), nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
    Index("log_file_of_content", "log", "sha256"),
)

# What was found in a file of landing while it was in that state.
inspected_file = Table(
    "inspected_file",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),
)
