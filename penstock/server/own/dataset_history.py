"""What runs did to a dataset over time: its files and upkeep, and the rows they set aside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from penstock.server.own.described import At, Describer, Id
from penstock.server.own.quarantined import quarantined
from penstock.server.own.upkeep import upkeep
from penstock.server.own.writing import writings
from penstock.server.reading import Reading

__all__ = ["router"]

router = APIRouter()


@router.get("/dataset/history")
def dataset_history(
    connection: Reading, id: Id, at: At = None, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> dict[str, Any]:
    """Files, upkeep and quarantine of the latest `limit` runs; `complete` when there are no more.

    What a run does not say is null: nothing is taken for zero. `outcome` is whether it wrote
    `rows` or `nothing`, or does not say (`untold`).
    """
    dataset = Describer(connection).dataset(id)
    found = list(writings(connection, dataset, until=at, limit=limit + 1))
    told = found[:limit]
    return {
        "runs": len(told),
        "complete": len(found) <= limit,
        "files": [
            {
                **one.line(),
                "upkeep": one.upkeep is not None,
                "outcome": one.outcome,
                "files_written": one.files,
                "bytes_written": one.bytes,
            }
            for one in told
            if one.state == "COMPLETE"
        ],
        "upkeep": upkeep(told),
        "quarantine": quarantined(told),
    }
