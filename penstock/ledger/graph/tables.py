"""The tables of the graph: a projection of the events, thrown away and made again at will."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from penstock.ledger.tables import UtcDateTime, metadata

__all__ = [
    "GRAPH",
    "graph_column",
    "graph_cursor",
    "graph_dataset",
    "graph_document",
    "graph_edge",
    "graph_job",
    "graph_label",
    "graph_lineage",
    "graph_passed",
    "graph_run",
    "graph_source",
    "graph_symlink",
    "graph_told",
    "graph_use",
    "graph_validity",
]

graph_cursor = Table(
    "graph_cursor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
)

# An event that the graph could not take: it is in the ledger, and nothing of it is in the graph.
graph_passed = Table(
    "graph_passed",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("namespace", Text, nullable=False),
    Column("event_hash", String(64), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
)

# A facet's body, once for all that told the same.
graph_document = Table(
    "graph_document",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("body", Text, nullable=False),
)

# Of versions alone: most of the rows are none.
_MADE: dict[str, Any] = {
    f"{kind}_where": text("made_at IS NOT NULL") for kind in ("sqlite", "postgresql")
}

# `facets` is {name: [event time, event hash, digest]}, the last told of each. `same_as` is the
# dataset whose other name this is, itself when it is none. Other names that it told until
# `names_withdrawn` are none of it any more.
graph_dataset = Table(
    "graph_dataset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("same_as", Integer, nullable=False),
    Column("facets", Text, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("last_written", UtcDateTime),
    Column("names_withdrawn", UtcDateTime),
    UniqueConstraint("namespace", "name", name="graph_dataset_once"),
    Index("graph_dataset_same", "same_as"),
)

# Who claims the name (namespace, name) as its own other name, or (`renamed`) as the one that it had
# until then, and when that was last said.
graph_symlink = Table(
    "graph_symlink",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("dataset", Integer, primary_key=True),
    Column("renamed", Boolean, primary_key=True),
    Column("told", UtcDateTime, nullable=False),
)

# The column named "" stands for which rows there are.
graph_column = Table(
    "graph_column",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("same_as", Integer, nullable=False),
    UniqueConstraint("dataset", "name", name="graph_column_once"),
    Index("graph_column_same", "same_as"),
)

# Tags and owners, of a dataset or of its column `field`. An owner is its key, without a value.
graph_label = Table(
    "graph_label",
    metadata,
    Column("dataset", Integer, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("field", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Index("graph_label_of_dataset", "dataset"),
)

graph_job = Table(
    "graph_job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("facets", Text, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    UniqueConstraint("namespace", "name", name="graph_job_once"),
)

# `states` are those of `graph.run_state`.
graph_run = Table(
    "graph_run",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("job", Integer, primary_key=True),
    Column("states", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("ended", UtcDateTime),
    Column("parent_run_id", String(36)),
    Column("root_run_id", String(36)),
    Column("facets", Text, nullable=False),
    Index("graph_run_of_job", "job", "started"),
    Index("graph_run_of_parent", "parent_run_id"),
)

# What was read and written. The teller is a run of a job, or a job event by its hash. `history` is
# {facet: {digest: [[event time, event hash], ...]}}, the first and the last telling of each; the
# use itself stands in it as the facet "" with the digest "".
# A use that writes made a version of the dataset at `made_at`, when its run completed, which the
# run itself called `told_version`.
graph_use = Table(
    "graph_use",
    metadata,
    Column("teller", String(64), primary_key=True),
    Column("dataset", Integer, primary_key=True),
    Column("role", String(3), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("facets", Text, nullable=False),
    Column("history", Text, nullable=False),
    Column("made_at", UtcDateTime),
    Column("told_version", Text),
    Index("graph_use_of_dataset", "dataset", "at"),
    Index("graph_use_made", "dataset", "made_at", "teller", **_MADE),
    Index("graph_use_called", "dataset", "told_version", "made_at", "teller", **_MADE),
)

# One state of what a job makes one dataset (0: none) of, however many runs told it. `ends` is the
# digest of the state in which nothing is told but of which datasets it is made.
graph_lineage = Table(
    "graph_lineage",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("ends", String(64), nullable=False),
    Column("job", Integer, nullable=False),
    Column("dataset", Integer, nullable=False),
    UniqueConstraint("digest", name="graph_lineage_once"),
    Index("graph_lineage_of_ends", "ends"),
    Index("graph_lineage_of_dataset", "dataset"),
)

graph_source = Table(
    "graph_source",
    metadata,
    Column("lineage", Integer, primary_key=True),
    Column("dataset", Integer, primary_key=True),
    Index("graph_source_of_dataset", "dataset"),
)

graph_edge = Table(
    "graph_edge",
    metadata,
    Column("lineage", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("source", Integer, nullable=False),
    Column("target", Integer, nullable=False),
    Column("type", String(16)),
    Column("subtype", String(64)),
    Column("masking", Boolean, nullable=False),
    Column("description", Text, nullable=False),
    Index("graph_edge_of_source", "source", "lineage", "target", "type", "masking"),
    Index("graph_edge_of_target", "target", "lineage", "source", "type", "masking"),
)

# Who told which lineage, and from when until when (NULL: for good) that is so: the statements that
# the intervals are made of.
graph_told = Table(
    "graph_told",
    metadata,
    Column("job", Integer, primary_key=True),
    Column("dataset", Integer, primary_key=True),
    Column("at", UtcDateTime, primary_key=True),
    Column("teller", String(64), primary_key=True),
    Column("until", UtcDateTime),
    Column("lineage", Integer, nullable=False),
    Index("graph_told_by", "teller"),
)

graph_validity = Table(
    "graph_validity",
    metadata,
    Column("job", Integer, primary_key=True),
    Column("dataset", Integer, primary_key=True),
    Column("valid_from", UtcDateTime, primary_key=True),
    Column("valid_to", UtcDateTime),
    Column("lineage", Integer, nullable=False),
    Index("graph_validity_of_lineage", "lineage", "valid_to", "valid_from"),
)

GRAPH = tuple(table for table in metadata.sorted_tables if table.name.startswith("graph_"))
"""All of the projection."""
