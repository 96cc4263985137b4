"""Events form a hash chain for each namespace, and the graph of them has its tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from penstock.ledger.chain import FIRST_LINK, link_after
from penstock.ledger.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

moment = UtcDateTime()
BATCH = 1000


def upgrade() -> None:
    """Links the events that are there, and makes the new tables."""
    op.create_table(
        "chain",
        sa.Column("namespace", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
    )
    op.create_table(
        "archive",
        sa.Column("first_sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("chains", sa.Text, nullable=False),
        sa.Column("archived_at", moment, nullable=False),
    )
    op.create_table(
        "archived_event",
        sa.Column("payload_hash", sa.String(64), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    _server()
    _chain_events()
    op.drop_column("head", "payload_hash")
    _free_parked()
    _graph()


def _server() -> None:
    op.create_table(
        "token",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("revoked_at", moment),
    )
    op.create_index("token_by_digest", "token", ["digest"], unique=True)
    op.create_table(
        "session",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("token", sa.String(128), sa.ForeignKey("token.name"), nullable=False),
        sa.Column("begun_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
    )
    op.create_index("session_by_end", "session", ["expires_at"])
    op.create_table(
        "access",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("sought", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
    )
    op.create_index("access_by_time", "access", ["at"])
    op.create_index("access_by_caller", "access", ["who", "id"])


def _chain_events() -> None:
    chained = op.create_table(
        "event_chained",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("job", sa.Text),
        sa.Column("run_id", sa.String(36)),
        sa.Column("event_type", sa.String(16)),
        sa.Column("event_time", moment, nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
    )
    old = sa.Table("event", sa.MetaData(), *(sa.Column(c.name, c.type) for c in chained.c))
    kept = [column for column in old.c if column.name not in ("position", "link")]
    connection, last = op.get_bind(), 0
    ends: dict[str, tuple[int, str]] = {}
    while rows := _after(connection, kept, last):
        linked = []
        for row in rows:
            position, before = ends.get(row["namespace"], (0, FIRST_LINK))
            link = link_after(
                before,
                namespace=row["namespace"],
                position=position + 1,
                sequence=row["sequence"],
                recorded_at=row["recorded_at"],
                payload_hash=row["payload_hash"],
            )
            ends[row["namespace"]] = (position + 1, link)
            linked.append({**row, "position": position + 1, "link": link})
        connection.execute(sa.insert(chained), linked)
        last = linked[-1]["sequence"]
    chain = sa.table("chain", sa.column("namespace"), sa.column("position"), sa.column("link"))
    for namespace, (position, link) in ends.items():
        connection.execute(
            sa.insert(chain).values(namespace=namespace, position=position, link=link)
        )


def _after(connection: sa.Connection, columns: list[Any], last: int) -> list[dict[str, Any]]:
    sequence = columns[0]
    query = sa.select(*columns).where(sequence > last).order_by(sequence).limit(BATCH)
    return [dict(row) for row in connection.execute(query).mappings()]


def _free_parked() -> None:
    # an archived event may still be parked, so it refers to the event by its number alone
    freed = op.create_table(
        "parked_freed",
        sa.Column(
            "destination",
            sa.String(512),
            sa.ForeignKey("delivery.destination"),
            primary_key=True,
        ),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("parked_at", moment, nullable=False),
    )
    names = ", ".join(column.name for column in freed.c)
    op.execute(f"INSERT INTO parked_freed ({names}) SELECT {names} FROM parked")
    op.drop_table("parked")
    op.rename_table("parked_freed", "parked")
    op.drop_table("event")
    op.rename_table("event_chained", "event")
    op.create_index("event_once", "event", ["payload_hash"], unique=True)
    op.create_index("event_of_job", "event", ["job", "sequence"])
    op.create_index("event_of_run", "event", ["run_id", "sequence"])
    op.create_index("event_of_namespace", "event", ["namespace", "position"])
    op.create_index("event_of_time", "event", ["event_time", "sequence"])
    for statement in append_only(op.get_bind().dialect.name):
        op.execute(statement)


def append_only(dialect: str) -> list[str]:
    """The statements that make the database refuse any change of an event."""
    if dialect == "postgresql":
        return [
            (
                "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
                "FOR EACH STATEMENT EXECUTE FUNCTION event_append_only()"
            )
        ]
    return [
        f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
        "BEGIN SELECT RAISE(ABORT, 'the ledger''s events are append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _graph() -> None:
    cursor = op.create_table(
        "graph_cursor",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(cursor, [{"id": 1, "sequence": 0}])
    op.create_table(
        "graph_passed",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("event_hash", sa.String(64), nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "graph_document",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "graph_dataset",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("same_as", sa.Integer, nullable=False),
        sa.Column("facets", sa.Text, nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
        sa.UniqueConstraint("namespace", "name", name="graph_dataset_once"),
    )
    op.create_index("graph_dataset_same", "graph_dataset", ["same_as"])
    op.create_table(
        "graph_symlink",
        sa.Column("namespace", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("told", moment, nullable=False),
    )
    op.create_table(
        "graph_column",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("same_as", sa.Integer, nullable=False),
        sa.UniqueConstraint("dataset", "name", name="graph_column_once"),
    )
    op.create_index("graph_column_same", "graph_column", ["same_as"])
    op.create_table(
        "graph_label",
        sa.Column("dataset", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("graph_label_of_dataset", "graph_label", ["dataset"])
    op.create_table(
        "graph_job",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("facets", sa.Text, nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("last_seen", moment, nullable=False),
        sa.UniqueConstraint("namespace", "name", name="graph_job_once"),
    )
    op.create_table(
        "graph_run",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("job", sa.Integer, primary_key=True),
        sa.Column("states", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("ended", moment),
        sa.Column("parent_run_id", sa.String(36)),
        sa.Column("root_run_id", sa.String(36)),
        sa.Column("facets", sa.Text, nullable=False),
    )
    op.create_index("graph_run_of_job", "graph_run", ["job", "started"])
    op.create_index("graph_run_of_parent", "graph_run", ["parent_run_id"])
    op.create_table(
        "graph_use",
        sa.Column("teller", sa.String(64), primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("role", sa.String(3), primary_key=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("facets", sa.Text, nullable=False),
    )
    op.create_index("graph_use_of_dataset", "graph_use", ["dataset", "at"])
    op.create_table(
        "graph_lineage",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("job", sa.Integer, nullable=False),
        sa.Column("dataset", sa.Integer, nullable=False),
        sa.UniqueConstraint("digest", name="graph_lineage_once"),
    )
    op.create_index("graph_lineage_of_dataset", "graph_lineage", ["dataset"])
    op.create_table(
        "graph_source",
        sa.Column("lineage", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
    )
    op.create_index("graph_source_of_dataset", "graph_source", ["dataset"])
    op.create_table(
        "graph_edge",
        sa.Column("lineage", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("source", sa.Integer, nullable=False),
        sa.Column("target", sa.Integer, nullable=False),
        sa.Column("type", sa.String(16)),
        sa.Column("subtype", sa.String(64)),
        sa.Column("masking", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
    )
    op.create_index(
        "graph_edge_of_source", "graph_edge", ["source", "lineage", "target", "type", "masking"]
    )
    op.create_index(
        "graph_edge_of_target", "graph_edge", ["target", "lineage", "source", "type", "masking"]
    )
    op.create_table(
        "graph_told",
        sa.Column("job", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("at", moment, primary_key=True),
        sa.Column("teller", sa.String(64), primary_key=True),
        sa.Column("lineage", sa.Integer, nullable=False),
    )
    op.create_index("graph_told_by", "graph_told", ["teller"])
    op.create_table(
        "graph_validity",
        sa.Column("job", sa.Integer, primary_key=True),
        sa.Column("dataset", sa.Integer, primary_key=True),
        sa.Column("valid_from", moment, primary_key=True),
        sa.Column("valid_to", moment),
        sa.Column("lineage", sa.Integer, nullable=False),
    )
    op.create_index(
        "graph_validity_of_lineage", "graph_validity", ["lineage", "valid_to", "valid_from"]
    )
