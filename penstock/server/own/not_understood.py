"""Events that were accepted and that the graph could not take: nobody should have to read logs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from penstock.events.instant import instant
from penstock.ledger.graph.passed import count_passed, passed
from penstock.server.own.lists import Limit, Offset
from penstock.server.reading import Reading

__all__ = ["router"]

router = APIRouter()


@router.get("/events_not_understood")
def not_understood(connection: Reading, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Events that are in the ledger and not in the graph, newest first.

    `reason` is the kind of error that the event led to; its message might quote the event.
    """
    found = passed(connection, limit=limit, offset=offset)
    return {
        "total": count_passed(connection),
        "events": [
            {
                "namespace": one.namespace,
                "sequence": one.sequence,
                "reason": one.reason,
                "at": instant(one.at),
            }
            for one in found
        ],
    }
