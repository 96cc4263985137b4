"""Runs the scripts on the connection the ledger hands over, in the ledger's own transaction."""

from __future__ import annotations

from alembic import context

from penstock.ledger.tables import REVISION_TABLE, metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table=REVISION_TABLE)
context.run_migrations()
