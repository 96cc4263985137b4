"""Events, runs, contracts and deliveries. The event table takes inserts only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes the first tables."""
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "payload_hash": ""}])
    op.create_table(
        "event",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("event_type", sa.String(16), nullable=False),
        sa.Column("event_time", moment, nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("payload_hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("run_id", "event_type", "payload_hash", name="event_once"),
    )
    op.create_index("event_of_job", "event", ["job", "sequence"])
    op.create_table(
        "run",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("slice", sa.Text),
        sa.Column("dagster_run_id", sa.String(64)),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started", moment, nullable=False),
        sa.Column("ended", moment),
        sa.Column("last_event_time", moment, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("process_started", sa.Text),
        sa.Column("heartbeat", moment),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_index("run_of_dataset", "run", ["dataset", "started"])
    op.create_index("run_by_state", "run", ["state"])
    op.create_table(
        "contract",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("registered_at", moment, nullable=False),
    )
    op.create_index("contract_by_name", "contract", ["name", "id"])
    op.create_table(
        "delivery",
        sa.Column("destination", sa.String(512), primary_key=True),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt", moment),
        sa.Column("last_error", sa.Text),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", moment),
    )
    op.create_table(
        "parked",
        sa.Column(
            "destination",
            sa.String(512),
            sa.ForeignKey("delivery.destination"),
            primary_key=True,
        ),
        sa.Column("sequence", sa.BigInteger, sa.ForeignKey("event.sequence"), primary_key=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("parked_at", moment, nullable=False),
    )
    _refuse_changes(op.get_bind().dialect.name)


def _refuse_changes(dialect: str) -> None:
    reason = "the ledger''s events are append-only"
    match dialect:
        case "sqlite":
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
                    f"BEGIN SELECT RAISE(ABORT, '{reason}'); END"
                )
        case "postgresql":
            op.execute(
                "CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{reason}'; END $$"
            )
            op.execute(
                "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
                "FOR EACH STATEMENT EXECUTE FUNCTION event_append_only()"
            )
        case other:
            msg = f"the ledger knows SQLite and PostgreSQL, not {other}"
            raise NotImplementedError(msg)
