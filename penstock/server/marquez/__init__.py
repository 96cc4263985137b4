"""Marquez's read API, so that its clients and its web UI work on Penstock's ledger.

The contract is that of https://github.com/MarquezProject/marquez, spec/openapi.yml. Where Marquez
leaves something empty that events tell (how a column is made of another), it is filled in.
"""

from __future__ import annotations

from penstock.server.marquez.routes import router

__all__ = ["router"]
