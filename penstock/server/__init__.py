"""The lineage server: takes OpenLineage events, answers Marquez's read API and Penstock's own."""

from __future__ import annotations

from penstock.server.app import create_app
from penstock.server.settings import ServerSettings

__all__ = ["ServerSettings", "create_app"]
