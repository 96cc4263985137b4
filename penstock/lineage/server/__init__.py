"""The lineage server: takes OpenLineage events, answers Marquez's read API and Penstock's own."""

from __future__ import annotations

from penstock.lineage.server.app import create_app
from penstock.lineage.server.settings import ServerSettings

__all__ = ["ServerSettings", "create_app"]
