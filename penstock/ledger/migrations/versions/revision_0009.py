"""Contracts are append-only, as events are."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

REASON = "the ledger''s contracts are append-only"


def upgrade() -> None:
    """Makes the triggers; what is there stays."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION contract_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REASON}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER contract_append_only "
            "BEFORE UPDATE OR DELETE OR TRUNCATE ON contract "
            "FOR EACH STATEMENT EXECUTE FUNCTION contract_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER contract_no_{verb.lower()} BEFORE {verb} ON contract "
            f"BEGIN SELECT RAISE(ABORT, '{REASON}'); END"
        )
