"""Jobs by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.ledger.graph.catalog import Catalog
from penstock.server.problem import Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["known_job"]


def known_job(connection: Connection, namespace: str, name: str) -> int:
    """The job's id. Raises the Problem that there is none."""
    number = Catalog(connection).job_id(namespace, name)
    if number is None:
        raise Problem.unknown("job", f"namespaces/{namespace}/jobs/{name}")
    return number
